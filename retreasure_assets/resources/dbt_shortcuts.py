"""What dbt does at its start, and for each model again and again, done shorter, once or not at all.

What belongs here: all of it together. What does not: each of them (the modules beside), running dbt (dbt.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retreasure_assets.resources.dbt_events import without_details
from retreasure_assets.resources.dbt_macros import macros_when_asked_for
from retreasure_assets.resources.dbt_start import quick_start
from retreasure_assets.resources.dbt_tables import kept_type_testers
from retreasure_assets.resources.dbt_validation import validated_before
from retreasure_assets.resources.templates import kept_templates


@contextmanager
def shortcuts(templates: Path) -> Iterator[None]:
    """While it lasts, dbt in this process takes them: a build of few rows comes to the same in a third less time.

    Args:
        templates: the file of compiled templates.
    """
    with (
        without_details(),
        macros_when_asked_for(),
        kept_type_testers(),
        validated_before(),
        quick_start(),
        kept_templates(templates),
    ):
        yield
