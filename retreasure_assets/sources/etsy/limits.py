"""Etsy's rate limit: so many requests a second and a day, told by the headers of every answer.

What belongs here: spacing requests. What does not: answers that say it was one too many; HttpClient waits as they ask.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

#: The share of the allowed rate that is used: the rest is for what the network bunches together.
_USED = 0.98


@dataclass(slots=True)
class RequestRate:
    """Spaces requests evenly at the rate that the last answer allowed (a RateLimiter; for any number of threads).

    Before the first answer nothing is known and nothing waits.
    """

    monotonic: Callable[[], float] = time.monotonic
    per_second: float = 0.0
    #: Requests left today, None while unknown.
    left_today: int | None = None
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def observe(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer's headers say."""
        rate, left = _number(headers.get("x-limit-per-second")), _number(headers.get("x-remaining-today"))
        with self._lock:
            if rate:
                self.per_second = float(rate)
            if left is not None:
                self.left_today = left

    def delay(self) -> float:
        """Seconds to wait for a slot, which is the caller's from then on."""
        if not self.per_second:
            return 0.0
        with self._lock:
            now = self.monotonic()
            slot = max(now, self._next)
            self._next = slot + 1 / (self.per_second * _USED)
            return slot - now


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() else None
