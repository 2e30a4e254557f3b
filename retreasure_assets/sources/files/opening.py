"""Opening a dropped file: compression, integrity, content hash, and whole lines in bounded blocks.

What belongs here: everything about a file as bytes. What does not: its text and columns (``split``).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from retreasure_assets.errors import MalformedInputError, PermanentSourceError

#: A block ends with the first chunk that brings it to this many lines or bytes.
BLOCK_LINES = 50_000
BLOCK_BYTES = 16 << 20
#: No record of an export is longer; more without a line end is no text file.
LINE_BYTES = 32 << 20

_CHUNK = 1 << 19
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_REFUSED = {
    b"PK\x03\x04": "a ZIP or Excel file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"%PDF": "a PDF",
}
_TRY_AGAIN = "Drop it again under another name and rename it into place; it is read again once it has changed."


class Stream(Protocol):
    """What blocks are read from."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells whether a file has been read before.

    Args:
        size: bytes as they lie on disk.
        mtime_ns: its modification time.
        sha256: hash of those bytes, hex.
    """

    size: int
    mtime_ns: int
    sha256: str


class DroppedFile:
    """One open file, hashed and found whole.

    A damaged archive is found out before its first record is used, so nothing of it is ever half-loaded; that
    pass costs a tenth of what reading the records does (gzip: 500 MB/s).

    Args:
        path: the file.
        label: its name in messages and origins, relative to the folder of its entity.

    Raises:
        PermanentSourceError: it may not be read.
    """

    def __init__(self, path: Path, label: str) -> None:
        self.label = label
        self._streams: list[BufferedReader] = []
        try:
            self._file: BufferedReader = path.open("rb")
        except OSError as error:
            raise unreadable(f"the file {label}", error) from None

    def __enter__(self) -> DroppedFile:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (*self._streams, self._file):
            file.close()

    def identify(self) -> Identity:
        """Hash the file.

        Raises:
            PermanentSourceError: it cannot be read to its end.
        """
        try:
            self._file.seek(0)
            sha256 = hashlib.file_digest(self._file, "sha256").hexdigest()
        except OSError as error:
            raise unreadable(f"the file {self.label}", error) from None
        return Identity(*self._state(), sha256)

    def check(self) -> None:
        """Make sure that there is something in it and that an archive is whole.

        Raises:
            MalformedInputError: it is empty, of a kind that cannot be read, truncated or damaged.
        """
        if self._state()[0] == 0:
            raise MalformedInputError(f"The file {self.label} is empty.", remedy="Export it again, or remove it.")
        head = self._head()
        for magic, what in _REFUSED.items():
            if head.startswith(magic):
                raise MalformedInputError(
                    f"The file {self.label} is {what}, not text.",
                    remedy="Export it as CSV or JSON Lines; gzip and zstd are fine.",
                )
        if self._compression():
            stream = self.open()
            while stream.read(_CHUNK):
                pass

    def unchanged_since(self, identity: Identity) -> bool:
        """Whether nobody wrote to the file since it was identified."""
        return self._state() == (identity.size, identity.mtime_ns)

    def open(self) -> Stream:
        """Its decompressed content from the beginning; one stream at a time."""
        codec = self._compression()
        # Arrow closes what it reads from, and this file is read more than once.
        file = os.fdopen(os.dup(self._file.fileno()), "rb")
        self._streams.append(file)
        file.seek(0)
        return _Guarded(pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec) if codec else file, self.label)

    def _compression(self) -> str | None:
        head = self._head()
        return next((codec for magic, codec in _MAGIC.items() if head.startswith(magic)), None)

    def _head(self) -> bytes:
        self._file.seek(0)
        return self._file.read(8)

    def _state(self) -> tuple[int, int]:
        stat = os.fstat(self._file.fileno())
        return stat.st_size, stat.st_mtime_ns


class _Guarded:
    """A stream whose failures name the file."""

    def __init__(self, stream: Stream, label: str) -> None:
        self._stream = stream
        self._label = label

    def read(self, size: int, /) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            if error.errno is not None:
                raise unreadable(f"the file {self._label}", error) from None
            raise MalformedInputError(
                f"The compressed file {self._label} is truncated or damaged; nothing of it was loaded.",
                remedy="Copy or export it again; it is read again once it has changed.",
            ) from None


def unreadable(what: str, error: OSError) -> PermanentSourceError:
    """The error for ``the file x`` or ``the folder y`` that the system refuses to read."""
    if isinstance(error, PermissionError):
        return PermanentSourceError(f"No rights to read {what}.", remedy="Give this user the right to read it.")
    why = os.strerror(error.errno) if error.errno else "input or output failed"
    return PermanentSourceError(
        f"{what[0].upper()}{what[1:]} cannot be read: {why}.",
        remedy="Check the disk and the folder.",
    )


def blocks(stream: Stream, newline: bytes, label: str) -> Iterator[bytes]:
    """Cut a stream into blocks of whole physical lines, about ``BLOCK_LINES`` or ``BLOCK_BYTES`` each.

    Args:
        stream: the decompressed content.
        newline: the line end as bytes; its length is the size of a code unit, on which it must be aligned.
        label: the file's name for messages.

    Raises:
        MalformedInputError: a line is too long to be one.
    """
    kept: list[bytes] = []
    lines = size = 0
    while True:
        chunk = stream.read(_CHUNK)
        kept.append(chunk)
        size += len(chunk)
        lines += chunk.count(newline)
        if chunk and lines < BLOCK_LINES and size < BLOCK_BYTES:
            continue
        data = b"".join(kept)
        cut = _after_last(data, newline) if chunk else len(data)
        if size - cut > LINE_BYTES:
            raise MalformedInputError(
                f"The file {label} has a line of more than {LINE_BYTES >> 20} MB.",
                remedy="Make sure that it is CSV or JSON Lines with a line end after each record.",
            )
        if cut:
            yield data[:cut]
        if not chunk:
            return
        kept = [data[cut:]]
        lines, size = 0, size - cut


def _after_last(data: bytes, newline: bytes) -> int:
    """Where the last whole line ends."""
    unit = len(newline)
    found = data.rfind(newline)
    while found >= 0 and found % unit:
        found = data.rfind(newline, 0, found + unit - 1)
    return found + unit if found >= 0 else 0
