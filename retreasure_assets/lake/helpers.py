"""Helper processes: batches of large inputs judged on other cores.

What belongs here: when helpers start and end, and the talk with them. What does not: judging itself (records.py), what
is sealed (sealed.py), and how messages travel (messages.py).

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
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import cycle
from queue import SimpleQueue
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.columns import in_one_piece, is_utf8, lengths_of
from retreasure_assets.lake.messages import Line
from retreasure_assets.lake.records import Judged, Readers
from retreasure_assets.lake.sealed import compressed
from retreasure_assets.privacy.keys import JudgingKeys
from retreasure_assets.privacy.sealing import Compressor, Dictionary

#: One keeps up with the writing; a second one works while the first must wait.
HELPERS = 2
#: Whoever reads one entity after the other finds them still there for the next; what is built after has their memory.
_LINGER_SECONDS = 2.0
_START = "from retreasure_assets.lake.helpers import serve; serve()"
_ENVIRONMENT = {
    # Where memory of this size is given back and asked for again with every batch, its pages are made anew each time.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    # numpy's algebra, of which nothing is used, else starts a thread that spins a tenth of a second.
    "OPENBLAS_NUM_THREADS": "1",
}

#: A batch's good records, and its bad ones.
Answer = Future[tuple[Judged, Judged]]
Here = Callable[[RawBatch], Answer]


class Helpers:
    """The helpers of all that is read at a time. For several threads.

    They start with the first large batch, and end a moment after the last of those who read has left.

    Args:
        keys: the vault's keys for this.
        count: how many to start; where processes do not take over sockets (Windows) none is.
    """

    def __init__(self, keys: JudgingKeys, count: int = HELPERS) -> None:
        self._keys = keys
        self._count = count if os.name == "posix" else 0
        self._lock = threading.Lock()
        #: None until the first large batch comes.
        self._running: list[Helper] | None = None
        self._turns: Iterator[Helper] = cycle(())
        self._readers = 0
        self._came = 0

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """While it lasts, somebody has batches to judge."""
        with self._lock:
            self._readers += 1
            self._came += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                idle = not self._readers and bool(self._running)
                came = self._came
            if idle:
                timer = threading.Timer(_LINGER_SECONDS, self._end, (came,))
                timer.daemon = True
                timer.start()

    def submit(self, batch: RawBatch, dictionary: Callable[[Entity], Dictionary], here: Here) -> Answer | None:
        """Begin to judge a batch; None where there is no helper, or not yet.

        Args:
            batch: the records.
            dictionary: what an entity's records are to be compressed with, asked when their turn comes.
            here: judges what a helper cannot.
        """
        with self._lock:
            if self._running is None:
                self._start()
                return None
            return next(self._turns).submit(batch, dictionary, here) if self._running else None

    def close(self) -> None:
        """End them, once what is under way is done; the next large batch starts them again."""
        with self._lock:
            running, self._running, self._turns = self._running, None, cycle(())
        for helper in running or ():
            helper.close()

    def _start(self) -> None:
        self._running = []
        # Whatever keeps one from starting, all can be judged by whoever reads.
        with contextlib.suppress(OSError):
            for _ in range(self._count):
                self._running.append(Helper(self._keys))
        self._turns = cycle(self._running)

    def _end(self, came: int) -> None:
        with self._lock:
            wanted = self._came != came
        if not wanted:
            self.close()


class Helper:
    """A helper process, as the process that starts it sees it. Judges batches in order. For one thread.

    Args:
        keys: the vault's keys for this.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, keys: JudgingKeys) -> None:
        self._told: set[int] = set()
        self._gone = False
        ours, theirs = socket.socketpair()
        # What it says is not shown: an unforeseen error might quote a record. Here the same error comes up again.
        with theirs, contextlib.ExitStack() as unless_started:
            unless_started.callback(ours.close)
            self._process = subprocess.Popen(
                # Not from the folder that this one was started in, unless that is where it has its own modules from.
                [sys.executable, "-P", "-c", _START],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT | os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            unless_started.pop_all()
        self._line = Line(ours)
        # While it judges a batch it is given the next one, so that it never waits.
        self._asker = ThreadPoolExecutor(1, "judge-questions")
        self._listener = ThreadPoolExecutor(1, "judge-answers")
        # Should it be gone by then, the first question finds out.
        self._asker.submit(self._line.send, keys)

    def submit(self, batch: RawBatch, dictionary: Callable[[Entity], Dictionary], here: Here) -> Answer:
        """Begin to judge a batch; see ``Helpers.submit``."""
        asked = self._asker.submit(self._ask, batch, dictionary)
        return self._listener.submit(self._judge, batch, asked, here)

    def close(self) -> None:
        """End it, once what is under way is done."""
        self._listener.shutdown()
        self._asker.shutdown()
        self._line.close()
        # Of itself it would end too, but first give back a quarter of a gigabyte piece by piece.
        self._process.kill()
        self._process.wait()

    def _ask(self, batch: RawBatch, current: Callable[[Entity], Dictionary]) -> None:
        if self._gone:
            return
        dictionary = current(batch.entity)
        told = dictionary.number in self._told
        question = _Question.of(batch, replace(dictionary, content=b"") if told else dictionary)
        try:
            self._line.send(question, _texts(batch))
        except OSError:
            self._give_up()
        self._told.add(dictionary.number)

    def _judge(self, batch: RawBatch, asked: Future[None], here: Here) -> tuple[Judged, Judged]:
        asked.result()
        if not self._gone:
            try:
                answer: tuple[Judged, Judged]
                answer, _ = self._line.receive()
            except (OSError, EOFError, pickle.UnpicklingError):
                self._give_up()
            else:
                return answer
        return here(batch).result()

    def _give_up(self) -> None:
        """Do without it from now on: it is gone, or cannot be understood."""
        self._gone = True
        self._line.hang_up()


@dataclass(frozen=True, slots=True)
class _Question:
    """A batch to judge, without its texts; where its records came from stays unsaid."""

    entity: Entity
    #: The length of each record, and of each payload.
    lengths: Sequence[npt.NDArray[np.int64]]
    problems: Sequence[str | None] | None
    #: Of one that was told before, its number alone.
    dictionary: Dictionary

    @classmethod
    def of(cls, batch: RawBatch, dictionary: Dictionary) -> _Question:
        """What has to be known to judge a batch."""
        return cls(batch.entity, [*map(lengths_of, _texts(batch))], batch.problems, dictionary)


def _texts(batch: RawBatch) -> list[Sequence[bytes]]:
    return [batch.records] if batch.payloads is None else [batch.records, batch.payloads]


class _Answerer:
    """A helper at its work: judges batches, and compresses what is to be sealed where it is told the dictionary."""

    def __init__(self, keys: JudgingKeys) -> None:
        self._readers = Readers(keys)
        self._compressors: dict[int, Compressor] = {}

    def answer(self, question: _Question, texts: Sequence[pa.Buffer]) -> tuple[Judged, Judged]:
        """A question's answer."""
        dictionary = question.dictionary
        arrays = [*map(in_one_piece, question.lengths, texts)]
        # All in one piece still.
        utf8 = is_utf8(arrays[-1])
        records, *payloads = [array.to_pylist() for array in arrays]
        batch = RawBatch(question.entity, records, (), None, payloads[0] if payloads else None, question.problems)
        good, bad = self._readers.read(batch, utf8)
        if dictionary.content:
            self._compressors[dictionary.number] = Compressor(dictionary)
        if (compressor := self._compressors.get(dictionary.number)) is not None:
            good.compressed, good.dictionary = compressed(batch, good, compressor), dictionary.number
        return good, bad


class _WithoutPandas(MetaPathFinder):
    """Hides pandas: a helper does not need it, and Arrow imports it where it can, so that starting takes half again."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """See MetaPathFinder."""
        if fullname == "pandas":
            raise ModuleNotFoundError(f"{fullname} is not used here", name=fullname)
        return None


def serve() -> None:
    """What the helper does: judge batches that come through its standard input, a socket, until that is closed."""
    sys.meta_path.insert(0, _WithoutPandas())
    # Ctrl-C is for the process that asked; with it the line ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, ConnectionError), socket.socket(fileno=os.dup(0)) as line:
        talk = Line(line)
        keys, _ = talk.receive()
        answerer = _Answerer(keys)
        for question, texts in _ahead(talk):
            talk.send(answerer.answer(question, texts))


def _ahead(line: Line) -> Iterator[tuple[_Question, list[pa.Buffer]]]:
    """The questions and their texts, each received while the one before is worked on."""
    received: SimpleQueue[tuple[_Question, list[pa.Buffer]] | None] = SimpleQueue()
    wanted = threading.Semaphore(2)

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while wanted.acquire():
                received.put(line.receive())
        received.put(None)

    threading.Thread(target=listen, name="questions", daemon=True).start()
    while (question := received.get()) is not None:
        yield question
        wanted.release()
