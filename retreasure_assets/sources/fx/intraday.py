"""An intraday provider of exchange rates: any JSON address that answers ``{base, rates, timestamp}``.

What belongs here: the answer's form. What does not: fetching it (connector.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from retreasure_assets.errors import MalformedInputError

_CURRENCY = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
#: Epoch values above it are milliseconds: as seconds it is the year 5138.
_MILLISECONDS_FROM = 100_000_000_000


class _Answer(msgspec.Struct):
    base: str
    rates: dict[str, msgspec.Raw]
    timestamp: int | float | str


@dataclass(frozen=True, slots=True)
class Quote:
    """One answer: its time in UTC and its payload for bronze."""

    at: datetime
    payload: bytes


def parse(body: bytes, provider: str) -> Quote:
    """Read an answer.

    Args:
        body: ``{"base": "EUR", "rates": {"USD": 1.1172, ...}, "timestamp": ...}``; the time as epoch seconds (or
            milliseconds) or as an ISO 8601 text, taken as UTC where it names no zone. More keys do no harm.
        provider: who answered.

    Returns:
        The payload ``{"base", "rates", "timestamp", "provider"}``, rates as texts exactly as printed.

    Raises:
        MalformedInputError: another form.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        at = _moment(answer.timestamp)
        rates = {currency: _rate(raw) for currency, raw in answer.rates.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError, RecursionError):
        raise _unreadable() from None
    if not rates or not all(_CURRENCY.fullmatch(currency) for currency in (answer.base, *rates)):
        raise _unreadable()
    timestamp = at.isoformat().replace("+00:00", "Z")
    payload = {"base": answer.base, "rates": rates, "timestamp": timestamp, "provider": provider}
    return Quote(at, msgspec.json.encode(payload))


def _rate(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode().strip('"')
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return text


def _moment(value: float | str) -> datetime:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, tz=UTC)


def _unreadable() -> MalformedInputError:
    return MalformedInputError(
        "The intraday provider of exchange rates did not answer {base, rates, timestamp}.",
        remedy="Check RETREASURE_FX_INTRADAY_URL and the provider's plan.",
    )
