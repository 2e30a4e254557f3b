"""What the tests of the sandbox's HTTP faces share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

GRAPHQL = "/admin/api/2026-10/graphql.json"

#: (document, **variables) -> the whole answer.
Ask = Callable[..., dict[str, Any]]


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
