"""The Shopify face: what it answers, and what it refuses as the real platform would."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_asking import GRAPHQL, Ask, Clock

from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.shopify import SHOPIFY_TOKEN, ShopifyOptions
from retreasure_assets.sandbox.shopify_connections import cursor_of, slice_of
from retreasure_assets.sandbox.shopify_cost import Bucket, weight
from retreasure_assets.sandbox.shopify_format import bag, money, plain
from retreasure_assets.sandbox.shopify_json import encode
from retreasure_assets.sandbox.shopify_orders import updated_at
from retreasure_assets.sandbox.shopify_search import UnsupportedSearchError, parse_search
from retreasure_assets.sandbox.world import World

HEADERS = {"X-Shopify-Access-Token": SHOPIFY_TOKEN}


def document(name: str) -> str:
    """A document of the connector, with the fragments that it spreads."""
    folder = files("retreasure_assets.sources.shopify") / "queries"
    text = (folder / f"{name}.graphql").read_text()
    for fragment in ("order", "product"):
        if f"...{fragment.capitalize()}Fields" in text:
            text += (folder / f"{fragment}_fields.graphql").read_text()
    return text


def code(answer: dict[str, Any]) -> str | None:
    found: str | None = answer["errors"][0].get("extensions", {}).get("code")
    return found


def walk(ask: Ask, name: str, path: tuple[str, ...], first: int, **variables: Any) -> list[dict[str, Any]]:
    """All nodes of a connection, page by page."""
    nodes: list[dict[str, Any]] = []
    after = None
    while True:
        connection = ask(document(name), first=first, after=after, **variables)["data"]
        for key in path:
            connection = connection[key]
        assert len(connection["nodes"]) <= first
        nodes += connection["nodes"]
        if not connection["pageInfo"]["hasNextPage"]:
            return nodes
        after = connection["pageInfo"]["endCursor"]


# --- the door ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"X-Shopify-Access-Token": "shpat_wrong"}, {"X-Shopify-Access-Token": ""}])
def test_a_wrong_token_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.post(GRAPHQL, json={"query": "{ shop { name } }"}, headers=headers)
    assert answer.status_code == 401
    assert "Invalid API key or access token" in answer.json()["errors"]


@pytest.mark.parametrize("version", ["2019-01", "2026-13", "unstable", "latest"])
def test_an_unknown_version_is_not_found(client: httpx.Client, version: str) -> None:
    answer = client.post(f"/admin/api/{version}/graphql.json", json={"query": "{ shop { name } }"}, headers=HEADERS)
    assert answer.status_code == 404


def test_only_post_is_served(client: httpx.Client) -> None:
    assert client.get(GRAPHQL, headers=HEADERS).status_code == 405


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"query": 1}', b"\xff\xfe"])
def test_a_body_that_is_no_query_is_a_bad_request(client: httpx.Client, body: bytes) -> None:
    answer = client.post(GRAPHQL, content=body, headers={**HEADERS, "Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json() == {"errors": {"query": "Required parameter missing or invalid"}}


def test_a_bare_document_is_accepted(client: httpx.Client) -> None:
    headers = {**HEADERS, "Content-Type": "application/graphql"}
    answer = client.post(GRAPHQL, content=b"{ shop { name currencyCode ianaTimezone } }", headers=headers)
    assert answer.json()["data"]["shop"] == {
        "name": "ReTreasure",
        "currencyCode": "EUR",
        "ianaTimezone": "Europe/Dublin",
    }
    assert answer.headers["x-shopify-api-version"] == "2026-10"


def test_the_index_lists_the_faces(client: httpx.Client) -> None:
    assert client.get("/").json()["faces"]["shopify"] == GRAPHQL


# --- what GraphQL refuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "",
        "{ shop { secrets } }",
        "{ nothing }",
        "query Q($first: Int!) { orders(first: $first) { nodes { id } } }",
        "{ orders(first: 1, sortKey: TOTAL_PRICE) { nodes { id } } }",
        "{ orders(first: 1, savedSearchId: 1) { nodes { id } } }",
        "query A { shop { name } } query B { shop { name } }",
        "mutation { orderCreate { id } }",
    ],
)
def test_documents_that_do_not_fit_come_back_with_errors_and_status_200(ask: Ask, query: str) -> None:
    answer = ask(query)
    assert answer["errors"]
    assert "data" not in answer


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "you must provide one of first or last"),
        ("first: 251", "cannot exceed 250"),
        ("last: 251", "cannot exceed 250"),
        ("first: -1", "must not be negative"),
        ("first: 1, last: 1", "both first and last"),
        ('first: 1, after: "nonsense"', "Invalid cursor"),
        ('first: 1, after: "e30="', "Invalid cursor"),
    ],
)
@pytest.mark.parametrize("connection", ["orders", "products", "customers", "locations"])
def test_page_arguments_are_checked(ask: Ask, connection: str, arguments: str, message: str) -> None:
    braces = f"({arguments})" if arguments else ""
    answer = ask(f"{{ {connection}{braces} {{ nodes {{ id }} }} }}")
    assert message in answer["errors"][0]["message"]
    assert "data" not in answer


def test_nested_page_arguments_are_checked_too(ask: Ask) -> None:
    answer = ask("{ orders(first: 1) { nodes { lineItems(first: 300) { nodes { id } } } } }")
    assert "cannot exceed 250" in answer["errors"][0]["message"]
    answer = ask("{ orders(first: 1) { nodes { lineItems { nodes { id } } } } }")
    assert "you must provide one of first or last" in answer["errors"][0]["message"]
    answer = ask("{ orders(first: 1) { nodes { refunds(first: 251) { id } } } }")
    assert "cannot exceed 250" in answer["errors"][0]["message"]


def test_too_many_ids_are_refused(ask: Ask) -> None:
    answer = ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["gid://shopify/Order/1"] * 251)
    assert code(answer) == "MAX_INPUT_SIZE_EXCEEDED"


def test_unknown_ids_are_null_and_foreign_ones_an_error(ask: Ask) -> None:
    assert ask('{ nodes(ids: ["gid://shopify/Order/1"]) { id } }')["data"] == {"nodes": [None]}
    assert ask('{ order(id: "gid://shopify/Order/1") { id } }')["data"] == {"order": None}
    assert "Order expected" in ask('{ order(id: "gid://shopify/Product/1") { id } }')["errors"][0]["message"]


# --- paging -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path", "first"),
    [
        ("orders", ("orders",), 40),
        ("products", ("products",), 97),
        ("customers", ("customers",), 50),
        ("locations", ("locations",), 1),
        ("payouts", ("shopifyPaymentsAccount", "payouts"), 7),
        ("balance_transactions", ("shopifyPaymentsAccount", "balanceTransactions"), 33),
    ],
)
def test_pages_cover_everything_exactly_once(
    world: World, ask: Ask, name: str, path: tuple[str, ...], first: int
) -> None:
    nodes = walk(ask, name, path, first)
    expected = {
        "orders": len(world.orders),
        "products": sum(listing.channel == "shopify" for listing in world.listings),
        "customers": sum(person.shopify_id is not None for person in world.people),
        "locations": 2,
        "payouts": len(world.payouts),
        "balance_transactions": len(world.movements),
    }[name]
    assert len(nodes) == len({node["id"] for node in nodes}) == expected
    if "updatedAt" in nodes[0] and name != "locations":
        times = [node["updatedAt"] for node in nodes]
        assert times == sorted(times)


def test_stock_is_paged_by_location(world: World, ask: Ask) -> None:
    places = [node["id"] for node in ask(document("locations"), first=10)["data"]["locations"]["nodes"]]
    counts = [
        len(walk(ask, "inventory_levels", ("location", "inventoryLevels"), 200, location=place)) for place in places
    ]
    assert counts == [sum(listing.channel == "shopify" for listing in world.listings), 0]


@settings(max_examples=25, deadline=None)
@given(day=st.integers(0, 60), second=st.integers(0, 86399), first=st.integers(3, 250), span=st.integers(1, 30))
def test_a_window_is_paged_exactly_once(world: World, ask: Ask, day: int, second: int, first: int, span: int) -> None:
    since = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=day, seconds=second)
    until = since + timedelta(days=span)
    text = f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}' AND updated_at:<'{until:%Y-%m-%dT%H:%M:%SZ}'"
    found = []
    after = None
    query = """query($first: Int!, $after: String, $query: String) {
        orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
            nodes { legacyResourceId } pageInfo { hasNextPage endCursor } } }"""
    while True:
        connection = ask(query, first=first, after=after, query=text)["data"]["orders"]
        found += [int(node["legacyResourceId"]) for node in connection["nodes"]]
        after = connection["pageInfo"]["endCursor"]
        if not connection["pageInfo"]["hasNextPage"]:
            break
    wanted = [order for order in world.orders if since <= updated_at(order) < until]
    assert found == [order.order_id for order in sorted(wanted, key=lambda order: (updated_at(order), order.order_id))]


def test_a_list_can_be_read_backwards_and_from_its_end(ask: Ask) -> None:
    def ids(arguments: str) -> list[str]:
        answer = ask(f"{{ orders({arguments}, sortKey: UPDATED_AT) {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}")
        connection = answer["data"]["orders"]
        return [node["id"] for node in connection["nodes"]] + [connection["pageInfo"]["endCursor"]]

    *forward, _ = ids("first: 250")
    *start, cursor = ids("first: 6, reverse: true")
    *rest, _ = ids(f'first: 250, reverse: true, after: "{cursor}"')
    assert len({*start, *rest}) == len(start) + len(rest)
    *newest, _ = ids("last: 6")
    assert newest == start[::-1]
    *_, cursor = ids("first: 5")
    *before, _ = ids(f'last: 3, before: "{cursor}"')
    assert before == forward[1:4]


@given(
    values=st.lists(st.integers(0, 9), max_size=40),
    size=st.integers(1, 12),
    reverse=st.booleans(),
)
def test_pages_of_any_list_join_to_the_list(values: list[int], size: int, reverse: bool) -> None:
    keys = sorted((value, number) for number, value in enumerate(values))
    seen: list[tuple[int, int]] = []
    arguments: dict[str, Any] = {"first": size, "reverse": reverse}
    while True:
        piece = slice_of(keys, arguments)
        seen += piece.of(keys)
        if piece.stop == piece.length:
            break
        arguments["after"] = cursor_of(seen[-1])
    assert seen == (keys[::-1] if reverse else keys)


def test_paging_ends_at_the_cap(world: World) -> None:
    options = ShopifyOptions(pagination_cap=60)
    query = "query($after: String) { orders(first: 40, after: $after) { pageInfo { hasNextPage endCursor } } }"
    with running_sandbox(world, shopify=options) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        first = client.post(GRAPHQL, json={"query": query}).json()["data"]["orders"]["pageInfo"]
        assert first["hasNextPage"]
        second = client.post(GRAPHQL, json={"query": query, "variables": {"after": first["endCursor"]}}).json()
    assert "limited to 60 objects" in second["errors"][0]["message"]


# --- searching --------------------------------------------------------------------------------------------------


def test_a_search_that_is_not_understood_is_ignored_with_a_warning(world: World, ask: Ask) -> None:
    query = """query($query: String) {
        ordersCount(query: $query) { count } orders(first: 1, query: $query) { nodes { id } } }"""
    answer = ask(query, query="colour:'red'")
    assert answer["data"]["ordersCount"]["count"] == len(world.orders)
    assert answer["extensions"]["search"] == [
        {
            "path": ["orders"],
            "query": "colour:'red'",
            "parsed": {"field": "colour", "match_all": "red"},
            "warnings": [
                {"field": "colour", "message": "Invalid search field for this query.", "code": "invalid_field"}
            ],
        }
    ]


def test_a_time_without_quotation_marks_filters_nothing(world: World, ask: Ask) -> None:
    query = "query($query: String) { orders(first: 250, query: $query, sortKey: UPDATED_AT) { nodes { id } } }"
    answer = ask(query, query="updated_at:>=2026-02-25T02:45:22Z")
    assert len(answer["data"]["orders"]["nodes"]) == 250
    assert answer["extensions"]["search"][0]["warnings"][0]["field"] == "45"


def test_customers_have_no_created_at_to_search_by(ask: Ask) -> None:
    answer = ask("{ customers(first: 1, query: \"created_at:>'2026-01-01'\") { nodes { id } } }")
    assert answer["extensions"]["search"][0]["warnings"][0]["field"] == "created_at"
    assert (
        "search"
        not in ask("{ customers(first: 1, query: \"customer_date:>'2026-01-01'\") { nodes { id } } }")["extensions"]
    )


@pytest.mark.parametrize("query", ["status:open", "id:1 OR id:2", "NOT id:1", "(id:1)", "pottery"])
def test_what_the_sandbox_cannot_search_is_an_error_not_a_wrong_answer(ask: Ask, query: str) -> None:
    answer = ask("query($query: String) { orders(first: 1, query: $query) { nodes { id } } }", query=query)
    assert "sandbox" in answer["errors"][0]["message"]


FIELDS = {"updated_at": "time", "created_at": "time", "id": "id"}
MOMENT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("", True),
        ("   ", True),
        ("updated_at:>='2026-03-01T10:00:00Z'", True),
        ("updated_at:>'2026-03-01T10:00:00Z'", False),
        ("updated_at:<='2026-03-01T11:00:00+01:00'", True),
        ('updated_at:<"2026-03-01T10:00:00.000Z"', False),
        ("updated_at:'2026-03-01T10:00:00Z'", True),
        ("updated_at:>=2026-03-01", True),
        ("updated_at:>=2026-03-02", False),
        ("updated_at:<2026", False),
        ("updated_at:>2026-02", True),
        ("updated_at:>='2026-03-01T10:00:00Z' AND id:<500", True),
        ("updated_at:>='2026-03-01T10:00:00Z' id:>=500", False),
        ("id:499", True),
        ("id:'gid://shopify/Order/499'", True),
        ("ID:499", True),
    ],
)
def test_searches_match(query: str, matches: bool) -> None:
    search = parse_search(query, FIELDS)
    assert not search.warnings
    assert search.matches({"updated_at": MOMENT, "created_at": MOMENT, "id": 499}) is matches


@pytest.mark.parametrize("query", ["updated_at:>='soon'", "updated_at:'2026-13-45'", "id:abc", "id:", "updated_at:²"])
def test_values_that_do_not_fit_are_ignored_with_a_warning(query: str) -> None:
    search = parse_search(query, FIELDS)
    assert not search.terms
    assert search.warnings


@given(st.text(alphabet="updated_at:><='\" 0123456789-TZANDOR()*", max_size=60))
def test_no_search_text_breaks_the_parser(text: str) -> None:
    try:
        search = parse_search(text, FIELDS)
    except UnsupportedSearchError:
        return
    assert isinstance(search.matches({"updated_at": MOMENT, "created_at": MOMENT, "id": 1}), bool)


def test_a_time_without_an_offset_is_the_shops_own() -> None:
    summer = parse_search("updated_at:<'2026-07-01T10:00:00'", FIELDS)
    assert summer.matches({"updated_at": datetime(2026, 7, 1, 8, 59, tzinfo=UTC)})
    assert not summer.matches({"updated_at": datetime(2026, 7, 1, 9, 0, tzinfo=UTC)})


# --- costs ------------------------------------------------------------------------------------------------------


def test_the_published_example_costs_what_it_was_seen_to_cost(ask: Ask) -> None:
    answer = ask(
        '{ product(id: "gid://shopify/Product/1") { variants(first: 250) { nodes { inventoryItem { id tracked } } } } }'
    )
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 25
    assert answer["extensions"]["cost"]["actualQueryCost"] == 0
    assert [weight(nodes) for nodes in (0, 1, 2, 10, 50, 250)] == [0, 1, 1, 4, 7, 11]


def test_costs_are_told_and_never_grow(ask: Ask) -> None:
    cost = ask(document("orders"), first=50)["extensions"]["cost"]
    assert 100 < cost["requestedQueryCost"] < 1000
    assert 0 < cost["actualQueryCost"] <= cost["requestedQueryCost"]
    assert cost["throttleStatus"].keys() == {"maximumAvailable", "currentlyAvailable", "restoreRate"}
    assert ask("{ shop { name } }")["extensions"]["cost"]["requestedQueryCost"] == 1


def test_a_query_that_costs_too_much_is_refused(ask: Ask) -> None:
    inner = "lineItems(first: 250) { nodes { product { id } variant { id product: taxable } } }"
    answer = ask(f"{{ orders(first: 250) {{ nodes {{ id a: {inner} b: {inner} c: {inner} d: {inner} }} }} }}")
    assert code(answer) == "MAX_COST_EXCEEDED"
    assert "exceeds the single query max cost limit (1000)" in answer["errors"][0]["message"]


def test_the_connectors_pages_of_100_fit(ask: Ask) -> None:
    for name in ("orders", "products", "customers"):
        assert "errors" not in ask(document(name), first=100)


def test_an_empty_bucket_throttles_until_it_is_refilled(world: World) -> None:
    clock = Clock()
    options = ShopifyOptions(restore_rate=100, bucket=2000, clock=clock)
    asked = {"query": document("orders"), "variables": {"first": 100}}
    with running_sandbox(world, shopify=options) as url, httpx.Client(base_url=url, headers=HEADERS) as client:

        def post() -> dict[str, Any]:
            answer = client.post(GRAPHQL, json=asked)
            assert answer.status_code == 200
            found: dict[str, Any] = answer.json()
            return found

        answer = post()
        for _ in range(30):
            if "errors" in answer:
                break
            answer = post()
        assert answer["errors"][0]["message"] == "Throttled"
        assert code(answer) == "THROTTLED"
        assert "data" not in answer
        cost = answer["extensions"]["cost"]
        assert cost["actualQueryCost"] is None
        missing = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
        assert missing > 0
        clock.now += missing / 100 + 0.1
        assert "errors" not in post()


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 1500)), max_size=40))
def test_a_bucket_never_overflows_nor_goes_below_empty(steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    bucket = Bucket(100, 1000, clock)
    for seconds, points in steps:
        clock.now += seconds
        before = bucket.status()["currentlyAvailable"]
        taken = bucket.take(points)
        assert taken or points >= before
        assert 0 <= bucket.status()["currentlyAvailable"] <= 1000


# --- what an order looks like -----------------------------------------------------------------------------------


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
