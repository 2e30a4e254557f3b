"""What nobody's run tells: stale assets, silent sources, open circuits, sensors that died.

What belongs here: looking round for symptoms. What does not: what becomes of them (resources/telling.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.scheduler.instigation import InstigatorStatus, TickStatus

from retreasure_assets.automation.observing import Catalogue, class_of
from retreasure_assets.errors import CircuitOpenError
from retreasure_assets.lake.circuits import Circuits, CircuitState, refusal
from retreasure_assets.lake.failures import Kind, Severity, Symptom
from retreasure_assets.lake.ingestion_log import last_news
from retreasure_assets.lake.storage import Lake
from retreasure_assets.resources.platform import Platform
from retreasure_assets.sources.registry import API_SOURCES, missing_settings

if TYPE_CHECKING:
    from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

#: The kinds that a look round judges as a whole.
JUDGED = (Kind.STALE, Kind.SILENT, Kind.CIRCUIT, Kind.SENSOR)
#: Ticks in a row that failed: one may be a code server that was just loading.
_TICKS = 3
#: A source that was not read for so long is not silent, it is not asked.
_ASKED_WITHIN = timedelta(days=1)


def look_round(
    instance: dg.DagsterInstance,
    graph: BaseAssetGraph,  # type: ignore[type-arg]
    platform: Platform,
    catalogue: Catalogue,
    now: datetime,
) -> list[Symptom]:
    """Everything of the kinds of ``JUDGED`` that fails now.

    Raises:
        LakeError: the lake cannot be read.
    """
    off = missing_settings(platform.settings)
    patience = {source.name: source.silent_after for source in API_SOURCES if source.name not in off}
    return [
        *stale(instance, graph, catalogue),
        *silent(platform.lake, platform.circuits, patience, now),
        *open_circuits(platform, now),
        *dead_instigators(instance),
    ]


def stale(
    instance: dg.DagsterInstance,
    graph: BaseAssetGraph,  # type: ignore[type-arg]
    catalogue: Catalogue,
) -> Iterator[Symptom]:
    """Assets that are older than their freshness policies allow, as Dagster's daemon found."""
    keys = [key for key in graph.materializable_asset_keys if graph.get(key).freshness_policy is not None]
    for key, record in instance.get_freshness_state_records(keys).items():
        state = record.freshness_state
        if state in (FreshnessState.WARN, FreshnessState.FAIL):
            yield Symptom(
                kind=Kind.STALE,
                subject=".".join(key.path),
                cause="It is older than its freshness policy allows.",
                error_class="Stale",
                severity=Severity.ERROR if state is FreshnessState.FAIL else Severity.WARNING,
                owner=catalogue.owner(key),
                source=catalogue.sources.get(key.path[-1]),
            )


def silent(lake: Lake, circuits: Circuits, patience: Mapping[str, timedelta], now: datetime) -> Iterator[Symptom]:
    """Sources that are read without an error and have had nothing new for longer than they ever should.

    Args:
        lake: whose ingestion log tells.
        circuits: tell when a source was last read.
        patience: source -> how long it may have nothing new.
        now: the moment.
    """
    news = last_news(lake, now - max(patience.values(), default=timedelta(0)) - timedelta(days=60))
    for source, longest in patience.items():
        read_at, new_at = circuits.read(source).read_at, news.get(source)
        if read_at is not None and new_at is not None and now - read_at < _ASKED_WITHIN and now - new_at > longest:
            yield Symptom(
                kind=Kind.SILENT,
                subject=source,
                cause=f"It answers, but has had nothing new since {new_at:%Y-%m-%d %H:%M} UTC.",
                error_class="Silent",
                remedy="See on the platform's own pages whether there are sales; if so, check the connection's scopes.",
                severity=Severity.WARNING,
                source=source,
            )


def open_circuits(platform: Platform, now: datetime) -> Iterator[Symptom]:
    """Sources that are left alone for a while."""
    for source in API_SOURCES:
        circuit = platform.circuits.read(source.name)
        if circuit.state(now) is not CircuitState.CLOSED:
            told = refusal(source.name, circuit)
            yield Symptom(
                kind=Kind.CIRCUIT,
                subject=source.name,
                cause=told.message,
                error_class=CircuitOpenError.__name__,
                remedy=told.remedy,
                attempts=circuit.failures,
                source=source.name,
            )


def dead_instigators(instance: dg.DagsterInstance) -> Iterator[Symptom]:
    """Sensors and schedules whose last ticks all failed."""
    for state in instance.all_instigator_state():
        if state.status is InstigatorStatus.STOPPED:
            continue
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=_TICKS)
        if len(ticks) == _TICKS and all(tick.status is TickStatus.FAILURE for tick in ticks):
            yield Symptom(
                kind=Kind.SENSOR,
                subject=state.instigator_name,
                cause=f"Its last {_TICKS} evaluations failed ({class_of(ticks[0].error)}).",
                error_class="DeadSensor",
                severity=Severity.CRITICAL,
                attempts=_TICKS,
            )
