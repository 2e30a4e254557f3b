"""Reading JSON Lines: each line an object, its fields found by dotted paths.

What belongs here: JSON text to columns of text. What does not: what the columns mean (``transform``).
"""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa

from retreasure_assets.entities import Entity
from retreasure_assets.sources.files.decoding import Text, split_lines
from retreasure_assets.sources.files.mapping import FileMapping, field_columns
from retreasure_assets.sources.files.rows import Rows

#: Numbers with a fraction stay the text they are: 1.50 must not become 1.5.
_DECODER = msgspec.json.Decoder(float_hook=str)


class JsonSplitter:
    """Splits the blocks of one file, in order.

    Args:
        mapping: the file's mapping.
        entity: its key and change time are looked at in records that are their own payload.
        text: the file's encoding.
    """

    def __init__(self, mapping: FileMapping, entity: Entity, text: Text) -> None:
        self._mapping = mapping
        self._text = text
        self._wrapper = None if mapping.envelope is None else _wrapper(mapping.envelope)
        columns = field_columns(mapping, entity).values()
        self._paths = {path: path.split(".") for column in columns for path in column.column}
        self._line = 1

    def feed(self, block: bytes, *, final: bool) -> Rows:
        """Split the next block of whole lines."""
        lines = split_lines(block, self._text)
        records: list[bytes] = []
        numbers: list[int] = []
        problems: dict[int, str] = {}
        payloads: list[bytes] | None = [] if self._mapping.whole_object else None
        cells: dict[str, list[str]] = {name: [] for name in self._paths}
        for index, line in enumerate(lines.texts):
            if not line.strip():
                continue
            if index in lines.undecodable:
                problems[len(records)] = f"it holds bytes that are not {self._mapping.encoding}"
            else:
                inner = line if self._wrapper is None else _unwrapped(line, self._wrapper)
                problem = self._take(inner, cells)
                if problem is not None:
                    problems[len(records)] = problem
                elif payloads is not None:
                    payloads.append(inner.strip().encode())
            records.append(lines.record(index, index + 1))
            numbers.append(self._line + index)
        self._line += len(lines.raw)
        columns = {name: pa.array(values, pa.string()) for name, values in cells.items()}
        return Rows(records, numbers, problems, columns, payloads)

    def _take(self, line: str, cells: dict[str, list[str]]) -> str | None:
        try:
            found = _DECODER.decode(line)
        except (msgspec.DecodeError, RecursionError):
            return "it is not valid JSON"
        if not isinstance(found, dict):
            return "it is not a JSON object"
        taken: list[str] = []
        for name, path in self._paths.items():
            text = _text_at(found, path)
            if text is None:
                return f"{name} is not a single value"
            taken.append(text)
        for values, text in zip(cells.values(), taken, strict=True):
            values.append(text)
        return None


def _wrapper(key: str) -> msgspec.json.Decoder[Any]:
    """Finds the object that a line wraps under ``key``."""
    fields = [("inner", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)]
    return msgspec.json.Decoder(msgspec.defstruct("Wrapper", fields, rename={"inner": key}))


def _unwrapped(line: str, wrapper: msgspec.json.Decoder[Any]) -> str:
    """The wrapped object's own text, or the line where it wraps none (what is wrong with it is found later)."""
    try:
        inner = wrapper.decode(line).inner
    except (msgspec.DecodeError, RecursionError):
        return line
    text = "" if inner is msgspec.UNSET else bytes(inner).decode()
    return text if text.startswith("{") else line


def _text_at(found: Any, path: list[str]) -> str | None:
    """The value at a path as text, empty where there is none; None for a list or object."""
    for part in path:
        if not isinstance(found, dict):
            return "" if found is None else None
        found = found.get(part)
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    return None if isinstance(found, dict | list) else str(found)
