"""The platform as a person meets it: a home folder, the real command line, and sources that are up to something.

What belongs here: running the command and looking at what it left. What does not: expectations.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from retreasure_assets.lake.query import query
from retreasure_assets.lake.storage import Lake
from tests.conftest import REPOSITORY

#: A dbt project of one model, for tests to which the real build says nothing and costs half a minute each.
_SMALL_PROJECT = {
    "dbt_project.yml": """
name: small
version: "1.0"
config-version: 2
profile: retreasure
flags: {send_anonymous_usage_stats: false}
models: {small: {gold: {+schema: gold, +materialized: table}}}
""",
    "macros/generate_schema_name.sql": """
{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name or target.schema }}{% endmacro %}
""",
    "models/bronze.yml": """
version: 2
sources:
  - name: bronze
    schema: bronze
    tables:
      - name: pos_transactions
      - name: pos_products
      - name: fx_ecb_rates
      - name: fx_intraday_rates
      - name: shopify_orders
      - name: shopify_locations
""",
    "models/gold/loaded.sql": """
select 'pos_transactions' as source_table, count(*) as records from {{ source('bronze', 'pos_transactions') }}
union all select 'pos_products', count(*) from {{ source('bronze', 'pos_products') }}
union all select 'fx_ecb_rates', count(*) from {{ source('bronze', 'fx_ecb_rates') }}
union all select 'fx_intraday_rates', count(*) from {{ source('bronze', 'fx_intraday_rates') }}
union all select 'shopify_orders', count(*) from {{ source('bronze', 'shopify_orders') }}
union all select 'shopify_locations', count(*) from {{ source('bronze', 'shopify_locations') }}
""",
}
_PR_CAPBSET_DROP = 24
#: What lets root read, write and enter whatever the rights say (linux/capability.h).
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Outcome:
    """What a command said and cost; ``peak`` is the largest resident set of any of its processes, in bytes."""

    code: int
    out: str
    err: str
    seconds: float
    peak: int

    @property
    def reasons(self) -> list[str]:
        """The sentences on standard error."""
        return [line.split(": ", 1)[1] for line in self.err.splitlines() if line.startswith(("Failed: ", "Error: "))]


@dataclass
class Home:
    """A state folder and the settings of whoever works with it."""

    path: Path
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        """The variables a command starts with: no settings but this home's own."""
        ambient = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("RETREASURE_") and name != "DAGSTER_HOME"
        }
        return {**ambient, "COLUMNS": "200", "RETREASURE_HOME": str(self.path), **self.settings, **more}

    def command(self, *words: str) -> list[str]:
        """The real command line."""
        return [sys.executable, "-m", "retreasure_assets.cli", *words]

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """Start a command and go on."""
        return subprocess.Popen(
            self.command(*words),
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, before: Callable[[], None] | None = None, timeout: float = 900, **more: str) -> Outcome:
        """Run a command to its end.

        Args:
            words: ``run`` when there are none.
            before: called in the new process before the command starts.
            timeout: seconds.
            more: further settings.
        """
        before_peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        started = time.monotonic()
        done = subprocess.run(
            self.command(*(words or ("run",))),
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            preexec_fn=before,
        )
        seconds = time.monotonic() - started
        peak = max(before_peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024
        return Outcome(done.returncode, done.stdout, done.stderr, seconds, peak)

    def drop(self, place: str, content: bytes) -> Path:
        """Drop a file; ``place`` is ``source/entity/name``. It arrives whole: written aside, then renamed."""
        path = self.path / "drop" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.part")
        aside.write_bytes(content)
        return aside.rename(path)

    def gold(self) -> dict[str, int]:
        """Records by bronze table that the small build counted."""
        return dict(self.rows("select source_table, records from gold.loaded"))

    @property
    def lake(self) -> Lake:
        """Its tables."""
        return Lake(self.path / "lake")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query gives, over what is published."""
        return query(self.lake, sql).rows

    def count(self, table: str) -> int:
        """Rows of ``layer.table``; 0 where there is none."""
        return self.lake.row_count(*table.split("."))

    def failures_logged(self) -> set[tuple[str, str, str]]:
        """(source, entity, class of error) of every failed attempt in the ingestion log."""
        if not self.lake.exists("ops", "ingestion_log"):
            return set()
        return {
            (row[0], row[1], row[2])
            for row in self.rows("select source, entity, error_class from ops.ingestion_log where status = 'failed'")
        }

    def versions(self) -> dict[str, int]:
        """The version of every table but the log."""
        return {
            f"{layer}.{table}": self.lake.table(layer, table).version()
            for layer, table in self.lake.tables()
            if layer != "ops"
        }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def small_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dbt project that is built in two seconds; name it with RETREASURE_DBT_PROJECT."""
    project = tmp_path_factory.mktemp("small") / "dbt_project"
    for name, text in _SMALL_PROJECT.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text.lstrip())
    shutil.copy(REPOSITORY / "dbt_project" / "profiles.yml", project)
    return project


@contextmanager
def served(answers: Mapping[str, tuple[int, bytes]], default: tuple[int, bytes] = (404, b"")) -> Iterator[str]:
    """A web server with fixed answers by path; yields its address."""

    with answering(lambda path, headers, asked: answers.get(path.partition("?")[0], default)) as url:
        yield url


@contextmanager
def garbling(url: str, garble: Callable[[bytes, bytes], bytes]) -> Iterator[str]:
    """A web server between a client and the API at ``url``; ``garble`` makes of question and answer what is sent."""
    with httpx.Client(base_url=url, timeout=30) as upstream:

        def ask(path: str, headers: Mapping[str, str], asked: bytes) -> tuple[int, bytes]:
            kept = {name: text for name, text in headers.items() if name.lower() not in ("host", "accept-encoding")}
            answer = upstream.post(path, content=asked, headers=kept)
            return answer.status_code, garble(asked, answer.content)

        with answering(ask) as between:
            yield between


@contextmanager
def answering(answer: Callable[[str, Mapping[str, str], bytes], tuple[int, bytes]]) -> Iterator[str]:
    """A web server that answers what a function of path, headers and body says; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = answer(self.path, dict(self.headers), asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)


def obey_rights() -> None:
    """To be called in a new process: what starts in it is refused what the rights refuse, also when root starts it."""
    if os.geteuid() == 0:
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if _LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


@pytest.fixture
def rights(tmp_path: Path) -> Callable[[], None]:
    """``obey_rights``, where this machine lets it work."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        probe = subprocess.run(["ls", str(closed)], capture_output=True, check=False, preexec_fn=obey_rights)
    except subprocess.SubprocessError:
        pytest.skip("the tests run as root and may not give up root's powers")
    finally:
        closed.rmdir()
    assert probe.returncode != 0, "a closed folder was listed"
    return obey_rights


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system in memory of so many bytes; gives its folder."""
    mounted: list[Path] = []

    def mount(size: int) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if (
            shutil.which("mount") is None
            or subprocess.run(["mount", *options], check=False, capture_output=True).returncode
        ):
            pytest.skip("this user may not mount a small disk")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(disk: Path, size: int) -> None:
    """Change the size of a small disk."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)
