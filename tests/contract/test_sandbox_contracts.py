"""The sandbox's gate holds requests and answers against the published documents as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from retreasure_assets.sandbox.contract import ruling
from retreasure_assets.sandbox.contract_layer import Contracts, Violation, contracts_folder
from retreasure_assets.sandbox.face import Contract, Traits

ETSY = Contract("etsy/etsy_oas_2026-02.json", under="/v3/application")
SQUARE = Contract("square/square_api_2025-08.json", under="/v2")
ORDERS = Contract("ebay/ebay-fulfillment-openapi-original.yml", base="/sell/fulfillment/v1")
MONEY = Contract("ebay/ebay-finances-openapi-original.yml", base="/sell/finances/v1")
JSON = {"content-type": "application/json"}


def wrong(
    folder: Path,
    contract: Contract,
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    body: Any = None,
) -> list[str]:
    """What is wrong with a request."""
    path, _, query = url.partition("?")
    found = ruling(folder, [contract], path)
    assert found is not None
    operation = found[0].operation(method, found[1])
    if isinstance(operation, str):
        return [operation]
    return found[0].asked(operation, query, headers or {}, b"" if body is None else json.dumps(body).encode())


RECEIPTS = "/v3/application/shops/7/receipts"
SEARCH = "/v2/orders/search"
GOOD: list[Sequence[Any]] = [
    (ETSY, "GET", f"{RECEIPTS}?limit=100&offset=0&sort_on=updated&sort_order=asc&was_canceled=true"),
    (ETSY, "GET", f"{RECEIPTS}?min_last_modified=1700000000"),
    (SQUARE, "POST", SEARCH, JSON, {"location_ids": ["L1"], "limit": 1000, "cursor": "c"}),
    (SQUARE, "GET", "/v2/payments?limit=100&sort_order=ASC"),
    (ORDERS, "GET", "/sell/fulfillment/v1/order?limit=200&filter=lastmodifieddate:%5Ba..b%5D"),
    (ORDERS, "GET", "/sell/fulfillment/v1/order/12-345"),
    (MONEY, "GET", "/sell/finances/v1/transaction?limit=1000", {"x-ebay-c-marketplace-id": "EBAY_DE"}),
]
BAD: list[tuple[str, Sequence[Any]]] = [
    ("limit does not keep maximum 100", (ETSY, "GET", f"{RECEIPTS}?limit=101")),
    ("limit does not keep type", (ETSY, "GET", f"{RECEIPTS}?limit=many")),
    ("sort_on does not keep enum", (ETSY, "GET", f"{RECEIPTS}?sort_on=price")),
    ("was_canceled does not keep type", (ETSY, "GET", f"{RECEIPTS}?was_canceled=1")),
    ("min_created does not keep minimum", (ETSY, "GET", f"{RECEIPTS}?min_created=5")),
    ("no query parameter colour", (ETSY, "GET", f"{RECEIPTS}?colour=red")),
    ("shop_id does not keep type", (ETSY, "GET", "/v3/application/shops/mine/receipts")),
    ("no such path", (ETSY, "GET", "/v3/application/shops/7/nothing")),
    ("no DELETE for", (ETSY, "DELETE", RECEIPTS)),
    ("the body is missing", (SQUARE, "POST", SEARCH)),
    ("no body of type text/plain", (SQUARE, "POST", SEARCH, {"content-type": "text/plain"}, {})),
    ("at limit does not keep maximum", (SQUARE, "POST", "/v2/inventory/counts/batch-retrieve", JSON, {"limit": 1001})),
    ("limits is not in the contract", (SQUARE, "POST", SEARCH, JSON, {"limits": 1})),
    (
        "sort_field does not keep enum",
        (SQUARE, "POST", SEARCH, JSON, {"query": {"sort": {"sort_field": "NAME", "sort_order": "ASC"}}}),
    ),
    ("header parameter X-EBAY-C-MARKETPLACE-ID is missing", (MONEY, "GET", "/sell/finances/v1/transaction")),
    ("no body for this request", (ORDERS, "GET", "/sell/fulfillment/v1/order", JSON, {"a": 1})),
]


@pytest.mark.parametrize("request_", GOOD, ids=lambda request: request[2])
def test_what_the_contract_allows_passes(contracts: Path, request_: Sequence[Any]) -> None:
    assert wrong(contracts, *request_) == []


@pytest.mark.parametrize(("reason", "request_"), BAD, ids=[reason for reason, _ in BAD])
def test_what_it_does_not_allow_is_named(contracts: Path, reason: str, request_: Sequence[Any]) -> None:
    found = wrong(contracts, *request_)
    assert any(reason in sentence for sentence in found), found


def test_other_paths_are_left_alone(contracts: Path) -> None:
    assert ruling(contracts, [ETSY], "/v3/public/oauth/token") is None
    assert ruling(contracts, [ORDERS, MONEY], "/identity/v1/oauth2/token") is None


def answer_of(folder: Path, contract: Contract, url: str, status: int, body: bytes, kind: str) -> list[str]:
    found = ruling(folder, [contract], url)
    assert found is not None
    operation = found[0].operation("GET", found[1])
    assert not isinstance(operation, str)
    return found[0].answered(operation, status, kind, body)


def test_an_answer_may_not_invent_fields(contracts: Path) -> None:
    def reasons(body: Any, status: int = 200, kind: str = "application/json; charset=utf-8") -> list[str]:
        url = "/sell/fulfillment/v1/order"
        return answer_of(contracts, ORDERS, url, status, json.dumps(body).encode(), kind)

    order = {"orderId": "1", "lineItems": [{"quantity": 1}], "pricingSummary": {"total": {"value": "1.00"}}}
    assert reasons({"orders": [order], "total": 1}) == []
    assert reasons({"orders": [{**order, "colour": "red"}]}) == [
        "the answer at orders.[] colour is not in the contract"
    ]
    assert reasons({"orders": [{**order, "lineItems": [{"quantity": "1"}]}]}) == [
        'the answer at orders.[].lineItems.[].quantity does not keep type "integer"'
    ]
    assert reasons({}, status=299) == ["the contract has no answer 299"]
    assert reasons({}, kind="text/html") == ["the contract has no text/html"]
    assert answer_of(contracts, MONEY, "/sell/finances/v1/transaction", 204, b"", "") == []


def test_null_is_taken_where_the_contract_says_so(contracts: Path) -> None:
    def reasons(receipt: Any) -> list[str]:
        body = json.dumps({"count": 1, "results": [receipt]}).encode()
        return answer_of(contracts, ETSY, RECEIPTS, 200, body, "application/json")

    assert reasons({"receipt_id": 1, "second_line": None, "zip": None}) == []
    assert reasons({"receipt_id": 1, "grandtotal": None}) != []


def test_a_face_behind_its_contract_refuses_and_notes(contracts: Path) -> None:
    async def receipts(request: Request) -> Response:
        if int(request.query_params["limit"]) > 500:
            return JSONResponse({"error": "the platform's own words"}, 413)
        return JSONResponse({"count": 0, "results": [], "page": 1})

    async def token(request: Request) -> Response:
        return JSONResponse({"given": (await request.body()).decode()})

    watching = Contracts(contracts, answers=True)
    routes = [
        Route("/v3/application/shops/{shop}/receipts", receipts, methods=["GET"]),
        Route("/v3/public/oauth/token", token, methods=["POST"]),
    ]
    for route in routes:
        route.app = watching.around(route.app, "etsy", Traits(contracts=(ETSY,)))

    async def exchange() -> list[httpx.Response]:
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://face") as client:
            return [
                await client.get(f"{RECEIPTS}?limit=500"),
                await client.get(f"{RECEIPTS}?limit=501"),
                await client.get(f"{RECEIPTS}?limit=50"),
                await client.post("/v3/public/oauth/token", content="grant"),
            ]

    import asyncio

    refused, refused_by_face, taken, passed = asyncio.run(exchange())
    assert (refused.status_code, taken.status_code, passed.json()) == (400, 200, {"given": "grant"})
    assert refused_by_face.json() == {"error": "the platform's own words"}
    assert "results" not in refused.json()
    path = "/v3/application/shops/{shop_id}/receipts"
    assert list(watching.violations) == [
        Violation("etsy", "request", "GET", path, "the query parameter limit does not keep maximum 100"),
        Violation("etsy", "answer", "GET", path, "the answer page is not in the contract"),
    ]


def test_the_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETREASURE_CONTRACTS", str(tmp_path))
    assert contracts_folder() == tmp_path
    monkeypatch.setenv("RETREASURE_CONTRACTS", str(tmp_path / "absent"))
    assert contracts_folder() is None


def test_every_example_of_a_request_in_squares_document_passes(contracts: Path) -> None:
    """Square publishes an example for most requests: what they send themselves is valid."""
    whole = json.loads((contracts / SQUARE.document).read_bytes())
    checked = 0
    for path in ("/v2/orders/search", "/v2/catalog/search", "/v2/inventory/counts/batch-retrieve"):
        said = whole["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        schema = whole["components"]["schemas"][said.rpartition("/")[2]]
        example = schema.get("example") or schema.get("x-request-example")
        if example:
            assert wrong(contracts, SQUARE, "POST", path, JSON, example) == []
            checked += 1
    assert checked
