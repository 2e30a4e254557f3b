"""Every example of docs/file-mappings.md: a mapping, a file, and the payloads it says come out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from dropping import drop, sync

from retreasure_assets.sources.files import entities, load_mappings
from retreasure_assets.sources.files.mapping import PERSONAL_FIELDS, Column

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "file-mappings.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str, str, str]]:
    """(mapping, kind of file, file, payloads), in the guide's order."""
    blocks = BLOCK.findall(GUIDE.read_text("utf-8"))
    triples = [blocks[index : index + 3] for index in range(0, len(blocks), 3)]
    assert all(
        [kind for kind, _ in triple] in (["yaml", "csv", "json"], ["yaml", "jsonl", "json"]) for triple in triples
    )
    return [(rules, kind, data, result) for (_, rules), (kind, data), (_, result) in triples]


@pytest.mark.parametrize("example", examples(), ids=range(1, len(examples()) + 1))
def test_example(tmp_path: Path, example: tuple[str, str, str, str]) -> None:
    rules, _, data, result = example
    folder = tmp_path / "mappings"
    folder.mkdir()
    (folder / "example.yaml").write_text(rules, "utf-8")
    [mapping] = [each for each in load_mappings(folder) if each.name == "example"]
    name = mapping.pattern[0].replace("*", "x")
    drop(tmp_path, name, data.encode(mapping.encoding), folder=f"{mapping.source}/{mapping.entity}")
    read = sync(tmp_path, mapping)
    assert read.error is None
    assert read.good == [json.loads(line) for line in result.splitlines()]
    assert not any(read.problems)
    assert entities(load_mappings(folder))[f"{mapping.source}_{mapping.entity}"]


def test_the_guide_names_every_column_key_and_personal_field() -> None:
    text = GUIDE.read_text("utf-8")
    assert not [key for key in Column.model_fields if f"`{key}`" not in text]
    assert not [field for field in PERSONAL_FIELDS if f"`{field}`" not in text]
