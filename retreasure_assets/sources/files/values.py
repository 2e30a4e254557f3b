"""What one cell means: the parsers of numbers, money, dates, flags and currencies.

What belongs here: functions of one text that return the canonical text or refuse it. What does not: columns and
records; ``transform`` applies these to whole columns. Errors never quote the text: it may be personal.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo

from retreasure_assets.privacy.masks import postcode_area

#: ISO 4217 codes of the currency signs that exports print; "$" alone is the US dollar.
SIGNS = {
    "$": "USD", "US$": "USD", "CA$": "CAD", "C$": "CAD", "AU$": "AUD", "A$": "AUD", "NZ$": "NZD", "HK$": "HKD",
    "S$": "SGD", "SG$": "SGD", "MX$": "MXN", "R$": "BRL", "£": "GBP", "€": "EUR", "¥": "JPY", "JP¥": "JPY",
    "CN¥": "CNY", "₹": "INR", "₩": "KRW", "₺": "TRY", "₪": "ILS", "฿": "THB", "₫": "VND", "₴": "UAH", "zł": "PLN",
    "Kč": "CZK", "Ft": "HUF",
}  # fmt: skip

#: What `money` (with a decimal point) and `integer` return unchanged, so that whole columns can be waved through.
PLAIN_MONEY = r"^(?:0|[1-9][0-9]*|-[1-9][0-9]*)(?:\.[0-9]+)?$"
PLAIN_INTEGER = r"^(?:0|-?[1-9][0-9]*)$"

_SPACES = " \u00a0\u2009\u202f"
_UNIT = r"(?:[A-Za-z]{1,2} ?)?[$€£¥₹₩₺₪฿₫₴]|[A-Za-z]{3}|zł|Kč|Ft"
_MONEY = re.compile(
    rf"(?P<open>\()?(?P<sign1>[-−+])?[{_SPACES}]*(?P<unit1>{_UNIT})?[{_SPACES}]*(?P<sign2>[-−+])?[{_SPACES}]*"
    rf"(?P<number>[0-9.,](?:[0-9.,'’{_SPACES}]*[0-9])?)"
    rf"[{_SPACES}]*(?P<unit2>{_UNIT})?[{_SPACES}]*(?P<sign3>[-−+])?(?P<close>\))?"
)
_POINT = re.compile(rf"(?P<whole>[0-9]*|[0-9]{{1,3}}(?:(?P<group>[,'’{_SPACES}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*))"
                    r"(?:\.(?P<part>[0-9]+))?")  # fmt: skip
_COMMA = re.compile(_POINT.pattern.replace("[,'", "[.'").replace(r"\.(?P<part>", ",(?P<part>"))
#: Without a stated decimal mark only exactly two decimals are beyond doubt: "1.234" could be either.
_CENTS = re.compile(r".*?(?P<mark>[.,])[0-9]{2}")

_MONTHS = {
    "janv": 1, "janvier": 1, "févr": 2, "fevr": 2, "fév": 2, "février": 2, "mars": 3, "avr": 4, "avril": 4,
    "mai": 5, "juin": 6, "juil": 7, "juillet": 7, "août": 8, "aout": 8, "sept": 9, "septembre": 9, "octobre": 10,
    "novembre": 11, "déc": 12, "décembre": 12,
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12, "january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8,
    "september": 9, "october": 10, "november": 11, "december": 12,
}  # fmt: skip
_FULL = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
         "November", "December")  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+\.?")

#: Between the parts of a text that several columns make up.
SEPARATOR = "\x1f"

#: Countries whose postcodes end in a part for the street or house, which public lists leave out.
_OUTWARD = frozenset({"CA", "GB", "GG", "IE", "IM", "JE", "MT", "NL"})

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


def money(text: str, decimal: str) -> str:
    """An amount as a plain decimal string: ``CA$1,234.50`` -> ``1234.50``, ``(5,00 €)`` -> ``-5.00``.

    Args:
        text: the amount, with or without a currency sign or code and thousands separators (comma or point,
            space, apostrophe).
        decimal: the decimal mark ``.`` or ``,``; ``auto`` takes whichever stands before exactly two last digits
            and refuses what that leaves in doubt.

    Raises:
        ValueError: it is no amount.
    """
    match = _MONEY.fullmatch(text)
    if match is None or (match["open"] is None) != (match["close"] is None):
        raise ValueError("is not an amount of money")
    signs = [match[name] for name in ("sign1", "sign2", "sign3") if match[name]]
    if len(signs) + (match["open"] is not None) > 1 or (match["unit1"] and match["unit2"]):
        raise ValueError("is not an amount of money")
    negative = match["open"] is not None or signs in (["-"], ["−"])
    return _number(match["number"], decimal, negative, "an amount of money")


def integer(text: str, decimal: str) -> str:
    """A whole number: ``1,000`` -> ``1000``, ``2.0`` -> ``2``.

    Raises:
        ValueError: it is none.
    """
    negative = text[:1] in ("-", "−")
    number = _number(text[1:] if text[:1] in ("-", "−", "+") else text, decimal, negative, "a whole number")
    whole, _, part = number.partition(".")
    if part.strip("0"):
        raise ValueError("is not a whole number")
    return "0" if whole == "-0" else whole


def number(text: str, decimal: str) -> str:
    """A number with or without fraction and sign: ``+040.90`` -> ``40.90``, ``-072.6`` -> ``-72.6``.

    Raises:
        ValueError: it is none.
    """
    signed = text[:1] in ("-", "−", "+")
    return _number(text[1:] if signed else text, decimal, text[:1] in ("-", "−"), "a number")


def area(text: str) -> str:
    """The area of a postcode, as masking keeps it of people's postcodes, so that the two can be joined.

    Args:
        text: the postcode, followed by the separator and its country where that is known: lists of the countries in
            _OUTWARD give the outward part alone, which is the area already.

    Raises:
        ValueError: it is no postcode.
    """
    postcode, _, country = text.partition(SEPARATOR)
    code = " ".join(postcode.upper().split())
    if country.upper() in _OUTWARD and 2 <= len(code) <= 4 and code.isalnum():
        return code
    found = postcode_area(code)
    if found is None:
        raise ValueError("is not a postcode")
    return found


def _number(text: str, decimal: str, negative: bool, what: str) -> str:
    mark = decimal
    if decimal == "auto":
        cents = _CENTS.fullmatch(text)
        if cents is None and not text.isdigit():
            raise ValueError(f"is not {what} with two decimals")
        mark = cents["mark"] if cents else "."
    match = (_POINT if mark == "." else _COMMA).fullmatch(text)
    if match is None or not (match["whole"] or match["part"]):
        raise ValueError(f"is not {what} with decimal mark {mark!r}")
    digits = match["whole"].replace(match["group"], "") if match["group"] else match["whole"]
    number = digits.lstrip("0") or "0"
    number = f"{number}.{match['part']}" if match["part"] else number
    return f"-{number}" if negative and number.strip("0.") else number


def currency(text: str) -> str:
    """The ISO 4217 code that a text is (``eur``) or that an amount carries (``$90.00``, ``EUR 90,00``).

    Raises:
        ValueError: it names none that is known.
    """
    match = _MONEY.fullmatch(text)
    unit = (match["unit1"] or match["unit2"] or "") if match else text
    unit = unit.replace(" ", "")
    if len(unit) == 3 and unit.isascii() and unit.isalpha():
        return unit.upper()
    code = SIGNS.get(unit) or SIGNS.get(unit.upper())
    if code is None:
        raise ValueError("names no known currency")
    return code


def boolean(text: str) -> str:
    """``true`` or ``false``.

    Raises:
        ValueError: it is neither yes nor no in any usual form.
    """
    word = text.casefold()
    if word in _TRUE:
        return "true"
    if word in _FALSE:
        return "false"
    raise ValueError("is neither true nor false")


def choice(values: dict[str, str]) -> Callable[[str], str]:
    """A parser of words of a list, case aside."""
    known = {word.casefold(): canonical for word, canonical in values.items()}

    def parse(text: str) -> str:
        try:
            return known[text.casefold()]
        except KeyError:
            raise ValueError("is none of the values that the mapping lists") from None

    return parse


def digest(text: str) -> str:
    """32 hex digits that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def date(formats: Sequence[str]) -> Callable[[str], str]:
    """A parser of dates in any of ``formats``: ``03/09/26`` -> ``2026-09-03``."""
    parse = _moment(formats)
    return lambda text: parse(text).date().isoformat()


