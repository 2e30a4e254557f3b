"""Exchange rates as the European Central Bank would publish them: a seeded random walk on its working days.

What belongs here: rates, working days and currencies' minor units. What does not: the files they are published in
(``fx``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from retreasure_assets.sandbox.world_random import stream

FIRST_RATE_DAY = date(2025, 12, 1)

#: Every column of the history file, in its order; those without a start value were discontinued before our time.
COLUMNS = [
    "USD",
    "JPY",
    "BGN",
    "CYP",
    "CZK",
    "DKK",
    "EEK",
    "GBP",
    "HUF",
    "LTL",
    "LVL",
    "MTL",
    "PLN",
    "ROL",
    "RON",
    "SEK",
    "SIT",
    "SKK",
    "CHF",
    "ISK",
    "NOK",
    "HRK",
    "RUB",
    "TRL",
    "TRY",
    "AUD",
    "BRL",
    "CAD",
    "CNY",
    "HKD",
    "IDR",
    "ILS",
    "INR",
    "KRW",
    "MXN",
    "MYR",
    "NZD",
    "PHP",
    "SGD",
    "THB",
    "ZAR",
]

#: Start value and decimals, as published.
_START: dict[str, tuple[float, int]] = {
    "USD": (1.1612, 4),
    "JPY": (180.42, 2),
    "BGN": (1.9558, 4),
    "CZK": (24.162, 3),
    "DKK": (7.4688, 4),
    "GBP": (0.87765, 5),
    "HUF": (381.53, 2),
    "PLN": (4.2345, 4),
    "RON": (5.0898, 4),
    "SEK": (10.956, 4),
    "CHF": (0.9345, 4),
    "ISK": (148.2, 2),
    "NOK": (11.7545, 4),
    "TRY": (49.3512, 4),
    "AUD": (1.7741, 4),
    "BRL": (6.2034, 4),
    "CAD": (1.6239, 4),
    "CNY": (8.2125, 4),
    "HKD": (9.0412, 4),
    "IDR": (19321.87, 2),
    "ILS": (3.7906, 4),
    "INR": (104.1725, 4),
    "KRW": (1706.44, 2),
    "MXN": (21.2517, 4),
    "MYR": (4.7993, 4),
    "NZD": (2.0274, 4),
    "PHP": (68.014, 3),
    "SGD": (1.5054, 4),
    "THB": (37.212, 3),
    "ZAR": (19.8765, 4),
}

#: Last day of a currency that joined the euro: after it the column says N/A.
_LAST_DAY = {"BGN": date(2025, 12, 31)}

_PEGGED = {"BGN", "DKK"}


def decimals(currency: str) -> int:
    """Decimal places of an amount in ``currency``."""
    return 0 if currency in ("JPY", "KRW", "ISK") else 2


def rounded(amount: Decimal, currency: str) -> Decimal:
    """``amount`` in whole minor units, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-decimals(currency)), ROUND_HALF_UP)


def _easter(year: int) -> date:
    """Easter Sunday (Gauss's method as Meeus gives it)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=16)
def _holidays(year: int) -> frozenset[date]:
    easter = _easter(year)
    fixed = ((1, 1), (5, 1), (12, 25), (12, 26))
    return frozenset(
        [easter - timedelta(days=2), easter + timedelta(days=1), *(date(year, month, day) for month, day in fixed)]
    )


def is_bank_day(day: date) -> bool:
    """Whether the ECB publishes rates and banks move euro that day (the TARGET calendar)."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def next_bank_day(day: date) -> date:
    """The first bank day after ``day``."""
    day += timedelta(days=1)
    while not is_bank_day(day):
        day += timedelta(days=1)
    return day


def bank_days(first: date, until: date) -> Iterator[date]:
    """The bank days from ``first`` on, up to and without ``until``."""
    day = first
    while day < until:
        if is_bank_day(day):
            yield day
        day += timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FxDay:
    """One publication: units of each currency per euro, as printed (fixed decimals)."""

    day: date
    rates: dict[str, Decimal]


def fx_history(seed: int, until: date) -> list[FxDay]:
    """All publications before ``until``, oldest first."""
    history: list[FxDay] = []
    levels = {currency: start for currency, (start, _) in _START.items()}
    for day in bank_days(FIRST_RATE_DAY, until):
        rng = stream(seed, "fx", day.isoformat())
        rates: dict[str, Decimal] = {}
        for currency, (start, places) in _START.items():
            step = rng.random() - 0.5
            if currency not in _PEGGED:
                # A pull towards the start keeps a long world's rates believable.
                levels[currency] *= 1 + step * 0.012 + (start / levels[currency] - 1) * 0.01
            if day <= _LAST_DAY.get(currency, day):
                rates[currency] = Decimal(f"{levels[currency]:.{places}f}")
        history.append(FxDay(day, rates))
    return history


class FxTable:
    """Looks up the rate that applied on a day."""

    def __init__(self, history: list[FxDay]) -> None:
        self._by_day = {entry.day: entry.rates for entry in history}

    def per_euro(self, currency: str, day: date, *, staleness: int = 7) -> tuple[Decimal, date] | None:
        """Units of ``currency`` per euro on ``day`` or the last day before it, at most ``staleness`` days back."""
        if currency == "EUR":
            return Decimal(1), day
        for back in range(staleness + 1):
            rates = self._by_day.get(day - timedelta(days=back))
            if rates is not None and currency in rates:
                return rates[currency], day - timedelta(days=back)
        return None
