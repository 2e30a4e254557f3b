"""The form of a source's records, learned and compiled to typed structs.

What belongs here: the quick way through a record whose fields are known. What does not: anything that decides
what a record means; a record that does not fit is refused here and takes the general way (masking.py).

Why: of 4.5 KB orders, a walk over ``dict[str, Raw]`` takes 17 us each, typed structs 11 us (msgspec 0.22, one core).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from retreasure_assets.entities import Mask
from retreasure_assets.privacy.masks import MaskFunction
from retreasure_assets.privacy.paths import Node, Scalar

NULL = msgspec.Raw(b"null")
encode = msgspec.json.Encoder().encode
encode_into = msgspec.json.Encoder().encode_into

_ODD_NAME = re.compile(r'[\x00-\x1f"\\]')

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


#: The general way, for the parts of a record whose form is not fixed: a value, its node, the captured values.
Walk = Callable[[msgspec.Raw, Node, "list[Scalar]"], msgspec.Raw]
#: A record, the captured values, the general way, and the payloads to add its own to.
Apply = Callable[[bytes, "list[Scalar]", Walk, bytearray], None]


def masked(value: Scalar, function: MaskFunction) -> msgspec.Raw:
    """One masked scalar as JSON; null stays null."""
    text = None if value is None else function(str(value))
    return NULL if text is None else msgspec.Raw(encode(text))


class _Source:
    """The Python source of the function that decodes a record, captures and masks in place, and encodes it.

    Written out, the steps cost 1 us an order; run over in loops of ``setattr`` they cost 6. Only attribute names made
    here get into it, nothing of a record.
    """

    def __init__(self) -> None:
        self.lines = ["def apply(record, captured, walk, payloads):", "    s0 = decode(record)"]
        self.values: dict[str, object] = {"NULL": NULL, "UNSET": msgspec.UNSET, "encode_into": encode_into}

    def add(self, depth: int, *lines: str) -> None:
        """Add lines at a depth of objects, 0 for the record itself."""
        self.lines += ["    " * (depth + 1) + line for line in lines]

    def value(self, value: object) -> str:
        """Hand a value to the function and return its name there."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return name

    def function(self, record: type[msgspec.Struct], *, rewrites: bool) -> Apply:
        """The compiled function.

        Args:
            record: the type of a record.
            rewrites: whether the payload is written anew, or is the record itself.
        """
        self.add(0, "encode_into(s0, payloads, -1)" if rewrites else "payloads += record")
        self.values["decode"] = msgspec.json.Decoder(record).decode
        exec("\n".join(self.lines), self.values)
        return cast("Apply", self.values["apply"])


class Shape:
    """One learned form of a whole record.

    Attributes:
        apply: masks one record and adds its payload to others. It raises msgspec.DecodeError where the record does not
            have this form, or is malformed; nothing was added then.
    """

    def __init__(self, root: Node, keys: _Keys, functions: Mapping[Mask, MaskFunction]) -> None:
        self._keys = keys
        source = _Source()
        # Without masks nothing is written back, so fields that no path names need not be known.
        record = _Compiler(source, functions, root.personal).struct(root, keys, 0)
        self.apply = source.function(record, rewrites=root.personal)

    @classmethod
    def learn(cls, root: Node, record: bytes, known: Shape | None, functions: Mapping[Mask, MaskFunction]) -> Shape:
        """The form of ``record`` and of every record that ``known`` was learned from.

        Args:
            root: the paths.
            record: a JSON object.
            known: what was learned before.
            functions: what each mask does.
        """
        keys = known._keys if known else _Keys()
        keys.add(root, msgspec.Raw(record))
        return cls(root, keys, functions)