def moment(formats: Sequence[str], zone: tzinfo) -> Callable[[str], str]:
    """A parser of times; those without an offset are local to ``zone``: -> ``2026-09-03T07:15:00Z``."""
    parse = _moment(formats)

    def to_utc(text: str) -> str:
        found = parse(text)
        try:
            if found.tzinfo is not None or zone is not UTC:
                found = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
        except OverflowError:
            raise ValueError("is out of range") from None
        return found.replace(tzinfo=None).isoformat() + "Z"

    return to_utc


def _moment(formats: Sequence[str]) -> Callable[[str], datetime]:
    def parse(text: str) -> datetime:
        for form in formats:
            try:
                if form == "iso":
                    return datetime.fromisoformat(text)
                return datetime.strptime(_english(text, full="%B" in form), form)  # noqa: DTZ007 - zone added above
            except ValueError:
                continue
        raise ValueError("is not a date in the mapping's formats")

    return parse


def _english(text: str, *, full: bool) -> str:
    """French and dotted month names as strptime knows them: ``05-oct.-26`` -> ``05-Oct-26``."""

    def name(match: re.Match[str]) -> str:
        month = _MONTHS.get(match[0].rstrip(".").casefold())
        if month is None:
            return match[0]
        return _FULL[month - 1] if full else _FULL[month - 1][:3]

    return _WORD.sub(name, text)
