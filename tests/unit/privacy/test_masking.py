"""Masking: nothing personal survives, everything else is as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.entities import Mask
from retreasure_assets.privacy.masking import MalformedRecordError, Masker

KEY = b"k" * 32
PLANTED = "Jane Planted-Doe"
MASKS = {
    "email": Mask.REDACT,
    "zip": Mask.POSTCODE_AREA,
    "loyalty": Mask.PSEUDONYM,
    "customer.name": Mask.REDACT,
    "customer.address.street": Mask.REDACT,
    "notes[]": Mask.REDACT,
    "refunds[].note": Mask.REDACT,
    "refunds[].lines.nodes[].by": Mask.REDACT,
}
REDACTED = {path: mask for path, mask in MASKS.items() if mask is Mask.REDACT}


def masker(masks: Mapping[str, Mask] = MASKS, capture: tuple[str, ...] = ()) -> Masker:
    return Masker(masks, capture, KEY)


def mask(record: Any, masks: Mapping[str, Mask] = MASKS) -> Any:
    return json.loads(masker(masks)(json.dumps(record).encode())[1])


def expected(record: Any) -> Any:
    """The same by plain means, for records of the right form."""

    def blank(value: Any, steps: list[str]) -> Any:
        if not steps:
            return None
        if steps[0] == "[]":
            return [blank(item, steps[1:]) for item in value] if isinstance(value, list) else value
        if isinstance(value, dict) and steps[0] in value:
            return value | {steps[0]: blank(value[steps[0]], steps[1:])}
        return value

    for path in REDACTED:
        record = blank(record, path.replace("[]", ".[]").split("."))
    return record


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
personal = st.none() | st.just(PLANTED)


def having(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the fields, in any order, and others that no path names."""
    known = st.fixed_dictionaries({}, optional=fields)
    others = st.dictionaries(st.text(max_size=5).map(lambda name: "x" + name), anything, max_size=2)
    return st.tuples(known, others).flatmap(
        lambda parts: st.permutations([*parts[0].items(), *parts[1].items()]).map(dict)
    )


records = having(
    id=st.integers(),
    email=personal,
    customer=st.none() | having(name=personal, address=st.none() | having(street=personal)),
    notes=st.none() | st.lists(personal, max_size=3),
    refunds=st.none()
    | st.lists(
        having(
            note=personal,
            amount=st.floats(allow_nan=False, allow_infinity=False),
            lines=having(nodes=st.lists(having(by=personal), max_size=2)),
        ),
        max_size=3,
    ),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(records, min_size=1, max_size=5), st.booleans())
def test_nothing_planted_survives_and_everything_else_is_equal(batch: list[dict[str, Any]], spaced: bool) -> None:
    one = masker(REDACTED)
    for record in batch:
        text = json.dumps(record, indent=1 if spaced else None, ensure_ascii=spaced).encode("utf-8", "surrogatepass")
        _, payload = one(text)
        assert PLANTED.encode() not in payload
        assert json.loads(payload) == expected(record)


@settings(max_examples=100, deadline=None)
@given(st.lists(records, min_size=2, max_size=5))
def test_the_quick_way_gives_what_the_general_way_gives(batch: list[dict[str, Any]]) -> None:
    capture = ("id", "email", "customer.name", "refunds[].note")
    learned = masker(MASKS, capture)
    for record in batch * 2:
        text = json.dumps(record).encode()
        values, payload = learned(text)
        fresh_values, fresh_payload = masker(MASKS, capture)(text)
        assert values == fresh_values
        assert json.loads(payload) == json.loads(fresh_payload)


@pytest.mark.parametrize(
    "twice",
    [
        '"email":"{0}","email":null',
        '"customer":{{"name":"{0}"}},"customer":null',
        '"customer":{{"name":"{0}"}},"customer":{{}}',
        '"customer":{{"address":{{"street":"{0}"}},"address":{{}}}}',
        '"refunds":[{{"lines":{{"nodes":["{0}"],"nodes":[]}}}}]',
        '"refunds":[{{"note":"{0}","note":null}}]',
        '"notes":["{0}"],"notes":[]',
    ],
)
def test_a_field_that_comes_twice_leaves_no_first_value_behind(twice: str) -> None:
    one = masker()
    text = f'{{"id":1,{twice.format(PLANTED)}}}'.encode()
    once = f'{{"id":1,{twice.format(PLANTED)}}}'.replace(f'"{PLANTED}"', "null").encode()
    for record in (text, once, text, text):
        _, payload = one(record)
        assert PLANTED.encode() not in payload


