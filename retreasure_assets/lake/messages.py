"""Messages between two processes of the platform: Python objects, and what they hold of large memory.

What belongs here: sending and receiving. What does not: what is said (helpers.py), and shared memory itself (slots.py).

A message is its number of parts, the slot of shared memory that they are in (from 1; 0 for none), the length of the
pickled object and those of the parts; then the object; and then the parts, where they are in no slot: what the object
holds of large memory, and texts. With the first slot goes the descriptor of the memory.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa

from retreasure_assets.lake.slots import Pieces, SlotReader, SlotWriter

_NUMBER = struct.Struct("=Q")


class Line:
    """One side of a talk. One thread may send while another one receives.

    Args:
        line: a socket of this machine to the other side.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        # It takes no memory before it is written to; where there is none, the socket takes all.
        try:
            self._outgoing: SlotWriter | None = SlotWriter()
        except OSError:
            self._outgoing = None
        self._incoming: SlotReader | None = None
        #: Whether the other side has the descriptor.
        self._told = False

    def send(self, message: object, texts: Sequence[Sequence[bytes]] = ()) -> None:
        """Send a message.

        Args:
            message: an object.
            texts: lists of bytes, each of which arrives in one piece.

        Raises:
            OSError: the other side is gone, or there is no memory left.
        """
        large: list[pickle.PickleBuffer] = []
        content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL, buffer_callback=large.append)
        parts: list[Pieces] = [*([buffer.raw()] for buffer in large), *texts]
        sizes = [sum(map(len, pieces)) for pieces in parts]
        slots = self._outgoing
        slot = slots.put(parts, sizes) if slots is not None and any(sizes) else None
        place = 0 if slot is None else 1 + slot
        self._line.sendall(b"".join(map(_NUMBER.pack, (len(sizes), place, len(content), *sizes))) + content)
        if slots is None or slot is None:
            for pieces in parts:
                # In one call: after each of several the interpreter's lock would have to be waited for.
                self._line.sendall(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        elif not self._told:
            socket.send_fds(self._line, [b"\0"], [slots.descriptor])
            self._told = True

    def receive(self) -> tuple[Any, list[pa.Buffer]]:
        """The next message, and its texts.

        Raises:
            EOFError, OSError: the other side is gone.
            pickle.UnpicklingError: it cannot be understood.
        """
        count, place, size = self._numbers(3)
        sizes = self._numbers(count)
        content = self._bytes(size)
        if place:
            if self._incoming is None:
                _, descriptors, _, _ = socket.recv_fds(self._line, 1, 1)
                if not descriptors:
                    raise EOFError
                self._incoming = SlotReader(descriptors[0])
            parts = iter(self._incoming.take(place - 1, sizes))
        else:
            parts = iter([*map(self._bytes, sizes)])
        # The object takes what it holds; what is left are the texts.
        return pickle.loads(content, buffers=parts), [*parts]

    def hang_up(self) -> None:
        """Say and hear nothing more; whoever waits on the line need not any longer."""
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Release the line, and the memory as soon as nothing of it is held; nobody may be using it."""
        self._line.close()
        self._incoming = None
        if self._outgoing is not None:
            self._outgoing.close()

    def _numbers(self, count: int) -> list[int]:
        return [number for (number,) in _NUMBER.iter_unpack(self._bytes(count * _NUMBER.size))]

    def _bytes(self, size: int) -> pa.Buffer:
        # Unlike a bytearray it is not written full of zeros, and unlike numpy's it was there for the last message.
        buffer = pa.allocate_buffer(size)
        content = memoryview(buffer)
        done = 0
        while done < size:
            received = self._line.recv_into(content[done:], size - done, socket.MSG_WAITALL)
            if not received:
                raise EOFError
            done += received
        return buffer
