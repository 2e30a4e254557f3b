"""What was measured on and with: cores, memory, processor, versions.

What belongs here: asking the machine. What does not: judging it; ratios to baselines do that.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

_PACKAGES = (
    "duckdb",
    "dbt-core",
    "dbt-duckdb",
    "deltalake",
    "pyarrow",
    "msgspec",
    "cryptography",
    "zstandard",
    "dagster",
    "pyspark",
    "dlt",
)


def described() -> list[str]:
    """Lines that describe the machine and the versions."""
    return [
        f"{_processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GB memory, "
        f"load {os.getloadavg()[0]:.1f}",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {', '.join(_versions())}",
    ]


def _processor() -> str:
    """The processor as the system calls it; some virtual machines say little."""
    found: dict[str, str] = {}
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            name, _, value = line.partition(":")
            found.setdefault(name.strip(), value.strip())
    if not found:
        return platform.processor() or platform.machine()
    family = f"family {found.get('cpu family', '?')} model {found.get('model', '?')}"
    return f"{found.get('model name', 'unknown')} ({found.get('vendor_id', platform.machine())} {family})"


def _versions() -> list[str]:
    present = []
    for package in _PACKAGES:
        try:
            present.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return present
