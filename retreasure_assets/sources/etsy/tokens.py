"""Etsy's OAuth tokens: access tokens that live an hour, and a refresh token that rotates at every use.

What belongs here: refreshing without ever losing the way in. What does not: where tokens are kept (the store is
passed in) and the scopes they need.

Every use of a refresh token gives another one, so the new one is stored before anything is done with it, beside the one
that was used: should the process end in between, or Etsy's answer be lost, the next one begins with whichever still
works.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlencode

import msgspec

from retreasure_assets.errors import PermanentSourceError
from retreasure_assets.sources.http import Answer, HttpClient
from retreasure_assets.sources.slicing import malformed

log = logging.getLogger(__name__)

#: Seconds before its end that an access token is no longer begun with.
_MARGIN = 120
_CONNECT_AGAIN = "Connect the app to the shop again and set RETREASURE_ETSY_REFRESH_TOKEN to its refresh token."


class TokenStore(Protocol):
    """Keeps a small secret durably; see ``retreasure_assets.privacy.secret_files``."""

    def load(self) -> bytes | None:
        """What was stored last, None before the first time."""
        ...

    def save(self, secret: bytes) -> None:
        """Store it; when this returns it outlives a crash."""
        ...

    def lock(self) -> AbstractContextManager[None]:
        """Keep other processes out while tokens are exchanged."""
        ...


class _Kept(msgspec.Struct, frozen=True):
    """What is stored: ``origin`` is the digest of the configured token that the others descend from."""

    origin: str
    refresh: str
    before: str = ""
    access: str = ""
    expires: float = 0.0


class _Granted(msgspec.Struct):
    access_token: str
    refresh_token: str
    expires_in: float = 3600.0


class _Refused(msgspec.Struct):
    error: str = ""


@dataclass(slots=True)
class Tokens:
    """The access token to use now.

    Args:
        http: sends the requests.
        url: Etsy's token endpoint.
        keystring: the app's.
        configured: the refresh token a person set: the first one, or the one of a new connection.
        store: keeps what came of it.
        now: replaceable in tests.
    """

    http: HttpClient
    url: str
    keystring: str
    configured: str
    store: TokenStore
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _kept: _Kept | None = None

    def access(self, refused: str | None = None) -> str:
        """A token that is good for at least two minutes.

        Args:
            refused: a token that Etsy did not accept although it should; it is not given out again.

        Raises:
            PermanentSourceError: Etsy accepts none of the refresh tokens.
            SourceError, VaultError: Etsy cannot be asked, or the store not be used.
        """
        if self._kept is None or not self._good(self._kept, refused):
            with self.store.lock():
                self._kept = self._fresh(self._load(), refused)
        return self._kept.access

    def _good(self, kept: _Kept, refused: str | None) -> bool:
        return bool(kept.access) and kept.access != refused and kept.expires - _MARGIN > self.now().timestamp()

    def _load(self) -> _Kept:
        """What is stored, unless a person has set another token since."""
        origin = hashlib.sha256(self.configured.encode()).hexdigest()
        new = _Kept(origin, self.configured)
        stored = self.store.load()
        if stored is None:
            return new
        try:
            kept = msgspec.json.decode(stored, type=_Kept)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return new
        return kept if kept.origin == origin else new

    def _fresh(self, kept: _Kept, refused: str | None) -> _Kept:
        # Another process may have refreshed since this one looked.
        if self._good(kept, refused):
            return kept
        for token in dict.fromkeys((kept.refresh, kept.before, self.configured)):
            granted = self._exchange(token) if token else None
            if granted is not None:
                expires = self.now().timestamp() + granted.expires_in
                renewed = _Kept(kept.origin, granted.refresh_token, token, granted.access_token, expires)
                # Before its first use: from here on a crash loses nothing.
                self.store.save(msgspec.json.encode(renewed))
                return renewed
            log.info("Etsy: a refresh token is used up, trying the one before it")
        raise PermanentSourceError(
            "Etsy accepts the refresh token no longer: it was used elsewhere, or is older than 90 days.",
            remedy=_CONNECT_AGAIN,
        )

    def _exchange(self, token: str) -> _Granted | None:
        """What Etsy gives for a refresh token; None where the token is no longer good."""
        form = {"grant_type": "refresh_token", "client_id": self.keystring, "refresh_token": token}

        def read(answer: Answer) -> _Granted | None:
            try:
                if answer.status == 200:
                    return msgspec.json.decode(answer.body, type=_Granted)
                refusal = msgspec.json.decode(answer.body, type=_Refused)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise malformed("Etsy") from None
            if refusal.error.startswith("invalid_grant"):
                return None
            raise PermanentSourceError(
                f"Etsy does not give an access token (HTTP {answer.status}).",
                remedy="Check RETREASURE_ETSY_KEYSTRING and RETREASURE_ETSY_REFRESH_TOKEN: they belong to one app.",
            )

        return self.http.read(
            "POST",
            self.url,
            read,
            body=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            accept=frozenset({200, 400, 401}),
        )
