"""What the sandbox's Shopify face answers: orders, references, amounts, bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_asking import GRAPHQL, HEADERS, Ask, walk

from retreasure_assets.sandbox.shopify_format import bag, money, plain
from retreasure_assets.sandbox.shopify_json import encode
from retreasure_assets.sandbox.world import World


def test_orders_say_what_happened_to_them(world: World, ask: Ask) -> None:
    nodes = {node["id"]: node for node in walk(ask, "orders", ("orders",), 50)}
    for order in world.orders:
        node = nodes[f"gid://shopify/Order/{order.order_id}"]
        total = Decimal(node["totalPriceSet"]["presentmentMoney"]["amount"])
        assert total == order.total
        assert node["legacyResourceId"] == str(order.order_id)
        assert node["test"] is order.test
        assert (node["customer"] is None) == (order.person is None)
        assert node["presentmentCurrencyCode"] == order.currency
        lines = sum(
            (
                Decimal(line["originalUnitPriceSet"]["presentmentMoney"]["amount"]) * line["quantity"]
                - sum((_amount(part["allocatedAmountSet"]) for part in line["discountAllocations"]), Decimal(0))
            )
            for line in node["lineItems"]["nodes"]
        )
        if node["lineItems"]["pageInfo"]["hasNextPage"]:
            continue
        assert lines == _amount(node["subtotalPriceSet"])
        shipping = sum((_amount(line["discountedPriceSet"]) for line in node["shippingLines"]["nodes"]), Decimal(0))
        tax = Decimal(0) if node["taxesIncluded"] else _amount(node["totalTaxSet"])
        assert lines + shipping + tax + _surcharges(node) == total
        assert _amount(node["totalRefundedSet"]) == sum((r.amount for r in order.refunds), Decimal(0))
        if order.currency == "EUR":
            assert node["totalPriceSet"]["shopMoney"] == node["totalPriceSet"]["presentmentMoney"]
        if order.currency == "JPY":
            assert "." not in node["totalPriceSet"]["presentmentMoney"]["amount"]
    seen = {node["displayFinancialStatus"] for node in nodes.values()}
    assert seen >= {"PAID", "PENDING", "REFUNDED", "PARTIALLY_REFUNDED", "VOIDED"}


def _surcharges(node: dict[str, Any]) -> Decimal:
    duties, fees = node["originalTotalDutiesSet"], node["originalTotalAdditionalFeesSet"]
    charged = [_amount(node["totalTipReceivedSet"])]
    charged += [_amount(duties)] if duties is not None and not node["dutiesIncluded"] else []
    charged += [_amount(fees)] if fees is not None else []
    return sum(charged, Decimal(0))


def _amount(money_bag: dict[str, Any]) -> Decimal:
    return Decimal(money_bag["presentmentMoney"]["amount"])


def test_references_are_followed_when_more_than_their_id_is_asked_for(ask: Ask) -> None:
    answer = ask(
        """{ orders(first: 3) { nodes { fulfillments(first: 1) { location { name address { city } } }
        lineItems(first: 1) { edges { cursor node { sku product { title variants(first: 1) { nodes { sku } } }
        variant { sku price } } } } } } }"""
    )
    for order in answer["data"]["orders"]["nodes"]:
        line = order["lineItems"]["edges"][0]["node"]
        assert line["sku"] == line["variant"]["sku"] == line["product"]["variants"]["nodes"][0]["sku"]
        for parcel in order["fulfillments"]:
            assert parcel["location"] == {"name": "ReTreasure Dublin", "address": {"city": "Dublin"}}


def test_aliases_fragments_and_directives_work(ask: Ask) -> None:
    answer = ask(
        """query($no: Boolean = false) { a: orders(first: 1) { nodes { ...F key: legacyResourceId } }
        b: nodes(ids: ["gid://shopify/Location/71000000001"]) { __typename id ... on Location { name } } }
        fragment F on Order { __typename name note @include(if: $no) }"""
    )["data"]
    assert answer["a"]["nodes"][0].keys() == {"__typename", "name", "key"}
    assert answer["b"] == [
        {"__typename": "Location", "id": "gid://shopify/Location/71000000001", "name": "ReTreasure Dublin"}
    ]


def test_metafields_are_filtered_by_namespace(ask: Ask) -> None:
    def keys(arguments: str) -> list[str]:
        answer = ask(f"{{ products(first: 1) {{ nodes {{ metafields({arguments}) {{ nodes {{ key }} }} }} }} }}")
        return [node["key"] for node in answer["data"]["products"]["nodes"][0]["metafields"]["nodes"]]

    assert keys('first: 20, namespace: "retreasure"')[:2] == ["stock_number", "category"]
    assert keys('first: 20, namespace: "other"') == []
    assert keys('first: 20, keys: ["retreasure.era"]') == ["era"]


def test_bytes_are_shopifys_own(client: httpx.Client) -> None:
    query = {"query": "{ products(first: 250) { nodes { title descriptionHtml } } }"}
    body = client.post(GRAPHQL, json=query, headers=HEADERS).content
    assert b"\\u003cp\\u003e" in body
    assert b"<" not in body
    assert b"&" not in body
    assert "箪笥".encode() in body
    assert json.loads(body)["data"]["products"]["nodes"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_escapes_do_not_change_what_is_said(value: Any) -> None:
    assert json.loads(encode(value)) == json.loads(encode(value, escape_slashes=True)) == value


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("30.00", "EUR", "30.0"),
        ("30.25", "EUR", "30.25"),
        ("0", "EUR", "0.0"),
        ("-4.50", "GBP", "-4.5"),
        ("1349", "JPY", "1349"),
    ],
)
def test_amounts_are_written_as_shopify_does(amount: str, currency: str, text: str) -> None:
    assert plain(Decimal(amount), currency) == text


def test_money_bags_carry_both_currencies() -> None:
    assert money(Decimal("1.10")) == {"amount": "1.1", "currencyCode": "EUR"}
    both = bag(Decimal(1000), "JPY", Decimal("0.0055"))
    assert both["presentmentMoney"] == {"amount": "1000", "currencyCode": "JPY"}
    assert both["shopMoney"] == {"amount": "5.5", "currencyCode": "EUR"}


def test_many_readers_at_once_get_the_same(world: World, client: httpx.Client) -> None:
    """The handlers share nodes, costs and operations."""
    from concurrent.futures import ThreadPoolExecutor

    def read(_number: int) -> bytes:
        asked = {"query": "{ customers(first: 100) { nodes { id displayName } } }"}
        answer: bytes = client.post(GRAPHQL, json=asked, headers=HEADERS).content
        return answer[: answer.index(b'"extensions"')]

    reader: Callable[[int], bytes] = read
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(reader, range(8)))) == 1
