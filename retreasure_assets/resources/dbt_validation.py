"""dbt's checks of the project's own settings against their schemas.

What belongs here: leaving out those that have passed. What does not: parsing the project (dbt.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from retreasure_assets.resources.stand_ins import standing_in


@contextmanager
def validated_before() -> Iterator[None]:
    """While it lasts, dbt takes dbt_project.yml for valid.

    It was checked when the project was parsed, which it is again once it has changed. To make the schemas for it takes
    dbt a quarter of a second in every process. What is not in that file is checked as ever: the profile's values, which
    come from the environment, and what tests find.
    """
    from dbt.contracts.project import Project, ProjectFlags

    def passed(cls: type[Project | ProjectFlags], data: Any) -> None:
        pass

    with standing_in((Project, "validate", classmethod(passed)), (ProjectFlags, "validate", classmethod(passed))):
        yield
