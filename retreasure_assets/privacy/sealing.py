"""Sealing: a record's exact bytes, compressed and encrypted with one person's key.

What belongs here: the format of a sealed blob. What does not: where keys come from (vault.py).

A blob is ``version (1 byte) | dictionary (2 bytes, big-endian) | nonce (12) | AES-256-GCM ciphertext and tag`` of the
zstd-compressed bytes. The header and the record's id are authenticated with it, so that a blob moved to another
record does not open. Dictionary 0 is none. Dictionaries are trained on masked payloads, so that forgetting a person
leaves no substring of theirs behind in one.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retreasure_assets.errors import VaultError

FORMAT = 1
_HEADER = struct.Struct(">BH")
_NONCE = 12
_LEVEL = 1
#: A record is never larger than this; a forged blob must not fill the memory.
_MAX_RECORD = 1 << 30
#: Fewer records train a dictionary that does not pay for itself.
MIN_SAMPLES = 200
#: More train no better one.
MAX_SAMPLES = 1_000
_DICTIONARY_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A trained zstd dictionary and the number that blobs name it by; 0 is none."""

    number: int
    content: bytes


NO_DICTIONARY = Dictionary(0, b"")


def train(payloads: Sequence[bytes]) -> bytes | None:
    """Train a dictionary on masked payloads; None when there are too few or too small ones."""
    if len(payloads) < MIN_SAMPLES:
        return None
    samples: list[bytes | bytearray | memoryview] = list(payloads)
    try:
        return zstandard.train_dictionary(_DICTIONARY_BYTES, samples, level=_LEVEL).as_bytes()
    except zstandard.ZstdError:
        return None


class Compressor:
    """Compresses records of one entity. Not for several threads at once."""

    def __init__(self, dictionary: Dictionary) -> None:
        data = None
        if dictionary.content:
            data = zstandard.ZstdCompressionDict(dictionary.content)
            data.precompute_compress(level=_LEVEL)
        self._compressor = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=data, write_dict_id=False, write_content_size=True
        )

    def __call__(self, records: Sequence[bytes]) -> list[bytes]:
        """Each record, compressed."""
        # One call for all gives the interpreter lock away once, not per record.
        if all(records) and len(records) > 1:
            segments = self._compressor.multi_compress_to_buffer(list(records))
            return [segments[place].tobytes() for place in range(len(segments))]
        return [*map(self._compressor.compress, records)]


class Sealer:
    """Seals records of one entity. Not for several threads at once.

    Args:
        dictionary: what records are compressed with.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        self.compress = Compressor(dictionary)
        self._header = _HEADER.pack(FORMAT, dictionary.number)

    def seal(self, ciphers: Iterable[AESGCM], compressed: Sequence[bytes], record_ids: Sequence[str]) -> list[bytes]:
        """Seal each compressed record with its person's cipher, as many as there are records.

        A cipher is 2.4 KB: one that is made when its turn comes and dropped after costs half of one of a list.
        """
        nonces = secrets.token_bytes(_NONCE * len(compressed))
        header = self._header
        sealed = []
        at = 0
        for cipher, data, record_id in zip(ciphers, compressed, record_ids, strict=True):
            nonce = nonces[at : at + _NONCE]
            at += _NONCE
            sealed.append(header + nonce + cipher.encrypt(nonce, data, header + record_id.encode()))
        return sealed


class Unsealer:
    """Opens blobs.

    Args:
        dictionaries: every dictionary of the vault by its number.
    """

    def __init__(self, dictionaries: Mapping[int, bytes]) -> None:
        self._decompressors = {0: zstandard.ZstdDecompressor()} | {
            number: zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(content))
            for number, content in dictionaries.items()
        }

    def unseal(self, key: bytes, blob: bytes, record_id: str) -> bytes:
        """The record's exact bytes.

        Raises:
            VaultError: another key, another record, a damaged blob, or a dictionary that the vault does not hold.
        """
        failure = VaultError(
            f"The sealed bytes of record {record_id} cannot be opened.",
            remedy="They were changed, or belong to another record, person or vault: restore them from a backup.",
        )
        if len(blob) < _HEADER.size + _NONCE:
            raise failure
        version, number = _HEADER.unpack_from(blob)
        decompressor = self._decompressors.get(number)
        if version != FORMAT or decompressor is None:
            raise failure
        nonce = blob[_HEADER.size : _HEADER.size + _NONCE]
        aad = blob[: _HEADER.size] + record_id.encode()
        try:
            data = AESGCM(key).decrypt(nonce, blob[_HEADER.size + _NONCE :], aad)
            return decompressor.decompress(data, max_output_size=_MAX_RECORD)
        except (InvalidTag, zstandard.ZstdError):
            raise failure from None