@settings(max_examples=100, deadline=None)
@given(records)
def test_a_payload_that_equals_its_record_held_nothing_to_mask(record: dict[str, Any]) -> None:
    one = masker(REDACTED)
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    for _ in range(2):
        _, payload = one(text)
        if payload == text:
            assert expected(record) == record


@settings(max_examples=100, deadline=None)
@given(anything, anything, anything)
def test_personal_places_of_any_form_fail_closed(customer: Any, refunds: Any, postcode: Any) -> None:
    planted = {"customer": customer, "refunds": refunds, "zip": postcode, "kept": PLANTED}
    masked = mask(planted)
    assert masked["kept"] == PLANTED
    for name in ("customer", "refunds"):
        if not isinstance(planted[name], dict | list):
            assert masked[name] is None
    assert masked["zip"] is None or isinstance(masked["zip"], list) or len(masked["zip"]) <= 4


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ({"customer": "Jane"}, {"customer": None}),
        ({"customer": [{"name": "Jane", "n": 1}]}, {"customer": [{"name": None, "n": 1}]}),
        ({"refunds": {"note": "Jane", "n": 1}}, {"refunds": {"note": None, "n": 1}}),
        ({"notes": "Jane"}, {"notes": None}),
        ({"notes": [{"by": "Jane"}, ["Jane"]]}, {"notes": [None, None]}),
        ({"email": {"address": "Jane"}}, {"email": None}),
        ({"email": ["Jane"]}, {"email": None}),
        ({"zip": 10115}, {"zip": "101"}),
        ({"zip": ["10115"]}, {"zip": None}),
        ({"zip": 10115.5}, {"zip": None}),
        ({"zip": True}, {"zip": None}),
        ({}, {}),
    ],
)
def test_forms_that_were_not_expected(record: Any, result: Any) -> None:
    assert mask(record) == result


def test_a_learned_form_does_not_let_unexpected_ones_through() -> None:
    one = masker()
    one(json.dumps({"customer": {"name": "Jane", "address": {"street": "S"}}, "refunds": [{"note": "Jane"}]}).encode())
    unexpected: list[Any] = [
        {"customer": "Jane"},
        {"customer": ["Jane"]},
        {"refunds": "Jane"},
        {"refunds": [{"note": "Jane", "x": 1}]},
        {"refunds": [["Jane"]]},
    ]
    for record in unexpected:
        assert b"Jane" not in one(json.dumps(record).encode())[1]


def test_escaped_and_repeated_names_are_masked() -> None:
    assert json.loads(masker()(b'{"\\u0065mail":"Jane","id":1}')[1]) == {"email": None, "id": 1}
    one = masker()
    for _ in range(2):
        assert b"Jane" not in one(b'{"email":"Jane A","email":"Jane B"}')[1]


def test_numbers_keep_their_digits() -> None:
    record = b'{"email":"x","amount":1.10,"big":12345678901234567890123,"exp":1E400}'
    one = masker()
    for _ in range(2):
        assert one(record)[1] == record.replace(b'"x"', b"null")


def test_without_masks_the_payload_is_the_record_byte_for_byte() -> None:
    record = b' {"b" : 1.10,\n "a":"\\u00e9", "a":2}'
    one = masker({}, ("a",))
    for _ in range(2):
        values, payload = one(record)
        assert payload == record
        assert values == [2]


def test_captures_the_first_value_before_masking() -> None:
    one = masker(MASKS, ("email", "refunds[].note", "customer.address.street", "missing"))
    record = {"email": "e", "refunds": [{"note": None}, {"note": "n"}], "customer": {"address": {"street": 5}}}
    for _ in range(2):
        assert one(json.dumps(record).encode())[0] == ["e", "n", 5, None]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "is not valid JSON"),
        (b"{", "is not valid JSON"),
        (b'{"a":1', "is not valid JSON"),
        (b'{"a":1}{"a":1}', "is not valid JSON"),
        (b'\xef\xbb\xbf{"a":1}', "is not valid JSON"),
        (b'{"a":NaN}', "is not valid JSON"),
        (b'{"a":"\\ud800"}', "is not valid JSON"),
        (b'{"a":{"b":"\\ud800 and more"}}', "is not valid JSON"),
        (b"[]", "is not a JSON object"),
        (b'"Jane"', "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
    ],
    ids=range(12),
)
def test_malformed_records_are_named_without_being_quoted(record: bytes, reason: str) -> None:
    for one in (masker(), masker({}, ("a",))):
        one(b'{"a":1}')
        with pytest.raises(MalformedRecordError) as caught:
            one(record)
        assert str(caught.value) == reason
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
