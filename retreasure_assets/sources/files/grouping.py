"""Records that lean on their neighbours: carried values, summary rows, numbering within a group.

What belongs here: what has to be remembered from one block of a file to the next. What does not: single cells
(``transform``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from retreasure_assets.sources.files.mapping import CarryForward, SummaryRows
from retreasure_assets.sources.files.rows import Rows

_LONELY = "it is a summary row without the item rows that should follow it"


class Groups:
    """Carries values from a group's first line to its others, over all blocks of one file.

    A summary row heads its group; its bytes head the record of the first item row behind it, so that no byte of
    the file is lost though the summary is no item.

    Args:
        carry: which columns, within what.
        summary: what marks a summary row, if the layout has them.
        newline: the file's line end.
    """

    def __init__(self, carry: CarryForward, summary: SummaryRows | None, newline: bytes) -> None:
        self._carry = carry
        self._summary = summary.empty if summary else ()
        self._newline = newline
        self._head: dict[str, str] = {}
        self._waiting: tuple[bytes, int] | None = None

    def feed(self, rows: Rows, *, final: bool) -> Rows:
        """Fill the carried columns of a block and fold its summary rows into what follows them."""
        columns, heads = self._carried(rows.columns)
        if not self._summary:
            return Rows(rows.records, rows.lines, rows.problems, columns)
        return self._folded(rows, columns, heads, final=final)

    def _carried(self, columns: Mapping[str, pa.Array]) -> tuple[dict[str, pa.Array], npt.NDArray[np.int64]]:
        """The columns with carried values, and the index of each row's group head (-1: in an earlier block)."""
        within = [name for name in self._carry.within if name in columns]
        carried = [name for name in self._carry.columns if name in columns]
        remembered = list(dict.fromkeys(within + carried))
        if not len(columns[within[0]]):
            return dict(columns), np.zeros(0, np.int64)
        # The first line of the last group goes in front, so that a group may span blocks.
        lead = 1 if self._head else 0
        cells = {name: columns[name] for name in remembered}
        if lead:
            cells = {name: pa.concat_arrays([pa.array([self._head[name]], pa.string()), cells[name]]) for name in cells}
        heads = _first_of_group([cells[name] for name in within])
        for name in carried:
            cells[name] = pc.if_else(_blank(cells[name]), cells[name].take(pa.array(heads)), cells[name])
        self._head = {name: cells[name][int(heads[-1])].as_py() for name in remembered}
        return {name: cells[name].slice(lead) if name in cells else columns[name] for name in columns}, heads[
            lead:
        ] - lead

    def _folded(self, rows: Rows, columns: dict[str, pa.Array], heads: npt.NDArray[np.int64], *, final: bool) -> Rows:
        readable = rows.readable
        blank = [_blank(columns[name]).to_numpy(zero_copy_only=False) for name in self._summary]
        summary = np.logical_and.reduce(blank) if readable else np.zeros(0, bool)
        out = Rows([], [], {}, {name: column.filter(pa.array(~summary)) for name, column in columns.items()})
        place = -1
        positions = {index: place for place, index in enumerate(readable)}
        for index, (record, line) in enumerate(zip(rows.records, rows.lines, strict=True)):
            problem = rows.problems.get(index)
            if problem is None:
                place = positions[index]
                joins = self._waiting is not None and not summary[place] and heads[place] != place
                if joins and self._waiting is not None:
                    record, line = self._waiting[0] + self._newline + record, self._waiting[1]
                    self._waiting = None
                self._give_up(out)
                if summary[place]:
                    self._waiting = (record, line)
                    continue
            else:
                out.problems[len(out.records)] = problem
            out.records.append(record)
            out.lines.append(line)
        if final:
            self._give_up(out)
        return out

    def _give_up(self, out: Rows) -> None:
        """A summary row that no item row of its group followed is a record of its own, with a problem."""
        if self._waiting is not None:
            out.problems[len(out.records)] = _LONELY
            out.records.append(self._waiting[0])
            out.lines.append(self._waiting[1])
            self._waiting = None


class Numbering:
    """Counts lines within equal groups over all blocks of one file, 16 bytes per group seen.

    Groups are remembered by a 64-bit hash; should two ever share one, their numbers have gaps but stay unique.
    """

    def __init__(self) -> None:
        self._hashes: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._counts: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def feed(self, within: Sequence[pa.Array]) -> pa.Array:
        """The next number, from 1, for each row; ``within`` are the group's columns."""
        keys = pc.binary_join_element_wise(*(pc.fill_null(each, "") for each in within), "\x1f").dictionary_encode()
        codes = keys.indices.to_numpy()
        hashes = np.fromiter(map(hash, keys.dictionary.to_pylist()), np.int64)
        places = np.searchsorted(self._hashes, hashes)
        known = places < len(self._hashes)
        known[known] = self._hashes[places[known]] == hashes[known]
        before = np.zeros(len(hashes), np.int64)
        before[known] = self._counts[places[known]]
        added = np.bincount(codes, minlength=len(hashes))
        self._counts[places[known]] += added[known]
        self._remember(hashes[~known], added[~known])
        return pc.cast(pa.array(before[codes] + _running_count(codes) + 1), pa.string())

    def _remember(self, hashes: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> None:
        order = np.argsort(hashes, kind="stable")
        places = np.searchsorted(self._hashes, hashes[order])
        self._hashes = np.insert(self._hashes, places, hashes[order])
        self._counts = np.insert(self._counts, places, counts[order])


def _running_count(codes: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """For each element, how many equal ones precede it."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    index = np.arange(len(codes))
    starts = (
        np.maximum.accumulate(np.where(np.r_[True, ordered[1:] != ordered[:-1]], index, 0)) if len(codes) else index
    )
    running = np.empty(len(codes), np.int64)
    running[order] = index - starts
    return running


def _first_of_group(within: Sequence[pa.Array]) -> npt.NDArray[np.int64]:
    """For each row, the first row of the run of rows with its key; rows without a key stand alone."""
    keys = pc.coalesce(*(pc.if_else(_blank(each), pa.scalar(None, pa.string()), each) for each in within))
    empty = keys.is_null().to_numpy(zero_copy_only=False)
    codes = keys.fill_null("").dictionary_encode().indices.to_numpy()
    new = np.r_[True, (codes[1:] != codes[:-1]) | empty[1:]]
    return np.maximum.accumulate(np.where(new, np.arange(len(codes)), 0))


def _blank(cells: pa.Array) -> pa.Array:
    return pc.equal(pc.utf8_trim_whitespace(cells), "")
