"""Bronze assets: one per source entity, each a thin wrapper round ``lake.ingest``.

What belongs here: how an entity looks in the asset graph. What does not: reading sources or writing tables.
"""

import datetime
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import dagster as dg

from retreasure_assets.assets.gate_checks import gate_check
from retreasure_assets.automation.retries import SYNC_RETRIES, as_dagster_failure, unforeseen
from retreasure_assets.entities import Connector, Entity, Window
from retreasure_assets.errors import AlreadyRunningError, ConfigurationError, RetreasureError
from retreasure_assets.lake.ingest import log_refusal
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.lake.rows import SCHEMA
from retreasure_assets.lake.storage import explained
from retreasure_assets.quality.intake import Intake, take_in
from retreasure_assets.quality.result import GATE_CHECK, Status
from retreasure_assets.resources.platform import Platform
from retreasure_assets.sources.registry import half_configured, tables_read_by

#: What the columns hold that every bronze table has.
COLUMNS = {
    "record_id": "Deterministic id of this version of the record: source, entity, natural key and content.",
    "source": "The source's name.",
    "entity": "The entity's name.",
    "natural_key": "The source's own key, its parts joined by a bar.",
    "source_updated_at": "When the source says the record changed, UTC.",
    "payload": "The record as JSON text, everything personal masked.",
    "sealed": "The record's own bytes, sealed with the person's key; null where nothing in it is personal.",
    "payload_sha256": "SHA-256 of the record's own bytes, hexadecimal.",
    "person_id": "The person it is about: a random id that only the privacy vault can tie to anybody.",
    "ingested_at": "When its batch was written, UTC; one value per batch, rising from batch to batch.",
    "ingest_date": "The day of ingested_at; the table is partitioned by it.",
    "batch_id": "Digest of the batch's record ids; it is in the Delta commit too.",
    "run_id": "The Dagster run that wrote it.",
    "origin": "Where it came from: address and page, file and line, or topic, partition and offset.",
}

#: The check that every record received is accounted for.
BALANCE_CHECK = "records_balance"


class SyncConfig(dg.Config):
    """What part of a source to read; empty reads what is new."""

    since: str | None = None
    until: str | None = None

    def window(self) -> Window:
        """The window as UTC times.

        Raises:
            ConfigurationError: a date is not ISO 8601.
        """
        return Window(since=_utc(self.since, "since"), until=_utc(self.until, "until"))


def _utc(text: str | None, name: str) -> datetime.datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"The {name} date is not a date.", remedy="Write it as 2026-10-31 or 2026-10-31T12:00:00Z."
        ) from None
    return moment.astimezone(datetime.UTC) if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def bronze_op_name(entity: Entity) -> str:
    """The op's name, for run configuration."""
    return f"bronze__{entity.table}"


def _pool(entity: Entity) -> str:
    """Dagster's pool, in which steps wait for each other, and the lock of the same name, which tells who lives."""
    return f"bronze_{entity.table}"


