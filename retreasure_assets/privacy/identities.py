"""Identities: one way to write each, and its keyed digest.

What belongs here: normalising values and digesting them. What does not: whom they belong to (vault.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes, hmac

from retreasure_assets.privacy.paths import Scalar

#: The kind of an identity that stands for a record which names nobody.
RECORD = "record"
_DIGEST_BYTES = 16
_NOT_DIGITS = re.compile(r"[^0-9]")


def normalise(kind: str, value: Scalar) -> str:
    """The value as it is compared; empty when it identifies nobody.

    E-mail addresses are trimmed and lower-cased; phone numbers are their digits, without a leading ``00``; others
    are trimmed.
    """
    if value is None:
        return ""
    text = str(value)
    # What is pure ASCII is normal already.
    text = (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip()
    if kind == "email":
        return text.lower()
    if kind == "phone":
        return _NOT_DIGITS.sub("", text).removeprefix("00")
    return text


def usable(kind: str, value: Scalar) -> bool:
    """Whether the value identifies anybody: ``bool(normalise(...))``, quicker."""
    if type(value) is str and kind != "phone":
        return value != "" and not value.isspace()
    return bool(normalise(kind, value))


def digester(key: bytes) -> Callable[[str, str], bytes]:
    """A function from (kind, normalised value) to its digest: HMAC-SHA256, the first 16 bytes."""
    base = hmac.HMAC(key, hashes.SHA256())

    def digest(kind: str, value: str) -> bytes:
        context = base.copy()
        context.update(f"{kind}\0{value}".encode())
        return context.finalize()[:_DIGEST_BYTES]

    return digest
