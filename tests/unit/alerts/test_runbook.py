"""Every alert leads to a section of the runbook, and every section is some alert's."""

from __future__ import annotations

import re

import pytest

from retreasure_assets.alerts.message import TITLES, anchor
from retreasure_assets.cli import main
from retreasure_assets.lake.failures import Kind
from tests.conftest import REPOSITORY

RUNBOOK = (REPOSITORY / "docs" / "runbook.md").read_text("utf-8")
SECTIONS = re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)


@pytest.mark.parametrize("kind", Kind)
def test_every_alert_has_a_section_that_says_what_to_type(kind: Kind) -> None:
    # GitHub's anchors: lower case, without punctuation, blanks as hyphens.
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"): title for title in SECTIONS}
    section = RUNBOOK.split(f"## {anchors[anchor(kind)]}\n")[1].split("\n## ")[0]
    assert re.search(r"`(retreasure|dagster) [^`]+`", section), section


def test_there_is_no_section_that_no_alert_leads_to() -> None:
    assert sorted(SECTIONS) == sorted(TITLES.values())


def test_every_command_that_it_names_exists() -> None:
    named = set(re.findall(r"`retreasure (?:--debug )?([a-z]+)", RUNBOOK))
    assert named
    assert named <= set(main.commands)
