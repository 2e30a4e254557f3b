"""What Etsy asks of every request: its query within the contract, and no more requests than are allowed.

What belongs here: reading a query, counting requests, refusing. What does not: answers (``etsy``).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request

from retreasure_assets.sandbox.etsy_tokens import TokenOffice

#: What the sandbox's token may read.
SCOPES = ("listings_r", "shops_r", "transactions_r")

_EARLIEST = 946_684_800


@dataclass(frozen=True, slots=True)
class EtsyOptions:
    """How strict the platform is.

    Args:
        per_second: requests a second; Etsy's own about 10, here more so that a demo is not slowed.
        per_day: requests a day.
        scopes: what the token may read.
        tokens: issues the tokens.
        clock: seconds, monotonic; replaceable in tests.
    """

    per_second: int = 1_000
    per_day: int = 1_000_000
    scopes: Sequence[str] = SCOPES
    tokens: TokenOffice = field(default_factory=TokenOffice)
    clock: Callable[[], float] = time.monotonic


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


class Quota:
    """Requests a second and a day."""

    def __init__(self, options: EtsyOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._recent: list[float] = []
        self._today = 0

    def take(self) -> tuple[dict[str, str], float | None]:
        """Count a request: the headers of its answer, and how long to wait where it is one too many."""
        options, now = self._options, self._options.clock()
        with self._lock:
            self._recent = [at for at in self._recent if at > now - 1]
            wait: float | None = None
            if self._today >= options.per_day:
                wait = 86_400.0
            elif len(self._recent) >= options.per_second:
                wait = 1 - (now - self._recent[0])
            else:
                self._recent.append(now)
                self._today += 1
            headers = {
                "x-limit-per-second": str(options.per_second),
                "x-remaining-this-second": str(options.per_second - len(self._recent)),
                "x-limit-per-day": str(options.per_day),
                "x-remaining-today": str(options.per_day - self._today),
            }
            if wait is not None:
                headers["retry-after"] = str(max(1, math.ceil(wait)))
            return headers, wait


class Query:
    """The query of a request, held against what the contract allows."""

    def __init__(self, request: Request, known: Iterable[str]) -> None:
        self._values = request.query_params
        for name in self._values:
            if name not in (*known, "legacy"):
                raise RefusedError(400, f"Unknown parameter: {name}")

    def number(self, name: str, default: int | None, low: int, high: int | None = None) -> int | None:
        text = self._values.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit():
            raise RefusedError(400, f"Invalid type for parameter {name}: expected integer")
        value = int(text)
        if value < low or (high is not None and value > high):
            raise RefusedError(400, f"Parameter {name} is out of range")
        return value

    def moment(self, name: str) -> int | None:
        return self.number(name, None, _EARLIEST)

    def choice(self, name: str, default: str, options: Sequence[str]) -> str:
        value = self._values.get(name, default)
        if value not in options:
            raise RefusedError(400, f"Invalid value for parameter {name}")
        return value

    def flag(self, name: str) -> bool | None:
        value = self._values.get(name)
        if value not in (None, "true", "false"):
            raise RefusedError(400, f"Invalid type for parameter {name}: expected boolean")
        return None if value is None else value == "true"

    def numbers(self, name: str) -> list[int]:
        """A list of ids, separated by commas or given several times."""
        texts = [text for part in self._values.getlist(name) for text in part.split(",")]
        if not texts or not all(text.isascii() and text.isdigit() for text in texts):
            raise RefusedError(400, f"Invalid value for parameter {name}")
        if len(texts) > 100:
            raise RefusedError(400, f"Parameter {name} has more than 100 values")
        return [int(text) for text in texts]

    def words(self, name: str, options: Sequence[str]) -> list[str]:
        words = [word for part in self._values.getlist(name) for word in part.split(",")]
        if any(word not in options for word in words):
            raise RefusedError(400, f"Invalid value for parameter {name}")
        return words

    def page(self) -> tuple[int, int]:
        """(limit, offset)."""
        return self.number("limit", 25, 1, 100) or 25, self.number("offset", 0, 0) or 0
