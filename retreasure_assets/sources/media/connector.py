"""The photo connector: which photos are fetched when, and what is noted of them.

What belongs here: what is new, side by side within limits, what a photo's answer means. What does not: where payloads
keep addresses (addresses.py), and where the platform keeps payloads (it is handed in).

Photos are looked at once: channels give a changed photo another address. Nothing of a photo is kept but its hash, size
and form; a photo may show people, and its EXIF where it was taken.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import imagesize
import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window
from retreasure_assets.errors import MalformedInputError, PermanentSourceError, TransientSourceError
from retreasure_assets.sources.api_connector import ApiConnector
from retreasure_assets.sources.http import Answer, HttpClient
from retreasure_assets.sources.http_errors import TRANSIENT_STATUSES, Endpoint
from retreasure_assets.sources.media.addresses import READERS, Gallery, gallery
from retreasure_assets.sources.media.entities import ENTITIES, PhotoRecord, PhotoStatus

#: The hosts that eBay, Etsy and Shopify serve photos from. A payload's other addresses are not asked: whoever can write
#: a listing must not be able to have this machine ask any address.
HOSTS = frozenset({"i.ebayimg.com", "i.etsystatic.com", "cdn.shopify.com"})
#: The one that is asked whether it is there, and the answers of a server that is: its front page shows nothing.
_ASKED = "i.ebayimg.com"
_ANSWERS = frozenset(range(200, 500)) - TRANSIENT_STATUSES
#: The largest photo: Etsy takes 20 MB at most, Shopify 20 MB, eBay 12 MB.
MAX_PHOTO_BYTES = 24 * 1024 * 1024
#: Syncs that ask for a photo which does not answer.
_ATTEMPTS = 5
#: Photos in a row that do not answer before the server is taken for dead.
_DEAD_AFTER = 20
#: Photos asked for at a time, and between two stored batches.
_AT_ONCE = 4
_BATCH = 500
#: Enough of a photo to hold its header, EXIF and all.
_HEADER = 256 * 1024


class _Again(msgspec.Struct, frozen=True):
    """A photo that did not answer, and how often it was asked for."""

    channel: str
    subject: str
    position: int
    url: str
    attempts: int


class _PhotoCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Until when each bronze table was looked at, which photos are to be asked for again, and what galleries were like.

    ``seen`` is a word for the gallery of each listing: only one that changed has to be held against what is known of
    it, which may be anywhere in the history.
    """

    until: dict[str, str] = {}
    again: list[_Again] = []
    seen: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the platform keeps what the connector reads and wrote.

    Args:
        newer: from a bronze table's name and a moment (ISO 8601, None for ever) to what came since: moment and payload.
        known: from listings (``channel|subject``) and a moment (ISO 8601, None for ever) to the newest record of each
            of their places that came since, by natural key.
    """

    newer: Callable[[str, str | None], Iterator[tuple[str, str]]]
    known: Callable[[Collection[str], str | None], Mapping[str, str]]


class MediaConnector(ApiConnector):
    """Reads the photos of what is on offer (implements :class:`retreasure_assets.entities.Connector`).

    Args:
        shelf: where listings and known photos are.
        mirror: the address that stands before ``<host>/<path>`` of every photo; None asks the hosts themselves.
        photos_per_listing: how many of a listing's photos are looked at, the main one first.
        transport, sleep: replaceable in tests.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        mirror: str | None = None,
        photos_per_listing: int = 10,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        http = HttpClient(
            Endpoint("The photo server", "RETREASURE_MEDIA_URL"),
            headers={"Accept": "image/*"},
            max_bytes=MAX_PHOTO_BYTES,
            transport=transport,
            sleep=sleep,
        )
        super().__init__("media", ENTITIES, http)
        self._shelf = shelf
        self._mirror = mirror.rstrip("/") if mirror else None
        self._most = photos_per_listing

    def check(self) -> Sequence[str]:
        """Whether a photo server answers, whatever it answers; see the protocol."""
        self.http.request("GET", f"{self._mirror or f'https://{_ASKED}'}/", accept=_ANSWERS)
        return []

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """Look at the photos of listings that changed since ``cursor``; see the protocol.

        A window gives nothing: photos have no time of their own.

        Raises:
            TransientSourceError, MalformedInputError: the server does not answer for any photo, or not with photos.
        """
        if window.since is not None or window.until is not None:
            return
        stored = _stored(cursor)
        until, shown = dict(stored.until), {}
        for table in READERS:
            for moment, payload in self._shelf.newer(table, stored.until.get(table)):
                until[table] = moment
                found = gallery(table, payload)
                if found is not None:
                    shown[f"{found.channel}|{found.subject}"] = found
        words = {owner: self._word(found) for owner, found in shown.items() if found.urls is not None}
        changed = {owner: shown[owner] for owner, word in words.items() if stored.seen.get(owner) != word}
        known = self._known(changed.keys(), stored)
        wanted = [
            *(
                again
                for again in stored.again
                if (owner := f"{again.channel}|{again.subject}") not in changed
                and (owner not in shown or owner in words)
            ),
            *self._wanted(changed.values(), known),
        ]
        removed = list(_removed(changed.values(), known))
        yield from self._looked_at(entity, wanted, removed, stored, _PhotoCursor(until, [], {**stored.seen, **words}))

    def _word(self, found: Gallery) -> str:
        """Tells galleries of which the same is looked at from others."""
        return hashlib.sha256("\n".join([str(self._most), *(found.urls or [])]).encode()).hexdigest()[:16]

    def _known(self, owners: Collection[str], stored: _PhotoCursor) -> dict[str, PhotoRecord]:
        """What is known of listings whose galleries are other ones than they were.

        Of one that was not seen yet, no photo came before the cursor was stored.
        """
        new = [owner for owner in owners if owner not in stored.seen]
        since = min(stored.until.values(), default=None) if stored.seen else None
        found = {
            **self._shelf.known(new, since),
            **self._shelf.known([owner for owner in owners if owner in stored.seen], None),
        }
        return {key: msgspec.json.decode(payload, type=PhotoRecord) for key, payload in found.items()}

    def _wanted(self, galleries: Iterable[Gallery], known: Mapping[str, PhotoRecord]) -> Iterator[_Again]:
        for each in galleries:
            for position, url in enumerate((each.urls or [])[: self._most]):
                before = known.get(f"{each.channel}|{each.subject}|{position}")
                if before is None or before.url != url:
                    yield _Again(each.channel, each.subject, position, url, 0)

    def _looked_at(
        self,
        entity: Entity,
        wanted: Sequence[_Again],
        removed: Sequence[PhotoRecord],
        stored: _PhotoCursor,
        reached: _PhotoCursor,
    ) -> Iterator[RawBatch]:
        """Batches of what was found; the last one alone carries the cursor that goes past the listings."""
        again: list[_Again] = []
        silent = 0
        records = list(removed)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="photo") as pool:
            for start in range(0, len(wanted), _BATCH):
                part = wanted[start : start + _BATCH]
                for photo, found in zip(part, pool.map(self._look, part), strict=True):
                    if isinstance(found, PhotoRecord):
                        silent = 0
                        records.append(found)
                        continue
                    silent += 1
                    if silent >= _DEAD_AFTER:
                        yield from _batch(entity, records, None)
                        raise found
                    if photo.attempts + 1 >= _ATTEMPTS:
                        records.append(_told(photo, PhotoStatus.UNREACHABLE))
                    else:
                        again.append(msgspec.structs.replace(photo, attempts=photo.attempts + 1))
                if start + _BATCH < len(wanted):
                    # Known from now on: a run that is stopped does not ask for these again.
                    yield from _batch(entity, records, None)
                    records = []
        cursor = msgspec.structs.replace(reached, again=again)
        if records or cursor != stored:
            yield from _batch(entity, records, cursor)

    def _look(self, photo: _Again) -> PhotoRecord | TransientSourceError | MalformedInputError:
        parts = urlsplit(photo.url)
        if parts.scheme != "https" or parts.hostname not in HOSTS or parts.port or parts.username:
            return _told(photo, PhotoStatus.REFUSED)
        address = f"{self._mirror}/{photo.url.removeprefix('https://')}" if self._mirror else photo.url
        try:
            answer = self.http.read("GET", address, _photo, accept=frozenset({200, 403, 404, 410}))
        except (TransientSourceError, MalformedInputError) as error:
            return error
        except PermanentSourceError:
            return _told(photo, PhotoStatus.REFUSED)
        if answer.status != 200:
            return _told(photo, PhotoStatus.MISSING)
        width, height = imagesize.get(io.BytesIO(answer.body[:_HEADER]))
        return PhotoRecord(
            channel=photo.channel,
            subject=photo.subject,
            position=photo.position,
            status=PhotoStatus.FETCHED,
            url=photo.url,
            content_hash=hashlib.sha256(answer.body).hexdigest(),
            bytes=len(answer.body),
            content_type=_content_type(answer),
            width=width if width > 0 else None,
            height=height if height > 0 else None,
        )


