"""Costs, throttling and GraphQL errors."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.errors import MalformedInputError, PermanentSourceError, SourceError, TransientSourceError
from retreasure_assets.sources.shopify import ENTITIES, ShopifyConnector
from retreasure_assets.sources.shopify.client import PageSize
from tests.unit.sources.fake_shop import T0, Connect, FakeShop, order, stamp


def customers(count: int) -> list[dict[str, Any]]:
    return [{"id": f"gid://shopify/Customer/{n}", "updatedAt": stamp(T0 + timedelta(hours=n))} for n in range(count)]


def read(connector: ShopifyConnector, name: str = "customers") -> list[RawBatch]:
    return list(connector.batches(ENTITIES[name], None, Window()))


def count(batches: list[RawBatch]) -> int:
    return len({json.loads(record)["id"] for batch in batches for record in batch.records})


def sizes(shop: FakeShop) -> list[int]:
    return [variables["first"] for variables in shop.variables if "first" in variables]


def error(code: str | None, message: str = "x", **extensions: Any) -> httpx.Response:
    extensions |= {"code": code} if code else {}
    return httpx.Response(200, json={"data": None, "errors": [{"message": message, "extensions": extensions}]})


def fail(shop: FakeShop, response: httpx.Response, times: int = 10**6) -> None:
    left = iter(range(times))

    def before(name: str, variables: dict[str, Any]) -> httpx.Response | None:
        return response if next(left, None) is not None else None

    shop.before = before


def test_waits_just_as_long_as_the_bucket_needs(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["customers"] = customers(3000)
    shop.cost_per_object = 3.0
    assert count(read(connect_shopify())) == 3000
    cost = sum(sizes(shop)) * shop.cost_per_object
    # The bucket starts full; everything beyond it has to trickle in. The last page's own cost need not.
    assert sum(shop.slept) <= (cost - shop.maximum) / shop.restore_rate + 0.1
    assert sum(shop.slept) >= (cost - shop.maximum - max(sizes(shop)) * 3) / shop.restore_rate - 0.1
    assert shop.operations.count("Customers") == len(sizes(shop))


def test_never_throttled_while_alone(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["customers"] = customers(2000)
    shop.cost_per_object = 4.0
    throttled = []
    original = shop._answer

    def watch(data: Any, cost: float, errors: Any) -> httpx.Response:
        throttled.append(errors)
        return original(data, cost, errors)

    shop._answer = watch  # type: ignore[method-assign]
    assert count(read(connect_shopify())) == 2000
    assert not any(throttled)


def test_throttled_in_a_200_waits_and_goes_on(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["customers"] = customers(100)
    shop.bucket = 10.0
    assert count(read(connect_shopify())) == 100
    # 100 points at 100 a second, 10 are there.
    assert shop.slept == [pytest.approx(0.9, abs=0.01)]


def test_throttled_without_a_word_on_the_bucket(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["customers"] = customers(10)
    fail(shop, httpx.Response(200, json={"errors": [{"message": "Throttled"}]}), times=2)
    assert count(read(connect_shopify())) == 10
    assert shop.slept == [1.0, 1.0]


def test_throttled_for_ever_is_transient(shop: FakeShop, connect_shopify: Connect) -> None:
    fail(shop, error("THROTTLED"))
    with pytest.raises(TransientSourceError, match="throttling customers"):
        read(connect_shopify())


def test_a_page_too_costly_is_halved_until_it_fits(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["customers"] = customers(200)
    shop.cost_per_object = 31.0
    assert count(read(connect_shopify())) == 200
    assert sizes(shop)[:3] == [100, 50, 25]
    assert max(sizes(shop)[2:]) <= 49


def test_a_query_above_the_bucket_is_too_costly_as_well(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["customers"] = customers(50)
    shop.maximum = shop.bucket = 60.0
    assert count(read(connect_shopify())) == 50


def test_a_single_object_too_costly_is_named(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.cost_per_object = 1001.0
    with pytest.raises(PermanentSourceError, match="smallest page of customers"):
        read(connect_shopify())


def test_cheap_pages_grow(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["customers"] = customers(1000)
    assert count(read(connect_shopify())) == 1000
    assert sizes(shop) == sorted(sizes(shop))
    assert sizes(shop)[-1] == 250


def test_twice_as_many_are_tried_once_and_never_again_where_shopify_refuses_them(
    shop: FakeShop, connect_shopify: Connect
) -> None:
    shop.nodes["customers"] = customers(900)
    shop.cost_per_object = 6.0
    assert count(read(connect_shopify())) == 900
    assert sizes(shop) == [100, 200, *[100] * 8]


def test_page_size_never_grows_back_to_what_was_refused() -> None:
    pages = PageSize(100)
    assert pages.shrink()
    for _ in range(10):
        pages.learn(1.0, 2000.0)
    assert pages.size == 99
    while pages.shrink():
        pass
    assert pages.size == 1


def test_a_missing_scope_is_named(shop: FakeShop, connect_shopify: Connect) -> None:
    denied = "Access denied for customers field. Required access: `read_customers` access scope."
    fail(shop, error("ACCESS_DENIED", denied, requiredAccess="`read_customers` access scope."))
    with pytest.raises(PermanentSourceError) as caught:
        read(connect_shopify())
    assert "read_customers" in caught.value.message
    assert "RETREASURE_SHOPIFY_TOKEN" in caught.value.remedy
    assert len(shop.operations) == 1


def test_partial_data_with_an_error_is_not_taken(shop: FakeShop, connect_shopify: Connect) -> None:
    body = {
        "data": {"customers": {"nodes": [{"id": "a"}], "pageInfo": {"hasNextPage": False}}},
        "errors": [{"message": "Access denied for email", "extensions": {"code": "ACCESS_DENIED"}}],
    }
    fail(shop, httpx.Response(200, json=body))
    with pytest.raises(PermanentSourceError, match="denies access to customers"):
        read(connect_shopify())


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "TIMEOUT"])
def test_shopifys_own_failures_are_retried(shop: FakeShop, connect_shopify: Connect, code: str) -> None:
    shop.nodes["customers"] = customers(5)
    fail(shop, error(code), times=3)
    assert count(read(connect_shopify())) == 5
    fail(shop, error(code))
    with pytest.raises(TransientSourceError):
        read(connect_shopify())


@pytest.mark.parametrize(
    ("code", "word"), [("SHOP_INACTIVE", "inactive"), ("undefinedField", "undefinedField"), (None, "refuses")]
)
def test_other_refusals_are_permanent(shop: FakeShop, connect_shopify: Connect, code: str | None, word: str) -> None:
    fail(shop, error(code, "Jane Doe, jane@example.com, lives at 1 High Street"))
    with pytest.raises(PermanentSourceError, match=word) as caught:
        read(connect_shopify())
    assert "jane" not in str(caught.value).lower()
    assert len(shop.operations) == 1


def test_a_search_that_shopify_would_ignore_is_not_taken(shop: FakeShop, connect_shopify: Connect) -> None:
    warning = {"field": "updated_at", "message": "Invalid search field for this query."}
    body = {
        "data": {"customers": {"nodes": [], "pageInfo": {"hasNextPage": False}}},
        "extensions": {"search": [{"path": ["customers"], "query": "x", "warnings": [warning]}]},
    }
    fail(shop, httpx.Response(200, json=body))
    with pytest.raises(PermanentSourceError, match="search for customers"):
        read(connect_shopify())


@pytest.mark.parametrize("errors", ["a text", {"customer": ["is wrong"]}, [1, 2]])
def test_errors_of_another_shape_are_permanent(shop: FakeShop, connect_shopify: Connect, errors: Any) -> None:
    fail(shop, httpx.Response(200, json={"errors": errors}))
    with pytest.raises(SourceError):
        read(connect_shopify())


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data":{"customers":{"nodes":[{"id":1', b"[]", b'{"data":{}}'])
def test_a_malformed_page_is_tried_again_then_named(shop: FakeShop, connect_shopify: Connect, body: bytes) -> None:
    shop.nodes["customers"] = customers(5)
    fail(shop, httpx.Response(200, content=body), times=3)
    assert count(read(connect_shopify())) == 5
    fail(shop, httpx.Response(200, content=body))
    with pytest.raises(MalformedInputError, match="Shopify"):
        read(connect_shopify())


def test_the_version_that_shopify_serves_is_watched(
    shop: FakeShop, connect_shopify: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    shop.nodes["customers"] = customers(500)
    original = shop._answer

    def older(data: Any, cost: float, errors: Any) -> httpx.Response:
        response = original(data, cost, errors)
        response.headers["x-shopify-api-version"] = "2026-01"
        return response

    shop._answer = older  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        read(connect_shopify())
    assert [record.getMessage() for record in caplog.records] == [
        "Shopify answers with API version 2026-01 in place of 2026-10"
    ]


def test_nothing_personal_and_no_token_in_logs(
    shop: FakeShop, connect_shopify: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    shop.nodes["orders"] = [order(n, T0 + timedelta(hours=n), lines=60) for n in range(60)]
    with caplog.at_level(logging.DEBUG):
        read(connect_shopify(bulk_threshold=5), "orders")
    text = caplog.text
    assert "files.example" in text or "POST" in text
    for secret in ("example.com", "shpat", "signature", "müller"):
        assert secret not in text


def test_counters(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["customers"] = customers(150)
    fail(shop, httpx.Response(503), times=1)
    connector = connect_shopify()
    read(connector)
    assert connector.http.counters.retries == 1
    assert connector.http.counters.requests == len(shop.operations)
    assert connector.http.counters.bytes > 1000
