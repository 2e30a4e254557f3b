"""Judging batches on another core: a helper process for large inputs.

What belongs here: when the helper pays, and the talk with it. What does not: judging itself (records.py), and what is
sealed (sealed.py).

The helper gets bytes and gives judged records back, compressed for sealing as soon as the dictionary is known. It
touches neither lake nor vault and writes no file, so it may be killed at any moment; it ends when this process does, as
its input then ends. Whatever it cannot do is done here.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from queue import SimpleQueue
from typing import Any

import pyarrow as pa

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.records import Judged, RecordReader
from retreasure_assets.lake.sealed import compressed
from retreasure_assets.privacy.keys import JudgingKeys
from retreasure_assets.privacy.sealing import NO_DICTIONARY, Compressor, Dictionary

#: Of a batch this large there mostly are more to come; the second one starts the helper, which costs half a second.
_LARGE_BYTES = 4 << 20
_START = "from retreasure_assets.lake.judging import serve; serve()"
#: A message is its number of buffers, their lengths, and they: the pickled object, and what it holds of large memory.
_NUMBER = struct.Struct("=Q")
#: Where memory of this size is given back and asked for again with every batch, its pages are made anew each time.
_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}


class Judge:
    """Judges batches, in order. For one thread.

    Args:
        keys: the vault's keys for this.
        dictionary: what an entity's records are compressed with, as far as is known yet.
        helper: whether a process may be started; where processes do not take over sockets (Windows) none is.

    Attributes:
        hurried: whether somebody waits for its answers, and so has the time to compress what is to be sealed.
    """

    hurried = False

    def __init__(self, keys: JudgingKeys, dictionary: Callable[[Entity], Dictionary], *, helper: bool) -> None:
        self._keys = keys
        self._dictionary = dictionary
        self._told: set[int] = set()
        self._readers = _Readers(keys)
        # While the helper judges a batch it is given the next one, so that it never waits.
        self._asker = ThreadPoolExecutor(1, "judge-questions")
        self._listener = ThreadPoolExecutor(1, "judge-answers")
        self._allowed = helper and os.name == "posix"
        self._large = 0
        self._helper: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def submit(self, batch: RawBatch) -> Future[tuple[Judged, Judged]]:
        """Begin to judge a batch: its good records, and its bad ones."""
        return self._listener.submit(self._judge, batch, self._asker.submit(self._ask, batch))

    def close(self) -> None:
        """End the helper, once what is under way is done."""
        self._listener.shutdown()
        self._asker.shutdown()
        if self._line is not None:
            self._line.close()
        if self._helper is not None:
            self._helper.wait()

    def _ask(self, batch: RawBatch) -> socket.socket | None:
        """Where the helper will answer; None for a batch that it is not asked about."""
        if not self._allowed or sum(map(len, batch.records)) < _LARGE_BYTES:
            return None
        self._large += 1
        if self._large == 1:
            return None
        try:
            line = self._line or self._start()
            dictionary = NO_DICTIONARY if self.hurried else self._dictionary(batch.entity)
            told = dictionary.number in self._told
            _send(line, _Question.of(batch, replace(dictionary, content=b"") if told else dictionary))
            self._told.add(dictionary.number)
        except OSError:
            self._give_up()
            return None
        return line

    def _judge(self, batch: RawBatch, asked: Future[socket.socket | None]) -> tuple[Judged, Judged]:
        line = asked.result()
        if line is not None and self._allowed:
            try:
                answer: tuple[Judged, Judged] = _receive(line)
            except (OSError, EOFError, pickle.UnpicklingError):
                self._give_up()
            else:
                return answer
        return self._readers.read(batch)

    def _give_up(self) -> None:
        """Do without the helper from now on: it is gone, or cannot be understood."""
        self._allowed = False
        if self._line is not None:
            # Whoever waits on the line need not any longer.
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def _start(self) -> socket.socket:
        # A socket takes and gives a whole batch in one call. A pipe does so in pieces of 64 KB, and after each of them
        # the interpreter's lock has to be waited for.
        self._line, theirs = socket.socketpair()
        # What it says is not shown: an unforeseen error might quote a record. Here the same error comes up again.
        with theirs:
            self._helper = subprocess.Popen(
                [sys.executable, "-c", _START],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_KEPT_MEMORY | os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        _send(self._line, self._keys)
        return self._line


@dataclass(frozen=True, slots=True)
class _Question:
    """A batch to judge, its records in one piece of memory."""

    entity: Entity
    sizes: list[int]
    records: pickle.PickleBuffer
    payload_sizes: list[int] | None
    payloads: pickle.PickleBuffer | None
    problems: Sequence[str | None] | None
    #: Of one that was told before, its number alone.
    dictionary: Dictionary

    @classmethod
    def of(cls, batch: RawBatch, dictionary: Dictionary) -> _Question:
        """What has to be known to judge a batch."""
        payloads = batch.payloads
        return cls(
            batch.entity,
            [*map(len, batch.records)],
            pickle.PickleBuffer(b"".join(batch.records)),
            None if payloads is None else [*map(len, payloads)],
            None if payloads is None else pickle.PickleBuffer(b"".join(payloads)),
            batch.problems,
            dictionary,
        )

    def batch(self) -> RawBatch:
        """The batch again; where its records came from stays unsaid."""
        payloads = None
        if self.payloads is not None and self.payload_sizes is not None:
            payloads = _split(self.payloads, self.payload_sizes)
        records = _split(self.records, self.sizes)
        return RawBatch(self.entity, records, (), None, payloads, self.problems)


class _Readers:
    """A reader for each entity."""

    def __init__(self, keys: JudgingKeys) -> None:
        self._keys = keys
        self._readers: dict[str, tuple[Entity, RecordReader]] = {}

    def read(self, batch: RawBatch) -> tuple[Judged, Judged]:
        """Judge a batch."""
        entity, reader = self._readers.get(batch.entity.table, (None, None))
        if reader is None or entity != batch.entity:
            reader = RecordReader(batch.entity, self._keys)
            self._readers[batch.entity.table] = batch.entity, reader
        return reader.read(batch)


class _Helper:
    """Judges batches, and compresses what is to be sealed where it is told the dictionary."""

    def __init__(self, keys: JudgingKeys) -> None:
        self._readers = _Readers(keys)
        self._compressors: dict[int, Compressor] = {}

    def answer(self, question: _Question) -> tuple[Judged, Judged]:
        """A question's answer."""
        batch, dictionary = question.batch(), question.dictionary
        good, bad = self._readers.read(batch)
        if dictionary.content:
            self._compressors[dictionary.number] = Compressor(dictionary)
        if (compressor := self._compressors.get(dictionary.number)) is not None:
            good.compressed, good.dictionary = compressed(batch, good, compressor), dictionary.number
        return good, bad