def build_bronze_asset(entity: Entity, freshness: dg.FreshnessPolicy | None = None) -> dg.AssetsDefinition:
    """The asset ``bronze/<source>_<entity>``: sync what is new, append it to its Delta table.

    Args:
        entity: what it holds.
        freshness: how old it may be; None for what comes when somebody drops it.
    """
    key = dg.AssetKey(["bronze", entity.table])

    @dg.multi_asset(
        name=bronze_op_name(entity),
        specs=[
            dg.AssetSpec(
                key=key,
                group_name=f"bronze_{entity.source}",
                description=entity.description,
                owners=[entity.owner],
                kinds={"python", "deltalake", "bronze"},
                tags={"layer": "bronze", "personal": "yes" if entity.personal else "no"},
                metadata={"dagster/column_schema": _column_schema()},
                freshness_policy=freshness,
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                BALANCE_CHECK,
                asset=key,
                description="Received = new + duplicates + quarantined: no record is lost on the way in.",
            ),
            dg.AssetCheckSpec(
                GATE_CHECK,
                asset=key,
                description=(
                    "New rows keep the dataset's suite: bad rows are in quarantine (warning), or the whole batch is "
                    "withheld and models build on the last good one (error)."
                ),
            ),
        ],
        retry_policy=SYNC_RETRIES,
        pool=_pool(entity),
    )
    def sync(
        context: dg.AssetExecutionContext, config: SyncConfig, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        try:
            with explained(f"bronze.{entity.table}"):
                return _sync(context, key, entity, config, platform)
        except RetreasureError as error:
            raise as_dagster_failure(error) from None
        except Exception as error:
            raise unforeseen(error) from error

    return sync


def _opened(entity: Entity, platform: Platform) -> Connector | None:
    """The connector that reads an entity; None while its source, or this part of it, is off."""
    if (mistake := half_configured(platform.settings).get(entity.source)) and entity.table in platform.api_entities:
        raise mistake
    if platform.mapping_mistake is not None and entity.table not in platform.api_entities:
        raise platform.mapping_mistake
    connector = platform.connector_for(entity)
    return connector if connector is not None and entity.name in connector.entities else None


def _read(run_id: str, attempt: int, entity: Entity, config: SyncConfig, platform: Platform) -> Intake | None:
    """Read one entity into bronze; None while its source is off."""
    platform.readings.wait_for(run_id, tables_read_by(entity.source))
    with ExitStack() as held:
        try:
            connector = _opened(entity, platform)
            if connector is None:
                return None
            window = config.window()
            held.enter_context(run_lock(platform.settings, _pool(entity)))
            vault = platform.vault
            if entity.table in platform.api_entities:
                held.enter_context(platform.circuits.guard(entity.source))
        except AlreadyRunningError:
            raise
        except RetreasureError as error:
            log_refusal(platform.lake, entity, error, run_id=run_id)
            raise
        return take_in(
            platform.readings.stoppable(connector),
            entity,
            gates=platform.gates,
            lake=platform.lake,
            vault=vault,
            window=window,
            run_id=run_id,
            report=lambda result: platform.reporter.synced(entity, result),
            attempt=attempt,
            helpers=platform.helpers,
        )


def _begin_all(context: dg.AssetExecutionContext, platform: Platform) -> None:
    """Have every source of this run begin, if none has: those whose steps this process runs."""
    steps = context.get_step_execution_context().plan_data.execution_plan.step_keys_to_execute
    wanted = [entity for entity in platform.entities.values() if bronze_op_name(entity) in steps]
    given = context.run_config.get("ops", {})
    plan: dict[str, list[tuple[str, Callable[[], Intake | None]]]] = defaultdict(list)
    for entity in wanted:
        config = SyncConfig(**given.get(bronze_op_name(entity), {}).get("config", {}))
        read = partial(_read, context.run_id, 1, entity, config, platform)
        plan[entity.source].append((entity.table, read))
    platform.open()
    if len(plan) > 1:
        platform.readings.begin(context.run_id, plan)


def _sync(
    context: dg.AssetExecutionContext, key: dg.AssetKey, entity: Entity, config: SyncConfig, platform: Platform
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    attempt = context.retry_number + 1
    _begin_all(context, platform)
    intake = platform.readings.result(context.run_id, entity.table)
    if intake is None:
        try:
            intake = _read(context.run_id, attempt, entity, config, platform)
        except AlreadyRunningError as error:
            log_refusal(platform.lake, entity, error, run_id=context.run_id)
            raise
    if intake is None:
        off = {"source": f"{entity.source} is off"}
        balanced = dg.AssetCheckResult(check_name=BALANCE_CHECK, asset_key=key, passed=True)
        return dg.MaterializeResult(
            key, metadata=off, check_results=[balanced, _gate_check(context, entity, None, platform)]
        )
    summary = intake.summary
    counts = {
        "records": summary.records,
        "new": summary.new,
        "duplicates": summary.duplicates,
        "quarantined": summary.quarantined,
    }
    balanced = dg.AssetCheckResult(
        check_name=BALANCE_CHECK,
        asset_key=key,
        passed=summary.records == summary.new + summary.duplicates + summary.quarantined,
        metadata=counts,
    )
    rows = platform.lake.row_count("bronze", entity.table)
    return dg.MaterializeResult(
        key,
        metadata={**counts, "bytes": summary.bytes, "dagster/row_count": rows},
        check_results=[balanced, _gate_check(context, entity, intake, platform)],
    )


def _gate_check(
    context: dg.AssetExecutionContext, entity: Entity, intake: Intake | None, platform: Platform
) -> dg.AssetCheckResult:
    """How the dataset stands at its gate: as this reading found it, or as it stood before."""
    if intake is not None and intake.gate is not None:
        status, facts = intake.gate.status, intake.gate.metadata()
    else:
        last = platform.gates.last(entity)
        status, nothing = Status(last.get("status", Status.PASSED)), "Nothing new was there to look at."
        facts = {"summary": nothing if status is Status.PASSED else f"{nothing} As before: {last['sentence']}"}
    if status is not Status.PASSED:
        context.log.warning(facts["summary"])
    return gate_check(platform.settings, f"bronze.{entity.table}", status, facts)


def _column_schema() -> dg.TableSchema:
    return dg.TableSchema(
        columns=[dg.TableColumn(field.name, str(field.type), description=COLUMNS[field.name]) for field in SCHEMA]
    )
