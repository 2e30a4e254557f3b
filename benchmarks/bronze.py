"""How quickly bronze is written: judged, masked, sealed, de-duplicated, appended to Delta.

Run ``python -m benchmarks.bronze [--records N]``. Prints records/s, MB/s, peak memory and where the time goes, with
machine and versions. Making the records is not in the figures.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measuring import run
from benchmarks.worlds import batches
from retreasure_assets.allocator import share_arenas
from retreasure_assets.lake import bronze
from retreasure_assets.lake.bronze import BatchResult, BronzeWriter
from retreasure_assets.lake.helpers import HELPERS, Helpers
from retreasure_assets.lake.ingest import BATCHES_UNDER_WAY
from retreasure_assets.lake.known import KnownRecords
from retreasure_assets.lake.records import RecordReader
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.keys import derive
from retreasure_assets.privacy.sealing import Sealer
from retreasure_assets.privacy.vault import Vault

#: The stages that the profile tells apart: name -> where the function is.
_STAGES: dict[str, tuple[Any, str]] = {
    "judge, hash, mask": (RecordReader, "read"),
    "find known records": (KnownRecords, "find"),
    "persons": (Vault, "persons"),
    "keys": (Vault, "keys_of"),
    "seal": (Sealer, "seal"),
    "append to Delta": (bronze, "append"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=150_000)
    parser.add_argument("--only-write", type=int, help="write so many records, for whoever watches the memory")
    arguments = parser.parse_args()
    if arguments.only_write:
        return write(arguments.only_write)
    packages = ("deltalake", "pyarrow", "duckdb", "msgspec", "zstandard", "cryptography")
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        + ", ".join(f"{package} {version(package)}" for package in packages)
    )
    for name, share in (("60 % clicks, 40 % orders", 0.4), ("clicks of 0.5 KB", 0.0), ("orders of 4 KB", 1.0)):
        measure(name, arguments.records if share == 0.4 else arguments.records // 3, share, helpers=0)
    measure("60 % clicks, 40 % orders, with helper processes", arguments.records, 0.4, helpers=HELPERS)
    print()
    for records in (arguments.records, 3 * arguments.records):
        wrote = run([sys.executable, "-m", "benchmarks.bronze", "--only-write", str(records)])
        print(f"peak memory for {records:,} records: {wrote.peak:,.0f} MB, helpers included")


def write(records: int) -> None:
    """Write records that are made as they are needed."""
    share_arenas(os.cpu_count() or 1)
    with (
        tempfile.TemporaryDirectory() as folder,
        Vault(Path(folder) / "vault" / "v.sqlite", derive(bytes(32))) as vault,
    ):
        helpers = Helpers(vault.keys.judging)
        writer = BronzeWriter(Lake(Path(folder) / "lake"), vault, helpers=helpers)
        under_way: deque[Future[BatchResult]] = deque()
        for batch in batches(records):
            under_way.append(writer.submit(batch, run_id="bench"))
            if len(under_way) == BATCHES_UNDER_WAY:
                under_way.popleft().result()
        writer.close()
        helpers.close()


def measure(name: str, records: int, large_share: float, *, helpers: int) -> None:
    """Write so many records and print how it went."""
    spent: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, _profiled(spent):
        home = Path(folder)
        with Vault(home / "vault" / "vault.sqlite", derive(bytes(32))) as vault:
            processes = Helpers(vault.keys.judging, helpers)
            writer = BronzeWriter(Lake(home / "lake"), vault, helpers=processes)
            # The first write in a process loads libraries and trains dictionaries.
            for batch in batches(2_000, large_share=large_share, seed=2):
                writer.write(batch, run_id="warm")
            spent.clear()
            made = list(batches(records, large_share=large_share))
            size = sum(len(record) for batch in made for record in batch.records)
            began, used = time.perf_counter(), _processor()
            pending = [writer.submit(batch, run_id="bench") for batch in made]
            written = sum(future.result().new for future in pending)
            wall = time.perf_counter() - began
            # The helpers' processor time counts once they have ended.
            writer.close()
            processes.close()
            processor = _processor() - used
        stored = sum(path.stat().st_size for path in (home / "lake").rglob("*.parquet"))
    print(
        f"\n{name}: {written:,} records, {size / 1e6:,.0f} MB in {wall:.1f} s: {written / wall:,.0f} records/s, "
        f"{size / 1e6 / wall:,.0f} MB/s, {1e6 * processor / written:.1f} CPU us a record, "
        f"{stored / 1e6:,.0f} MB of Parquet"
    )
    if helpers:
        return
    spent["the rest, and Delta's own threads"] = processor - spent.total()  # type: ignore[assignment]
    for stage, seconds in spent.most_common():
        print(f"  {stage:33} {1e6 * seconds / written:6.1f} CPU us a record")


def _processor() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@contextmanager
def _profiled(spent: Counter[str]) -> Iterator[None]:
    """Add up the processor time of every call of the stages, so that other work on the machine is not in it."""
    originals = {name: getattr(owner, attribute) for name, (owner, attribute) in _STAGES.items()}

    def timed(name: str) -> Callable[..., Any]:
        function = originals[name]

        def call(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                spent[name] += time.thread_time() - began  # type: ignore[assignment]

        return call

    for name, (owner, attribute) in _STAGES.items():
        setattr(owner, attribute, timed(name))
    try:
        yield
    finally:
        for name, (owner, attribute) in _STAGES.items():
            setattr(owner, attribute, originals[name])


if __name__ == "__main__":
    main()
