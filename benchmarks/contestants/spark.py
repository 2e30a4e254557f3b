"""PySpark on this machine: the same transformation as plain DuckDB SQL, in Spark SQL (spark.sql).

What belongs here: the session, bronze, running the script. What does not: anything of the platform; it may run with an
interpreter that has PySpark and DuckDB only.

    python -m benchmarks.contestants.spark <raw folder> <empty folder>
"""

from __future__ import annotations

import argparse
import re
import string
from pathlib import Path

import duckdb
from pyspark.sql import Column, SparkSession  # type: ignore[import-not-found, unused-ignore]
from pyspark.sql import functions as f  # type: ignore[import-not-found, unused-ignore]

from benchmarks.contestants.phases import Phases
from benchmarks.contestants.totals import TABLES, totals

#: A driver with less than this spills all the time; DuckDB has 1.5 GB.
_MEMORY = "2g"
#: Possessive: Java's engine recurses otherwise, and a long text overflows its stack.
_TEXT = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_PERSON = "email|phone|note|firstName|lastName|displayName|emailAddress|phoneNumber|company"
_REDACTED = f"{_PERSON}|address1|address2|city|latitude|longitude"
_COMMENT = re.compile(r"^-- (phase|write): (.*)$", re.MULTILINE)


def main() -> None:
    """Do it once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("raw", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", _MEMORY)
        .config("spark.sql.shuffle.partitions", 4)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.ui.enabled", False)
        .getOrCreate()
    )
    session.range(1).collect()
    phases = Phases()
    with phases.phase("bronze"):
        _bronze(session, arguments.raw, arguments.out)
    script = string.Template(Path(__file__).with_suffix(".sql").read_text("utf-8")).substitute(out=arguments.out)
    phase = "silver"
    for statement in script.split(";\n"):
        for kind, text in _COMMENT.findall(statement):
            if kind == "phase":
                phase = text
                continue
            path, view = text.split()
            with phases.phase(phase):
                session.table(view).write.parquet(f"{arguments.out}/{path}")
        sql = _COMMENT.sub("", statement).strip()
        if sql:
            with phases.phase(phase):
                session.sql(sql)
    with duckdb.connect() as engine:
        engine.execute("CREATE SCHEMA gold")
        for table in TABLES:
            engine.execute(f"CREATE VIEW gold.{table} AS FROM read_parquet('{arguments.out}/gold/{table}/*.parquet')")
        phases.report(lambda: totals(engine))
    session.stop()


def _bronze(session: SparkSession, raw: Path, out: Path) -> None:
    def line(path: str) -> Column:
        return f.get_json_object("value", path)

    masked = f.regexp_replace("value", f'"({_REDACTED})":(?:{_TEXT}|-?[0-9.]+)', '"$1":null')
    masked = f.regexp_replace(masked, f'("lastName":null,)"name":{_TEXT}', '$1"name":null')
    masked = f.regexp_replace(masked, r'"clientIp":"([0-9]+\.[0-9]+\.[0-9]+)\.[0-9]+"', '"clientIp":"$1.0"')
    masked = f.regexp_replace(masked, r'"zip":"([^" ]+) [^"]*"', '"zip":"$1"')
    masked = f.regexp_replace(masked, r'"zip":"([^" ]{3})[^" ]{2,}"', '"zip":"$1"')
    pseudonym = f.sha2(f.concat(f.lit("salt"), line("$.loyalty_id")), 256)
    receipt = f.concat_ws("|", line("$.transaction_id"), line("$.line_id"))
    tables = {
        "shopify_orders": (
            line("$.id"),
            line("$.updatedAt"),
            f.coalesce(line("$.customer.id"), line("$.email")),
            masked,
        ),
        "pos_transactions": (
            receipt,
            line("$.sold_at"),
            f.coalesce(line("$.loyalty_id"), receipt),
            f.regexp_replace(
                "value",
                f.lit(f'"loyalty_id":{_TEXT}'),
                f.concat(f.lit('"loyalty_id":"'), f.coalesce(pseudonym, f.lit("")), f.lit('"')),
            ),
        ),
        "fx_ecb_rates": (line("$.date"), line("$.date"), f.lit(None).cast("string"), f.col("value")),
    }
    for table, (key, updated, person, payload) in tables.items():
        session.read.text(f"{raw}/{table}").select(
            f.substring(f.sha2(f.concat_ws("\n", f.lit(table), key, f.sha2("value", 256)), 256), 1, 32).alias(
                "record_id"
            ),
            key.alias("natural_key"),
            updated.cast("timestamp").alias("source_updated_at"),
            payload.alias("payload"),
            f.sha2("value", 256).alias("payload_sha256"),
            f.sha2(f.concat(f.lit("salt"), person), 256).alias("person_id"),
            f.current_timestamp().alias("ingested_at"),
            f.current_date().alias("ingest_date"),
        ).write.partitionBy("ingest_date").parquet(f"{out}/bronze/{table}")


if __name__ == "__main__":
    main()
