"""What bronze says of listings and of photos."""

from __future__ import annotations

import json

from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.photos import known_photos, newer_payloads
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.sources.media.entities import PHOTOS
from tests.unit.lake.world import LOCATIONS, batch


def photo(subject: str, position: int, url: str) -> bytes:
    record = {"channel": "etsy", "subject": subject, "position": position, "status": "fetched", "url": url}
    return json.dumps(record).encode()


def test_only_what_came_since_is_read_again(lake: Lake, vault: Vault) -> None:
    assert list(newer_payloads(lake, "shopify_locations", None)) == []
    writer = BronzeWriter(lake, vault)
    writer.submit(batch([b'{"id": "1"}', b'{"id": "2"}'], LOCATIONS), run_id="one").result()
    first = list(newer_payloads(lake, "shopify_locations", None))
    assert sorted(json.loads(payload)["id"] for _, payload in first) == ["1", "2"]
    assert list(newer_payloads(lake, "shopify_locations", first[-1][0])) == []
    writer.submit(batch([b'{"id": "3"}'], LOCATIONS), run_id="two").result()
    writer.close()
    [(moment, payload)] = newer_payloads(lake, "shopify_locations", first[-1][0])
    assert json.loads(payload)["id"] == "3"
    assert moment > first[-1][0]


def test_the_newest_record_of_each_place_is_known(lake: Lake, vault: Vault) -> None:
    assert known_photos(lake, {"etsy|5"}, None) == {}
    writer = BronzeWriter(lake, vault)
    writer.submit(batch([photo("5", 0, "a"), photo("5", 1, "b"), photo("55", 0, "c")], PHOTOS), run_id="one").result()
    [moment] = {at for at, _ in newer_payloads(lake, "media_photos", None)}
    writer.submit(batch([photo("5", 0, "d")], PHOTOS), run_id="two").result()
    assert [json.loads(payload)["url"] for payload in known_photos(lake, {"etsy|5"}, moment).values()] == ["d"]
    # What was there before is there again: a photo is a state of the moment.
    writer.submit(batch([photo("5", 0, "a")], PHOTOS), run_id="three").result()
    writer.close()
    known = {key: json.loads(payload)["url"] for key, payload in known_photos(lake, {"etsy|5"}, None).items()}
    assert known == {"etsy|5|0": "a", "etsy|5|1": "b"}
    assert known_photos(lake, [], None) == {}
