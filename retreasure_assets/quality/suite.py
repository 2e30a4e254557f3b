"""Suites: the contract of each dataset, as Great Expectations keeps it.

What belongs here: reading the JSON of ``suites/<layer>/<table>.json`` and refusing what no engine could evaluate. What
does not: evaluating (predicates.py in SQL, expectations.py by Great Expectations itself).

The JSON is the only place where a rule is written. It is an ExpectationSuite; under ``meta`` stands what Great
Expectations has no word for:
  columns      what is read out of the payload: name -> {path, read}; read is text, number, time or kind (``READS``)
  max_share    the share of rows in quarantine above which the whole batch is withheld
  never_empty  true where a source that answers without one record is broken
An expectation of severity ``critical`` keeps the row out, ``warning`` only tells (open enumerations); one whose meta
has ``"scope": "batch"`` is a structural rule: broken once, it withholds the batch.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from retreasure_assets.errors import ConfigurationError

#: How a field of the payload is read: text (blank is null), a finite number, a moment, or its JSON kind.
READS = ("text", "number", "time", "kind")
#: The expectations that both engines evaluate, and those of their arguments that count.
ROW_TYPES: Mapping[str, tuple[str, ...]] = {
    "expect_column_values_to_not_be_null": ("column",),
    "expect_column_values_to_be_in_set": ("column", "value_set"),
    "expect_column_values_to_match_regex": ("column", "regex"),
    "expect_column_values_to_be_between": ("column", "min_value", "max_value"),
    "expect_compound_columns_to_be_unique": ("column_list",),
}
#: What a regular expression may be made of, so that Python and RE2 agree on it.
_PLAIN_REGEX = re.compile(r"\^[A-Za-z0-9_\-\[\]{}()|,+*?:/ ]*\$")
_FOLDER = Path(__file__).with_name("suites")
_MAX_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Column:
    """A column read out of the payload: its name, the dotted path, and how it is read."""

    name: str
    path: str
    read: str


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One expectation.

    Args:
        name: unique in its suite, for people: ``created_at_present``.
        type: Great Expectations' name of it.
        kwargs: its arguments.
        warns: whether a row that breaks it goes on.
        structural: whether breaking it withholds the batch.
    """

    name: str
    type: str
    kwargs: Mapping[str, Any]
    warns: bool
    structural: bool

    @property
    def column(self) -> str:
        """The column concerned; several are joined by a comma."""
        return str(self.kwargs.get("column") or ", ".join(self.kwargs["column_list"]))


@dataclass(frozen=True, slots=True)
class Suite:
    """The contract of one dataset.

    Args:
        dataset: ``bronze.shopify_orders``.
        version: tells one state of the suite from others: a digest of its content.
        columns: what is read out of the payload; other columns are the table's own.
        rules: what holds of every row, or of the batch.
        max_share: the largest share of rows in quarantine with which the others go on.
        never_empty: whether an answer without a record is no answer.
        document: the suite as Great Expectations reads it.
    """

    dataset: str
    version: str
    columns: Sequence[Column]
    rules: Sequence[Rule]
    max_share: float
    never_empty: bool
    document: Mapping[str, Any]


def suite_of(layer: str, table: str, folder: Path | None = None) -> Suite:
    """The suite of a dataset; without one of its own (a user's file mapping) what every record must have.

    Args:
        layer: the dataset's layer.
        table: its table.
        folder: suites that take the place of the shipped ones, as ``<layer>/<table>.json``.

    Raises:
        ConfigurationError: the suite cannot be read.
    """
    for path in (place / layer / f"{table}.json" for place in (folder, _FOLDER) if place is not None):
        if path.exists():
            return _load(path, path.stat().st_mtime_ns)
    return parse(f"{layer}.{table}", msgspec.json.encode(_basic(layer, table)))


def shipped(layer: str) -> list[str]:
    """The tables of a layer that have a suite of their own, sorted."""
    return sorted(path.stem for path in (_FOLDER / layer).glob("*.json"))


@cache
def _load(path: Path, changed_at: int) -> Suite:
    del changed_at  # what tells one state of the file from another
    return parse(f"{path.parent.name}.{path.stem}", path.read_bytes())


def parse(dataset: str, content: bytes) -> Suite:
    """A suite from its JSON.

    Raises:
        ConfigurationError: it is no suite, or asks for something that the engines would not agree on.
    """
    try:
        document: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
        meta = document["meta"]
        columns = [Column(name, spec["path"], spec["read"]) for name, spec in meta.get("columns", {}).items()]
        rules = [_rule(expectation) for expectation in document["expectations"]]
        share = float(meta.get("max_share", _MAX_SHARE))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise _unfit(dataset, f"it is no suite ({type(error).__name__})") from None
    if document.get("name") != dataset:
        raise _unfit(dataset, "its name is another")
    if unknown := {column.read for column in columns} - set(READS):
        raise _unfit(dataset, f"it reads a column as {', '.join(sorted(unknown))}")
    if len({rule.name for rule in rules}) != len(rules):
        raise _unfit(dataset, "two of its rules have one name")
    for rule in rules:
        if rule.type not in ROW_TYPES or not set(rule.kwargs) <= set(ROW_TYPES[rule.type]):
            raise _unfit(dataset, f"the rule {rule.name} is of a kind that gates do not have")
        if "regex" in rule.kwargs and not _PLAIN_REGEX.fullmatch(rule.kwargs["regex"]):
            raise _unfit(dataset, f"the pattern of {rule.name} may mean different things to different engines")
    version = hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()[:12]
    return Suite(dataset, version, columns, rules, share, bool(meta.get("never_empty", False)), document)


def _rule(expectation: Mapping[str, Any]) -> Rule:
    return Rule(
        name=expectation["meta"]["rule"],
        type=expectation["type"],
        kwargs=expectation["kwargs"],
        warns=expectation.get("severity", "critical") == "warning",
        structural=expectation["meta"].get("scope") == "batch",
    )


def _basic(layer: str, table: str) -> dict[str, Any]:
    """What holds of every dataset of bronze."""
    return {
        "name": f"{layer}.{table}",
        "expectations": [
            {
                "type": "expect_column_values_to_not_be_null",
                "kwargs": {"column": "natural_key"},
                "severity": "critical",
                "meta": {"rule": "natural_key_present"},
            },
            {
                "type": "expect_compound_columns_to_be_unique",
                "kwargs": {"column_list": ["ingested_at", "record_id"]},
                "severity": "critical",
                "meta": {"rule": "records_once", "scope": "batch"},
            },
        ],
        "meta": {},
    }


def _unfit(dataset: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The suite of {dataset} cannot be used: {why}.", remedy="Correct its JSON in retreasure_assets/quality/suites."
    )
