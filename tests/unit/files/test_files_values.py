"""Cells: money, numbers, dates, flags."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retreasure_assets.sources.files import values


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("$90.00", ".", "90.00"),
        ("EUR 90,00", ",", "90.00"),
        ("1 234,50 €", ",", "1234.50"),
        ("1\u202f234,50\u00a0€", "auto", "1234.50"),
        ("CA$76.00", ".", "76.00"),
        ("-CA$4.56", ".", "-4.56"),
        ("$-5.00", ".", "-5.00"),
        ("(1,250.10)", ".", "-1250.10"),
        ("5.00-", ".", "-5.00"),
        ("−0,50", ",", "-0.50"),
        ("-0.00", ".", "0.00"),
        ("007", ".", "7"),
        (".5", ".", "0.5"),
        ("AU $12.00", ".", "12.00"),
        ("1'234.50", ".", "1234.50"),
        ("¥1,200", ".", "1200"),
        ("1.234.567,8", ",", "1234567.8"),
        ("90", "auto", "90"),
    ],
)
def test_money(text: str, decimal: str, expected: str) -> None:
    assert values.money(text, decimal) == expected


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("12,34", "."),  # a decimal comma read with a decimal point must not become 1234
        ("1.234", "auto"),
        ("1,234", "auto"),
        ("1.2.3", "."),
        ("1,23,456", "."),
        ("1,234 567", "."),
        ("--", "."),
        ("", "."),
        (".", "."),
        ("5.", "."),
        ("1e5", "."),
        ("NaN", "."),
        ("(5.00", "."),
        ("-(5.00)", "."),
        ("-5.00-", "."),
        ("$5.00 USD", "."),
        ("twelve", "."),
        ("١٢", "."),
        ("1\n2", "."),
    ],
)
def test_what_is_no_money_is_refused(text: str, decimal: str) -> None:
    with pytest.raises(ValueError) as caught:
        values.money(text, decimal)
    assert len(text) < 3 or text not in str(caught.value)


AMOUNTS = st.decimals(min_value=-10_000_000, max_value=10_000_000, places=2, allow_nan=False, allow_infinity=False)


@given(
    AMOUNTS,
    st.sampled_from([(".", ","), (",", "."), (".", " "), (",", "\u00a0"), (".", "'"), (",", ""), (".", "")]),
    st.sampled_from(["", "$", "EUR ", "CA$", "£"]),
    st.sampled_from(["", " €", " USD"]),
    st.sampled_from(["front", "behind unit", "brackets"]),
    st.booleans(),
)
@settings(deadline=None)
def test_money_survives_any_layout(
    amount: Decimal, marks: tuple[str, str], before: str, after: str, sign: str, auto: bool
) -> None:
    decimal, group = marks
    digits = f"{abs(amount):,.2f}".replace(",", "G").replace(".", decimal).replace("G", group)
    unit = before
    after = "" if before else after
    if amount < 0:
        text = {"front": f"-{unit}{digits}{after}", "behind unit": f"{unit}-{digits}{after}"}.get(
            sign, f"({unit}{digits}{after})"
        )
    else:
        text = f"{unit}{digits}{after}"
    parsed = values.money(text, "auto" if auto else decimal)
    assert Decimal(parsed) == amount
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]{2}", parsed)


@given(st.from_regex(r"\A-?[0-9]{1,4}(\.[0-9]{1,3})?\Z"))
@settings(deadline=None)
def test_plain_amounts_may_be_waved_through(text: str) -> None:
    if re.search(values.PLAIN_MONEY, text):
        assert values.money(text, ".") == text
    if re.search(values.PLAIN_INTEGER, text):
        assert values.integer(text, ".") == text
        assert values.integer(text, ",") == text


@pytest.mark.parametrize(("text", "expected"), [("1", "1"), ("-2", "-2"), ("1,000", "1000"), ("2.0", "2"), ("-0", "0")])
def test_integer(text: str, expected: str) -> None:
    assert values.integer(text, ".") == expected


@pytest.mark.parametrize("text", ["0.5", "", "-", "1 piece", "1,00", "²"])
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        values.integer(text, ".")


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("2026-09-03", "iso", "2026-09-03"),
        ("09/03/26", "%m/%d/%y", "2026-09-03"),
        ("Sep-18-26", "%b-%d-%y", "2026-09-18"),
        ("September 3, 2026", "%B %d, %Y", "2026-09-03"),
        ("05-oct.-26", "%d-%b-%y", "2026-10-05"),
        ("1 févr. 2026", "%d %b %Y", "2026-02-01"),
        ("14 juillet 2026", "%d %B %Y", "2026-07-14"),
        ("Sept. 3, 2026", "%b %d, %Y", "2026-09-03"),
    ],
)
def test_dates(text: str, form: str, expected: str) -> None:
    assert values.date([form])(text) == expected


def test_times_become_utc() -> None:
    dublin = values.moment(["iso", "%d.%m.%Y %H:%M"], ZoneInfo("Europe/Dublin"))
    assert dublin("2026-07-01 10:00:00") == "2026-07-01T09:00:00Z"
    assert dublin("01.12.2026 10:00") == "2026-12-01T10:00:00Z"
    assert dublin("2026-07-01T10:00:00+02:00") == "2026-07-01T08:00:00Z"
    assert dublin("2026-07-01T10:00:00.250Z") == "2026-07-01T10:00:00.250000Z"
    # The hour that the clock strikes twice is taken as its first time.
    assert dublin("2026-10-25 01:30:00") == "2026-10-25T00:30:00Z"


@pytest.mark.parametrize("text", ["2026-02-30", "yesterday", "", "9999-12-31T23:59:59-12:00", "32/01/26"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        values.moment(["iso", "%d/%m/%y"], UTC)(text)
    assert not text or text not in str(caught.value)


@given(st.dates(date(1970, 1, 1), date(2068, 12, 31)))
@settings(deadline=None)
def test_two_digit_years_come_back(day: date) -> None:
    assert values.date(["%m/%d/%y"])(day.strftime("%m/%d/%y")) == day.isoformat()


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - local on purpose
@example(datetime(2068, 3, 11, 2, fold=1))  # noqa: DTZ001 - an hour that there is not
@settings(deadline=None)
def test_times_name_the_same_instant(moment: datetime) -> None:
    zone = ZoneInfo("America/New_York")
    found = datetime.fromisoformat(values.moment(["iso"], zone)(moment.isoformat()))
    # Text does not say which of two hours of one name is meant: the first.
    assert found == moment.replace(tzinfo=zone, fold=0).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("eur", "EUR"),
        ("USD", "USD"),
        ("$90.00", "USD"),
        ("EUR 90,00", "EUR"),
        ("1,00 €", "EUR"),
        ("C $5", "CAD"),
        ("12 zł", "PLN"),
    ],
)
def test_currency(text: str, expected: str) -> None:
    assert values.currency(text) == expected


@pytest.mark.parametrize("text", ["", "90.00", "EURO", "kr 5"])
def test_unknown_currency_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="currency"):
        values.currency(text)


def test_booleans_and_choices() -> None:
    assert [values.boolean(each) for each in ("Yes", "1", "TRUE", "n", "off")] == ["true"] * 3 + ["false"] * 2
    with pytest.raises(ValueError, match="neither"):
        values.boolean("maybe")
    pick = values.choice({"Retour": "return", "Vente": "sale"})
    assert pick("RETOUR") == "return"
    with pytest.raises(ValueError, match="mapping lists"):
        pick("other")
