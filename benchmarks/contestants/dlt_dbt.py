"""dlt into DuckDB, then dbt: records masked in Python, nested lists loaded as tables of their own.

What belongs here: the pipeline, and a dbt project of silver on dlt's tables (dlt_silver.sql) and of the gold that plain
SQL has (duckdb_plain.sql), a model for each table. What does not: anything of the platform.

    python -m benchmarks.contestants.dlt_dbt <raw folder> <empty folder>
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt  # type: ignore[import-not-found, unused-ignore]
import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

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
_MODEL = re.compile(r"CREATE TABLE (?P<layer>silver|gold)\.(?P<name>\w+) AS\s(?P<select>.*)", re.DOTALL)
_TABLE = re.compile(r"\b(?:silver|gold)\.(\w+)")
#: A model's layer is its schema, by this name.
_SCHEMA_NAME = "{% macro generate_schema_name(name, node) %}{{ name }}{% endmacro %}"


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
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
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
    project = Project(out / "dbt", warehouse)
    with duckdb.connect(str(warehouse)) as engine, phases.phase("prepare"):
        for script in (folder / "dlt_silver.sql", folder / "duckdb_plain.sql"):
            text = string.Template(script.read_text("utf-8")).substitute(raw=arguments.raw, out=out)
            for phase, statement in statements(text):
                if script.stem == "dlt_silver" or phase in ("prepare", "gold", "publish"):
                    project.take(phase, statement, engine)
    with phases.phase("dbt"):
        project.run()
    with duckdb.connect(str(warehouse), config={"memory_limit": _MEMORY, "threads": _THREADS}) as engine:
        with phases.phase("publish"):
            for statement in project.publishing:
                engine.execute(statement)
        phases.report(lambda: totals(engine))


class Project:
    """A dbt project, made of the statements of a script.

    Args:
        folder: where to write it.
        warehouse: the DuckDB file.

    Attributes:
        publishing: statements for after the models.
    """

    def __init__(self, folder: Path, warehouse: Path) -> None:
        self._folder = folder
        self.publishing: list[str] = []
        target = {"type": "duckdb", "path": str(warehouse), "schema": "main", "threads": _THREADS}
        settings = {"TimeZone": "UTC", "memory_limit": _MEMORY, "threads": _THREADS}
        self._write(
            "dbt_project.yml",
            json.dumps({"name": "benchmark", "profile": "benchmark", "models": {"+materialized": "table"}}),
        )
        self._write(
            "profiles.yml",
            json.dumps({"benchmark": {"target": "dev", "outputs": {"dev": target | {"settings": settings}}}}),
        )
        self._write("macros/generate_schema_name.sql", _SCHEMA_NAME)

    def take(self, phase: str, statement: str, engine: duckdb.DuckDBPyConnection) -> None:
        """A table becomes a model; what publishes waits; whatever else prepares the warehouse is done now."""
        model = _MODEL.search(statement)
        if phase == "publish":
            self.publishing.append(statement)
        elif model is None:
            engine.execute(statement)
        else:
            select = _TABLE.sub(r"{{ ref('\1') }}", model["select"])
            self._write(
                f"models/{model['layer']}/{model['name']}.sql", f"{{{{ config(schema='{model['layer']}') }}}}\n{select}"
            )

    def run(self) -> None:
        """Build all models.

        Raises:
            RuntimeError: one failed.
        """
        place = str(self._folder)
        result = dbtRunner().invoke(["--quiet", "run", "--project-dir", place, "--profiles-dir", place])
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        if not result.success:
            raise RuntimeError(f"dbt: {result.exception or result.result}")

    def _write(self, name: str, content: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")


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
            area, _, rest = address["zip"].partition(" ")
            address["zip"] = area if rest else area[:3]
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