def serve() -> None:
    """What the helper does: judge batches that come through its standard input, a socket, until that is closed."""
    # Ctrl-C is for the process that asked; with it the line ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, ConnectionError), socket.socket(fileno=os.dup(0)) as line:
        helper = _Helper(_receive(line))
        for question in _ahead(line):
            _send(line, helper.answer(question))


def _ahead(line: socket.socket) -> Iterator[_Question]:
    """The questions, each received while the one before is worked on."""
    received: SimpleQueue[_Question | None] = SimpleQueue()
    wanted = threading.Semaphore(2)

    def receive() -> None:
        with contextlib.suppress(EOFError, OSError):
            while wanted.acquire():
                received.put(_receive(line))
        received.put(None)

    threading.Thread(target=receive, name="questions", daemon=True).start()
    while (question := received.get()) is not None:
        yield question
        wanted.release()


def _split(content: pickle.PickleBuffer, sizes: Sequence[int]) -> list[bytes]:
    view = memoryview(content)
    return [bytes(view[start:end]) for start, end in pairwise(accumulate(sizes, initial=0))]


def _send(line: socket.socket, message: object) -> None:
    large: list[pickle.PickleBuffer] = []
    parts = [memoryview(pickle.dumps(message, pickle.HIGHEST_PROTOCOL, buffer_callback=large.append))]
    parts += [buffer.raw() for buffer in large]
    line.sendall(b"".join(map(_NUMBER.pack, (len(parts), *(part.nbytes for part in parts)))))
    for part in parts:
        line.sendall(part)


def _receive(line: socket.socket) -> Any:
    """The next message.

    Raises:
        EOFError: the other side is gone.
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