def _photo(answer: Answer) -> Answer:
    """The answer, when it is a whole photo or says that there is none.

    An error page with the status of success, or what a broken connection left, were it hashed, would make duplicates
    of photos that are none, and hide those that are.
    """
    if answer.status == 200 and not (_content_type(answer).startswith("image/") and _is_whole(answer.body)):
        raise MalformedInputError(
            "The photo server sent something that is no photo.",
            remedy="Check that RETREASURE_MEDIA_URL, where it is set, mirrors the photo servers; it is asked again.",
        )
    return answer


def _is_whole(image: bytes) -> bool:
    """Whether an image is of a kind that is known and ends as its kind does.

    By the formats' own signatures and ends: PNG (https://www.w3.org/TR/png-3/), JPEG (ITU-T T.81, B.1.1), GIF89a, RIFF
    of WebP (https://developers.google.com/speed/webp/docs/riff_container), and ISO 14496-12 for AVIF and HEIC, whose
    end cannot be told without reading all of it.
    """
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"IEND" in image[-12:]
    if image.startswith(b"\xff\xd8\xff"):
        # Some writers add to the end; a cut one ends in the middle of the picture.
        return b"\xff\xd9" in image[-4096:]
    if image.startswith(b"GIF8"):
        return image.rstrip(b"\0").endswith(b";")
    if image.startswith(b"RIFF"):
        return len(image) >= 8 + int.from_bytes(image[4:8], "little")
    return image[4:8] == b"ftyp"


