"""The Jinja templates of dbt's models and macros, compiled once and kept between builds.

What belongs here: the file of compiled templates. What does not: running dbt (dbt.py).

dbt keeps the project as it parsed it, but compiles anew each template that a build uses: a fifth of the CPU of a build
of few rows. Jinja keeps compiled templates only for loaders, which dbt does not use; so the environment's ``compile``
is stood in for while a build lasts.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from retreasure_assets.errors import LakeError
from retreasure_assets.lake.storage import write_whole
from retreasure_assets.resources.stand_ins import standing_in

if TYPE_CHECKING:
    from jinja2 import Environment


@contextmanager
def kept_templates(path: Path) -> Iterator[None]:
    """While it lasts, templates that were compiled before are taken from a file, and others are added to it at the end.

    Args:
        path: the file. One that is missing, damaged or of other versions is as good as empty.
    """
    from dbt_common.clients.jinja import MacroFuzzEnvironment

    known = _read(path)
    before, own = len(known), MacroFuzzEnvironment.compile

    def compile_once(self: Environment, source: str, *rest: Any, **options: Any) -> Any:
        if rest or options:
            return own(self, source, *rest, **options)
        key = f"{type(self).__name__}\n{source}"
        if (code := known.get(key)) is None:
            code = known[key] = own(self, source)
        return code

    try:
        with standing_in((MacroFuzzEnvironment, "compile", compile_once)):
            yield
    finally:
        if len(known) > before and os.access(path.parent, os.W_OK):
            # A full disk is told of by what needs it; without the file the next build is slower, no more.
            with suppress(LakeError):
                write_whole(path, marshal.dumps((_made_by(), known)))


def _made_by() -> str:
    """What compiled code depends on beside its source."""
    return f"{sys.version} jinja2 {version('jinja2')} dbt-common {version('dbt-common')}"


def _read(path: Path) -> dict[str, CodeType]:
    try:
        made_by, known = marshal.loads(path.read_bytes())
    except (OSError, EOFError, ValueError, TypeError):
        # Missing or damaged.
        return {}
    return known if made_by == _made_by() and isinstance(known, dict) else {}
