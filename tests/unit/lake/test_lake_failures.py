"""The failure log: one open row for each failing thing, whoever writes beside us."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retreasure_assets.errors import LakeError
from retreasure_assets.lake.failures import Changes, FailureLog, Kind, Severity, Symptom
from retreasure_assets.lake.storage import Lake

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def symptom(subject: str = "bronze.etsy_orders", **more: object) -> Symptom:
    given = {"cause": "Etsy could not answer.", "error_class": "TransientSourceError", "attempts": 4} | more
    return Symptom(Kind.SOURCE, subject, **given)  # type: ignore[arg-type]


def rows(lake: Lake) -> list[dict[str, object]]:
    return lake.table("ops", "failures").to_pyarrow_table().to_pylist()


def test_a_failure_is_one_row_until_the_next_success(lake: Lake) -> None:
    log = FailureLog(lake)
    first = log.observe([symptom()], by="run-1", at=NOW, repeat=DAY)
    again = log.observe([symptom()], by="run-2", at=NOW + timedelta(hours=1), repeat=DAY)
    assert [len(first.begun), len(again.begun)] == [1, 0]
    (row,) = rows(lake)
    assert (row["seen"], row["attempts"], row["state"]) == (2, 8, "open")
    assert (row["first_seen_at"], row["last_seen_at"]) == (NOW, NOW + timedelta(hours=1))

    well = [(Kind.SOURCE, "bronze.etsy_orders")]
    ended = log.observe([], well=well, by="run-3", at=NOW + DAY, repeat=DAY).ended
    assert [row["subject"] for row in ended] == ["bronze.etsy_orders"]
    (row,) = rows(lake)
    assert (row["state"], row["resolved_by"], row["resolved_at"]) == ("resolved", "run-3", NOW + DAY)

    # The same thing fails again: that is another failure.
    assert len(log.observe([symptom()], by="run-4", at=NOW + 2 * DAY, repeat=DAY).begun) == 1
    assert sorted(str(row["state"]) for row in rows(lake)) == ["open", "resolved"]


def test_the_same_run_seen_twice_counts_once(lake: Lake) -> None:
    log = FailureLog(lake)
    for _ in range(2):
        log.observe([symptom()], by="run-1", at=NOW, repeat=DAY)
    (row,) = rows(lake)
    assert (row["seen"], row["attempts"]) == (1, 4)


@pytest.mark.parametrize(
    ("later", "due"),
    [
        (symptom(), False),
        (symptom(error_class="PermanentSourceError"), True),
        (symptom(severity=Severity.CRITICAL), True),
        (symptom(severity=Severity.WARNING), False),
        (symptom(cause="It could not answer (HTTP 502)."), False),
    ],
)
def test_within_the_repeat_window_only_what_is_new_or_worse_is_told_again(
    lake: Lake, later: Symptom, due: bool
) -> None:
    log = FailureLog(lake)
    log.observe([symptom()], by="run-1", at=NOW, repeat=DAY)
    assert bool(log.observe([later], by="run-2", at=NOW + timedelta(hours=1), repeat=DAY).begun) is due
    assert len(log.open()) == 1


def test_after_the_repeat_window_it_is_told_again_also_when_the_clock_was_set_back(lake: Lake) -> None:
    log = FailureLog(lake)
    log.observe([symptom()], by="run-1", at=NOW, repeat=DAY)
    assert log.observe([symptom()], by="run-2", at=NOW + DAY, repeat=DAY).begun
    assert log.observe([symptom()], by="run-3", at=NOW - DAY, repeat=DAY).begun


def test_a_kind_that_was_judged_as_a_whole_ends_what_was_not_seen(lake: Lake) -> None:
    log = FailureLog(lake)
    circuit = Symptom(Kind.CIRCUIT, "etsy", "Etsy is down.", "CircuitOpenError")
    log.observe([symptom(), circuit], by="run-1", at=NOW, repeat=DAY)
    changes = log.observe([], judged=[Kind.CIRCUIT], by="watch", at=NOW, repeat=DAY)
    assert [row["kind"] for row in changes.ended] == ["circuit"]
    assert [row["kind"] for row in log.open()] == ["source"]


def test_who_looks_every_minute_writes_once_an_hour(lake: Lake) -> None:
    log = FailureLog(lake)
    hour = timedelta(hours=1)
    for minute in range(0, 121, 10):
        at = NOW + timedelta(minutes=minute)
        log.observe([symptom()], by=f"watch {minute}", at=at, repeat=DAY, quiet=hour)
    (row,) = rows(lake)
    assert row["seen"] == 3
    assert lake.table("ops", "failures").version() == 3


def test_nothing_to_tell_writes_nothing(lake: Lake) -> None:
    FailureLog(lake).observe([], well=[(Kind.SOURCE, "bronze.etsy_orders")], by="run-1", at=NOW, repeat=DAY)
    assert not lake.exists("ops", "failures")


def test_changes_are_told_before_they_are_written(lake: Lake) -> None:
    def tell(changes: Changes) -> None:
        assert len(changes.begun) == 1
        raise LakeError("The outbox is full.", remedy="Free some space.")

    with pytest.raises(LakeError):
        FailureLog(lake).observe([symptom()], by="run-1", at=NOW, repeat=DAY, tell=tell)
    # Whoever sees it again tells it again: nothing is lost.
    assert FailureLog(lake).observe([symptom()], by="run-1", at=NOW, repeat=DAY).begun


def test_writers_beside_each_other_lose_nothing_and_open_nothing_twice(lake: Lake) -> None:
    def work(number: int) -> None:
        seen = [symptom("shared"), symptom(f"own-{number}")]
        FailureLog(lake).observe(seen, by=f"run-{number}", at=NOW, repeat=DAY)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(row["subject"]) for row in rows(lake)) == ["own-0", "own-1", "own-2", "own-3", "shared"]
    (shared,) = [row for row in rows(lake) if row["subject"] == "shared"]
    assert shared["seen"] == 4


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc"))), max_size=5))
def test_what_is_open_is_what_failed_last(tmp_path: Path, story: list[tuple[set[str], set[str]]]) -> None:
    # A story may be tried twice.
    lake = Lake(tmp_path / uuid4().hex / "lake")
    log, expected = FailureLog(lake), set()
    for number, (failing, well) in enumerate(story):
        changes = log.observe(
            [symptom(one) for one in failing],
            well=[(Kind.SOURCE, one) for one in well],
            by=f"run-{number}",
            at=NOW + number * timedelta(minutes=1),
            repeat=DAY,
        )
        ended = expected & (well - failing)
        assert {row["subject"] for row in changes.ended} == ended
        assert {row["subject"] for row in changes.begun} == failing - expected
        expected = (expected - ended) | failing
        assert {row["subject"] for row in log.open()} == expected
