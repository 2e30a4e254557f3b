"""What the tests of the sandbox's HTTP faces share."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from retreasure_assets.sandbox.shopify import SHOPIFY_TOKEN

GRAPHQL = "/admin/api/2026-10/graphql.json"
HEADERS = {"X-Shopify-Access-Token": SHOPIFY_TOKEN}

#: (document, **variables) -> the whole answer.
Ask = Callable[..., dict[str, Any]]


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


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
