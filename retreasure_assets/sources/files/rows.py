"""What the readers of CSV and JSON Lines hand to the mapping step.

What belongs here: the shape that both share. What does not: how it is filled or used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa


@dataclass(slots=True)
class Rows:
    """Records of one block.

    Args:
        records: each record's exact bytes, without its line end.
        lines: number (from 1) of the physical line on which each begins.
        problems: index into ``records`` -> why that record cannot be read.
        columns: the file's column (as the mapping names it) -> text of the readable records only, in their order
            (``pa.StringArray`` of length ``len(records) - len(problems)``).
        payloads: each readable record's payload where that is the record itself, else None; ``columns`` then holds
            only what its key and change time are taken from.
    """

    records: list[bytes]
    lines: list[int]
    problems: dict[int, str]
    columns: Mapping[str, pa.Array]
    payloads: list[bytes] | None = None

    @property
    def readable(self) -> list[int]:
        """Indexes of the records without a problem."""
        if not self.problems:
            return list(range(len(self.records)))
        return [index for index in range(len(self.records)) if index not in self.problems]
