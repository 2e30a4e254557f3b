"""What decides the rows that the dbt project makes, as one word that is another when any of it changes.

What belongs here: telling one state of models, macros and seeds from another. What does not: what to do about it; that
is in ``assets/dbt.py``. Tests, descriptions, owners and exposures make no rows and do not count.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from retreasure_assets.resources.dbt import manifest_path
from retreasure_assets.resources.platform import dbt_project_dir
from retreasure_assets.settings import Settings

_NOTE = "rows.json"
#: Parts of dbt_project.yml that decide rows.
_PROJECT_PARTS = ("vars", "models", "seeds", "snapshots", "on-run-start", "on-run-end")
#: Settings of a model that decide rows and may stand in YAML, apart from its SQL.
_CONFIG_PARTS = ("materialized", "incremental_strategy", "unique_key", "on_schema_change", "enabled", "contract")


@dataclass(frozen=True, slots=True)
class RowState:
    """One state of what makes rows.

    Args:
        state: differs from that of any other SQL, macros, seeds or settings.
        incremental: the models that keep rows from one build to the next, as (layer, table).
    """

    state: str
    incremental: frozenset[tuple[str, str]]


class _Note(msgspec.Struct):
    """What is kept beside the parsed project, which is slow to read."""

    code: str
    incremental: list[tuple[str, str]]


def row_state(settings: Settings) -> RowState:
    """The state of the project as it is now.

    Raises:
        BuildError: the project does not parse.
    """
    note = _note(manifest_path(settings))
    parts = [
        note.code,
        settings.target,
        settings.reporting_currency,
        settings.business_timezone,
        settings.ship_from,
    ]
    return RowState(hashlib.sha256("\n".join(parts).encode()).hexdigest(), frozenset(note.incremental))


def _note(manifest: Path) -> _Note:
    path = manifest.with_name(_NOTE)
    if path.exists() and path.stat().st_mtime_ns >= manifest.stat().st_mtime_ns:
        return msgspec.json.decode(path.read_bytes(), type=_Note)
    parsed = msgspec.json.decode(manifest.read_bytes())
    digest = hashlib.sha256()
    for part in _code(parsed, (dbt_project_dir() / "dbt_project.yml").read_bytes()):
        digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    note = _Note(
        digest.hexdigest(),
        sorted(
            (node["schema"], node["name"])
            for node in parsed["nodes"].values()
            if node["resource_type"] == "model" and node["config"]["materialized"] == "incremental"
        ),
    )
    aside = path.with_name(f"{_NOTE}.{os.getpid()}")
    aside.write_bytes(msgspec.json.encode(note))
    aside.replace(path)
    return note


def _code(manifest: Mapping[str, Any], project: bytes) -> Iterator[object]:
    """Everything in the project that decides rows, in a fixed order."""
    settings = yaml.safe_load(project)
    yield {name: settings.get(name) for name in _PROJECT_PARTS}
    for unique_id, node in sorted(manifest["nodes"].items()):
        if node["resource_type"] in {"model", "seed", "snapshot"}:
            types = [(name, column.get("data_type")) for name, column in sorted(node["columns"].items())]
            config = {name: node["config"].get(name) for name in _CONFIG_PARTS}
            yield [unique_id, node["schema"], node.get("raw_code"), node["checksum"]["checksum"], types, config]
    own = f"macro.{manifest['metadata']['project_name']}."
    for unique_id, macro in sorted(manifest["macros"].items()):
        if unique_id.startswith(own) and not macro["name"].startswith("test_"):
            yield [unique_id, macro["macro_sql"]]
