"""A value that cannot be, at every place where a record tells one of its kind: it stops nothing and loses nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

import pytest

from retreasure_assets.lake.query import query
from retreasure_assets.lake.storage import Lake
from tests.end_to_end.bad_input import is_quiet, receipts
from tests.end_to_end.conftest import Home
from tests.end_to_end.retelling import demo, tell, told

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

Place = tuple[str | int, ...]
Payloads = Mapping[str, Sequence[bytes]]

#: Times as text and as epoch seconds, decimals as text, and numbers.
TIMES = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "infinity", "20266-03-05T00:00:00Z", "epoch", "", None)
SECONDS = (0, 1, 253_402_300_799, 4_102_444_800)
DECIMALS = ("99999999999999.9999", "-99999999999999.9999", "1e12", "NaN", "inf", "3000000000", "1e40", "-1", "")
NUMBERS = (10**18, -(10**18), 3 * 10**9, 2**63, 10**13, -1, 1e40)
#: Values of another kind than is expected anywhere.
ANYTHING = ([], {}, "x", 7, True, None, [1], {"a": 1}, "\u0000", "x" * 100_000, [[]], 1.5)
#: A tariff is told apart by the day from which it is valid: without it, its contract is broken and says so. Records
#: of photos are the platform's own.
SOUND = {"geo_delivery_zones", "media_photos"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d")
_SECONDS = re.compile(r"timestamp|_date$|_at$")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?$")
#: What tells records apart: another key is another record.
_KEY = re.compile(r"id$|number$|sku$|name$|position$", re.IGNORECASE)


def places(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value of a record, those that hold others too, and where it is."""
    if place:
        yield place, value
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, (*place, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from places(part, (*place, number))


def is_time(place: Place, value: Any) -> bool:
    """Whether a record tells a time there."""
    return bool(
        _TIME.match(value) if isinstance(value, str) else type(value) is int and _SECONDS.search(str(place[-1]))
    )


def is_key(place: Place) -> bool:
    """Whether what tells the record apart is there."""
    return bool(_KEY.search(next(part for part in reversed(place) if isinstance(part, str))))


def is_number(place: Place, value: Any) -> bool:
    """Whether a record tells an amount or a count there."""
    if is_key(place) or is_time(place, value):
        return False
    return bool(_DECIMAL.match(value)) if isinstance(value, str) else type(value) in (int, float)


def spoilt(
    payloads: Sequence[bytes],
    is_told: Callable[[Place, Any], bool],
    texts: Sequence[Any],
    numbers: Sequence[Any],
    at_each_place: int,
) -> Iterator[bytes]:
    """The records of a table, some of them with one value that cannot be; so many at each place."""
    next_text, next_number = cycle(texts), cycle(numbers)
    done: Counter[Place] = Counter()
    for payload in payloads:
        record = json.loads(payload)
        for place, value in places(record):
            kind = tuple(part for part in place if isinstance(part, str))
            if is_told(place, value) and done[kind] < at_each_place:
                done[kind] += 1
                holder = record
                for part in place[:-1]:
                    holder = holder[part]
                holder[place[-1]] = next(next_text if isinstance(value, str) else next_number)
                break
        yield json.dumps(record).encode()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake of a demo."""
    return demo(Home(tmp_path_factory.mktemp("sound")))


def run_on(
    home: Home,
    lake: Lake,
    is_told: Callable[[Place, Any], bool],
    texts: Sequence[Any],
    numbers: Sequence[Any],
    at_each_place: int = 3,
) -> set[str]:
    """Run on the spoilt records of a lake; the orders that silver keeps out. Nothing fails, and no order is lost."""
    for table, records in told(lake).items():
        known = [record.payload for record in records]
        tell(
            home.path,
            [(table, known if table in SOUND else list(spoilt(known, is_told, texts, numbers, at_each_place)))],
        )
    home.drop("pos/transactions/a.csv", receipts(0, 5))
    outcome = home.run()
    assert outcome.code == 0, outcome.out[-3000:] + outcome.err[-3000:]
    is_quiet(outcome)
    kept_out = {row[0] for row in home.rows("select distinct order_id from quarantine.silver_orders")}
    orders = {row[0] for row in home.rows("select order_id from gold.fct_orders")}
    assert not orders & kept_out
    at_the_gate = home.rows("select natural_key from ops.quarantine_log where dataset like 'bronze.%'")
    held = {part for (key,) in at_the_gate for part in re.split(r"[/|]", key or "")}
    assert (orders | kept_out | held) >= {row[0] for row in query(lake, "select order_id from gold.fct_orders").rows}
    [(first,)] = query(lake, "select min(business_date) from gold.agg_kpis").rows
    assert home.rows("select min(business_date) from gold.agg_kpis") == [(first,)]
    return kept_out


def test_a_time_that_cannot_be_stops_nothing_and_loses_no_money(home: Home, sound: Lake) -> None:
    assert len(run_on(home, sound, is_time, TIMES, SECONDS)) > len(TIMES)
    money = (
        "select channel, currency, count(*), sum(net_amount) from gold.fct_payouts group by all order by all",
        "select channel, currency, count(*), sum(fee_amount) from gold.fct_fees group by all order by all",
    )
    for sql in money:
        assert home.rows(sql) == query(sound, sql).rows


def test_a_number_that_cannot_be_stops_nothing(home: Home, sound: Lake) -> None:
    assert len(run_on(home, sound, is_number, DECIMALS, NUMBERS)) > len(DECIMALS)
    for table, key in (("payments", "payment_id"), ("refunds", "refund_id"), ("fees", "fee_id")):
        kept_out = set(home.rows(f"select channel, {key} from quarantine.silver_{table}"))
        assert kept_out
        assert not kept_out & set(home.rows(f"select channel, {key} from gold.fct_{table}"))


def test_a_value_of_another_kind_stops_nothing(home: Home, sound: Lake) -> None:
    assert run_on(home, sound, lambda place, _: not is_key(place), ANYTHING, ANYTHING, at_each_place=1)
