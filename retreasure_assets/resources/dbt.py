"""The dbt project as the platform runs it: where it is, its manifest, and a build inside this process.

What belongs here: starting dbt. What does not: what its models mean; that is in ``assets/dbt.py``.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retreasure_assets.collector import passing_over_what_is_there, without_collector
from retreasure_assets.errors import BuildError
from retreasure_assets.lake.storage import refused_by_system
from retreasure_assets.lake.warehouse import open_warehouse
from retreasure_assets.resources.dbt_shortcuts import shortcuts
from retreasure_assets.resources.platform import dbt_project_dir
from retreasure_assets.settings import Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

#: The log of a build, in its folder.
LOG = "dbt.log"
#: Sources begin by working, not by waiting: files are read, and processes that judge are started.
_READY_AFTER_SECONDS = 3.0
#: The compiled templates of the parsed project, beside it.
TEMPLATES = "templates.bin"
_LOGGED = frozenset({"info", "warn", "error"})
_PROJECT_INPUTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "tests", "seeds", "snapshots")


def dbt_executable() -> str:
    """The dbt of this Python environment, whatever PATH says."""
    return str(Path(sys.executable).with_name("dbt"))


@contextmanager
def dbt_environment(settings: Settings) -> Iterator[None]:
    """While it lasts, the process has the variables that the dbt project reads: dagster-dbt hands dbt its own."""
    variables = {
        "RETREASURE_WAREHOUSE": str(settings.warehouse_path.absolute()),
        "RETREASURE_DUCKDB_MEMORY_LIMIT": settings.duckdb_memory_limit,
        "RETREASURE_THREADS": str(settings.threads),
        "RETREASURE_REPORTING_CURRENCY": settings.reporting_currency,
        "RETREASURE_BUSINESS_TIMEZONE": settings.business_timezone,
        "RETREASURE_SHIP_FROM": settings.ship_from,
    }
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@without_collector()
def import_dbt() -> None:
    """Import dbt, which takes two seconds, before a build needs it."""
    for module in ("dbt.cli.main", "dbt.adapters.duckdb", "dbt.contracts.graph.manifest"):
        importlib.import_module(module)


def _warm_up() -> None:
    """Make what dbt checks a profile and a project by, and what it makes tables of answers with; it keeps them."""
    from dbt.adapters.duckdb.credentials import DuckDBCredentials
    from dbt.contracts.project import PackageConfig, ProfileConfig
    from dbt_common.clients import agate_helper

    for checked in (DuckDBCredentials, ProfileConfig, PackageConfig):
        checked.json_schema()
    agate_helper.empty_table()  # type: ignore[no-untyped-call]


def manifest_path(settings: Settings) -> Path:
    """The parsed project; parsed anew when any of its files is newer, or when it was parsed for something else.

    Raises:
        BuildError: the project does not parse.
    """
    project = dbt_project_dir()
    manifest, note = project / "target" / "manifest.json", project / "target" / "parsed_for"
    wanted = _parsed_for(settings)
    if (
        not manifest.exists()
        or not note.exists()
        or note.read_text("utf-8") != wanted
        or manifest.stat().st_mtime < _newest(project)
    ):
        with dbt_environment(settings):
            _parse(project)
        manifest.with_name(TEMPLATES).unlink(missing_ok=True)
        note.write_text(wanted, "utf-8")
    return manifest


def project_state(settings: Settings) -> str:
    """Tells one state of the parsed project from others.

    Raises:
        BuildError: the project does not parse.
    """
    return f"{_parsed_for(settings)} {manifest_path(settings).stat().st_mtime_ns}"


def _parsed_for(settings: Settings) -> str:
    """What a parsed project depends on beside its files: the engine, the catalog's name, what models may ask for."""
    parts = [
        version("dbt-core"),
        version("dbt-duckdb"),
        os.environ.get("RETREASURE_TARGET", "local"),
        settings.warehouse_path.stem,
        settings.reporting_currency,
        settings.business_timezone,
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _newest(project: Path) -> float:
    files = (
        file for name in _PROJECT_INPUTS for file in [project / name, *(project / name).rglob("*")] if file.exists()
    )
    return max(file.stat().st_mtime for file in files)


def _parse(project: Path) -> None:
    outcome = subprocess.run(
        [dbt_executable(), "--quiet", "parse", "--project-dir", str(project), "--profiles-dir", str(project)],
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise BuildError(
            "The dbt project does not parse.", remedy=f"Run `dbt parse` in {project.name}/ and mend what it names."
        )
    (project / "target" / "manifest.json").touch()


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What came of one model or test.

    Args:
        unique_id: dbt's id, such as ``model.retreasure.orders``.
        name: the name of the model or test.
        relation: the table as (layer, table), None for a test.
        status: dbt's word: success, error or skipped for a model; pass, warn, fail, error or skipped for a test.
        seconds: how long it took.
        failures: rows that a test found, None for a model.
        message: dbt's words on it; they may quote values.
        broken: what the test finds broken, and in how many rows, where it tells; names of columns and rules alone.
    """

    unique_id: str
    name: str
    relation: tuple[str, str] | None
    status: str
    seconds: float
    failures: int | None
    message: str
    broken: Mapping[str, int] = field(default_factory=dict)


class Dbt:
    """dbt inside this process, on the project as it was parsed last.

    A command of its own would import dbt, parse or load the project, and tell of its work as JSON that has to be read
    again: 7 s of CPU, against 1 s here (72 models and 144 tests).
    """

    def __init__(self) -> None:
        self._ahead: _Ahead | None = None

    def make_ready(self, settings: Settings) -> None:
        """Import dbt and load the project soon, beside other work: a second and a half of the next build.

        Args:
            settings: those of the build.

        Raises:
            BuildError: the project does not parse.
        """
        self._ahead = _Ahead(settings)

    def build(
        self,
        settings: Settings,
        folder: Path,
        *,
        select: Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        anew: bool = False,
        exactly: bool = False,
        tests: bool = True,
        told: Callable[[str, str], None] | None = None,
    ) -> list[NodeResult]:
        """Build models, and test each once it is built.

        Args:
            settings: where the warehouse is, and how much it may use.
            folder: for compiled statements and the log of this build.
            select: what to build, in dbt's words; all when None.
            exclude: what of it to leave as it is, in dbt's words.
            anew: build incremental models from nothing, as after their SQL has changed.
            exactly: only the tests that are selected themselves, instead of all those of what is built.
            tests: whether to run tests.
            told: called with the layer and name of each model when it is built, from dbt's own threads.

        Raises:
            BuildError: the project does not parse, or dbt stopped before it built anything.
            LakeError: its folder may not be written, or the disk is full.
        """
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.artifacts.schemas.run import RunExecutionResult
        from dbt.cli.main import dbtRunner

        project, handlers = str(dbt_project_dir()), [*logging.getLogger().handlers]
        target = folder.absolute()
        command = ["build", "--exclude-resource-type", "unit_test"] if tests else ["run"]
        # dbt's own loggers make a line of every event, and throw away what is below their level: a tenth of the CPU.
        command += ["--no-write-json", "--no-use-colors", "--log-level", "none", "--log-level-file", "none"]
        command += ["--project-dir", project, "--profiles-dir", project]
        command += ["--target-path", str(target), "--log-path", str(target)]
        if select is not None:
            command += ["--indirect-selection", "empty" if exactly else "eager", "--select", *select]
        if exclude:
            command += ["--exclude", *exclude]
        if anew:
            command.append("--full-refresh")
        manifest = self._manifest(settings)
        try:
            with (
                passing_over_what_is_there(),
                dbt_environment(settings),
                shortcuts(dbt_project_dir() / "target" / TEMPLATES),
                _log(target) as log,
            ):
                listeners = [log] if told is None else [log, _teller(told)]
                outcome = dbtRunner(manifest=manifest, callbacks=listeners).invoke(command)
        finally:
            # dbt keeps the file open until the process ends, and nobody else could read it.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
            logging.getLogger().handlers = handlers
        if outcome.exception is not None and not isinstance(outcome.exception, Exception):
            # The runner catches everything, a person's Ctrl-C and Dagster's interrupt too.
            raise outcome.exception
        if not isinstance(outcome.result, RunExecutionResult):
            refused = refused_by_system("The build's folder", outcome.exception or "")
            raise refused or BuildError(
                "dbt stopped before it built anything.", remedy=f"Its messages are in {target / LOG}."
            )
        return [_result(settings, one) for one in outcome.result.results]

    def _manifest(self, settings: Settings) -> Manifest:
        """The parsed project: the one that was made ready, for one build only, as dbt changes it as it builds."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.state != project_state(settings):
            return load_manifest(settings)
        return ahead.manifest() or load_manifest(settings)


class _Ahead:
    """A project that is loaded on a thread of its own, before it is asked for."""

    def __init__(self, settings: Settings) -> None:
        self.state = project_state(settings)
        self._loading: Future[Manifest] = Future()
        timer = threading.Timer(_READY_AFTER_SECONDS, self._load, [settings])
        timer.name, timer.daemon = "load-dbt", True
        timer.start()

    def manifest(self) -> Manifest | None:
        """The project; None when it is asked for so soon that its loading has not begun, and now never will.

        Raises:
            BuildError: it does not parse.
        """
        return None if self._loading.cancel() else self._loading.result()

    def _load(self, settings: Settings) -> None:
        if not self._loading.set_running_or_notify_cancel():
            return
        try:
            import_dbt()
            _warm_up()
            self._loading.set_result(load_manifest(settings))
        except BaseException as error:  # noqa: BLE001 (handed over to whoever asks)
            self._loading.set_exception(error)


def _teller(told: Callable[[str, str], None]) -> Callable[[EventMsg], None]:
    """A listener that tells of each model when it is built."""

    def listen(event: EventMsg) -> None:
        if event.info.name == "LogModelResult" and event.data.node_info.node_status == "success":
            relation = event.data.node_info.node_relation
            told(relation.schema, relation.alias)

    return listen


@contextmanager
def _log(folder: Path) -> Iterator[Callable[[EventMsg], None]]:
    """A listener that writes what a person may want to know to ``dbt.log``, as dbt's own would."""
    from dbt_common.events.functions import env_scrubber

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a", encoding="utf-8", buffering=1) as file:

        def listen(event: EventMsg) -> None:
            info: Any = event.info
            if info.level in _LOGGED:
                at = info.ts.ToDatetime().isoformat(timespec="milliseconds")
                file.write(f"{at}Z [{info.level:5}] {env_scrubber(info.msg)}\n")

        yield listen


def _result(settings: Settings, result: Any) -> NodeResult:
    node = result.node
    return NodeResult(
        unique_id=node.unique_id,
        name=node.name,
        relation=(node.schema, node.name) if node.resource_type == "model" else None,
        status=str(result.status),
        seconds=result.execution_time,
        failures=result.failures,
        message=result.message or "",
        broken=_broken(settings, node.compiled_code) if result.failures and _tells_rules(node) else {},
    )


def _tells_rules(node: Any) -> bool:
    # Tests that are files of their own have no metadata.
    return getattr(getattr(node, "test_metadata", None), "name", "") == "sound"


def _broken(settings: Settings, statement: str) -> dict[str, int]:
    """Rows by the rule that a failed test says they break."""
    path, limit = settings.warehouse_path, settings.duckdb_memory_limit
    with open_warehouse(path, limit, settings.threads, read_only=True) as engine:
        counted = f"SELECT broken_rule, count(*) FROM ({statement}) GROUP BY broken_rule ORDER BY broken_rule"
        return dict(engine.execute(counted).fetchall())


@without_collector()
def load_manifest(settings: Settings) -> Manifest:
    """The parsed project as dbt works with it; made as dbt itself does where nothing has changed since."""
    from dbt.contracts.graph.manifest import Manifest

    parsed = manifest_path(settings).with_name("partial_parse.msgpack").read_bytes()
    manifest: Manifest = Manifest.from_msgpack(parsed)
    manifest.build_parent_and_child_maps()  # type: ignore[no-untyped-call]
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest
