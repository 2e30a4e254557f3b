"""Judging records: what each is called, when it changed, whom it names, and whether it can be read at all.

What belongs here: one pass over the bytes of a batch. What does not: keys, persons and tables (bronze.py). The bytes
are judged here and nowhere else, so that every engine that reads later finds the same records readable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import compress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retreasure_assets.collector import without_collector
from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.privacy.identities import RECORD, Namer
from retreasure_assets.privacy.keys import JudgingKeys
from retreasure_assets.privacy.masking import MalformedRecordError, Masker
from retreasure_assets.privacy.paths import Scalar

#: Values joined to one piece of memory at a time: few enough that what held them is used again, not asked anew.
_SLICE = 1_024
#: The same where the joined bytes are only looked at: few enough that they stay in the processor's cache.
_FEW = 64
#: An array of texts holds at most 2 GB; a new one is begun after so many bytes.
_CHUNK_BYTES = 1 << 30

TIMESTAMP = pa.timestamp("us", tz="UTC")
#: 9999-12-31T23:59:59Z: what is later is no number of seconds.
_LAST_SECOND = 253_402_300_799
_NO_TEXTS, _NO_BYTES = pa.chunked_array([], pa.string()), pa.chunked_array([], pa.binary())
_NO_MOMENTS = pa.nulls(0, TIMESTAMP)


@dataclass(slots=True)
class Judged:
    """Records of one batch, each once, column by column; all columns are of one length.

    Args:
        places: each record's place in the batch.
        record_ids: SHA-256 of source, entity, natural key and content, 32 hex digits.
        natural_keys: the parts joined by ``|``; null where they could not be read.
        hashes: SHA-256 of the record's own bytes, hex.
        updated: the source's change time, UTC; null where there is none or it cannot be read.
        digests: whom the record names (``Named.digests``); empty for a record that holds nothing personal. No values
            unless the entity is personal, as of ``clear``.
        clear: the same in clear (``Named.clear``).
        payloads: masked JSON text; no values for records that cannot be read.
        reasons: why a record cannot be read; no values for good ones.
        compressed: the record's own bytes as they are to be sealed (sealing.py), null for one that is not; no values
            where that is still to be done.
        dictionary: the number of the dictionary they were compressed with.
    """

    places: Sequence[int] = ()
    record_ids: pa.ChunkedArray = field(default_factory=lambda: _NO_TEXTS)
    natural_keys: pa.ChunkedArray = field(default_factory=lambda: _NO_TEXTS)
    hashes: pa.ChunkedArray = field(default_factory=lambda: _NO_TEXTS)
    updated: pa.Array = field(default_factory=lambda: _NO_MOMENTS)
    digests: pa.ChunkedArray = field(default_factory=lambda: _NO_BYTES)
    clear: pa.ChunkedArray = field(default_factory=lambda: _NO_BYTES)
    payloads: pa.ChunkedArray = field(default_factory=lambda: _NO_TEXTS)
    reasons: pa.ChunkedArray = field(default_factory=lambda: _NO_TEXTS)
    compressed: pa.ChunkedArray = field(default_factory=lambda: _NO_BYTES)
    dictionary: int = 0

    def without(self, known: pa.Array | pa.ChunkedArray) -> Judged:
        """Only those whose record id is none of the known."""
        kept = pc.invert(pc.is_in(self.record_ids, known))
        if pc.all(kept).as_py():
            return self
        left = Judged(places=list(compress(self.places, kept.to_pylist())), dictionary=self.dictionary)
        for name in self.__slots__:
            if name not in ("places", "dictionary") and len(column := getattr(self, name)):
                # Arrow's filter copies piece by piece, twenty times as fast as its take.
                setattr(left, name, column.filter(kept))
        return left


@dataclass(slots=True)
class _Found:
    """Judged records, growing; see ``Judged``."""

    places: list[int] = field(default_factory=list)
    record_ids: list[str] = field(default_factory=list)
    natural_keys: list[str | None] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    updated: list[Scalar] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    clear: list[bytes] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def judged(self, payloads: pa.ChunkedArray) -> Judged:
        """All of them, as Arrow has them."""
        count = len(self.places)
        return Judged(
            range(count) if count and self.places[-1] == count - 1 else self.places,
            _texts(self.record_ids),
            _texts(self.natural_keys),
            _texts(self.hashes),
            timestamps(self.updated, count),
            joined(self.digests, pa.binary()),
            joined(self.clear, pa.binary()),
            payloads,
            _texts(self.reasons),
        )


class RecordReader:
    """Reads the records of one entity.

    Args:
        entity: what they are.
        keys: the vault's keys for this.
    """

    def __init__(self, entity: Entity, keys: JudgingKeys) -> None:
        self._entity = entity
        paths = [*entity.natural_key]
        if entity.updated_at is not None:
            paths.append(entity.updated_at)
        if entity.personal:
            paths += [identity.path for identity in entity.identities]
        capture = list(dict.fromkeys(paths))
        self._masker = Masker(entity.masks, capture, keys.pseudonyms)
        self._name = Namer(keys.identities)
        self._key_places = [capture.index(path) for path in entity.natural_key]
        self._updated_place = None if entity.updated_at is None else capture.index(entity.updated_at)
        self._people = [
            (identity.kind, capture.index(identity.path)) for identity in entity.identities if entity.personal
        ]
        self._prefix = f"{entity.source}\n{entity.name}\n"

    def read(self, batch: RawBatch) -> tuple[Judged, Judged]:
        """Judge every record of a batch.

        Returns:
            The good records and the bad ones; together as many as the batch has different ones.
        """
        with without_collector():
            return self._read(batch)

    def _read(self, batch: RawBatch) -> tuple[Judged, Judged]:
        good, bad = _Found(), _Found()
        seen: set[str] = set()
        texts = batch.records if batch.payloads is None else batch.payloads
        problems = batch.problems
        key_places, mask, prefix = self._key_places, self._masker.add, self._prefix
        updated_place, personal = self._updated_place, self._entity.personal
        valid = all_utf8(texts)
        name, people = self._name, self._people
        sha256 = hashlib.sha256
        payloads = _Texts()
        text_of_all = payloads.content
        for place, record in enumerate(batch.records):
            digest = sha256(record).hexdigest()
            key: str | None = None
            began = len(text_of_all)
            try:
                if problems is not None and (problem := problems[place]) is not None:
                    raise MalformedRecordError(problem)
                text = texts[place]
                if not valid:
                    text.decode()
                captured = mask(text, text_of_all)
                if len(key_places) == 1:
                    value = captured[key_places[0]]
                    key = value if type(value) is str else _text(value)
                    if not key or key.isspace():
                        raise MalformedRecordError(self._without_key(captured))
                else:
                    parts = [_text(captured[at]) for at in key_places]
                    if not all(parts):
                        raise MalformedRecordError(self._without_key(captured))
                    key = "|".join(parts)
            except MalformedRecordError as error:
                del text_of_all[began:]
                self._refuse(bad, place, digest, key, str(error), seen)
                continue
            except UnicodeDecodeError:
                self._refuse(bad, place, digest, key, "is not valid UTF-8", seen)
                continue
            content = digest
            if text is not record:
                # A file's line read by a corrected mapping is another version of the record.
                content += sha256(text).hexdigest()
            record_id = sha256(f"{prefix}{key}\n{content}".encode()).hexdigest()[:32]
            if record_id in seen:
                del text_of_all[began:]
                continue
            seen.add(record_id)
            good.places.append(place)
            good.record_ids.append(record_id)
            good.natural_keys.append(key)
            good.hashes.append(digest)
            if updated_place is not None:
                good.updated.append(captured[updated_place])
            if personal:
                named = name([(kind, captured[at]) for kind, at in people])
                if not named.digests and not (
                    len(text_of_all) - began == len(record) and text_of_all[began:] == record
                ):
                    # One that names nobody and in which nothing was masked is about nobody; everybody may read it.
                    # Any other has a subject of its own, the same whenever this record comes again, who can be
                    # forgotten.
                    named = name([(RECORD, f"{self._entity.source}|{self._entity.name}|{key}")])
                good.digests.append(named.digests)
                good.clear.append(named.clear)
            text_of_all = payloads.end()
        return good.judged(payloads.array()), bad.judged(_NO_TEXTS)

    def _without_key(self, captured: list[Scalar]) -> str:
        missing = [
            path for path, at in zip(self._entity.natural_key, self._key_places, strict=True) if not _text(captured[at])
        ]
        return f"has no {' and no '.join(missing)}"

    def _refuse(self, bad: _Found, place: int, digest: str, key: str | None, reason: str, seen: set[str]) -> None:
        record_id = hashlib.sha256(f"{self._prefix}\n{digest}".encode()).hexdigest()[:32]
        if record_id in seen:
            return
        seen.add(record_id)
        bad.places.append(place)
        bad.record_ids.append(record_id)
        bad.natural_keys.append(key or None)
        bad.hashes.append(digest)
        bad.reasons.append(reason)


class _Texts:
    """Texts one after the other in one piece of memory, the form in which Arrow has them.

    Whoever adds a text appends it to ``content`` and then says ``end``.
    """

    def __init__(self) -> None:
        self.content = bytearray()
        self._ends = [0]
        self._chunks: list[pa.Array] = []

    def end(self) -> bytearray:
        """The text added is complete; where the next one is to be added."""
        self._ends.append(len(self.content))
        if len(self.content) > _CHUNK_BYTES:
            self._cut()
        return self.content

    def array(self) -> pa.ChunkedArray:
        """All texts; none may be added after."""
        if len(self._ends) > 1:
            self._cut()
        return pa.chunked_array(self._chunks, pa.string())

    def _cut(self) -> None:
        offsets = pa.py_buffer(np.array(self._ends, np.int32))
        buffers = [None, offsets, pa.py_buffer(self.content)]
        self._chunks.append(pa.Array.from_buffers(pa.string(), len(self._ends) - 1, buffers))
        self.content, self._ends = bytearray(), [0]


def joined(values: Sequence[bytes | None], kind: pa.DataType) -> pa.ChunkedArray:
    """Bytes, or texts judged as UTF-8 before, as an array."""
    parts = (values[start : start + _SLICE] for start in range(0, len(values), _SLICE))
    return pa.chunked_array([array for part in parts for array in _arrays(part, kind)], kind)


def all_utf8(texts: Sequence[bytes]) -> bool:
    """Whether all of them are valid UTF-8; Arrow sees that in a quarter of the time that decoding each takes."""
    doubtful = [text for text in texts if not text.isascii()]
    try:
        for start in range(0, len(doubtful), _FEW):
            joined(doubtful[start : start + _FEW], pa.string()).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _texts(values: Sequence[str | None]) -> pa.ChunkedArray:
    return joined([None if value is None else value.encode() for value in values], pa.string())


def _arrays(values: Sequence[bytes | None], kind: pa.DataType) -> list[pa.Array]:
    """Some values as arrays, one where they fit; Arrow's own way, value by value, takes three times as long."""
    if not values:
        return []
    sizes = np.fromiter((0 if value is None else len(value) for value in values), np.int64, len(values))
    if sizes.sum() > _CHUNK_BYTES and len(values) > 1:
        half = len(values) // 2
        return _arrays(values[:half], kind) + _arrays(values[half:], kind)
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    present, content = None, list(filter(None, values))
    if None in values:
        there = np.fromiter((value is not None for value in values), np.bool_, len(values))
        present = pa.py_buffer(np.packbits(there, bitorder="little"))
    buffers = [present, pa.py_buffer(offsets), pa.py_buffer(b"".join(content))]
    return [pa.Array.from_buffers(kind, len(values), buffers)]


def timestamps(values: Sequence[Scalar], length: int) -> pa.Array:
    """ISO 8601 dates and times, or whole numbers of epoch seconds, as UTC timestamps; null where there is none or it
    cannot be read.

    Args:
        values: as the source wrote them, or nothing for an entity without change times.
        length: how many there are.
    """
    if not values:
        return pa.nulls(length, TIMESTAMP)
    try:
        if type(values[0]) is int:
            moments = pa.array(values, pa.int64())
            if pc.max(moments).as_py() <= _LAST_SECOND and pc.min(moments).as_py() >= 0:
                return pc.cast(moments.cast(pa.timestamp("s", tz="UTC")), TIMESTAMP)
            return pa.array([_timestamp(value) for value in values], TIMESTAMP)
        texts = [value for value in values if not isinstance(value, int)]
        if len(texts) == len(values):
            return pc.cast(_texts(texts), TIMESTAMP).combine_chunks()
        return pa.array([_timestamp(value) for value in values], TIMESTAMP)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([_timestamp(value) for value in values], TIMESTAMP)


def _timestamp(value: Scalar) -> datetime | None:
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(str(value).strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: Scalar) -> str:
    return "" if value is None else str(value).strip()
