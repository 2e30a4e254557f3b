"""dlt into DuckDB, then SQL models: records masked in Python, nested lists loaded as tables of their own.

What belongs here: the pipeline and silver on dlt's tables; gold and publication are those of duckdb_plain.sql. What
does not: anything of the platform. dbt's own start is left out, which is to dlt's advantage.

    python -m benchmarks.contestants.dlt_sql <raw folder> <empty folder>
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt  # type: ignore[import-not-found, unused-ignore]
import duckdb

from benchmarks.contestants.duckdb_plain import statements
from benchmarks.contestants.phases import Phases
from benchmarks.contestants.totals import totals

_PERSON = ("firstName", "lastName", "displayName", "defaultEmailAddress", "defaultPhoneNumber")
_ADDRESS = (
    "firstName",
    "lastName",
    "name",
    "company",
    "address1",
    "address2",
    "city",
    "phone",
    "latitude",
    "longitude",
)
_MEMORY, _THREADS = "1500MB", 2


def main() -> None:
    """Do it once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("raw", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    out: Path = arguments.out
    for layer in ("silver", "gold"):
        (out / layer).mkdir(parents=True)
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "NORMALIZE__WORKERS": str(_THREADS),
    }
    warehouse = out / "warehouse.duckdb"
    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=str(out / "pipelines"),
        destination=dlt.destinations.duckdb(str(warehouse)),
        dataset_name="bronze",
    )
    phases = Phases()
    resources = [
        dlt.resource(_records(arguments.raw, "shopify_orders"), name="orders").add_map(_mask_order),
        dlt.resource(_records(arguments.raw, "pos_transactions"), name="till").add_map(_mask_till),
        dlt.resource(_rates(arguments.raw), name="rates"),
    ]
    with phases.phase("bronze"):
        pipeline.extract(resources, loader_file_format="parquet")
        pipeline.normalize()
        pipeline.load()
    folder = Path(__file__).parent
    scripts = [folder / "dlt_silver.sql", folder / "duckdb_plain.sql"]
    with duckdb.connect(str(warehouse), config={"memory_limit": _MEMORY, "threads": _THREADS}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        for script in scripts:
            text = string.Template(script.read_text("utf-8")).substitute(raw=arguments.raw, out=out)
            for phase, statement in statements(text):
                if script is scripts[0] or phase in ("gold", "publish"):
                    with phases.phase(phase):
                        engine.execute(statement)
        phases.report(totals(engine))


def _records(raw: Path, table: str) -> Iterator[dict[str, Any]]:
    for path in sorted((raw / table).glob("*.jsonl")):
        with path.open("rb") as file:
            for line in file:
                record = json.loads(line)
                record["payload_sha256"] = hashlib.sha256(line).hexdigest()
                yield record


def _rates(raw: Path) -> Iterator[dict[str, Any]]:
    for record in _records(raw, "fx_ecb_rates"):
        for currency, rate in record["rates"].items():
            yield {"rate_date": record["date"], "currency": currency, "rate": rate}


def _mask_order(order: dict[str, Any]) -> dict[str, Any]:
    customer = order["customer"] or {}
    order["person_id"] = _pseudonym(customer.get("id") or order["email"])
    for name in ("email", "phone", "note"):
        order[name] = None
    order["clientIp"] = (order["clientIp"] or "").rpartition(".")[0]
    for name in _PERSON:
        customer.pop(name, None)
    for address in (order["shippingAddress"], order["billingAddress"]):
        if address:
            for name in _ADDRESS:
                address[name] = None
            address["zip"] = address["zip"].split()[0][:4]
    for refund in order["refunds"]:
        refund["note"] = None
    return order


def _mask_till(line: dict[str, Any]) -> dict[str, Any]:
    line["person_id"] = _pseudonym(line["loyalty_id"] or f"{line['transaction_id']}|{line['line_id']}")
    line["loyalty_id"] = line["loyalty_id"] and _pseudonym(line["loyalty_id"])
    return line


def _pseudonym(identity: str) -> str:
    return hashlib.sha256(f"salt{identity}".encode()).hexdigest()


if __name__ == "__main__":
    main()
