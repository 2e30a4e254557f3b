"""Data tests look at the rows of the last build; what must be unique at every row that has the key of one of them."""

from __future__ import annotations

import duckdb
from bronze_bench import Bench
from payloads import ecb

MODELS = ("--select", "+fx_rates")
COPY = "insert into silver.fx_rates by name select * replace ({changes}) from silver.fx_rates where quote = '{quote}'"


def failing(bench: Bench) -> set[str]:
    """The data tests that do not hold."""
    try:
        bench.build(*MODELS, "--exclude-resource-type", "unit_test", command="test")
    except AssertionError as told:
        return {line.split(":", 1)[0] for line in str(told).splitlines() if "Got " in line}
    return set()


def change(bench: Bench, sql: str) -> None:
    with duckdb.connect(str(bench.path)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(sql)


def test_what_a_new_row_repeats_is_found_wherever_it_is(bench: Bench) -> None:
    bench.ingest(ecb("2026-08-28", USD="1.1000", JPY="160.00"))
    bench.build(*MODELS)
    assert failing(bench) == set()
    bench.ingest(ecb("2026-08-31", USD="1.2000"))
    bench.build(*MODELS)
    assert failing(bench) == set()

    # Only rows of the earlier build repeat each other: its own test has said so.
    change(bench, COPY.format(changes="quote as quote", quote="JPY"))
    assert failing(bench) == set()
    # A row of a new build repeats one of the earlier build.
    change(bench, COPY.format(changes="built_at + interval 1 day as built_at", quote="JPY"))
    assert failing(bench) == {"fx_rates_is_sound"}
    change(bench, "delete from silver.fx_rates where quote = 'JPY'")
    assert failing(bench) == set()

    # A table that is of one build is looked at as a whole.
    change(bench, "update silver.fx_rates set built_at = (select max(built_at) from silver.fx_rates)")
    change(bench, COPY.format(changes="quote as quote", quote="USD"))
    assert len(failing(bench)) == 1


def test_what_is_broken_is_named_in_rows_of_the_last_build(bench: Bench) -> None:
    bench.ingest(ecb("2026-08-28", USD="1.1000", JPY="160.00"))
    bench.build(*MODELS)
    bench.ingest(ecb("2026-08-31", USD="1.2000"))
    bench.build(*MODELS)
    missing = "update silver.fx_rates set quote = null where {} (rate_ts < timestamptz '2026-08-30')"
    change(bench, missing.format(""))
    assert failing(bench) == set()
    change(bench, missing.format("not"))
    assert failing(bench) == {"fx_rates_is_sound"}
