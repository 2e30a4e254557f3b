"""A time that cannot be, at every place of a record where one is told: it stops nothing, and no money is lost."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from retreasure_assets.entities import RawBatch
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.query import query
from retreasure_assets.lake.storage import Lake
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import load_settings
from tests.end_to_end.bad_input import is_quiet, receipts
from tests.end_to_end.conftest import Home

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

#: As text, and as epoch seconds.
TEXTS = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "infinity", "20266-03-05T00:00:00Z", "epoch", "", None)
SECONDS = (0, 1, 253_402_300_799, 4_102_444_800)
#: Records of a table that are spoilt at one place.
SPOILT = 3
#: A tariff is told apart by the day from which it is valid: without it, its contract is broken and says so.
SOUND = {"geo_delivery_zones"}
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d")
_COUNTED = re.compile(r"timestamp|_date$|_at$")

Place = tuple[str | int, ...]


def times(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where a record tells a time."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from times(part, (*place, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from times(part, (*place, number))
    elif (isinstance(value, str) and _WRITTEN.match(value)) or (type(value) is int and _COUNTED.search(str(place[-1]))):
        yield place


def spoilt(payloads: list[str]) -> Iterator[bytes]:
    """The records, some of them with one time that cannot be."""
    texts, seconds = cycle(TEXTS), cycle(SECONDS)
    done: Counter[Place] = Counter()
    for payload in payloads:
        record = json.loads(payload)
        for place in times(record):
            kind = tuple(part for part in place if isinstance(part, str))
            if done[kind] < SPOILT:
                done[kind] += 1
                holder = record
                for part in place[:-1]:
                    holder = holder[part]
                holder[place[-1]] = next(texts if isinstance(holder[place[-1]], str) else seconds)
                break
        yield json.dumps(record).encode()


def test_a_time_that_cannot_be_stops_nothing_and_loses_no_money(home: Home, tmp_path: Path) -> None:
    sound = Home(tmp_path / "sound")
    outcome = sound.run("demo", "--seed", "5", "--days", "20", "--scale", "0.4")
    assert outcome.code == 0, outcome.out[-3000:] + outcome.err[-3000:]
    told = Lake(sound.path / "sandbox" / "lake")

    platform = Platform(load_settings().model_copy(update={"home": home.path}))
    tables = [table for layer, table in told.tables() if layer == "bronze"]
    for table in tables:
        payloads = told.table("bronze", table).to_pyarrow_table(columns=["payload"])["payload"].to_pylist()
        records = [payload.encode() for payload in payloads] if table in SOUND else list(spoilt(payloads))
        batch = RawBatch(platform.entities[table], records, [f"test:{number}" for number in range(len(records))])
        BronzeWriter(platform.lake, platform.vault).write(batch, run_id="test")
    home.drop("pos/transactions/a.csv", receipts(0, 5))
    outcome = home.run()
    assert outcome.code == 0, outcome.out[-3000:] + outcome.err[-3000:]
    is_quiet(outcome)

    kept_out = {row[0] for row in home.rows("select distinct order_id from quarantine.silver_orders")}
    assert len(kept_out) > len(TEXTS)
    orders = {row[0] for row in home.rows("select order_id from gold.fct_orders")}
    assert not orders & kept_out
    assert (orders | kept_out) >= {row[0] for row in query(told, "select order_id from gold.fct_orders").rows}
    money = (
        "select channel, currency, count(*), sum(net_amount) from gold.fct_payouts group by all order by all",
        "select channel, currency, count(*), sum(fee_amount) from gold.fct_fees group by all order by all",
    )
    for sql in money:
        assert home.rows(sql) == query(told, sql).rows
    [(first,)] = query(told, "select min(business_date) from gold.agg_kpis").rows
    assert home.rows("select min(business_date) from gold.agg_kpis") == [(first,)]
