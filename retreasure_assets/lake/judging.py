"""Judging batches on another core: a helper process for large inputs.

What belongs here: when the helper pays, and the talk with it. What does not: judging itself (records.py).

The helper gets bytes and gives judged records back. It touches neither lake nor vault and writes no file, so it may be
killed at any moment; it ends when this process does, as its input then ends. Whatever it cannot do is done here.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.records import Judged, RecordReader

#: Of a batch this large there mostly are more to come; the second one starts the helper, which costs half a second.
_LARGE_BYTES = 4 << 20
_START = "from retreasure_assets.lake.judging import serve; serve()"


class Judge:
    """Judges batches, in order. For one thread.

    Args:
        pseudonym_key: the key of the mask ``pseudonym``.
        helper: whether a process may be started.
    """

    def __init__(self, pseudonym_key: bytes, *, helper: bool) -> None:
        self._pseudonym_key = pseudonym_key
        self._readers = _Readers(pseudonym_key)
        self._talker = ThreadPoolExecutor(1, "judge")
        self._allowed = helper
        self._large = 0
        self._helper: subprocess.Popen[bytes] | None = None

    def submit(self, batch: RawBatch) -> Future[tuple[Judged, Judged]]:
        """Begin to judge a batch: its good records, and its bad ones."""
        return self._talker.submit(self._judge, batch)

    def close(self) -> None:
        """End the helper, once what is under way is done."""
        self._talker.shutdown()
        self._dismiss()

    def _judge(self, batch: RawBatch) -> tuple[Judged, Judged]:
        if self._allowed and sum(map(len, batch.records)) >= _LARGE_BYTES:
            self._large += 1
            if self._large > 1:
                answer = self._ask(batch)
                if answer is not None:
                    return answer
        return self._readers.read(batch)

    def _ask(self, batch: RawBatch) -> tuple[Judged, Judged] | None:
        """The helper's answer; None where there is no helper, or no longer."""
        try:
            helper = self._helper or self._start()
            assert helper.stdin is not None
            assert helper.stdout is not None
            question = RawBatch(batch.entity, list(batch.records), (), None, batch.payloads, batch.problems)
            _send(helper.stdin, question)
            answer: tuple[Judged, Judged] = pickle.load(helper.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            self._allowed = False
            self._dismiss()
            return None
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        # What it says is not shown: an unforeseen error might quote a record. Here the same error comes up again.
        self._helper = helper = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert helper.stdin is not None
        _send(helper.stdin, self._pseudonym_key)
        return helper

    def _dismiss(self) -> None:
        if self._helper is not None:
            for pipe in (self._helper.stdin, self._helper.stdout):
                if pipe is not None:
                    # What was still to be sent is of no use to one that is gone.
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._helper.wait()
            self._helper = None


class _Readers:
    """A reader for each entity."""

    def __init__(self, pseudonym_key: bytes) -> None:
        self._pseudonym_key = pseudonym_key
        self._readers: dict[str, tuple[Entity, RecordReader]] = {}

    def read(self, batch: RawBatch) -> tuple[Judged, Judged]:
        """Judge a batch."""
        entity, reader = self._readers.get(batch.entity.table, (None, None))
        if reader is None or entity != batch.entity:
            reader = RecordReader(batch.entity, self._pseudonym_key)
            self._readers[batch.entity.table] = batch.entity, reader
        return reader.read(batch)


def serve() -> None:
    """What the helper does: judge batches from standard input until it ends."""
    # Ctrl-C is for the process that asked; with it the input ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    questions = sys.stdin.buffer
    with contextlib.suppress(EOFError, BrokenPipeError), os.fdopen(os.dup(1), "wb") as answers:
        # Whatever else is printed goes nowhere, instead of between the answers.
        os.dup2(2, 1)
        readers = _Readers(pickle.load(questions))
        while True:
            _send(answers, readers.read(pickle.load(questions)))


def _send(pipe: IO[bytes], message: object) -> None:
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()
