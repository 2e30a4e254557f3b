"""Judging batches on other cores: helper processes for large inputs.

What belongs here: when helpers pay, and the talk with them. What does not: judging itself (records.py), what is sealed
(sealed.py), and how messages travel (messages.py).

A helper gets bytes and gives judged records back, compressed for sealing as soon as the dictionary is known. It touches
neither lake nor vault and writes no file, so it may be killed at any moment; it ends when this process does, as its
input then ends. Whatever it cannot do is done here.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import accumulate, cycle, pairwise
from queue import SimpleQueue

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.messages import receive, send
from retreasure_assets.lake.records import Judged, RecordReader
from retreasure_assets.lake.sealed import compressed
from retreasure_assets.privacy.keys import JudgingKeys
from retreasure_assets.privacy.sealing import NO_DICTIONARY, Compressor, Dictionary

#: Of a batch this large there mostly are more to come. A helper costs a fifth of a second to start.
_LARGE_BYTES = 8 << 20
_START = "from retreasure_assets.lake.judging import serve; serve()"
#: Where memory of this size is given back and asked for again with every batch, its pages are made anew each time.
_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}


class Judge:
    """Judges batches. For one thread.

    Args:
        keys: the vault's keys for this.
        dictionary: what an entity's records are compressed with, as far as is known yet.
        helpers: how many processes may be started; where processes do not take over sockets (Windows) none is.

    Attributes:
        hurried: whether somebody waits for its answers, and so has the time to compress what is to be sealed.
    """

    hurried = False

    def __init__(self, keys: JudgingKeys, dictionary: Callable[[Entity], Dictionary], *, helpers: int) -> None:
        self._keys = keys
        self._dictionary = dictionary
        self._readers = _Readers(keys)
        self._thread = ThreadPoolExecutor(1, "judge")
        self._to_start = helpers if os.name == "posix" else 0
        self._helpers: list[Helper] = []
        self._turns = cycle(self._helpers)

    def submit(self, batch: RawBatch) -> Future[tuple[Judged, Judged]]:
        """Begin to judge a batch: its good records, and its bad ones."""
        if sum(map(len, batch.records)) >= _LARGE_BYTES:
            if self._helpers:
                return next(self._turns).submit(batch)
            self._start_helpers()
        # The first large one too, while they start.
        return self._here(batch)

    def close(self) -> None:
        """End the helpers, once what is under way is done."""
        for helper in self._helpers:
            helper.close()
        self._thread.shutdown()

    def _here(self, batch: RawBatch) -> Future[tuple[Judged, Judged]]:
        return self._thread.submit(self._readers.read, batch)

    def _start_helpers(self) -> None:
        # Whatever keeps one from starting, all can be judged here.
        with contextlib.suppress(OSError):
            for _ in range(self._to_start):
                self._helpers.append(Helper(self._keys, self._helpers_dictionary, self._here))
        self._to_start = 0
        self._turns = cycle(self._helpers)

    def _helpers_dictionary(self, entity: Entity) -> Dictionary:
        return NO_DICTIONARY if self.hurried else self._dictionary(entity)


class Helper:
    """A helper process, as the process that starts it sees it. Judges batches in order. For one thread.

    Args:
        keys: the vault's keys for this.
        dictionary: what it is to compress an entity's records with.
        here: judges what it cannot.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        keys: JudgingKeys,
        dictionary: Callable[[Entity], Dictionary],
        here: Callable[[RawBatch], Future[tuple[Judged, Judged]]],
    ) -> None:
        self._dictionary = dictionary
        self._here = here
        self._told: set[int] = set()
        self._gone = False
        self._line, theirs = socket.socketpair()
        # What it says is not shown: an unforeseen error might quote a record. Here the same error comes up again.
        with theirs, contextlib.ExitStack() as unless_started:
            unless_started.callback(self._line.close)
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_KEPT_MEMORY | os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            unless_started.pop_all()
        # While it judges a batch it is given the next one, so that it never waits.
        self._asker = ThreadPoolExecutor(1, "judge-questions")
        self._listener = ThreadPoolExecutor(1, "judge-answers")
        # Should it be gone by then, the first question finds out.
        self._asker.submit(send, self._line, keys)

    def submit(self, batch: RawBatch) -> Future[tuple[Judged, Judged]]:
        """Begin to judge a batch."""
        return self._listener.submit(self._judge, batch, self._asker.submit(self._ask, batch))

    def close(self) -> None:
        """End it, once what is under way is done."""
        self._listener.shutdown()
        self._asker.shutdown()
        self._line.close()
        # Of itself it would end too, but first give back a quarter of a gigabyte piece by piece.
        self._process.kill()
        self._process.wait()

    def _ask(self, batch: RawBatch) -> None:
        if self._gone:
            return
        dictionary = self._dictionary(batch.entity)
        told = dictionary.number in self._told
        try:
            send(self._line, _Question.of(batch, replace(dictionary, content=b"") if told else dictionary))
        except OSError:
            self._give_up()
        self._told.add(dictionary.number)

    def _judge(self, batch: RawBatch, asked: Future[None]) -> tuple[Judged, Judged]:
        asked.result()
        if not self._gone:
            try:
                answer: tuple[Judged, Judged] = receive(self._line)
            except (OSError, EOFError, pickle.UnpicklingError):
                self._give_up()
            else:
                return answer
        return self._here(batch).result()

    def _give_up(self) -> None:
        """Do without it from now on: it is gone, or cannot be understood."""
        self._gone = True
        # Whoever waits on the line need not any longer.
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)


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


class _Answerer:
    """A helper at its work: judges batches, and compresses what is to be sealed where it is told the dictionary."""

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
        answerer = _Answerer(receive(line))
        for question in _ahead(line):
            send(line, answerer.answer(question))


def _ahead(line: socket.socket) -> Iterator[_Question]:
    """The questions, each received while the one before is worked on."""
    received: SimpleQueue[_Question | None] = SimpleQueue()
    wanted = threading.Semaphore(2)

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while wanted.acquire():
                received.put(receive(line))
        received.put(None)

    threading.Thread(target=listen, name="questions", daemon=True).start()
    while (question := received.get()) is not None:
        yield question
        wanted.release()


def _split(content: pickle.PickleBuffer, sizes: Sequence[int]) -> list[bytes]:
    view = memoryview(content)
    return [bytes(view[start:end]) for start, end in pairwise(accumulate(sizes, initial=0))]
