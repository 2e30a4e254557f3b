"""The sealed column of bronze: which records of a batch are sealed, with whose key and which dictionary.

What belongs here: choosing. What does not: the format of a sealed blob (privacy/sealing.py), keys and persons
(privacy/vault.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.columns import column_of
from retreasure_assets.lake.records import Judged
from retreasure_assets.privacy import sealing
from retreasure_assets.privacy.vault import Vault

_SLICE = 2_048


class BatchSealer:
    """Seals the records of batches with the keys of one vault. Not for several threads at once."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._sealers: dict[str, sealing.Sealer] = {}
        self._unowned = AESGCM(vault.keys.unowned)

    def seal(self, batch: RawBatch, judged: Judged, owners: Sequence[str | None]) -> pa.Array | pa.ChunkedArray:
        """The records' own bytes, sealed; null where the payload is the record itself, byte for byte.

        Args:
            batch: what was received.
            judged: records of it, all readable or all not.
            owners: the person of each, None for a record that holds nothing personal; empty for records of an entity
                that is not personal and for those that cannot be read.
        """
        count = len(judged.places)
        readable = len(judged.payloads) > 0
        if readable and batch.payloads is None and not any(owners):
            return pa.nulls(count, pa.binary())
        sealer = self._sealer(batch.entity, judged.payloads)
        sealed: list[bytes | None] = [None] * count
        record_ids = judged.record_ids.to_pylist()
        rows = [row for row, owner in enumerate(owners) if owner] if owners else range(count)
        keys = self._vault.keys_of([owner for owner in owners if owner]) if owners else []
        # Compressed already, where the helper knew the dictionary.
        known = judged.compressed.to_pylist() if judged.dictionary == sealer.dictionary.number else []
        for start in range(0, len(rows), _SLICE):
            part = rows[start : start + _SLICE]
            if known:
                data = [known[row] for row in part]
            else:
                data = sealer.compress([batch.records[judged.places[row]] for row in part])
            blobs = sealer.seal(
                map(AESGCM, keys[start : start + _SLICE]) if owners else repeat(self._unowned, len(part)),
                data,
                [record_ids[row] for row in part],
            )
            for row, blob in zip(part, blobs, strict=True):
                sealed[row] = blob
        return column_of(sealed, pa.binary())

    def dictionary(self, entity: Entity) -> sealing.Dictionary:
        """What records of the entity are compressed with, as far as is known yet. For any thread."""
        sealer = self._sealers.get(entity.table)
        return sealing.NO_DICTIONARY if sealer is None else sealer.dictionary

    def _sealer(self, entity: Entity, payloads: pa.ChunkedArray) -> sealing.Sealer:
        """The entity's sealer; the first batch that is large enough trains its dictionary."""
        sealer = self._sealers.get(entity.table)
        if sealer is None or (not sealer.dictionary.number and len(payloads) >= sealing.MIN_SAMPLES):
            found = self._vault.dictionaries.newest(entity.table)
            if found is None and (content := sealing.train(_samples(payloads))) is not None:
                found = (self._vault.dictionaries.add(entity.table, content), content)
            dictionary = sealing.Dictionary(*found) if found else sealing.NO_DICTIONARY
            sealer = self._sealers[entity.table] = sealing.Sealer(dictionary)
        return sealer


def compressed(batch: RawBatch, judged: Judged, compress: sealing.Compressor) -> pa.ChunkedArray:
    """The records that ``seal`` will seal, compressed; null in the place of the others.

    Args:
        batch: what was received.
        judged: records of it, all readable.
        compress: with the entity's dictionary.
    """
    if batch.entity.personal:
        rows = [row for row, digests in enumerate(judged.digests.to_pylist()) if digests]
    else:
        rows = [] if batch.payloads is None else [*range(len(judged.places))]
    found: list[bytes | None] = [None] * len(judged.places)
    for start in range(0, len(rows), _SLICE):
        part = rows[start : start + _SLICE]
        data = compress([batch.records[judged.places[row]] for row in part])
        for row, one in zip(part, data, strict=True):
            found[row] = one
    return column_of(found, pa.binary())


def _samples(payloads: pa.ChunkedArray) -> list[bytes]:
    """Payloads from everywhere in the batch, as many as train a dictionary."""
    step = max(1, len(payloads) // sealing.MAX_SAMPLES)
    samples: list[bytes] = (
        payloads.take(pa.array(range(0, len(payloads), step), pa.int64())).cast(pa.binary()).to_pylist()
    )
    return samples
