"""JSON as Shopify's servers write it.

What belongs here: one function. What does not: what is written.

Non-ASCII text goes out as UTF-8, while ``<``, ``>``, ``&`` and the two line separators that JavaScript minds are
escaped, and slashes are too in bulk files. So a reader that parses and writes again does not get the same bytes.
"""

from __future__ import annotations

from typing import Any

import msgspec

_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


def encode(value: Any, *, escape_slashes: bool = False) -> bytes:
    """``value`` as JSON; all these characters only ever occur inside strings."""
    text = msgspec.json.encode(value)
    for sign, escape in _ESCAPES:
        if sign in text:
            text = text.replace(sign, escape)
    return text.replace(b"/", b"\\/") if escape_slashes else text
