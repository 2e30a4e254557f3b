"""How quickly sources are read: records a second through each connector to bronze, memory, use of a rate limit.

What belongs here: measuring. What does not: the servers (order_server.py, cached_sandbox.py), which have processes of
their own and answer from memory: what is timed is HTTP, the connector and the bronze writer.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]

from benchmarks.contestants.phases import MARK
from benchmarks.homes import emptied
from benchmarks.measuring import ContestantError, run
from benchmarks.order_server import NAMES
from benchmarks.tables import say, show
from retreasure_assets.entities import Connector, Window
from retreasure_assets.lake.helpers import HELPERS, Helpers
from retreasure_assets.lake.ingest import ingest
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.keys import derive
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.sandbox.server import environment
from retreasure_assets.settings import Settings, load_settings
from retreasure_assets.sources.registry import configured_connectors
from retreasure_assets.sources.shopify import ENTITIES, ShopifyConnector

#: Orders a second through a connector to bronze, and the share of what a limit allows.
ORDERS_BAR = 5_000
USE_BAR = 0.95
#: Shopify's history comes as a file; what changes afterwards by pages.
_PAGES = "shopify, by pages"
#: How orders are read: what is said of it -> source and entity.
_WAYS = {"shopify, in bulk": ("shopify", "orders"), _PAGES: ("shopify", "orders")} | {
    source: (source, name) for source, name in NAMES.items() if source != "shopify"
}
#: Tables of fewer records say nothing about speed.
_FEWEST = 1_000


def measure(scratch: Path, repetitions: int, days: int = 90, scale: float = 1.0, orders: int = 20_000) -> None:
    """Measure and print."""
    with serving("order_server", "--orders", orders) as (_, settings, server):
        ways = [_orders(settings, server, emptied(scratch / "connectors"), orders) for _ in range(repetitions + 1)]
        # The first write in a process loads libraries.
        _show_orders(ways[1:])
        _show_reading([_reading(settings) for _ in range(repetitions + 1)][1:])
    with serving("cached_sandbox", "--days", days, "--scale", scale) as (url, settings, _):
        sync(settings, emptied(scratch / "connectors"))
        httpx.get(f"{url}/cache/frozen").raise_for_status()
        runs = [sync(settings, emptied(scratch / "connectors")) for _ in range(repetitions)]
        _show_speed(runs)
        _show_memory(url)
    _show_use(days)


def _orders(
    settings: Settings, server: psutil.Process, folder: Path, orders: int
) -> dict[str, tuple[int, float, float, float]]:
    """Read the orders of every channel into an empty lake: way -> records, wall seconds, CPU seconds here and there."""
    found = {}
    for way, (_, name) in _WAYS.items():
        connector = _connector(settings, way)
        home = emptied(folder / "home")
        with closing(connector), Vault(home / "vault" / "vault.sqlite", derive(bytes(32))) as vault:
            lake, entity = Lake(home / "lake"), connector.entities[name]
            helpers = Helpers(vault.keys.judging, HELPERS if settings.threads > 1 else 0)
            began, used, served = time.perf_counter(), _cpu(), sum(server.cpu_times()[:2])
            summary = ingest(
                connector, entity, lake=lake, vault=vault, window=Window(), run_id="bench", helpers=helpers
            )
            # Their processor time counts once they have ended.
            helpers.close()
            seconds, processor = time.perf_counter() - began, _cpu() - used
            # A history in bulk overlaps with the pages after it.
            if summary.records < orders:
                raise ContestantError(f"{way}: only {summary.records} of {orders} orders came.")
            found[way] = (summary.records, seconds, processor, sum(server.cpu_times()[:2]) - served)
    return found


def _connector(settings: Settings, way: str) -> Connector:
    if way == _PAGES:
        token = os.environ["RETREASURE_SHOPIFY_TOKEN"]
        return ShopifyConnector(token=token, base_url=str(settings.shopify_url), bulk_threshold=10**9)
    return configured_connectors(settings)[_WAYS[way][0]]


def _reading(settings: Settings) -> dict[str, tuple[int, float]]:
    """Read the orders of every channel and keep nothing: way -> records, CPU seconds."""
    found = {}
    for way, (_, name) in _WAYS.items():
        with closing(_connector(settings, way)) as connector:
            used = time.process_time()
            records = sum(len(batch.records) for batch in connector.batches(connector.entities[name], None, Window()))
            found[way] = (records, time.process_time() - used)
    return found


def _show_reading(runs: list[dict[str, tuple[int, float]]]) -> None:
    rows = []
    for way, (records, _) in runs[0].items():
        rate = records / statistics.median(run[way][1] for run in runs)
        rows.append([way, f"{records:,}", f"{rate:,.0f}"])
    show("orders through a connector alone", ["orders of", "records", "records/CPU s"], rows)


def _cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


def _show_orders(runs: list[dict[str, tuple[int, float, float, float]]]) -> None:
    rows = []
    for way in runs[0]:
        records = runs[0][way][0]
        wall, processor, served = (statistics.median(run[way][part] for run in runs) for part in (1, 2, 3))
        within = "yes" if records / wall >= ORDERS_BAR else "NO"
        rate, share = f"{records / wall:,.0f}", f"{served / wall:.0%}"
        rows.append([way, f"{records:,}", rate, f"{records / processor:,.0f}", share, within])
    columns = ["orders of", "records", "records/s", "records/CPU s", "server busy", "within"]
    show(f"orders through a connector to bronze, no limit set (bar: {ORDERS_BAR:,} orders/s)", columns, rows)


def sync(settings: Settings, folder: Path) -> dict[str, tuple[int, float, float]]:
    """Read every entity of every source into an empty lake: table -> records, wall and CPU seconds."""
    found = {}
    lake = Lake(folder / "lake")
    with Vault(folder / "vault" / "vault.sqlite", derive(bytes(32))) as vault:
        for connector in configured_connectors(settings).values():
            with closing(connector):
                for entity in connector.entities.values():
                    began, used = time.perf_counter(), time.process_time()
                    summary = ingest(connector, entity, lake=lake, vault=vault, window=Window(), run_id="bench")
                    seconds, processor = time.perf_counter() - began, time.process_time() - used
                    found[entity.table] = (summary.records, seconds, processor)
    return found


def _show_speed(runs: list[dict[str, tuple[int, float, float]]]) -> None:
    rows = []
    for table, (records, _, _) in runs[0].items():
        if records < _FEWEST:
            continue
        wall = statistics.median(run[table][1] for run in runs)
        processor = statistics.median(run[table][2] for run in runs)
        rows.append([table, f"{records:,}", f"{records / wall:,.0f}", f"{records / processor:,.0f}"])
    show("every larger table of a world, no limit set", ["table", "records", "records/s", "records/CPU s"], rows)


def _show_memory(url: str) -> None:
    """Peak memory of processes that read a part, or all, of the orders page by page and keep nothing."""
    rows = []
    for share in (0.25, 0.5, 1.0):
        read = run([sys.executable, "-m", "benchmarks.connectors", url, str(share)])
        pages, records = int(read.totals["pages"]), int(read.totals["records"])
        rows.append([f"{share:.0%} of the period", f"{pages:,}", f"{records:,}", f"{read.peak:,.0f}"])
    show("memory of a process that reads orders by pages", ["", "pages", "records", "peak MB"], rows)


def _read_pages(url: str, share: float) -> None:
    """What such a process does; prints how much it read."""
    index = httpx.get(url).json()
    end = datetime.fromisoformat(index["clock"])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    window = Window(since=begin, until=begin + (end - begin) * share)
    connector = ShopifyConnector(token=os.environ["RETREASURE_SHOPIFY_TOKEN"], base_url=url)
    pages = records = 0
    with closing(connector):
        for batch in connector.batches(ENTITIES["orders"], None, window):
            pages += 1
            records += len(batch.records)
    sys.stdout.write(MARK + json.dumps({"totals": {"pages": pages, "records": records}}) + "\n")


class _Costs(httpx.HTTPTransport):
    """Adds up what the shop says that queries cost."""

    total = 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        cost = json.loads(response.read())["extensions"]["cost"]
        self.total += cost["actualQueryCost"] or 0
        return response


def _show_use(
    days: int, scale: float = 3.0, rate: float = 200.0, bucket: float = 1_000.0, seconds: float = 25.0
) -> None:
    """Read under a limit for some seconds, and compare what was used with what was allowed.

    The rate is that of Shopify's second plan; the bucket holds what one query may cost at most, a quarter of what that
    plan's holds, and what is used is counted from when it was spent for the first time.
    """
    with serving("cached_sandbox", "--days", days, "--scale", scale) as (url, _, _):

        def read(seconds: float) -> list[tuple[float, float]]:
            """When each page had come, and what all up to it had cost."""
            costs = _Costs()
            connector = ShopifyConnector(
                token=os.environ["RETREASURE_SHOPIFY_TOKEN"], base_url=url, transport=costs, bulk_threshold=10**9
            )
            found: list[tuple[float, float]] = []
            began = time.perf_counter()
            with closing(connector):
                for _ in connector.batches(ENTITIES["orders"], None, Window()):
                    found.append((time.perf_counter() - began, costs.total))
                    if found[-1][0] >= seconds:
                        break
            return found

        read(1e9)
        httpx.get(f"{url}/cache/frozen?rate={rate}&bucket={bucket}").raise_for_status()
        pages = [page for page in read(seconds) if page[1] > bucket]
    took, used = pages[-1][0] - pages[0][0], pages[-1][1] - pages[0][1]
    use = used / (rate * took)
    columns = ["", "pages", "points used", "points allowed", "share", "within"]
    row = ["shopify orders", f"{len(pages):,}", f"{used:,.0f}", f"{rate * took:,.0f}", f"{use:.1%}"]
    show(
        f"use of a limit of {rate:,.0f} points a second over {took:.1f} s (bar: {USE_BAR:.0%})",
        columns,
        [[*row, "yes" if use >= USE_BAR else "NO"]],
    )


@contextmanager
def serving(server: str, *options: object) -> Iterator[tuple[str, Settings, psutil.Process]]:
    """A server of this package in a process of its own, and this process's settings for it."""
    command = [sys.executable, "-m", f"benchmarks.{server}", *map(str, options)]
    with (
        tempfile.TemporaryDirectory(prefix="retreasure-bench-") as home,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                say("The server did not start.")
                raise SystemExit(1)
            # Etsy's rotating token is kept in the home; another server knows another one.
            os.environ.update(environment(url) | {"RETREASURE_HOME": home})
            yield url, load_settings(), psutil.Process(process.pid)
        finally:
            process.terminate()


if __name__ == "__main__":
    _read_pages(sys.argv[1], float(sys.argv[2]))
