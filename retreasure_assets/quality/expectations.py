"""A suite evaluated by Great Expectations itself, and its Data Docs.

What belongs here: talking with Great Expectations, which is imported on first use only: that takes 3 to 4 s. What does
not: the gate's own evaluation; it has the same meaning in SQL (predicates.py); a test holds the two together.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retreasure_assets.quality.suite import Suite

if TYPE_CHECKING:
    import pandas as pd

ROW = "gate_row"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Great Expectations says of a batch.

    Args:
        broken: rule -> the rows (their value in the column ``gate_row``) that break it; rules that hold left out.
        faulty: rules that could not be evaluated, by what ``exception_info`` says: they tell nothing about the data.
    """

    broken: Mapping[str, frozenset[int]]
    faulty: frozenset[str]


def evaluate(suite: Suite, frame: pd.DataFrame) -> Verdict:
    """Evaluate a suite over a projected batch.

    Args:
        suite: the suite.
        frame: the batch as ``predicates.projection`` shows it, and a column ``gate_row`` that numbers its rows.
    """
    with _quietly() as gx:
        context = _context(gx)
        batch = context.data_sources.add_pandas("batches").add_dataframe_asset(suite.dataset)
        definition = batch.add_batch_definition_whole_dataframe("batch")
        outcome = definition.get_batch({"dataframe": frame}).validate(
            _suite(gx, suite), result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [ROW]}
        )
    broken: dict[str, frozenset[int]] = {}
    faulty: set[str] = set()
    for result in outcome.results:
        name = result.expectation_config.meta["rule"]
        if _raised(result.exception_info):
            faulty.add(name)
        elif not result.success:
            broken[name] = frozenset(int(row[ROW]) for row in result.result["unexpected_index_list"])
    return Verdict(broken, frozenset(faulty))


def write_docs(batches: Mapping[str, tuple[Suite, pd.DataFrame]], folder: Path) -> Path:
    """Write Data Docs: for every dataset its suite and how the rows at hand meet it.

    Args:
        batches: dataset -> its suite and rows; the columns hold masked values only.
        folder: where the site goes.

    Returns:
        The site's first page.
    """
    with _quietly() as gx:
        context = _context(gx)
        site = {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.absolute())},
        }
        for name in context.get_site_names():
            context.delete_data_docs_site(name)
        context.add_data_docs_site("gates", site)
        source = context.data_sources.add_pandas("lake")
        for dataset, (suite, frame) in batches.items():
            definition = source.add_dataframe_asset(dataset).add_batch_definition_whole_dataframe("newest")
            validation = context.validation_definitions.add(
                gx.ValidationDefinition(data=definition, suite=context.suites.add(_suite(gx, suite)), name=dataset)
            )
            checkpoint = context.checkpoints.add(
                gx.Checkpoint(name=dataset, validation_definitions=[validation], result_format="BASIC")
            )
            checkpoint.run(batch_parameters={"dataframe": frame})
        context.build_data_docs()
    return folder / "index.html"


def _context(gx: Any) -> Any:
    """A context in memory, without progress bars."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context


def _suite(gx: Any, suite: Suite) -> Any:
    return gx.ExpectationSuite(**suite.document)


def _raised(info: Mapping[str, Any]) -> bool:
    """Whether ``exception_info`` tells of an exception: it is flat, or has an entry for each metric."""
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(_raised(entry) for entry in info.values() if isinstance(entry, Mapping))


@contextmanager
def _quietly() -> Iterator[Any]:
    """Great Expectations without analytics and warnings about the batch's own values."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logger = logging.getLogger("great_expectations")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx

        logger.setLevel(logging.CRITICAL)
        try:
            yield gx
        finally:
            logger.setLevel(level)
