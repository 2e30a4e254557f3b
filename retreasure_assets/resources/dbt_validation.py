"""dbt's checks of its own files against their schemas.

What belongs here: leaving out those that have passed. What does not: parsing the project (dbt.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from retreasure_assets.resources.stand_ins import standing_in


@contextmanager
def validated_before() -> Iterator[None]:
    """While it lasts, dbt takes its project and profile for valid.

    They were checked when the project was parsed, which it is again once either has changed. To make the schemas for it
    takes dbt half a second in every process.
    """
    from dbt_common.dataclass_schema import dbtClassMixin

    def passed(cls: type[dbtClassMixin], data: Any) -> None:
        pass

    with standing_in((dbtClassMixin, "validate", classmethod(passed))):
        yield
