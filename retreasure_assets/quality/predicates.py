"""A suite as SQL: the fast way to evaluate it, in DuckDB.

What belongs here: the projection of a batch and a condition for each rule, with the meaning that Great Expectations
gives it: a null breaks no rule but the one against nulls. What does not: running them (evaluation.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retreasure_assets.lake.warehouse import quote, quote_name
from retreasure_assets.quality.suite import Column, Rule, Suite

#: DuckDB's names of JSON types -> the kinds that suites speak of.
_KINDS = {
    "string": ("VARCHAR",),
    "number": ("BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"),
    "boolean": ("BOOLEAN",),
    "array": ("ARRAY",),
    "object": ("OBJECT",),
    "null": ("NULL",),
}

#: From here on the models read no amount either (macros/engine/types.sql).
_IMPOSSIBLE_NUMBER = 100_000_000_000


def projection(suite: Suite, relation: str, columns: Sequence[str]) -> str:
    """SQL of a batch with the columns that the suite's rules speak of.

    Args:
        suite: the suite.
        relation: SQL of the batch's rows; with a ``payload`` where the suite reads from it.
        columns: columns of the relation to keep.
    """
    kept = ", ".join(quote_name(name) for name in columns)
    if not suite.columns:
        return f"SELECT {kept} FROM {relation}"
    texts, kinds = _paths(suite.columns, "kind", other=True), _paths(suite.columns, "kind", other=False)
    # One call for all paths: every call parses the whole document.
    parts = [kept]
    if texts:
        parts.append(f"json_extract_string(payload, {_listed(texts)}) AS read_texts")
    if kinds:
        parts.append(f"json_type(payload, {_listed(kinds)}) AS read_kinds")
    read = ", ".join(f"{_value(column, texts, kinds)} AS {quote_name(column.name)}" for column in suite.columns)
    return f"SELECT {kept}, {read} FROM (SELECT {', '.join(parts)} FROM {relation})"


def broken(rule: Rule) -> str:
    """The condition, never null, that a row breaks a rule."""
    arguments = rule.kwargs
    if rule.type == "expect_compound_columns_to_be_unique":
        names = [quote_name(name) for name in arguments["column_list"]]
        # A key of nothing but nulls is none, and so is not twice there.
        something = " OR ".join(f"{name} IS NOT NULL" for name in names)
        return f"(count(*) OVER (PARTITION BY {', '.join(names)}) > 1 AND ({something}))"
    column = quote_name(arguments["column"])
    if rule.type == "expect_column_values_to_not_be_null":
        return f"({column} IS NULL)"
    if rule.type == "expect_column_values_to_be_in_set":
        values = ", ".join(_literal(value) for value in arguments["value_set"])
        return f"coalesce({column} NOT IN ({values}), false)"
    if rule.type == "expect_column_values_to_match_regex":
        # Python's $ also stands before a newline that ends the text.
        pattern = arguments["regex"].removesuffix("$") + r"\n?\z"
        return f"coalesce(NOT regexp_matches(CAST({column} AS VARCHAR), {quote(pattern)}), false)"
    bounds = []
    if arguments.get("min_value") is not None:
        bounds.append(f"{column} < {_literal(arguments['min_value'])}")
    if arguments.get("max_value") is not None:
        bounds.append(f"{column} > {_literal(arguments['max_value'])}")
    return f"coalesce({' OR '.join(bounds)}, false)"


def _paths(columns: Sequence[Column], read: str, *, other: bool) -> list[str]:
    return list(dict.fromkeys(column.path for column in columns if (column.read == read) is not other))


def _listed(paths: Sequence[str]) -> str:
    return "[" + ", ".join(quote("$" + "".join(f'."{key}"' for key in path.split("."))) for path in paths) + "]"


def _value(column: Column, texts: Sequence[str], kinds: Sequence[str]) -> str:
    if column.read == "kind":
        kind = f"read_kinds[{kinds.index(column.path) + 1}]"
        cases = " ".join(
            f"WHEN {kind} IN ({', '.join(quote(name) for name in names)}) THEN {quote(told)}"
            for told, names in _KINDS.items()
        )
        return f"CASE {cases} ELSE lower({kind}) END"
    text = f"nullif(trim(read_texts[{texts.index(column.path) + 1}]), '')"
    if column.read == "number":
        number = f"TRY_CAST({text} AS DOUBLE)"
        return f"CASE WHEN abs({number}) < {_IMPOSSIBLE_NUMBER} THEN {number} END"
    if column.read == "time":
        # ISO 8601, or a number of epoch seconds.
        return (
            f"coalesce(TRY_CAST({text} AS TIMESTAMPTZ), "
            f"CASE WHEN TRY_CAST({text} AS BIGINT) BETWEEN 0 AND 253402300799 "
            f"THEN to_timestamp(TRY_CAST({text} AS BIGINT)) END)"
        )
    return text


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote(value) if isinstance(value, str) else repr(value)
