"""The documentation of silver and gold as one web page, and the glossary of the business's figures.

What belongs here: making both out of the dbt project's own descriptions, and serving the page. What does not: any
description; those stand beside the models.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from retreasure_assets.errors import AlreadyRunningError, BuildError, ConfigurationError
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.lake.storage import Lake, explained
from retreasure_assets.lake.warehouse import prepare_warehouse
from retreasure_assets.quality.docs import SERVED_BELOW
from retreasure_assets.resources.dbt import Dbt, dbt_environment, load_manifest, manifest_path, project_state
from retreasure_assets.resources.platform import dbt_project_dir

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

#: Named as Dagster's pool, in which builds wait for each other.
_WAREHOUSE_LOCK = "warehouse"
_KPI_ROW = re.compile(r"^\|\s*(?P<kpi>[a-z0-9_]+)\s*\|\s*(?P<definition>.+?)\s*\|\s*$")
#: Blocks of this prefix define figures, in one table ``| <mart> | definition |`` each.
_KPI_BLOCK = "kpis"


@dataclass(frozen=True, slots=True)
class Site:
    """The built documentation.

    Args:
        page: the page, which needs no other file and no network.
        manifest: dbt's manifest: models, columns and their descriptions.
        catalog: dbt's catalog: the columns that the built tables have.
    """

    page: Path
    manifest: Path
    catalog: Path


def site_of(settings: Settings) -> Site:
    """Where a home's documentation is, built or not."""
    folder = settings.home.absolute() / "docs"
    return Site(folder / "index.html", folder / "manifest.json", folder / "catalog.json")


def is_current(settings: Settings) -> bool:
    """Whether the documentation is of the project as it is now.

    Raises:
        BuildError: the project does not parse.
    """
    note = site_of(settings).page.with_name("built_for")
    return note.exists() and note.read_text("utf-8") == project_state(settings)


def build_site(settings: Settings, bronze_tables: Sequence[str]) -> Site:
    """Build the documentation; the page that is served changes in one moment.

    Columns and types are those of the warehouse. Where there is none, where it lacks a model, or while a build is at
    work in it, they are those of an empty one, in which every model is built from no records.

    Args:
        settings: where the warehouse is, and where the documentation goes.
        bronze_tables: every bronze table, for an empty warehouse.

    Raises:
        BuildError: the project does not parse, or dbt stopped.
        LakeError: the folder cannot be written.
    """
    site, state = site_of(settings), project_state(settings)
    folder = site.page.parent
    with explained("The documentation's folder"), TemporaryDirectory(prefix="retreasure-docs-") as name:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(name)
        with suppress(AlreadyRunningError):
            if settings.warehouse_path.exists():
                with run_lock(settings, _WAREHOUSE_LOCK):
                    _generate(settings, scratch)
        if not _is_whole(scratch):
            empty = settings.model_copy(update={"home": scratch / "home"})
            prepare_warehouse(empty, Lake(empty.lake_path), bronze_tables)
            Dbt().build(empty, scratch / "build", tests=False)
            _generate(empty, scratch)
        for part, made in (
            (site.manifest, "manifest.json"),
            (site.catalog, "catalog.json"),
            (site.page, "static_index.html"),
        ):
            # Onto the same disk first: only there a file takes another's place in one moment.
            aside = part.with_name(f"{part.name}.part")
            shutil.copyfile(scratch / made, aside)
            aside.replace(part)
        (folder / "built_for").write_text(state, "utf-8")
    return site


