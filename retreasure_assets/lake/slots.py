"""Memory that two processes share: one fills slots of it, the other reads them where they are.

What belongs here: the slots, and which of them are free. What does not: what is said about them (messages.py).

Through a socket all is copied into the system and out of it again; here it is copied once, to memory that was there
before. A slot is free again as soon as the reader holds nothing of it.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable, Sequence
from itertools import accumulate

import pyarrow as pa

#: Slots of one direction: more than there are batches under way. Who finds none free has the socket.
SLOTS = 6
#: Room for the largest usual batch. What of it is not written takes no memory.
SLOT_BYTES = 64 << 20
#: Before the slots: a byte for each that tells whether it is taken.
_HEAD = mmap.PAGESIZE
_FREE, _TAKEN = 0, 1
#: Where Arrow likes its buffers to begin.
_ALIGNED = 64
#: Pieces that the system takes in one call (IOV_MAX of Linux).
_PIECES = 1_024

#: Bytes that stand one after the other once they are shared.
Pieces = Sequence[bytes | memoryview]


class SlotWriter:
    """The side that fills slots. For one thread.

    Raises:
        OSError: the system has no memory to be shared without a name, or no more of it.
    """

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise OSError("only Linux has memory that is shared without a name")
        self._file = os.fdopen(os.memfd_create("retreasure"), "r+b", buffering=0)
        self._file.truncate(_HEAD + SLOTS * SLOT_BYTES)

    @property
    def descriptor(self) -> int:
        """Of the memory, for who is to read it."""
        return self._file.fileno()

    def put(self, parts: Sequence[Pieces], sizes: Sequence[int]) -> int | None:
        """Fill a free slot.

        Args:
            parts: what to put there.
            sizes: the bytes of each part.

        Returns:
            The slot's number; None where none is free, or none is large enough.

        Raises:
            OSError: there is no memory left.
        """
        slot = os.pread(self.descriptor, SLOTS, 0).find(_FREE)
        *places, end = _places(sizes)
        if slot < 0 or end > SLOT_BYTES:
            return None
        os.pwrite(self.descriptor, bytes([_TAKEN]), slot)
        first = _HEAD + slot * SLOT_BYTES
        for place, pieces, size in zip(places, parts, sizes, strict=True):
            if self._write(pieces, first + place) != size:
                raise OSError("the memory shared with another process is full")
        return slot

    def close(self) -> None:
        """Fill no more; what is read of it stays."""
        self._file.close()

    def _write(self, pieces: Pieces, at: int) -> int:
        """Write pieces one after the other, and say how many bytes the system took."""
        written = 0
        for start in range(0, len(pieces), _PIECES):
            written += os.pwritev(self.descriptor, pieces[start : start + _PIECES], at + written)
        return written


class SlotReader:
    """The side that reads them. For any thread.

    Args:
        descriptor: of the memory; it is closed.
    """

    def __init__(self, descriptor: int) -> None:
        try:
            self._memory = mmap.mmap(descriptor, _HEAD + SLOTS * SLOT_BYTES)
        finally:
            os.close(descriptor)
        self._address = pa.py_buffer(self._memory).address

    def take(self, slot: int, sizes: Sequence[int]) -> list[pa.Buffer]:
        """The parts of a slot; it is free once all of them are gone.

        Args:
            slot: its number.
            sizes: the bytes of each part.
        """
        lease = _Lease(self._memory, slot)
        first = self._address + _HEAD + slot * SLOT_BYTES
        *places, _end = _places(sizes)
        return [pa.foreign_buffer(first + place, size, lease) for place, size in zip(places, sizes, strict=True)]


class _Lease:
    """Held by all that is read of one slot, and holds the memory."""

    __slots__ = ("_memory", "_process", "_slot")

    def __init__(self, memory: mmap.mmap, slot: int) -> None:
        self._memory = memory
        self._slot = slot
        self._process = os.getpid()

    # What it needs are defaults, as modules are emptied when the interpreter ends.
    def __del__(self, free: int = _FREE, process: Callable[[], int] = os.getpid) -> None:
        # A fork of the reader has the same memory before it, but what it lets go the reader may still hold.
        if process() == self._process:
            self._memory[self._slot] = free


def _places(sizes: Sequence[int]) -> list[int]:
    """Where each part begins in a slot, and where one more would."""
    return [*accumulate((size + -size % _ALIGNED for size in sizes), initial=0)]
