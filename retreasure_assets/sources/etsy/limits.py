"""Etsy's rate limit: so many requests a second and a day, told by the headers of every answer.

What belongs here: spacing requests. What does not: answers that say it was one too many; HttpClient waits as they ask.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

#: The share of the allowed rate that is used: the rest is for what the network bunches together.
_USED = 0.98


@dataclass(slots=True)
class RequestRate:
    """Lets as many requests go in any second as the last answer allowed (a RateLimiter; for any number of threads).

    A request waits for no longer than it takes the one so many before it to be a second old: what a slow answer has
    cost is made up for at once, and more than allowed never go. Before the first answer nothing is known and nothing
    waits.
    """

    monotonic: Callable[[], float] = time.monotonic
    per_second: int = 0
    #: Requests left today, None while unknown.
    left_today: int | None = None
    _sent: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def observe(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer's headers say."""
        rate, left = _number(headers.get("x-limit-per-second")), _number(headers.get("x-remaining-today"))
        with self._lock:
            if rate:
                self.per_second = rate
            if left is not None:
                self.left_today = left

    def delay(self) -> float:
        """Seconds to wait for a slot, which is the caller's from then on."""
        with self._lock:
            slot = now = self.monotonic()
            # While nothing is known the one request that is under way is remembered: it counts already.
            while len(self._sent) > max(self.per_second, 1):
                self._sent.popleft()
            if self.per_second and len(self._sent) == self.per_second:
                slot = max(now, self._sent[0] + 1 / _USED)
            self._sent.append(slot)
            return slot - now


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() else None
