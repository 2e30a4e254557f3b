"""The tokens of the sandbox's Etsy: refresh tokens that rotate, access tokens that expire.

What belongs here: issuing and judging tokens. What does not: what they open (``etsy``).

A token says which number it has and proves it by a keyed digest, so that a server started anew knows the tokens of
the one before it. Refreshing gives a new refresh token; the old one stays good until the new one, or its access
token, is used.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_KEY = b"etsy sandbox"
_USER = "512004118"


def _signed(text: str) -> str:
    return f"{_USER}.{text}-{hmac.new(_KEY, text.encode(), hashlib.sha256).hexdigest()[:24]}"


def refresh_token(number: int) -> str:
    """The refresh token that the ``number``-th rotation gives; 0 is the one a person gets when connecting the app."""
    return _signed(f"refresh-{number:06d}")


@dataclass(slots=True)
class TokenOffice:
    """Issues and judges tokens.

    Args:
        lifetime: seconds an access token lives.
        grace: whether a refresh token stays good until its successor is used; without it the first use ends it.
        clock: epoch seconds; replaceable in tests.
    """

    lifetime: int = 3600
    grace: bool = True
    clock: Callable[[], float] = time.time
    #: Refresh tokens below this number are used up.
    _oldest: int = 0
    _newest: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self, token: str) -> tuple[str, str] | None:
        """(access token, new refresh token), or None for a token that is unknown, used up or forged."""
        number = _number(token, "refresh")
        with self._lock:
            if number is None or number < self._oldest:
                return None
            self._use(number)
            if not self.grace:
                self._oldest = number + 1
            new = max(self._newest, number) + 1
            self._newest = new
            return _signed(f"access-{new:06d}-{int(self.clock()) + self.lifetime}"), refresh_token(new)

    def admits(self, access: str) -> bool:
        """Whether an access token opens anything; its use ends the refresh tokens before its own."""
        number = _number(access, "access")
        if number is None:
            return False
        if int(access.rpartition("-")[0].rpartition("-")[2]) <= self.clock():
            return False
        with self._lock:
            self._use(number)
        return True

    def _use(self, number: int) -> None:
        self._oldest = max(self._oldest, number)


def _number(token: str, kind: str) -> int | None:
    text = token.removeprefix(f"{_USER}.").rpartition("-")[0]
    if not text.startswith(f"{kind}-") or not hmac.compare_digest(_signed(text).encode(), token.encode()):
        return None
    return int(text.split("-")[1])
