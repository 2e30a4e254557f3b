"""Masking: a record's bytes in, masked JSON and the values asked for out, in one parse.

What belongs here: following paths through a record. What does not: what a mask makes of a value (masks.py), which
fields are personal (each entity declares them), and keeping the clear bytes (sealing.py).

Values that no path names are copied as the bytes they were (``msgspec.Raw``), so numbers keep their digits. Paths
fail closed: where an object with personal fields is expected and a bare value stands, that value becomes null; and
objects on the way to a personal field are always written anew, as one with two fields of one name would otherwise
keep the first one's value. So a payload that equals its record, byte for byte, tells that the record holds nothing to
mask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from retreasure_assets.entities import Mask
from retreasure_assets.privacy.masks import MaskFunction, mask_functions
from retreasure_assets.privacy.paths import Node, Scalar, build
from retreasure_assets.privacy.shapes import NULL, Shape, encode, masked

#: Shapes learned before records of ever other forms are left to the general way.
_MAX_SHAPES = 32

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_scalar = msgspec.json.Decoder(str | int | None).decode


class MalformedRecordError(Exception):
    """A record that is no JSON object; the message says why and quotes nothing of it."""


class Masker:
    """Masks the records of one entity.

    The general way walks the paths through the record. As the records of one source mostly have one form, a form
    seen is compiled to typed structs (shapes.py), which is twice as fast; whatever does not fit takes the general
    way, with the same result.

    Args:
        masks: path -> mask; without any, the payload is the record itself, byte for byte.
        capture: paths whose first value is handed out, before masking.
        pseudonym_key: the key of the mask ``pseudonym``.
    """

    def __init__(self, masks: Mapping[str, Mask], capture: Sequence[str], pseudonym_key: bytes) -> None:
        self._functions = mask_functions(pseudonym_key)
        self._root = build(masks, capture)
        self._captures = len(capture)
        self._shape: Shape | None = None
        self._learned = 0

    def __call__(self, record: bytes) -> tuple[list[Scalar], bytes]:
        """Mask one record: the values captured and the masked JSON; see ``add``."""
        payload = bytearray()
        captured = self.add(record, payload)
        return captured, bytes(payload)

    def add(self, record: bytes, payloads: bytearray) -> list[Scalar]:
        """Mask one record and add its masked JSON to others, which spares a copy of each.

        Args:
            record: JSON text, valid UTF-8 (the caller checks it).
            payloads: where the masked JSON is added.

        Returns:
            The captured values in the order of ``capture``, None where there is none.

        Raises:
            MalformedRecordError: the record is not a JSON object; nothing was added.
        """
        captured: list[Scalar] = [None] * self._captures
        shape = self._shape
        if shape is not None:
            try:
                shape.apply(record, captured, self.walk, payloads)
            except (msgspec.DecodeError, RecursionError):
                captured = [None] * self._captures
            else:
                return captured
        payloads += self._general(record, captured)
        if self._learned < _MAX_SHAPES:
            self._learned += 1
            self._shape = Shape.learn(self._root, record, self._shape, self._functions)
        return captured

    def _general(self, record: bytes, captured: list[Scalar]) -> bytes:
        try:
            fields = _object(record)
        except msgspec.ValidationError:
            raise MalformedRecordError("is not a JSON object") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise MalformedRecordError("is not valid JSON") from None
        except RecursionError:
            raise MalformedRecordError("is nested too deeply") from None
        self._fields(fields, self._root, captured)
        return encode(fields) if self._root.personal else record

    def walk(self, value: msgspec.Raw, node: Node, captured: list[Scalar]) -> msgspec.Raw:
        """Mask one value below ``node``; the same object comes back where nothing below is personal."""
        if node.capture is not None and captured[node.capture] is None:
            captured[node.capture] = _scalar_or_none(value)
        first = memoryview(value)[0]
        if first == 0x7B:  # {
            return self._object(value, node, captured)
        if first == 0x5B and node.mask is None:  # [
            items = _list(value)
            child = node.items or node
            new = [self.walk(item, child, captured) for item in items]
            return msgspec.Raw(encode(new)) if child.personal else value
        if node.mask is not None:
            return self.masked(value, node.mask)
        if node.items is not None:
            value = self.walk(value, node.items, captured)
        return NULL if node.fields and node.personal else value

    def masked(self, value: msgspec.Raw, mask: Mask) -> msgspec.Raw:
        """One masked value: objects, lists and truth values have no other mask than null."""
        function: MaskFunction = self._functions[mask]
        try:
            return masked(_scalar(value), function)
        except msgspec.DecodeError:
            return NULL

    def _object(self, value: msgspec.Raw, node: Node, captured: list[Scalar]) -> msgspec.Raw:
        if node.fields:
            fields = _object(value)
            self._fields(fields, node, captured)
            if node.personal:
                value = msgspec.Raw(encode(fields))
        if node.mask is not None:
            return NULL
        return value if node.items is None else self.walk(value, node.items, captured)

    def _fields(self, fields: dict[str, msgspec.Raw], node: Node, captured: list[Scalar]) -> None:
        for name, child in node.fields.items():
            value = fields.get(name)
            if value is not None:
                fields[name] = self.walk(value, child, captured)


def _scalar_or_none(value: msgspec.Raw) -> Scalar:
    try:
        found: Scalar = _scalar(value)
    except msgspec.DecodeError:
        return None
    return found
