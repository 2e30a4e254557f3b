"""Data Docs of the gates: every suite in words, and how the newest rows of its dataset meet it.

What belongs here: which rows are shown, and where the site is. What does not: rendering; Great Expectations does that
(expectations.py). It takes seconds and megabytes, so it is written when somebody asks for it, not in every run.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import duckdb

from retreasure_assets.lake.storage import Lake, add_actions, explained, files
from retreasure_assets.lake.warehouse import scan
from retreasure_assets.quality import expectations
from retreasure_assets.quality.predicates import projection
from retreasure_assets.quality.suite import suite_of

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

#: Rows of a dataset that are looked at, the newest ones: Great Expectations takes 3.4 s for a million.
_ROWS = 50_000
#: The site's path below the documentation that `retreasure up` serves.
SERVED_BELOW = "/quality/"


def docs_folder(settings: Settings) -> Path:
    """Where the site is, whether or not it was written."""
    return settings.home.absolute() / "data_docs"


def docs_page(dataset: str) -> PurePosixPath:
    """The page about a dataset's suite, from the site's folder."""
    # Great Expectations makes folders of the dots in a suite's name.
    return PurePosixPath("expectations", *dataset.split(".")).with_suffix(".html")


def build_docs(settings: Settings, lake: Lake, tables: Collection[str]) -> Path:
    """Write the site anew.

    Args:
        settings: where it goes.
        lake: whose newest rows are looked at.
        tables: bronze tables; those without rows are left out.

    Returns:
        The first page.

    Raises:
        LakeError: a table cannot be read.
    """
    batches = {}
    for table in tables:
        found = lake.find("bronze", table)
        if found is None:
            continue
        suite = suite_of("bronze", table, settings.suites_path)
        with explained(f"bronze.{table}"), duckdb.connect() as engine:
            engine.execute("SET TimeZone = 'UTC'")
            rows = scan(sorted(files(lake, "bronze", table, add_actions(found))), {"ingest_date": "DATE"})
            newest = f"(SELECT * FROM {rows} ORDER BY ingested_at DESC LIMIT {_ROWS})"
            kept = ("record_id", "natural_key", "ingested_at")
            batches[suite.dataset] = suite, engine.sql(projection(suite, newest, kept)).to_arrow_table().to_pandas()
    return expectations.write_docs(batches, docs_folder(settings))
