"""Identities: one way to write each, and its keyed digest.

What belongs here: normalising values and digesting them. What does not: whom they belong to (vault.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives import hashes, hmac

from retreasure_assets.privacy.paths import Scalar

#: The kind of an identity that stands for a record which names nobody.
RECORD = "record"
DIGEST_BYTES = 16
#: Identities remembered at once: who acts once mostly does so again soon.
_CACHED = 65_536
_NOT_DIGITS = re.compile(r"[^0-9]")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[tuple[str, str]]).decode


def normalise(kind: str, value: Scalar) -> str:
    """The value as it is compared; empty when it identifies nobody.

    E-mail addresses are trimmed and lower-cased; phone numbers are their digits, without a leading ``00``; others
    are trimmed.
    """
    if value is None:
        return ""
    text = value if type(value) is str else str(value)
    # What is pure ASCII is normal already.
    text = (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip()
    if kind == "email":
        return text.lower()
    if kind == "phone":
        return _NOT_DIGITS.sub("", text).removeprefix("00")
    return text


class Named(NamedTuple):
    """Whom one record names, best first.

    Args:
        digests: the identities' digests, one after the other; empty where it names nobody.
        clear: the identities as (kind, normalised value), in JSON.
    """

    digests: bytes
    clear: bytes


class Namer:
    """Makes identities comparable without telling them: HMAC-SHA256 of kind and normalised value, its first 16 bytes.

    Args:
        key: the key of the digests.
    """

    def __init__(self, key: bytes) -> None:
        self._base = hmac.HMAC(key, hashes.SHA256())
        self._kinds: dict[str, hmac.HMAC] = {}

    def __call__(self, identities: Iterable[tuple[str, Scalar]]) -> Named:
        """What one record names; values that identify nobody are left out.

        Args:
            identities: (kind, value), best first.
        """
        found = []
        digests = b""
        for kind, value in identities:
            if value is None or not (text := normalise(kind, value)):
                continue
            found.append((kind, text))
            context = (self._kinds.get(kind) or self._kind(kind)).copy()
            context.update(text.encode())
            digests += context.finalize()[:DIGEST_BYTES]
        return Named(digests, _encode(found))

    def of_kinds(self, kinds: Sequence[str]) -> Callable[..., Named]:
        """A function from the values of these kinds, in their order, to what they name.

        It remembers the last ones: looked up they take a tenth of the time of being digested.
        """

        @lru_cache(_CACHED)
        def named(*values: Scalar) -> Named:
            return self(zip(kinds, values, strict=True))

        return named

    def _kind(self, kind: str) -> hmac.HMAC:
        context = self._kinds[kind] = self._base.copy()
        context.update(f"{kind}\0".encode())
        return context


def clear_identities(clear: bytes) -> list[tuple[str, str]]:
    """The identities of ``Named.clear``."""
    return _decode(clear)


def digests_of(named: bytes) -> list[bytes]:
    """The single digests of ``Named.digests``."""
    return [named[at : at + DIGEST_BYTES] for at in range(0, len(named), DIGEST_BYTES)]
