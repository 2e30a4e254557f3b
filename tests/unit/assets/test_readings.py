"""Sources side by side: nobody waits for another source, nobody's failure is another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from retreasure_assets.assets.bronze import build_bronze_asset
from retreasure_assets.entities import Connector, Cursor, Entity, RawBatch, Window
from retreasure_assets.errors import AlreadyRunningError, PermanentSourceError, TransientSourceError
from retreasure_assets.lake import judging
from retreasure_assets.lake.helpers import HELPERS
from retreasure_assets.resources.platform import Platform
from retreasure_assets.resources.readings import Readings
from retreasure_assets.settings import load_settings


def wait_for(event: threading.Event) -> str:
    assert event.wait(10), "nobody else was reading meanwhile"
    return "met"


def test_sources_read_at_the_same_time_and_tables_of_one_source_in_turn() -> None:
    first, second = threading.Event(), threading.Event()
    order: list[str] = []

    def one() -> str:
        first.set()
        order.append("orders")
        return wait_for(second)

    def two() -> str:
        second.set()
        return wait_for(first)

    def later() -> str:
        order.append("products")
        return "later"

    readings: Readings[str] = Readings()
    plan = {"a": [("a_orders", one), ("a_products", later)], "b": [("b_orders", two)]}
    readings.begin("run", plan)
    readings.begin("run", {"c": [("c_orders", pytest.fail)]})
    assert [readings.result("run", table) for table in ("a_products", "a_orders", "b_orders")] == [
        "later",
        "met",
        "met",
    ]
    assert order == ["orders", "products"]


def test_a_source_waits_for_the_tables_that_it_reads_even_if_they_fail() -> None:
    order: list[str] = []
    readings: Readings[str] = Readings()

    def fails() -> str:
        time.sleep(0.05)
        order.append("listings")
        raise PermanentSourceError("It is down.", remedy="Wait.")

    def photos() -> str:
        readings.wait_for("run", {"a_listings", "somebody_elses"})
        order.append("photos")
        return "looked at"

    readings.begin("run", {"photos": [("photos", photos)], "a": [("a_listings", fails)]})
    assert readings.result("run", "photos") == "looked at"
    assert order == ["listings", "photos"]
    # A run that reads no others waits for nobody.
    readings.wait_for("another", {"a_listings"})


def test_a_result_is_handed_over_once_and_to_its_own_run() -> None:
    readings: Readings[str] = Readings()
    assert readings.result("run", "a") is None
    readings.begin("run", {"a": [("a", lambda: "read")]})
    assert readings.result("other", "a") is None
    assert readings.result("run", "a") == "read"
    assert readings.result("run", "a") is None


def test_a_failure_is_raised_where_it_is_waited_for_and_stops_nobody() -> None:
    def fail() -> str:
        raise PermanentSourceError("No.", remedy="Yes.")

    def busy() -> str:
        raise AlreadyRunningError("Another run.", remedy="Wait.")

    readings: Readings[str] = Readings()
    readings.begin("run", {"a": [("a", fail), ("a2", lambda: "on")], "b": [("b", lambda: "on")], "c": [("c", busy)]})
    with pytest.raises(PermanentSourceError, match="No"):
        readings.result("run", "a")
    assert readings.result("run", "a2") == readings.result("run", "b") == "on"
    assert readings.result("run", "c") is None, "the step itself must ask again"


ORDERS = {name: Entity(name, "orders", ("id",), None, "Orders.") for name in ("one", "two", "three")}


@dataclass
class Meeting:
    """A source that answers once every other one has been asked too."""

    source: str
    barrier: threading.Barrier
    fails: bool = False
    batches_read: int = 0

    @property
    def entities(self) -> Mapping[str, Entity]:
        return {"orders": ORDERS[self.source]}

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        self.barrier.wait(20)
        if self.fails:
            raise PermanentSourceError(f"{self.source} is broken.", remedy="Mend it.")
        yield RawBatch(entity, [b'{"id":1}'], ["there"])

    def check(self) -> Sequence[str]:
        return []

    def close(self) -> None:
        """Nothing to close."""


class MeetingPlatform(Platform):
    """A platform of the sources above."""

    sources: Mapping[str, Connector]

    @property
    def entities(self) -> Mapping[str, Entity]:  # type: ignore[override]
        return {entity.table: entity for entity in ORDERS.values()}

    def connector_for(self, entity: Entity) -> Connector | None:
        return self.sources[entity.source]


def test_a_run_of_dagster_reads_all_sources_at_once_and_fails_only_the_one_that_fails() -> None:
    barrier = threading.Barrier(3)
    platform = MeetingPlatform(load_settings())
    platform.sources = {name: Meeting(name, barrier, fails=name == "two") for name in ORDERS}
    assets = [build_bronze_asset(entity) for entity in ORDERS.values()]
    result = dg.materialize(assets, resources={"platform": platform}, raise_on_error=False)
    assert not result.success
    assert {event.step_key for event in result.get_step_failure_events()} == {"bronze__two_orders"}
    done: list[Any] = result.get_asset_materialization_events()
    assert {event.asset_key.path[-1] for event in done} == {"one_orders", "three_orders"}
    assert platform.lake.row_count("bronze", "one_orders") == platform.lake.row_count("bronze", "three_orders") == 1


@pytest.mark.parametrize(("threads", "helpers"), [(1, 0), (2, HELPERS), (8, HELPERS)])
def test_all_sources_share_the_processes_that_judge(
    monkeypatch: pytest.MonkeyPatch, threads: int, helpers: int
) -> None:
    monkeypatch.setattr(judging, "_LARGE_BYTES", 0)
    platform = MeetingPlatform(load_settings().model_copy(update={"threads": threads}))
    barrier = threading.Barrier(3)
    platform.sources = {name: Meeting(name, barrier) for name in ORDERS}
    assets = [build_bronze_asset(entity) for entity in ORDERS.values()]
    assert dg.materialize(assets, resources={"platform": platform}).success
    assert len(platform.helpers._running or ()) == helpers
    platform.helpers.close()
    assert [platform.lake.row_count("bronze", entity.table) for entity in ORDERS.values()] == [1, 1, 1]


def test_a_reading_that_is_stopped_reads_no_further_batch() -> None:
    read: list[int] = []
    going = threading.Event()

    class Endless(Meeting):
        def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
            for number in range(10**6):
                read.append(number)
                yield RawBatch(entity, [b"{}"], ["there"])
                going.set()
                time.sleep(0.01)

    readings: Readings[int] = Readings()

    def drain() -> int:
        connector = readings.stoppable(Endless("one", threading.Barrier(1)))
        return sum(1 for _ in connector.batches(ORDERS["one"], None, Window()))

    readings.begin("run", {"one": [("one_orders", drain), ("one_products", pytest.fail)]})
    going.wait(10)
    readings.stop()
    with pytest.raises(TransientSourceError, match="stopped"):
        readings.result("run", "one_orders")
    with pytest.raises(TransientSourceError, match="stopped"):
        readings.result("run", "one_products")
    count = len(read)
    time.sleep(0.05)
    assert len(read) == count < 1000
