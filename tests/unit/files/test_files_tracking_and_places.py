"""Wrapped records, parameters of addresses, postcode areas, and places of internet addresses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dropping import drop, mapping, sync
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.entities import Mask, Window
from retreasure_assets.privacy.masking import Masker
from retreasure_assets.privacy.masks import postcode_area
from retreasure_assets.sources.files import FilesConnector, entities, load_mappings, values
from retreasure_assets.sources.geo import Place

WRAPPED = mapping("format: jsonl\nenvelope: data\nmasks: {name: redact}\n")


def test_a_wrapped_record_is_taken_out_and_the_lines_own_bytes_are_kept(tmp_path: Path) -> None:
    lines = [
        b'{"event" : "x", "data":{"id" :1,  "name":"Ada"}}',
        b'{"id": 2, "name": "Bo"}',
        b'{"id": 3, "data": null}',
        b'{"id": 4, "data": [5]}',
        b'{"data": {"id": "\\u00e9 5", "data": {"id": 6}}}',
        b'{"data": {"name": "no id"}}',
        b'{"data": {',
    ]
    drop(tmp_path, "hooks.jsonl", b"\n".join(lines))
    read = sync(tmp_path, WRAPPED)
    assert read.records == lines
    assert [payload and payload.get("id") for payload in read.payloads] == [1, 2, 3, 4, "é 5", None, None]
    assert read.problems[5:] == ["id is empty", "it is not valid JSON"]
    assert read.payloads[0] == {"id": 1, "name": "Ada"}


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        ),
        max_size=4,
    )
)
def test_any_wrapped_object_comes_out_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, object]
) -> None:
    home = tmp_path_factory.mktemp("wrapped")
    line = json.dumps({"event": "e", "data": record | {"id": "1"}}, ensure_ascii=False)
    drop(home, "hook.jsonl", line.encode())
    read = sync(home, WRAPPED)
    assert read.payloads == [record | {"id": "1"}]
    assert read.records == [line.encode()]


def test_what_providers_send_is_read_bare_and_wrapped(tmp_path: Path) -> None:
    shapes = {
        "aftership": ({"id": "a1", "updated_at": "2026-09-01T10:00:00+00:00", "tag": "InTransit"}, "msg", "a1"),
        "shippo": ({"carrier": "usps", "tracking_number": "S1", "tracking_status": None}, "data", "usps"),
        "seventeentrack": ({"number": "R1", "carrier": 3011, "track_info": {}}, "data", "3011"),
        "easypost": ({"id": "trk_1", "updated_at": "2026-09-01T10:00:00Z"}, "result", "trk_1"),
    }
    for source, (payload, wrapper, _) in shapes.items():
        entity = "events" if source == "easypost" else "trackings"
        [shipped] = [each for each in load_mappings(None) if (each.source, each.entity) == (source, entity)]
        text = f"{json.dumps(payload)}\n{json.dumps({'event': 'x', wrapper: payload})}\n"
        drop(tmp_path, "hooks.jsonl", text.encode(), folder=f"{source}/{entity}")
        read = sync(tmp_path, shipped)
        assert read.error is None
        assert read.payloads == [payload, payload], source
        assert entities([shipped])[f"{source}_{entity}"].personal


def test_tracking_files_keep_nothing_finer_than_the_postcode_area(tmp_path: Path) -> None:
    [shipped] = [each for each in load_mappings(None) if each.name == "seventeentrack_trackings"]
    address = {"country": "US", "city": "Springfield", "street": "12 Elm St", "postal_code": "90210", "coordinates": {}}
    event = {"time_utc": "2026-09-01T10:00:00Z", "description": "Left with Jane Roe", "address": address}
    payload = {
        "number": "R1",
        "carrier": 1,
        "track_info": {
            "latest_event": event,
            "shipping_info": {"recipient_address": address},
            "tracking": {"providers": [{"events": [event, event]}]},
        },
    }
    masked = Masker(shipped.all_masks, ["number"], b"k" * 32)(json.dumps(payload).encode())[1].decode()
    assert not [word for word in ("Springfield", "Elm", "90210", "Jane") if word in masked]
    assert masked.count('"902"') == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("?utm_source=news&utm_medium=email", "news"),
        ("utm_source=caf%C3%A9+au+lait", "café au lait"),
        ("https://shop.example/a?x=1&utm_source=first&utm_source=second#utm_source=third", "first"),
        ("https://shop.example/utm_source=none", None),
        ("?utm_source=", None),
        ("", None),
        ("https://[broken?utm_source=x", None),
    ],
)
def test_a_parameter_of_an_address(tmp_path: Path, text: str, expected: str | None) -> None:
    rules = mapping("format: jsonl\ncolumns:\n  id: id\n  source: {column: url, parameter: utm_source}\n")
    drop(tmp_path, "a.jsonl", json.dumps({"id": 1, "url": text}).encode())
    assert sync(tmp_path, rules).payloads == [{"id": "1", "source": expected}]


@pytest.mark.parametrize(
    ("text", "number"), [("+040.922326", "40.922326"), ("-072.6", "-72.6"), ("0", "0"), ("-0.0", "0.0"), ("12", "12")]
)
def test_numbers(text: str, number: str) -> None:
    assert values.number(text, ".") == number


@pytest.mark.parametrize("text", ["", "N/A", "1e5", "--1", "1.2.3", "$5"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        values.number(text, ".")


@pytest.mark.parametrize(
    ("postcode", "country", "area"),
    [
        ("90210", "US", "902"),
        ("90210-1234", "", "902"),
        ("SW1A 1AA", "GB", "SW1A"),
        ("sw1a", "GB", "SW1A"),
        ("D02", "IE", "D02"),
        ("1012", "NL", "1012"),
        ("1012 AB", "NL", "1012"),
        ("1010", "AT", "101"),
        ("K1A", "CA", "K1A"),
    ],
)
def test_an_area_is_what_masking_keeps_of_a_persons_postcode(postcode: str, country: str, area: str) -> None:
    assert values.area(f"{postcode}{values.SEPARATOR}{country}") == area
    if " " in postcode or (postcode.isdigit() and country not in ("NL",)):
        assert postcode_area(postcode) == area


def test_postcode_files(tmp_path: Path) -> None:
    shipped = [each for each in load_mappings(None) if (each.source, each.entity) == ("geo", "postcodes")]
    drop(tmp_path, "US_zip.csv", b'"02134","+42.35","-071.13","ALLSTON","MA","SUFFOLK","STANDARD"\n', "geo/postcodes")
    rows = 'GB\tSE1\tLondon "south"\tEngland\tENG\t\t\t\t\t51.5\t-0.1\t4\nXX\t?\tNowhere\t\t\t\t\t\t\t0\t0\t\n'
    drop(tmp_path, "GB.txt", rows.encode(), "geo/postcodes")
    read = sync(tmp_path, shipped)
    found = {
        (row["country"], row["postcode_area"], row["latitude"], row["longitude"], row["region"]) for row in read.good
    }
    assert found == {("US", "021", "42.35", "-71.13", "MA"), ("GB", "SE1", "51.5", "-0.1", "ENG")}
    assert [problem for problem in read.problems if problem] == ["postcode_area is not a postcode"]


def test_the_published_file_of_zip_codes(contracts: Path, tmp_path: Path) -> None:
    shipped = [each for each in load_mappings(None) if (each.source, each.entity) == ("geo", "postcodes")]
    drop(tmp_path, "us.csv", (contracts / "geo" / "us_zip_centroids.csv").read_bytes(), "geo/postcodes")
    read = sync(tmp_path, shipped)
    assert len(read.records) == 42_741
    assert [problem for problem in read.problems if problem] == ["it has 6 columns instead of 7"]
    assert all(2 <= len(row["postcode_area"]) <= 3 for row in read.good)


def clickstream(home: Path, places: bool) -> list[dict[str, object]]:
    """A Segment call, read with and without a way to look addresses up."""
    shipped = [each for each in load_mappings(None) if each.source == "clickstream"]
    call = {
        "messageId": "m1", "type": "track", "event": "Product Viewed", "anonymousId": "anon", "userId": "42",
        "properties": {"sku": "RT-1", "url": "https://shop.example/p?email=jane@example.com"},
        "context": {
            "ip": "81.2.69.142",
            "page": {"path": "/products/rt-1?token=x", "referrer": "https://search.example/?q=jane+roe"},
            "traits": {"email": "jane@example.com"},
        },
        "originalTimestamp": "2026-09-01T10:00:00.123Z", "sentAt": "2026-09-01T10:00:01Z",
        "receivedAt": "2026-09-01T10:00:02Z", "timestamp": "2026-09-01T10:00:01.123Z",
    }  # fmt: skip
    drop(home, "segment_1.jsonl", json.dumps(call).encode(), "clickstream/events")
    look_up = {"81.2.69.142": Place("GB", "ENG")}
    connector = FilesConnector(home / "drop", shipped, (lambda ip: look_up.get(ip, Place())) if places else None)
    entity = connector.entities["events"]
    assert entity.masks == {
        "anonymous_id": Mask.PSEUDONYM, "user_id": Mask.PSEUDONYM, "email": Mask.REDACT, "ip": Mask.IP_PREFIX,
    }  # fmt: skip
    masker = Masker(entity.masks, ["event_id"], b"k" * 32)
    payloads = []
    for batch in connector.batches(entity, None, Window()):
        assert batch.records == [json.dumps(call).encode()]
        payloads += [json.loads(masker(payload)[1]) for payload in batch.payloads or ()]
    return payloads


def test_a_visitors_event_keeps_no_name_and_no_whole_address(tmp_path: Path) -> None:
    [event] = clickstream(tmp_path, places=True)
    assert (event["ip"], event["ip_country"], event["ip_region"]) == ("81.2.69.0", "GB", "ENG")
    assert (event["page_path"], event["referrer"]) == ("/products/rt-1", "https://search.example/")
    assert event["original_at"] == "2026-09-01T10:00:00.123000Z"
    assert not [word for word in ("jane", "anon", "token", "69.142") if word in json.dumps(list(event.values()))]


def test_without_a_database_places_are_unknown(tmp_path: Path) -> None:
    [event] = clickstream(tmp_path, places=False)
    assert (event["ip"], event["ip_country"], event["ip_region"]) == ("81.2.69.0", None, None)
