"""The photo connector against a photo server that can be down: what is fetched, when, and what is noted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from retreasure_assets.entities import Cursor, Window
from retreasure_assets.errors import TransientSourceError
from retreasure_assets.sandbox.photos import picture
from retreasure_assets.sources.media.connector import MediaConnector, Shelf
from retreasure_assets.sources.media.entities import PHOTOS

Rows = list[dict[str, Any]]
EVERYTHING = Window()


class Platform:
    """Bronze and a photo server in memory, and a connector between them."""

    def __init__(self, **settings: Any) -> None:
        self.bronze: dict[str, list[tuple[str, str]]] = {}
        self.records: dict[str, str] = {}
        self.cursor: Cursor | None = None
        self.photos: dict[str, bytes] = {}
        self.dead: set[str] = set()
        self.excused: set[str] = set()
        #: Photos as they are sent, whole or not.
        self.cut: dict[str, bytes] = {}
        self.asked: list[str] = []
        #: Which listings' photos were looked up, and since when.
        self.looked_up: list[tuple[list[str], str | None]] = []
        self._moment = 0
        self._came_at: dict[str, str] = {}
        self._connector = MediaConnector(
            Shelf(self._newer, self._known),
            transport=httpx.MockTransport(self._answer),
            sleep=lambda _: None,
            **settings,
        )

    def _newer(self, table: str, after: str | None) -> Iterator[tuple[str, str]]:
        return (row for row in self.bronze.get(table, []) if after is None or row[0] > after)

    def _known(self, subjects: Collection[str], after: str | None) -> Mapping[str, str]:
        if subjects:
            self.looked_up.append((sorted(subjects), after))
        return {
            key: payload
            for key, payload in self.records.items()
            if key.rpartition("|")[0] in subjects and (after is None or self._came_at[key] > after)
        }

    def _answer(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.asked.append(url)
        if url in self.dead:
            return httpx.Response(503)
        if url in self.excused:
            return httpx.Response(200, content=b"<p>Back soon", headers={"Content-Type": "text/html"})
        if url in self.cut:
            return httpx.Response(200, content=self.cut[url], headers=_PNG)
        content = self.photos.get(url)
        return httpx.Response(404) if content is None else httpx.Response(200, content=whole(content), headers=_PNG)

    def came(self, table: str, payload: Mapping[str, Any]) -> None:
        """A record of a listing reaches bronze."""
        self.bronze.setdefault(table, []).append((self._now(), json.dumps(payload)))

    def _now(self) -> str:
        self._moment += 1
        return f"2026-01-01T00:{self._moment:02}:00+00:00"

    def sync(self, window: Window = EVERYTHING) -> Rows:
        """One sync; what it noted. The cursor is kept batch by batch, as the platform does."""
        noted: Rows = []
        now = self._now()
        for batch in self._connector.batches(PHOTOS, self.cursor, window):
            for record in batch.records:
                row = json.loads(record)
                key = "{channel}|{subject}|{position}".format(**row)
                self.records[key], self._came_at[key] = record.decode(), now
                noted.append(row)
            self.cursor = batch.cursor or self.cursor
        return noted


def whole(content: bytes) -> bytes:
    """A photo of that content, as far as one looks into it."""
    return content if content.startswith(_SIGNATURE) else _SIGNATURE + content + b"IEND\xae\x42\x60\x82"


_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG = {"Content-Type": "image/png; charset=binary"}
A, B, C = (f"https://i.etsystatic.com/{name}.jpg" for name in "abc")


def etsy(listing: int, *urls: str, state: str = "active") -> dict[str, Any]:
    images = [{"url_fullxfull": url, "rank": place} for place, url in enumerate(urls, start=1)]
    return {"listing_id": listing, "state": state, "images": images[::-1]}


def shopify(product: str, *urls: str, status: str = "ACTIVE") -> dict[str, Any]:
    nodes: list[Any] = [{"id": "video"}, *({"image": {"url": url}} for url in urls)]
    return {"legacyResourceId": product, "status": status, "media": {"nodes": nodes}}


def ebay(sku: str, *urls: str, quantity: int = 1) -> dict[str, Any]:
    there = {"shipToLocationAvailability": {"quantity": quantity}}
    return {"sku": sku, "product": {"imageUrls": list(urls)}, "availability": there}


def told(rows: Sequence[dict[str, Any]]) -> set[tuple[str, str, int, str]]:
    return {(row["channel"], row["subject"], row["position"], row["status"]) for row in rows}


def test_a_photo_is_known_by_its_content_on_every_channel() -> None:
    platform = Platform()
    on_ebay, on_shopify = "https://i.ebayimg.com/1.jpg", "https://cdn.shopify.com/1.jpg?v=2"
    platform.photos = {A: picture(1, 0), on_ebay: picture(1, 0), on_shopify: picture(2, 0)}
    platform.came("etsy_listings", etsy(5, A))
    platform.came("ebay_inventory_items", ebay("RT-1", on_ebay))
    platform.came("shopify_products", shopify("9", on_shopify))
    rows = {row["channel"]: row for row in platform.sync()}
    assert rows["etsy"]["content_hash"] == rows["ebay"]["content_hash"] == hashlib.sha256(picture(1, 0)).hexdigest()
    assert rows["shopify"]["content_hash"] != rows["etsy"]["content_hash"]
    expected = {"bytes": len(picture(1, 0)), "content_type": "image/png", "width": 8, "height": 8, "subject": "RT-1"}
    assert {name: rows["ebay"][name] for name in expected} == expected


def test_a_photo_is_asked_for_once() -> None:
    platform = Platform()
    platform.photos = {A: b"one", B: b"two", C: b"three"}
    platform.came("etsy_listings", etsy(5, A, B))
    assert told(platform.sync()) == {("etsy", "5", 0, "fetched"), ("etsy", "5", 1, "fetched")}
    assert platform.sync() == []
    # The price changes, the second photo too: only the new one is asked for.
    platform.came("etsy_listings", etsy(5, A, C))
    assert told(platform.sync()) == {("etsy", "5", 1, "fetched")}
    assert sorted(platform.asked) == [A, B, C]
    # Without its cursor the platform still knows what it has.
    platform.cursor = None
    assert platform.sync() == []


def test_what_is_known_is_looked_up_where_it_may_be_and_only_where_it_matters() -> None:
    platform = Platform()
    platform.photos = {url: picture(1, view) for view, url in enumerate((A, B, C))}
    platform.came("etsy_listings", etsy(5, A))
    platform.sync()
    assert platform.looked_up == [(["etsy|5"], None)]
    # Nothing but its price changed; the other one is new, so that no photo of it is older than it.
    platform.looked_up.clear()
    platform.came("etsy_listings", etsy(5, A))
    platform.came("etsy_listings", etsy(6, B))
    assert told(platform.sync()) == {("etsy", "6", 0, "fetched")}
    [(looked_up, since)] = platform.looked_up
    assert (looked_up, since) == (["etsy|6"], platform.bronze["etsy_listings"][0][0])
    # A changed gallery is held against all that is known of it.
    platform.looked_up.clear()
    platform.came("etsy_listings", etsy(5, A, C))
    assert told(platform.sync()) == {("etsy", "5", 1, "fetched")}
    assert platform.looked_up == [(["etsy|5"], None)]


def test_a_cursor_from_before_galleries_were_remembered_asks_for_no_photo_again() -> None:
    platform = Platform()
    platform.photos = {A: picture(1, 0), B: picture(1, 1)}
    platform.came("etsy_listings", etsy(5, A))
    platform.sync()
    assert platform.cursor is not None
    platform.cursor = {"until": platform.cursor["until"]}
    platform.came("etsy_listings", etsy(6, B))
    platform.sync()
    platform.came("etsy_listings", etsy(5))
    assert told(platform.sync()) == {("etsy", "5", 0, "removed")}
    assert platform.asked == [A, B]


def test_a_photo_that_was_taken_down_is_told_once_and_may_come_back() -> None:
    platform = Platform()
    platform.photos = {A: b"one", B: b"two"}
    platform.came("etsy_listings", etsy(5, A, B))
    platform.sync()
    platform.came("etsy_listings", etsy(5, A))
    assert told(platform.sync()) == {("etsy", "5", 1, "removed")}
    platform.came("etsy_listings", etsy(5, A))
    assert platform.sync() == []
    platform.came("etsy_listings", etsy(5, A, B))
    assert told(platform.sync()) == {("etsy", "5", 1, "fetched")}


def test_what_is_not_on_offer_is_nobodys_concern() -> None:
    platform = Platform()
    platform.came("etsy_listings", etsy(5, A, state="sold_out"))
    platform.came("shopify_products", shopify("9", A, status="DRAFT"))
    platform.came("ebay_inventory_items", ebay("RT-1", A, quantity=0))
    platform.came("etsy_listings", {"listing_id": "no number"})
    assert platform.sync() == []
    assert platform.asked == []


def test_as_many_photos_of_a_listing_as_are_wanted() -> None:
    platform = Platform(photos_per_listing=1)
    platform.photos = {A: b"one", B: b"two"}
    platform.came("etsy_listings", etsy(5, A, B))
    assert told(platform.sync()) == {("etsy", "5", 0, "fetched")}


@pytest.mark.parametrize(
    "url",
    [
        "http://i.etsystatic.com/a.jpg",
        "https://169.254.169.254/latest/meta-data",
        "https://i.etsystatic.com:8443/a.jpg",
        "https://me@i.etsystatic.com/a.jpg",
        "file:///etc/passwd",
        "https://i.etsystatic.com.example.com/a.jpg",
    ],
)
def test_only_the_platforms_own_photo_servers_are_asked(url: str) -> None:
    platform = Platform()
    platform.came("etsy_listings", etsy(5, url))
    assert told(platform.sync()) == {("etsy", "5", 0, "refused")}
    assert platform.asked == []


def test_a_mirror_is_asked_in_their_place() -> None:
    platform = Platform(mirror="http://127.0.0.1:9/media/")
    platform.photos = {"http://127.0.0.1:9/media/i.etsystatic.com/a.jpg": b"one"}
    platform.came("etsy_listings", etsy(5, A))
    assert told(platform.sync()) == {("etsy", "5", 0, "fetched")}


def test_one_dead_photo_keeps_nothing_else_and_is_given_up_in_the_end() -> None:
    platform = Platform()
    platform.photos, platform.dead = {B: b"two"}, {A}
    platform.came("etsy_listings", etsy(5, A, B, C))
    assert told(platform.sync()) == {("etsy", "5", 1, "fetched"), ("etsy", "5", 2, "missing")}
    for _ in range(3):
        assert platform.sync() == []
    assert told(platform.sync()) == {("etsy", "5", 0, "unreachable")}
    assert platform.sync() == []


def test_a_photo_that_answers_later_is_fetched_then() -> None:
    platform = Platform()
    platform.photos, platform.dead = {A: b"one"}, {A}
    platform.came("etsy_listings", etsy(5, A))
    assert platform.sync() == []
    platform.dead = set()
    assert told(platform.sync()) == {("etsy", "5", 0, "fetched")}


def test_an_error_page_is_no_photo_whatever_its_status() -> None:
    platform = Platform()
    platform.photos, platform.excused = {A: b"one", B: b"two"}, {A, B}
    platform.came("etsy_listings", etsy(5, A, B))
    assert platform.sync() == []
    platform.excused = set()
    assert told(platform.sync()) == {("etsy", "5", 0, "fetched"), ("etsy", "5", 1, "fetched")}


@pytest.mark.parametrize(
    "photo",
    [
        picture(1, 0),
        b"\xff\xd8\xff\xe0 thumbnail \xff\xd9" + bytes(9000) + b"\xff\xd9 and a note",
        b"GIF89a picture ;\0",
        b"RIFF\x0c\0\0\0WEBPVP8 data",
    ],
    ids=["png", "jpeg", "gif", "webp"],
)
def test_half_a_photo_is_none(photo: bytes) -> None:
    platform = Platform()
    platform.came("etsy_listings", etsy(5, A))
    platform.cut[A] = photo[: len(photo) // 2]
    assert platform.sync() == []
    platform.cut[A] = photo
    [row] = platform.sync()
    assert (row["status"], row["content_hash"]) == ("fetched", hashlib.sha256(photo).hexdigest())


def test_a_dead_server_is_an_error_and_loses_nothing() -> None:
    platform = Platform()
    urls = [f"https://i.etsystatic.com/{number}.jpg" for number in range(30)]
    platform.photos = {url: url.encode() for url in urls}
    platform.dead = set(urls[5:])
    for number, url in enumerate(urls):
        platform.came("etsy_listings", etsy(number + 1, url))
    with pytest.raises(TransientSourceError):
        platform.sync()
    assert len(platform.records) == 5
    platform.dead = set()
    assert len(platform.sync()) == 25


def test_a_window_has_no_photos() -> None:
    platform = Platform()
    platform.came("etsy_listings", etsy(5, A))
    assert platform.sync(Window(since=datetime(2026, 1, 1, tzinfo=UTC))) == []
