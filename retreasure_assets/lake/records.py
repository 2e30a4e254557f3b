"""Judging records: what each is called, when it changed, whom it names, and whether it can be read at all.

What belongs here: one pass over the bytes of a batch. What does not: keys, persons and tables (bronze.py). The bytes
are judged here and nowhere else, so that every engine that reads later finds the same records readable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import itemgetter

import pyarrow as pa
import pyarrow.compute as pc

from retreasure_assets.collector import without_collector
from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.columns import (
    TIMESTAMP,
    GrowingTexts,
    all_utf8,
    column_of,
    timestamps,
    without_copy,
)
from retreasure_assets.privacy.identities import RECORD, Namer
from retreasure_assets.privacy.keys import JudgingKeys
from retreasure_assets.privacy.masking import MalformedRecordError, Masker
from retreasure_assets.privacy.paths import Scalar

_NO_TEXTS, _NO_BYTES = pa.chunked_array([], pa.string()), pa.chunked_array([], pa.binary())
#: Hex digits of a record id.
ID_DIGITS = 32
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
                setattr(left, name, without_copy(column, kept) if name == "payloads" else column.filter(kept))
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
            column_of(self.record_ids, pa.string()),
            column_of(self.natural_keys, pa.string()),
            column_of(self.hashes, pa.string()),
            timestamps(self.updated, count),
            column_of(self.digests, pa.binary()),
            column_of(self.clear, pa.binary()),
            payloads,
            column_of(self.reasons, pa.string()),
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
        people = [identity for identity in entity.identities if entity.personal]
        self._people = _picker([capture.index(identity.path) for identity in people])
        self._name_people = self._name.of_kinds([identity.kind for identity in people])
        self._key_places = [capture.index(path) for path in entity.natural_key]
        self._key = _picker(self._key_places)
        self._updated_place = None if entity.updated_at is None else capture.index(entity.updated_at)
        self._prefix = f"{entity.source}\n{entity.name}\n"

    def read(self, batch: RawBatch, utf8: bool | None = None) -> tuple[Judged, Judged]:
        """Judge every record of a batch.

        Args:
            batch: the records.
            utf8: whether all that is read of them is known to be valid UTF-8, or not to be; looked for where None.

        Returns:
            The good records and the bad ones; together as many as the batch has different ones.
        """
        with without_collector():
            return self._read(batch, utf8)

    def _read(self, batch: RawBatch, utf8: bool | None) -> tuple[Judged, Judged]:
        good, bad = _Found(), _Found()
        seen: set[str] = set()
        contents = batch.records if batch.payloads is None else batch.payloads
        problems = batch.problems
        key_of, single, mask, prefix = self._key, len(self._key_places) == 1, self._masker.add, self._prefix
        updated_place, personal = self._updated_place, self._entity.personal
        valid = all_utf8(contents) if utf8 is None else utf8
        name, people = self._name_people, self._people
        sha256 = hashlib.sha256
        payloads = GrowingTexts()
        text_of_all = payloads.content
        for place, record in enumerate(batch.records):
            digest = sha256(record).hexdigest()
            key: str | None = None
            began = len(text_of_all)
            try:
                if problems is not None and (problem := problems[place]) is not None:
                    raise MalformedRecordError(problem)
                text = contents[place]
                if not valid:
                    text.decode()
                captured = mask(text, text_of_all)
                if single:
                    [value] = key_of(captured)
                    key = value if type(value) is str else _text(value)
                    if not key or key.isspace():
                        raise MalformedRecordError(self._without_key(captured))
                else:
                    parts = [*map(_text, key_of(captured))]
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
            record_id = sha256(f"{prefix}{key}\n{content}".encode()).hexdigest()[:ID_DIGITS]
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
                named = name(*people(captured))
                if not named.digests and not (
                    len(text_of_all) - began == len(record) and text_of_all[began:] == record
                ):
                    # One that names nobody and in which nothing was masked is about nobody; everybody may read it.
                    # Any other has a subject of its own, the same whenever this record comes again, who can be
                    # forgotten.
                    named = self._name([(RECORD, f"{self._entity.source}|{self._entity.name}|{key}")])
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
        record_id = hashlib.sha256(f"{self._prefix}\n{digest}".encode()).hexdigest()[:ID_DIGITS]
        if record_id in seen:
            return
        seen.add(record_id)
        bad.places.append(place)
        bad.record_ids.append(record_id)
        bad.natural_keys.append(key or None)
        bad.hashes.append(digest)
        bad.reasons.append(reason)


class Readers:
    """A reader for each entity.

    Args:
        keys: the vault's keys for this.
    """

    def __init__(self, keys: JudgingKeys) -> None:
        self._keys = keys
        self._readers: dict[str, tuple[Entity, RecordReader]] = {}

    def read(self, batch: RawBatch, utf8: bool | None = None) -> tuple[Judged, Judged]:
        """Judge every record of a batch; see ``RecordReader.read``."""
        entity, reader = self._readers.get(batch.entity.table, (None, None))
        if reader is None or entity != batch.entity:
            reader = RecordReader(batch.entity, self._keys)
            self._readers[batch.entity.table] = batch.entity, reader
        return reader.read(batch, utf8)


def _picker(places: Sequence[int]) -> Callable[[list[Scalar]], Sequence[Scalar]]:
    """A function from many values to those at these places."""
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


def _text(value: Scalar) -> str:
    return "" if value is None else str(value).strip()
