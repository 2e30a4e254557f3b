"""The ECB's euro reference rates: reading the history file and the daily file.

What belongs here: the files' form. What does not: fetching them (connector.py).

Both are CSV with a header, a trailing comma and "N/A" for currencies without a rate; the history is newest first
with ISO dates and bare numbers, the daily file has one line, padded with blanks, with a date such as
"30 October 2026" (https://www.ecb.europa.eu/stats/policy_and_exchange_rates).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from retreasure_assets.errors import MalformedInputError

#: Unpacked size of a file, in bytes, beyond which it is not unpacked; the history of 1999 to 2026 has 2 MB.
MAX_UNPACKED = 64 * 1024 * 1024

_RATE = re.compile(r"[0-9]+(\.[0-9]+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DAILY_DATE = re.compile(r"([0-9]{1,2}) ([A-Z][a-z]+) ([0-9]{4})")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True, slots=True)
class RateLine:
    """One line of a file.

    Args:
        raw: its bytes as received, without the line end.
        number: its number in the file, from 1.
        day: its date; None where it cannot be read.
        rates: currency -> units per euro, as printed; currencies without a rate are left out.
        problem: why it cannot be read; None for a good one.
    """

    raw: bytes
    number: int
    day: date | None
    rates: Mapping[str, str]
    problem: str | None = None

    def payload(self) -> bytes:
        """``{"date", "base", "rates"}`` as JSON; empty for a line with a problem."""
        if self.problem or self.day is None:
            return b""
        return msgspec.json.encode({"date": self.day.isoformat(), "base": "EUR", "rates": self.rates})

    def same_rates(self, printed: Mapping[str, str]) -> bool:
        """Whether the rates are equal as numbers: the daily file prints 0.83380 where the history has 0.8338."""
        return {k: Decimal(v) for k, v in self.rates.items()} == {k: Decimal(v) for k, v in printed.items()}


def unpack(body: bytes) -> bytes:
    """The CSV out of what was downloaded, which is a zip archive with one file or the file itself.

    Raises:
        MalformedInputError: a damaged, empty or oversized archive.
    """
    if not body.startswith(b"PK"):
        return body
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1 or archive.getinfo(names[0]).file_size > MAX_UNPACKED:
                raise _unreadable("its archive does not hold one CSV file")
            return archive.read(names[0])
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise _unreadable("its archive is damaged") from None


def parse(body: bytes) -> list[RateLine]:
    """Read a file, history or daily.

    A line that cannot be read comes back with its problem; the others are not lost to it.

    Returns:
        Its lines in ascending order of date; those without a date first.

    Raises:
        MalformedInputError: no header of currencies, or no line at all below it.
    """
    lines = body.removeprefix(b"\xef\xbb\xbf").splitlines()
    header = _fields(lines[0]) if lines else None
    if not header or header[0].lower() != "date" or not all(_CURRENCY.fullmatch(name) for name in header[1:]):
        raise _unreadable("it does not begin with a header of currencies")
    currencies = header[1:]
    if not currencies or len(set(currencies)) != len(currencies):
        raise _unreadable("its header has no currencies, or one twice")
    found = [_line(raw, number, currencies) for number, raw in enumerate(lines[1:], start=2) if raw.strip()]
    if not found:
        raise _unreadable("it has no rates below its header")
    return sorted(found, key=lambda line: line.day or date.min)


def follows(day: date, last: date) -> bool:
    """Whether no working day lies between two dates, so that the daily file alone closes the gap.

    Holidays count as working days here: then the history is read, which is never wrong.
    """
    between = ((last + timedelta(days=n)) for n in range(1, (day - last).days))
    return all(other.weekday() >= 5 for other in between)


def _line(raw: bytes, number: int, currencies: list[str]) -> RateLine:
    fields = _fields(raw)
    if fields is None:
        return RateLine(raw, number, None, {}, "not plain text")
    day = _day(fields[0])
    if day is None:
        return RateLine(raw, number, None, {}, "no date at its beginning")
    if len(fields) != len(currencies) + 1:
        return RateLine(raw, number, day, {}, f"{len(fields) - 1} rates for {len(currencies)} currencies")
    rates: dict[str, str] = {}
    for currency, text in zip(currencies, fields[1:], strict=True):
        if text in ("N/A", ""):
            continue
        if not _RATE.fullmatch(text) or Decimal(text) == 0:
            return RateLine(raw, number, day, {}, f"the rate of {currency} is not a positive number")
        rates[currency] = text
    if not rates:
        return RateLine(raw, number, day, {}, "no rate at all")
    return RateLine(raw, number, day, rates)


def _fields(raw: bytes) -> list[str] | None:
    """A line's fields without blanks around them and without the empty one behind the trailing comma."""
    try:
        fields = [field.strip() for field in raw.decode("ascii").split(",")]
    except UnicodeDecodeError:
        return None
    if len(fields) > 1 and fields[-1] == "":
        fields.pop()
    return fields


def _day(text: str) -> date | None:
    try:
        if match := _DAILY_DATE.fullmatch(text):
            return date(int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]))
        return date.fromisoformat(text)
    except ValueError:
        return None


def _unreadable(why: str) -> MalformedInputError:
    return MalformedInputError(
        f"The ECB's file of exchange rates cannot be read: {why}.",
        remedy="Check that RETREASURE_FX_URL is the folder of eurofxref.zip and eurofxref-hist.zip.",
    )
