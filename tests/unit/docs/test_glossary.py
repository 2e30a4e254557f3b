"""The glossary of figures: made of the definitions beside the models, complete, and as it stands in docs/metrics.md."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.contracts.graph.manifest import Manifest

from retreasure_assets.errors import BuildError
from retreasure_assets.resources.docs_site import figures, glossary
from tests.conftest import REPOSITORY
from tests.parsed_project import ParsedProject, shared_folder


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The project."""
    return ParsedProject(shared_folder(tmp_path_factory)).manifest


@pytest.fixture(scope="module")
def manifest(parsed: Manifest) -> dict[str, Any]:
    """What the glossary reads of the project's manifest, as it is in manifest.json."""
    return {
        "docs": {key: block.to_dict() for key, block in parsed.docs.items()},
        "metrics": {key: metric.to_dict() for key, metric in parsed.metrics.items()},
    }


def test_the_page_is_up_to_date(manifest: dict[str, Any]) -> None:
    page = (REPOSITORY / "docs" / "metrics.md").read_text("utf-8")
    assert page == glossary(manifest), "Run `make docs` and commit docs/metrics.md."


def test_every_figure_that_is_computed_is_defined(parsed: Manifest, manifest: dict[str, Any]) -> None:
    """The names that the marts' models may hold are those that their tests accept."""
    accepted = [
        node.test_metadata.kwargs["values"]["kpi"]
        for node in parsed.nodes.values()
        if node.resource_type == "test"
        and str(getattr(node, "attached_node", "")).startswith("model.retreasure.int_kpis__")
        and node.test_metadata is not None
        and node.test_metadata.name == "sound"
    ]
    assert len(accepted) == sum(key.startswith("model.retreasure.int_kpis__") for key in parsed.nodes)
    assert {name for values in accepted for name in values} == set(figures(manifest))


def test_every_metric_of_a_figures_name_says_so(manifest: dict[str, Any]) -> None:
    known = figures(manifest)
    for metric in manifest["metrics"].values():
        assert metric["description"].strip(), metric["name"]
        assert ("agg_kpis" in metric["description"]) == (metric["name"] in known), metric["name"]


def block(name: str, text: str, folder: str = "finance") -> dict[str, Any]:
    return {"name": name, "block_contents": text, "original_file_path": f"models/gold/{folder}/kpis.md"}


TABLE = "| kpi | definition |\n|---|---|\n"


def test_a_page_out_of_blocks_and_metrics() -> None:
    made = glossary(
        {
            "docs": {
                "1": block("kpis", f"All are fractions.\n\n{TABLE}| orders | sales |", "executive"),
                "2": block("kpis_money", f"{TABLE}| aov | gmv / orders |\n| gmv | price |"),
                "3": block("other", f"{TABLE}| no | figure |"),
            },
            "metrics": {
                "a": {"name": "gmv", "type": "simple", "type_params": {"measure": {"name": "gmv_base"}}},
                "b": {
                    "name": "aov",
                    "type": "ratio",
                    "type_params": {"numerator": {"name": "gmv"}, "denominator": {"name": "orders"}},
                },
            },
        }
    )
    assert "All are fractions." in made
    assert "| `aov` | gmv / orders | `gmv` / `orders` |\n| `gmv` | price | sum of `gmv_base` |\n" in made
    assert "| `orders` | sales |  |" in made
    assert "figure |" not in made.replace("| figure | definition", "")


def test_a_figure_is_defined_once() -> None:
    twice = {"1": block("kpis_a", f"{TABLE}| gmv | price |"), "2": block("kpis_b", f"{TABLE}| gmv | cost |")}
    with pytest.raises(BuildError, match="gmv is defined twice"):
        glossary({"docs": twice, "metrics": {}})