@dataclass(slots=True)
class _Keys:
    """What the values at one step looked like, and the names seen in its objects."""

    names: dict[str, _Keys] = field(default_factory=dict)
    objects: int = 0
    #: In how many of its parent's objects this name was.
    present: int = 0
    lists: bool = False
    others: bool = False

    def add(self, node: Node, value: msgspec.Raw) -> None:
        """Note the form of one value at ``node``."""
        first = memoryview(value)[0:1].tobytes()
        if first == b"{":
            self._object(node, value)
        elif first == b"[":
            self.lists = True
            for item in _list(value):
                if node.items is not None and memoryview(item)[0] == 0x7B:
                    self._object(node.items, item)
                else:
                    self.others = True
        elif first != b"n":
            self.others = True

    def _object(self, node: Node, value: msgspec.Raw) -> None:
        self.objects += 1
        for name, child in _object(value).items():
            if _ODD_NAME.search(name):
                # No struct can have it; records that do take the general way.
                continue
            below = self.names.setdefault(name, _Keys())
            below.present += 1
            step = node.fields.get(name)
            if step is not None and not step.leaf:
                below.add(step, child)


@dataclass(slots=True, frozen=True)
class _Compiler:
    """Turns paths and the form seen into struct types and the source of what to do with them.

    Args:
        complete: whether the structs refuse fields that they do not know, so that none is lost.
    """

    source: _Source
    functions: Mapping[Mask, MaskFunction]
    complete: bool

    def struct(self, node: Node, keys: _Keys, depth: int) -> type[msgspec.Struct]:
        """The struct type of one object, which the source calls ``s<depth>``."""
        types: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        names: dict[str, str] = {}
        wanted: Iterable[str] = keys.names if self.complete else node.fields
        for index, name in enumerate(wanted):
            attribute = f"f{index}"
            names[attribute] = name
            seen = keys.names.get(name, _Keys())
            optional = not self.complete or seen.present < keys.objects
            step = node.fields.get(name)
            kind = msgspec.Raw if step is None else self._field(f"s{depth}.{attribute}", step, seen, optional, depth)
            types.append((attribute, kind | msgspec.UnsetType, msgspec.UNSET) if optional else (attribute, kind))
        return msgspec.defstruct(
            "Record", types, rename=names, forbid_unknown_fields=self.complete, gc=False, kw_only=True
        )

    def _field(self, field: str, node: Node, keys: _Keys, optional: bool, depth: int) -> Any:
        """Write what to do with one field and return its type."""
        add = self.source.add
        if node.leaf:
            return self._leaf(field, node, optional, depth)
        # Nulls and empty lists have whatever form is expected; should another one come, it is learned.
        plain = node.mask is None and node.capture is None and not keys.others
        below = f"s{depth + 1}"
        if plain and not keys.lists and node.items is None:
            add(depth, f"{below} = {field}", f"if {below} is not None and {below} is not UNSET:", "    pass")
            return self.struct(node, keys, depth + 1) | None
        listed = keys.lists or not keys.objects
        if plain and listed and node.items is not None and not node.fields and node.items.fields:
            add(depth, f"for {below} in {field} or ():", "    pass")
            return list[self.struct(node.items, keys, depth + 1)] | None  # type: ignore[misc]
        place = self.source.value(node)
        add(depth, f"if {field} is not UNSET:", f"    {field} = walk({field}, {place}, captured)")
        return msgspec.Raw

    def _leaf(self, field: str, node: Node, optional: bool, depth: int) -> Any:
        add = self.source.add
        if node.capture is not None:
            taken = f"captured[{node.capture}]"
            add(depth, f"if {taken} is None and {field} is not UNSET:", f"    {taken} = {field}")
        if node.mask is Mask.REDACT:
            add(depth, f"if {field} is not UNSET:" if optional else "if True:", f"    {field} = NULL")
            # A redacted value may be anything; one that is looked at is a scalar, or the general way takes it.
            return msgspec.Raw if node.capture is None else str | int | None
        if node.mask is not None:
            function = self.source.value(self.functions[node.mask])
            add(depth, f"if {field} is not UNSET and {field} is not None:", f"    {field} = {function}(str({field}))")
        return str | int | None
