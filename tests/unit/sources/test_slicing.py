"""Records cut out of pages keep their bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.errors import MalformedInputError
from retreasure_assets.sources.slicing import slice_page, slice_records

ORDERS = ("data", "orders", "nodes")

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
layouts = st.fixed_dictionaries(
    {
        "indent": st.none() | st.integers(0, 3),
        "separators": st.sampled_from([(",", ":"), (" ,\t", " : "), (",\r\n", ":")]),
        "ensure_ascii": st.booleans(),
    }
)


def _encode(value: Any, layout: dict[str, Any]) -> bytes:
    return json.dumps(value, **layout).encode("utf-8", "surrogatepass")


@given(st.lists(values, max_size=6), layouts, st.text())
def test_slices_are_the_elements_bytes(records: list[Any], layout: dict[str, Any], other: str) -> None:
    parts = [_encode(record, layout) for record in records]
    nodes = b"[ " + b" ,\n ".join(parts) + b" ]"
    noise = _encode({other: records}, layout)
    body = b'{"extra":' + noise + b', "data" :{"orders":{"pageInfo":{},"nodes":' + nodes + b"}}}"
    assert slice_records(body, ORDERS) == parts
    assert [json.loads(part) for part in slice_records(body, ORDERS)] == records


@given(st.lists(values, max_size=6), layouts)
def test_agrees_with_json_on_a_bare_array(records: list[Any], layout: dict[str, Any]) -> None:
    body = _encode(records, layout)
    slices = slice_records(body, ())
    assert [json.loads(part) for part in slices] == records
    position = 0
    for part in slices:
        position = body.index(part, position) + len(part)


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=3), min_size=1, max_size=4))
def test_any_path(path: list[str]) -> None:
    body = b"[1, 2]"
    for key in reversed(path):
        body = json.dumps(key).encode() + b":" + body
        body = b"{" + body + b"}"
    assert slice_records(body, tuple(path)) == [b"1", b"2"]


def test_keys_that_are_no_identifiers() -> None:
    assert slice_records(b'{"a-b":{"class":[{}]}}', ("a-b", "class")) == [b"{}"]


def test_invalid_utf8_in_a_record_leaves_the_others() -> None:
    body = b'{"data":{"orders":{"nodes":[{"a":1},{"name":"\xff\xfe"},{"b":"\xc3\xa9"}]}}}'
    assert slice_records(body, ORDERS) == [b'{"a":1}', b'{"name":"\xff\xfe"}', b'{"b":"\xc3\xa9"}']


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>log in</html>",
        b"null",
        b"[]",
        b"{}",
        b'{"data":null}',
        b'{"data":{"orders":{"nodes":null}}}',
        b'{"data":{"orders":{"nodes":{}}}}',
        b'{"data":{"orders":{"nodes":[1,]}}}',
        b'{"data":{"orders":{"nodes":[{"a":1}',
        b'{"data":{"orders":{"nodes":[{"a":NaN}]}}}',
        b'{"data":{"orders":{"nodes":[]}}} trailing',
        b'{"data":{"orders":{"nodes":[' + b"[" * 20_000 + b"]" * 20_000 + b"]}}}",
    ],
)
def test_other_shapes_are_malformed(body: bytes) -> None:
    with pytest.raises(MalformedInputError) as caught:
        slice_records(body, ORDERS, source="Shopify")
    assert "Shopify" in str(caught.value)
    assert caught.value.__cause__ is None


def test_page() -> None:
    body = b'{"data":{"x":{"nodes":[{}],"pageInfo":{"hasNextPage":true,"endCursor":"c"}}}}'
    page = slice_page(body, ("data", "x"))
    assert page is not None
    assert (page.records, page.next_cursor) == ([b"{}"], "c")


def test_the_last_page_has_no_next_cursor() -> None:
    body = b'{"data":{"x":{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":"c"}}}}'
    page = slice_page(body, ("data", "x"))
    assert page is not None
    assert page.next_cursor is None


@pytest.mark.parametrize("body", [b'{"data":null}', b'{"data":{"a":null}}'])
def test_a_null_on_the_way_is_no_page(body: bytes) -> None:
    assert slice_page(body, ("data", "a", "b")) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"x":{"nodes":[]}}}',
        b'{"data":{"x":{"nodes":[],"pageInfo":{"hasNextPage":true,"endCursor":null}}}}',
        b'{"data":{"x":[]}}',
    ],
)
def test_a_page_that_does_not_say_how_it_goes_on_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedInputError):
        slice_page(body, ("data", "x"))


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("orders.json", ("orders",)),
        ("payouts.json", ("payouts",)),
        ("payouts_transactions.json", ("transactions",)),
        ("inventory_levels.json", ("inventory_levels",)),
        ("locations.json", ("locations",)),
        ("products.json", ()),
        ("transactions.json", ()),
    ],
)
def test_published_fixtures(contracts: Path, file: str, path: tuple[str, ...]) -> None:
    body = (contracts / "shopify" / "rest_fixtures" / file).read_bytes()
    slices = slice_records(body, path)
    expected = json.loads(body)
    for key in path:
        expected = expected[key]
    assert [json.loads(part) for part in slices] == expected
    position = 0
    for part in slices:
        position = body.index(part, position)
        assert body[position : position + len(part)] == part
        position += len(part)
