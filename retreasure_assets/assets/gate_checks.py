"""The check ``gate`` of a dataset, as people see it in the Dagster UI.

What belongs here: what is said of a gate's result, and in which words. What does not: the result (quality/gate.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from retreasure_assets.quality.docs import SERVED_BELOW, docs_folder, docs_page
from retreasure_assets.quality.result import GATE_CHECK, Status
from retreasure_assets.settings import Settings

#: What a result means for everything else, and what to do about it.
_MEANING = {
    Status.PASSED: "",
    Status.WARNED: "The other rows went on.",
    Status.CLOSED: "Everything else goes on, with its last good rows; the next good reading opens the gate.",
}


def gate_check(settings: Settings, dataset: str, status: Status, facts: Mapping[str, Any]) -> dg.AssetCheckResult:
    """A gate's result: what was blocked, what went on and why.

    Args:
        settings: where the Data Docs are, and are served.
        dataset: ``bronze.shopify_orders``.
        status: what became of the rows.
        facts: what ``GateResult.metadata`` gives, or a ``summary`` alone.
    """
    layer = dataset.partition(".")[0]
    kept_out = facts.get("quarantined", 0) + facts.get("malformed", 0) > 0
    parts = [str(facts["summary"])]
    # A table of silver is not kept back; dbt's own rules keep rows out of it.
    if layer == "bronze":
        parts.append(_MEANING[status])
        if kept_out:
            parts.append(f"To see the rows: `retreasure quarantine list --dataset {dataset}`.")
    shown = {name: "; ".join(value) if isinstance(value, list) else value for name, value in facts.items()}
    if layer == "bronze":
        page = docs_page(dataset)
        shown["data_docs"] = (
            dg.MetadataValue.url(f"{str(settings.docs_url).rstrip('/')}{SERVED_BELOW}{page}")
            if (docs_folder(settings) / page).exists()
            else "`retreasure quarantine docs` writes them."
        )
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(dataset.split(".")),
        check_name=GATE_CHECK,
        passed=status is Status.PASSED,
        severity=dg.AssetCheckSeverity.ERROR if status is Status.CLOSED else dg.AssetCheckSeverity.WARN,
        description=" ".join(part for part in parts if part),
        metadata={name: value for name, value in shown.items() if value != ""},
    )