def _content_type(answer: Answer) -> str:
    content_type: str = answer.headers.get("content-type", "")
    return content_type.partition(";")[0].strip().lower()


def _told(photo: _Again, status: PhotoStatus) -> PhotoRecord:
    return PhotoRecord(photo.channel, photo.subject, photo.position, status, photo.url)


def _removed(galleries: Iterable[Gallery], known: Mapping[str, PhotoRecord]) -> Iterator[PhotoRecord]:
    """The places of listings on offer at which no photo stands any more."""
    for each in galleries:
        if each.urls is None:
            continue
        position = len(each.urls)
        while (before := known.get(f"{each.channel}|{each.subject}|{position}")) is not None:
            if before.status is not PhotoStatus.REMOVED:
                yield PhotoRecord(each.channel, each.subject, position, PhotoStatus.REMOVED)
            position += 1


def _stored(cursor: Cursor | None) -> _PhotoCursor:
    if cursor is None:
        return _PhotoCursor()
    try:
        stored = msgspec.convert(dict(cursor), _PhotoCursor)
    except msgspec.ValidationError:
        # Another form of cursor: what is known already is not asked for again.
        return _PhotoCursor()
    # One from before galleries were remembered: they are looked through once more.
    return stored if stored.seen else _PhotoCursor(again=stored.again)


def _batch(entity: Entity, records: Sequence[PhotoRecord], cursor: _PhotoCursor | None) -> Iterator[RawBatch]:
    yield RawBatch(
        entity=entity,
        records=[msgspec.json.encode(record) for record in records],
        origins=[record.url or f"{record.channel}:{record.subject}" for record in records],
        cursor=None if cursor is None else msgspec.to_builtins(cursor),
    )
