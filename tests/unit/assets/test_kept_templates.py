"""Compiled templates are kept between builds, and never believed when they are not ours."""

from __future__ import annotations

import marshal
import os
from pathlib import Path

import pytest
from dbt_common.clients.jinja import MacroFuzzEnvironment, NativeSandboxEnvironment

from retreasure_assets.resources.templates import kept_templates

SOURCE = "{% for x in 'aa' %}{{ x }}{% endfor %}"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that Jinja really compiled."""
    sources: list[str] = []
    generate = MacroFuzzEnvironment._generate

    def noting(self: MacroFuzzEnvironment, source: object, *rest: object, **options: object) -> object:
        sources.append(type(self).__name__)
        return generate(self, source, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(MacroFuzzEnvironment, "_generate", noting)
    return sources


def test_a_template_is_compiled_once(tmp_path: Path, compiled: list[str]) -> None:
    path = tmp_path / "templates.bin"
    for _ in range(2):
        with kept_templates(path):
            assert MacroFuzzEnvironment().from_string(SOURCE).render({}) == "aa"
            # The other kind of environment makes other code of the same source.
            NativeSandboxEnvironment().from_string("{{ 1 }}")
            assert MacroFuzzEnvironment().from_string("{{ 1 }}").render({}) == "1"
    assert compiled == ["MacroFuzzEnvironment", "NativeSandboxEnvironment", "MacroFuzzEnvironment"]
    # Outside of a build nothing is stood in for.
    assert MacroFuzzEnvironment().from_string(SOURCE).render({}) == "aa"
    assert len(compiled) == 4


@pytest.mark.parametrize("content", [b"", b"nonsense", marshal.dumps(("other versions", {})), marshal.dumps(7)])
def test_a_file_that_is_not_ours_is_replaced(tmp_path: Path, compiled: list[str], content: bytes) -> None:
    path = tmp_path / "templates.bin"
    path.write_bytes(content)
    for _ in range(2):
        with kept_templates(path):
            assert MacroFuzzEnvironment().from_string(SOURCE).render({}) == "aa"
    assert len(compiled) == 1


def test_a_failed_build_keeps_what_it_compiled(tmp_path: Path, compiled: list[str]) -> None:
    path = tmp_path / "templates.bin"
    with pytest.raises(ZeroDivisionError), kept_templates(path):
        MacroFuzzEnvironment().from_string("{{ 1 / 0 }}").render({})
    with kept_templates(path):
        MacroFuzzEnvironment().from_string("{{ 1 / 0 }}")
    assert len(compiled) == 1


def test_a_folder_that_may_not_be_written_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "templates.bin"
    monkeypatch.setattr(os, "access", lambda *_: False)
    with kept_templates(path):
        MacroFuzzEnvironment().from_string(SOURCE)
    assert not path.exists()
