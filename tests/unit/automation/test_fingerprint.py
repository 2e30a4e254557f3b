"""What the sensor of dropped files goes by."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from retreasure_assets.automation.sensors import fingerprint
from retreasure_assets.settings import Settings


def test_new_changed_and_removed_files_show(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    assert fingerprint(drop) is None
    (drop / "pos").mkdir(parents=True)
    (drop / ".hidden").write_text("x")
    assert fingerprint(drop) is None
    (drop / "pos" / "a.csv").write_text("x")
    one = fingerprint(drop)
    (drop / "pos" / "b.csv").write_text("x")
    two = fingerprint(drop)
    (drop / "pos" / "b.csv").write_text("xy")
    three = fingerprint(drop)
    (drop / "pos" / "b.csv").unlink()
    assert len({one, two, three}) == 3
    assert fingerprint(drop) == one


def test_a_corrected_mapping_shows_where_there_are_files(tmp_path: Path) -> None:
    drop, mappings = tmp_path / "drop", tmp_path / "mappings"
    mappings.mkdir()
    (mappings / "a.yaml").write_text("patern: x")
    assert fingerprint(drop, mappings) is None
    drop.mkdir()
    (drop / "a.csv").write_text("x")
    before = fingerprint(drop, mappings)
    (mappings / "a.yaml").write_text("pattern: x")
    assert fingerprint(drop, mappings) != before


def test_a_closed_folder_is_worth_a_run_and_makes_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path)
    settings.drop_path.mkdir()
    assert not settings.configured
    assert fingerprint(settings.drop_path) is None

    def refuse(folder: object) -> object:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)
    assert settings.configured
    assert fingerprint(settings.drop_path) is not None
