"""The Shopify face: what it answers, and what it refuses as the real platform would."""

from __future__ import annotations

import httpx
import pytest
from sandbox_asking import GRAPHQL, HEADERS, Ask, code


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
