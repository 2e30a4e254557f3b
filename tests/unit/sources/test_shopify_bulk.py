"""Long history through bulk operations."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.errors import TransientSourceError
from retreasure_assets.sources.shopify import ENTITIES, ShopifyConnector
from retreasure_assets.sources.shopify.bulk_nodes import assemble, groups
from tests.unit.sources.fake_shop import T0, Connect, FakeShop, bulk_lines, order, stamp

ORDERS = ENTITIES["orders"]


def read(connector: ShopifyConnector, cursor: Any = None) -> list[RawBatch]:
    return list(connector.batches(ORDERS, cursor, Window()))


def nodes(batches: list[RawBatch]) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for batch in batches:
        for payload in batch.payloads or batch.records:
            node = json.loads(payload)
            assert node["id"] not in out, "twice"
            out[node["id"]] = node
    return out


@pytest.fixture
def full(shop: FakeShop) -> FakeShop:
    """200 hours of orders: every seventh refunded, some with many lines."""
    shop.nodes["orders"] = [
        order(n, T0 + timedelta(hours=n), lines=n % 4 + (60 if n == 33 else 0), refunds=n % 7 == 0)
        for n in range(1, 201)
    ]
    return shop


def test_bulk_and_pages_together_give_each_order_once(full: FakeShop, connect_shopify: Connect) -> None:
    batches = read(connect_shopify(bulk_threshold=50))
    found = nodes(batches)
    assert set(found) == {node["id"] for node in full.nodes["orders"]}
    for node in full.nodes["orders"]:
        got = found[node["id"]]
        assert [line["id"] for line in got["lineItems"]["nodes"]] == [x["id"] for x in node["lineItems"]["nodes"]]
        assert not any(key.startswith("__") for line in got["lineItems"]["nodes"] for key in line)
        assert got["lineItems"]["pageInfo"]["hasNextPage"] is False
        assert got["email"] == node["email"]
    assert batches[-1].cursor == {"updated_at": full.nodes["orders"][-1]["updatedAt"]}
    parse(full.bulk_query)


def test_bulk_payloads_have_the_shape_of_pages(full: FakeShop, connect_shopify: Connect) -> None:
    bulk = nodes(read(connect_shopify(bulk_threshold=50)))
    full.bulk_statuses = ["COMPLETED"]
    paged = nodes(read(connect_shopify(bulk_threshold=10**6)))
    for node in (*bulk.values(), *paged.values()):
        node["lineItems"]["pageInfo"].pop("endCursor")
    assert bulk == paged


def test_bulk_records_are_the_lines_as_received(full: FakeShop, connect_shopify: Connect) -> None:
    by_id = {node["id"]: node for node in full.nodes["orders"]}
    composed = 0
    for batch in read(connect_shopify(bulk_threshold=50)):
        for record, payload in zip(batch.records, batch.payloads or batch.records, strict=True):
            node = by_id[json.loads(payload)["id"]]
            if record != payload:
                assert record == "\n".join(bulk_lines(node)).encode()
                assert not node["refunds"]
                composed += 1
            else:
                assert record == full.sent[node["id"]]
    assert composed > 100


def test_refunded_orders_are_fetched_by_id(full: FakeShop, connect_shopify: Connect) -> None:
    read(connect_shopify(bulk_threshold=50))
    asked = [v["ids"] for v in full.variables if "ids" in v]
    assert {node_id for chunk in asked for node_id in chunk} == {
        node["id"]
        for node in full.nodes["orders"]
        if node["refunds"] and node["updatedAt"] < stamp(T0 + timedelta(hours=152))
    }
    assert all(len(chunk) <= 250 for chunk in asked)


def test_the_sync_after_a_bulk_history_meets_the_same_bytes(full: FakeShop, connect_shopify: Connect) -> None:
    first = read(connect_shopify(bulk_threshold=50))
    known = {record for batch in first for record in batch.records}
    again = read(connect_shopify(bulk_threshold=50), first[-1].cursor)
    assert again
    assert {record for batch in again for record in batch.records} <= known


def test_a_short_history_is_paged(full: FakeShop, connect_shopify: Connect) -> None:
    read(connect_shopify(bulk_threshold=200))
    assert "BulkRun" not in full.operations


def test_history_within_the_overlap_is_paged(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = [order(n, T0 + timedelta(minutes=n)) for n in range(100)]
    batches = read(connect_shopify(bulk_threshold=50))
    assert len(nodes(batches)) == 100


@pytest.mark.parametrize(
    "errors",
    [
        [{"code": "OPERATION_IN_PROGRESS", "message": "x"}],
        [{"code": "LIMIT_REACHED", "message": "x"}],
        [{"code": None, "message": "x"}],
    ],
)
def test_refused_at_the_start_is_paged(full: FakeShop, connect_shopify: Connect, errors: list[dict[str, Any]]) -> None:
    full.bulk_errors = errors
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 200


@pytest.mark.parametrize("status", ["FAILED", "CANCELED", "EXPIRED", "SOMETHING_NEW"])
def test_an_operation_that_ends_badly_is_paged(full: FakeShop, connect_shopify: Connect, status: str) -> None:
    full.bulk_statuses = ["RUNNING", status]
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 200


def test_an_operation_that_takes_too_long_is_cancelled_and_paged(full: FakeShop, connect_shopify: Connect) -> None:
    full.bulk_statuses = ["RUNNING"]
    assert len(nodes(read(connect_shopify(bulk_threshold=50, bulk_timeout=100.0)))) == 200
    assert "BulkCancel" in full.operations
    assert full.time < 200


def test_no_count_no_bulk(full: FakeShop, connect_shopify: Connect) -> None:
    def refuse(name: str, variables: dict[str, Any]) -> httpx.Response | None:
        unknown = {"message": "Field 'ordersCount' doesn't exist", "extensions": {"code": "undefinedField"}}
        return httpx.Response(200, json={"errors": [unknown]}) if name == "OrdersHistory" else None

    full.before = refuse
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 200
    assert "BulkRun" not in full.operations


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"gid://shopify/Order/1"}\nnot json\n',
        b'{"__typename":"LineItem","id":"x","__parentId":"gid://shopify/Order/1"}\n',
        b'{"id":"o1"}\n{"id":"o2"}\n{"__typename":"LineItem","id":"x","__parentId":"o1"}\n',
        b'{"id":"o1"}\n{"__typename":"Mystery","id":"x","__parentId":"o1"}\n',
        b'{"id":"o1"}\n{"id":"x","__parentId":"o1"}\n',
        b'{"id":"o1"}\n[1]\n',
    ],
)
def test_a_file_that_is_not_as_documented_is_paged(full: FakeShop, connect_shopify: Connect, body: bytes) -> None:
    full.bulk_body = body
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 200


def test_an_empty_file(full: FakeShop, connect_shopify: Connect) -> None:
    full.bulk_body = b""
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 49


def test_a_file_without_a_final_line_feed(full: FakeShop, connect_shopify: Connect) -> None:
    connector = connect_shopify(bulk_threshold=50)
    read(connector)
    full.bulk_body = full.bulk_file().rstrip(b"\n")
    full.bulk_statuses = ["COMPLETED"]
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 200


@pytest.mark.parametrize("breaks", [[0], [1], [5000], [3000, 3000, 3000], [0, 0, 0], [3000, 0, 0, 3000, 0, 0]])
def test_a_broken_download_goes_on_where_it_broke(full: FakeShop, connect_shopify: Connect, breaks: list[int]) -> None:
    full.bulk_breaks = list(breaks)
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 200
    assert len(full.downloads) == len(breaks) + 1


def test_a_server_without_ranges(full: FakeShop, connect_shopify: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    original = full._download

    def whole(request: httpx.Request) -> httpx.Response:
        request.headers.pop("range", None)
        return original(request)

    monkeypatch.setattr(full, "_download", whole)
    full.bulk_breaks = [5000, 9000]
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 200


def test_a_download_that_never_gets_on_is_transient(full: FakeShop, connect_shopify: Connect) -> None:
    full.bulk_breaks = [0] * 20
    with pytest.raises(TransientSourceError):
        read(connect_shopify(bulk_threshold=50))


@pytest.mark.parametrize("status", [403, 404, 302])
def test_a_file_that_is_gone_is_paged(
    full: FakeShop, connect_shopify: Connect, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(full, "_download", lambda request: httpx.Response(status))
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 200


def test_a_silently_short_file_is_noticed(
    full: FakeShop, connect_shopify: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = full._download

    def short(request: httpx.Request) -> httpx.Response:
        response = original(request)
        body = b"".join(response.iter_bytes()) if response.status_code != 416 else b""
        return httpx.Response(response.status_code, content=body[:4000])

    monkeypatch.setattr(full, "_download", short)
    assert len(nodes(read(connect_shopify(bulk_threshold=50)))) == 200
    assert len(full.downloads) > 1


@pytest.mark.parametrize("stop", [1, 2])
def test_a_killed_history_goes_on_in_its_file(
    shop: FakeShop, connect_shopify: Connect, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retreasure_assets.sources.shopify.history._BATCH", 40)
    shop.nodes["orders"] = [order(n, T0 + timedelta(hours=n), lines=2, refunds=n % 5 == 0) for n in range(1, 201)]
    stream = connect_shopify(bulk_threshold=50).batches(ORDERS, None, Window())
    taken = [next(stream) for _ in range(stop)]
    stream.close()
    assert taken[-1].cursor is not None
    assert set(taken[-1].cursor) == {"bulk"}
    rest = read(connect_shopify(bulk_threshold=50), json.loads(json.dumps(taken[-1].cursor)))
    assert len(nodes(taken + rest)) == 200
    assert shop.operations.count("BulkRun") == 1


def test_a_killed_history_whose_operation_expired_starts_again(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = [order(n, T0 + timedelta(hours=n)) for n in range(1, 101)]
    stream = connect_shopify(bulk_threshold=50).batches(ORDERS, None, Window())
    first = next(stream)
    stream.close()
    shop.bulk_statuses = ["EXPIRED"]
    assert len(nodes(read(connect_shopify(bulk_threshold=50), first.cursor))) == 100


def test_an_order_deleted_meanwhile_is_kept_as_the_file_has_it(full: FakeShop, connect_shopify: Connect) -> None:
    full.nodes["orders"][6]["refunds"] = [{"id": "r"}]
    gone = full.nodes["orders"][6]["id"]

    def vanish(name: str, variables: dict[str, Any]) -> None:
        if name == "OrdersById":
            full.nodes["orders"] = [node for node in full.nodes["orders"] if node["id"] != gone]

    full.before = vanish
    full.bulk_body = None
    assert gone in nodes(read(connect_shopify(bulk_threshold=50)))


_TEXTS = st.text(alphabet=st.sampled_from('"\\\\/,:{}_parentId é\n'), max_size=30) | st.just('","__parentId":"o/2"}')


@given(
    values=st.lists(st.dictionaries(st.sampled_from(["id", "title", 'n"o']), _TEXTS), max_size=3),
    ends_as_asked=st.booleans(),
    escaped=st.booleans(),
)
def test_a_childs_own_fields_are_found_whatever_they_say(
    values: list[dict[str, str]], ends_as_asked: bool, escaped: bool
) -> None:
    """The quick way to a child's fields, and the slow one where its type and parent stand elsewhere, agree."""

    def line(value: dict[str, str]) -> bytes:
        kind, parent = {"__typename": "LineItem"}, {"__parentId": "o/1"}
        text = json.dumps(kind | value | parent if ends_as_asked else parent | value | kind, separators=(",", ":"))
        return (text.replace("/", "\\/") if escaped else text).encode()

    lines = [json.dumps({"id": "o/1", "note": '"__parentId"'}).encode(), *map(line, values)]
    (group,) = groups("orders", [(each, number) for number, each in enumerate(lines)])
    node = json.loads(assemble("orders", group))
    assert node["lineItems"]["nodes"] == values
    assert (node["id"], group.end, group.lines) == ("o/1", len(values), lines)
