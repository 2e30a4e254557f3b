"""How quickly sources are read: records a second through each connector to bronze, memory, use of a rate limit.

What belongs here: measuring. What does not: the server (cached_sandbox.py), which has a process and so a core of its
own, and answers from memory once it has been asked: what is timed is HTTP, the connector and the bronze writer.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.contestants.phases import MARK
from benchmarks.homes import emptied
from benchmarks.measuring import run
from benchmarks.tables import say, show
from retreasure_assets.entities import Window
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
#: What channels call an order.
_ORDERS = frozenset({"orders", "receipts"})
#: Tables of fewer records say nothing about speed.
_FEWEST = 1_000


def measure(scratch: Path, repetitions: int, days: int = 90, scale: float = 3.0) -> None:
    """Measure and print."""
    with _serving("--days", days, "--scale", scale) as (url, settings):
        _sync(settings, emptied(scratch / "connectors"))
        httpx.get(f"{url}/cache/frozen").raise_for_status()
        # The first write in a process loads libraries: the fill above was that.
        runs = [_sync(settings, emptied(scratch / "connectors")) for _ in range(repetitions)]
        _show_speed(runs)
        _show_memory(url)
    _show_use(days, scale)


def _sync(settings: Settings, folder: Path) -> dict[str, tuple[int, float, float]]:
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
        bar = table.partition("_")[2] in _ORDERS
        within = ("yes" if records / wall >= ORDERS_BAR else "NO") if bar else ""
        rows.append(
            [table, f"{records:,}", f"{records / wall:,.0f}", f"{records / processor:,.0f}", within],
        )
    columns = ["table", "records", "records/s", "records/CPU s", "within"]
    show(f"connector to bronze, no limit set (bar: {ORDERS_BAR:,} orders/s)", columns, rows)


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


def _show_use(days: int, scale: float, rate: float = 1_000.0, bucket: float = 1_000.0, seconds: float = 30.0) -> None:
    """Read under a limit for some seconds, and compare what was used with what was allowed.

    The rate is that of Shopify's second largest plan; the bucket is small, so that what is left in it at the end
    does not count for much.
    """
    with _serving("--days", days, "--scale", scale, "--rate", rate, "--bucket", bucket) as (url, _settings):
        costs = _Costs()
        connector = ShopifyConnector(
            token=os.environ["RETREASURE_SHOPIFY_TOKEN"], base_url=url, transport=costs, bulk_threshold=10**9
        )
        pages, began, took = 0, time.perf_counter(), 0.0
        with closing(connector):
            for _ in connector.batches(ENTITIES["orders"], None, Window()):
                pages += 1
                took = time.perf_counter() - began
                if took >= seconds:
                    break
    allowed = bucket + rate * took
    use = costs.total / allowed
    columns = ["", "pages", "points used", "points allowed", "share", "within"]
    row = ["shopify orders", f"{pages:,}", f"{costs.total:,.0f}", f"{allowed:,.0f}", f"{use:.1%}"]
    show(
        f"use of a limit of {rate:,.0f} points a second over {took:.1f} s (bar: {USE_BAR:.0%})",
        columns,
        [[*row, "yes" if use >= USE_BAR else "NO"]],
    )


@contextmanager
def _serving(*options: object) -> Iterator[tuple[str, Settings]]:
    """A sandbox in a process of its own, and this process's settings for it."""
    command = [sys.executable, "-m", "benchmarks.cached_sandbox", *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                say("The sandbox did not start.")
                raise SystemExit(1)
            os.environ.update(environment(url))
            yield url, load_settings()
        finally:
            process.terminate()


if __name__ == "__main__":
    _read_pages(sys.argv[1], float(sys.argv[2]))
