"""Messages between two processes of the platform: Python objects, and what they hold of large memory, over a socket.

What belongs here: sending and receiving. What does not: what is said (helpers.py).

A message is its number of buffers, their lengths, and they: the pickled object, and what it holds of large memory.
"""

from __future__ import annotations

import pickle
import socket
import struct
from typing import Any

import pyarrow as pa

_NUMBER = struct.Struct("=Q")


def send(line: socket.socket, message: object) -> None:
    """Send a message; a socket takes a whole batch in one call.

    A pipe would take it in pieces of 64 KB, and after each of them the interpreter's lock has to be waited for.

    Raises:
        OSError: the other side is gone.
    """
    large: list[pickle.PickleBuffer] = []
    parts = [memoryview(pickle.dumps(message, pickle.HIGHEST_PROTOCOL, buffer_callback=large.append))]
    parts += [buffer.raw() for buffer in large]
    line.sendall(b"".join(map(_NUMBER.pack, (len(parts), *(part.nbytes for part in parts)))))
    for part in parts:
        line.sendall(part)


def receive(line: socket.socket) -> Any:
    """The next message.

    Raises:
        EOFError, OSError: the other side is gone.
        pickle.UnpicklingError: it cannot be understood.
    """
    [count] = _NUMBER.unpack(_bytes(line, _NUMBER.size))
    sizes = [size for (size,) in _NUMBER.iter_unpack(_bytes(line, count * _NUMBER.size))]
    message, *large = (_bytes(line, size) for size in sizes)
    return pickle.loads(message, buffers=large)


def _bytes(line: socket.socket, size: int) -> memoryview:
    # Unlike a bytearray it is not written full of zeros first, and unlike numpy's it was there for the last message.
    content = memoryview(pa.allocate_buffer(size))
    done = 0
    while done < size:
        received = line.recv_into(content[done:], size - done, socket.MSG_WAITALL)
        if not received:
            raise EOFError
        done += received
    return content
