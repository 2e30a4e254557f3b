"""Searching the sandbox's Shopify face: what matches, and what is ignored or refused as Shopify does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_asking import Ask

from retreasure_assets.sandbox.shopify_search import UnsupportedSearchError, parse_search
from retreasure_assets.sandbox.world import World


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