def _generate(settings: Settings, target: Path) -> None:
    """manifest.json, catalog.json and static_index.html, in ``target``.

    Statements are not compiled: an incremental one would be shown with the bounds of one moment.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    project = str(dbt_project_dir())
    shutil.copyfile(manifest_path(settings), target / "manifest.json")
    command = ["docs", "generate", "--static", "--no-compile", "--quiet", "--log-level-file", "none"]
    command += ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]
    command += ["--log-path", str(target)]
    manifest = load_manifest(settings)
    try:
        with dbt_environment(settings):
            outcome = dbtRunner(manifest=manifest).invoke(command)
    finally:
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if not outcome.success or not (target / "static_index.html").exists():
        raise BuildError(
            "dbt stopped before it wrote the documentation.",
            remedy=f"Run `dbt docs generate` in {dbt_project_dir().name}/ to see why.",
        )


def _is_whole(target: Path) -> bool:
    """Whether documentation was generated, and knows the columns of every model."""
    if not (target / "catalog.json").exists():
        return False
    catalog: dict[str, Any] = msgspec.json.decode((target / "catalog.json").read_bytes())["nodes"]
    manifest: dict[str, Any] = msgspec.json.decode((target / "manifest.json").read_bytes())["nodes"]
    return {key for key, node in manifest.items() if node["resource_type"] == "model"} <= catalog.keys()


def glossary(manifest: Mapping[str, Any]) -> str:
    """The figures and their definitions as a Markdown page, by mart, out of dbt's manifest.

    The source are the docs blocks named ``kpis...`` beside the models; a metric of dbt's semantic layer with the
    figure's name adds of what measures it is made.

    Raises:
        BuildError: a figure is defined twice.
    """
    lines = ["# The business's figures", ""]
    lines += [
        "Written by `make docs` out of the definitions beside the models (`dbt_project/models/gold/*/kpis.md`): change",
        "them there. Every figure is a row of `gold.agg_kpis`: a day, a channel (or `all`), its name and its value.",
    ]
    metrics = {metric["name"]: metric for metric in manifest.get("metrics", {}).values()}
    seen: set[str] = set()
    blocks = [block for block in manifest["docs"].values() if block["name"].startswith(_KPI_BLOCK)]
    for block in sorted(blocks, key=lambda block: (block["name"] != _KPI_BLOCK, block["name"])):
        rows = [(row["kpi"], row["definition"]) for row in _rows(block["block_contents"])]
        if not rows and block["name"] != _KPI_BLOCK:
            continue
        twice = seen & {kpi for kpi, _ in rows}
        if twice:
            raise BuildError(
                f"The figure {min(twice)} is defined twice.", remedy="Define it once, in the mart that computes it."
            )
        seen |= {kpi for kpi, _ in rows}
        mart = block["original_file_path"].split("/")[-2]
        if block["name"] == _KPI_BLOCK:
            lines += ["", block["block_contents"].split("\n|")[0].split("\n\nWhat a build costs")[0].strip()]
        if rows:
            lines += ["", f"## {mart.capitalize()}", "", "| figure | definition | metric |", "|---|---|---|"]
            lines += [f"| `{kpi}` | {text} | {_made_of(metrics.get(kpi))} |" for kpi, text in rows]
    return "\n".join(lines) + "\n"


def figures(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Figure -> definition, out of dbt's manifest."""
    return {
        row["kpi"]: row["definition"]
        for block in manifest["docs"].values()
        if block["name"].startswith(_KPI_BLOCK)
        for row in _rows(block["block_contents"])
    }


def _rows(text: str) -> Iterator[Mapping[str, str]]:
    """The rows of the block's table, below its heading."""
    for line in text.partition("|---|---|")[2].splitlines():
        found = _KPI_ROW.match(line)
        if found is not None:
            yield found.groupdict()


def _made_of(metric: Mapping[str, Any] | None) -> str:
    """A metric in words: its kind, and the measures or metrics it is made of."""
    if metric is None:
        return ""
    kind, given = metric["type"], metric["type_params"]
    if kind == "simple":
        return f"sum of `{given['measure']['name']}`"
    if kind == "ratio":
        return f"`{given['numerator']['name']}` / `{given['denominator']['name']}`"
    return f"`{given['expr']}`"


@contextmanager
def served(page: Path, data_docs: Path, port: int) -> Iterator[str]:
    """Serve the page on this machine while the block runs, and the gates' Data Docs below it; yields its address.

    Until the page is there, who asks is told so and asks again by itself. Nothing else is served.

    Args:
        page: the file.
        data_docs: the folder of the Data Docs, whether or not they were written.
        port: 0 takes a free one.

    Raises:
        ConfigurationError: the port is taken.
    """
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, page, data_docs))
    except OSError:
        raise ConfigurationError(
            f"The documentation cannot be served: port {port} is taken.", remedy="Name another one with --docs-port."
        ) from None
    thread = threading.Thread(target=server.serve_forever, name="docs", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


_NOT_YET = (
    b"<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=3><title>ReTreasure</title>"
    b"<p>The documentation is being built. This page shows it as soon as it is there."
)


class _Handler(SimpleHTTPRequestHandler):
    """Answers with one file, and with the files of one folder."""

    def __init__(self, page: Path, data_docs: Path, *arguments: Any) -> None:
        self._page = page
        super().__init__(*arguments, directory=str(data_docs))

    def do_GET(self) -> None:
        """The page, whatever a browser writes behind the address, or a file of the Data Docs."""
        path = self.path.partition("?")[0]
        if path.startswith(SERVED_BELOW):
            self.path = path.removeprefix(SERVED_BELOW[:-1])
            super().do_GET()
            return
        if path not in ("/", "/index.html"):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            with self._page.open("rb") as file:
                self._head(HTTPStatus.OK, os.fstat(file.fileno()).st_size)
                shutil.copyfileobj(file, self.wfile)
        except FileNotFoundError:
            self._head(HTTPStatus.SERVICE_UNAVAILABLE, len(_NOT_YET))
            self.wfile.write(_NOT_YET)

    def do_HEAD(self) -> None:
        """Nobody asks for it."""
        self.send_error(HTTPStatus.NOT_IMPLEMENTED)

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        """A folder without a first page is none."""
        self.send_error(HTTPStatus.NOT_FOUND, explain="`retreasure quarantine docs` writes the Data Docs.")

    def _head(self, status: HTTPStatus, size: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(size))
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
