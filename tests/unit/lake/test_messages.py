"""Messages arrive as they were sent, through shared memory or without it, which is used again once nobody reads it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.lake import slots
from retreasure_assets.lake.messages import Line

#: Whether shared memory is there, or the socket has to take all.
EITHER = pytest.mark.parametrize("shared", [True, False], ids=["shared", "socket"])
linux_only = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memory without a name is only on Linux")


class Talk:
    """Both sides of a line, in one process."""

    def __init__(self, *, shared: bool) -> None:
        self.here, self.there = map(Line, socket.socketpair())
        if not shared and self.here._outgoing is not None:
            self.here._outgoing.close()
            self.here._outgoing = None
        self._threads = ThreadPoolExecutor(1)

    def carry(self, message: object, texts: Sequence[Sequence[bytes]] = ()) -> tuple[Any, list[pa.Buffer]]:
        """Send there what then is received there."""
        sent = self._threads.submit(self.here.send, message, texts)
        received = self.there.receive()
        sent.result()
        return received

    def taken(self) -> int:
        """How many slots are taken."""
        assert self.here._outgoing is not None
        return sum(os.pread(self.here._outgoing.descriptor, slots.SLOTS, 0))

    def close(self) -> None:
        """End it."""
        self._threads.shutdown()
        self.here.close()
        self.there.close()


@pytest.fixture
def talk() -> Iterator[Talk]:
    """A talk with shared memory."""
    found = Talk(shared=True)
    yield found
    found.close()


def mapped() -> int:
    """How often this process has shared memory before it."""
    return Path("/proc/self/maps").read_text("utf-8").count("memfd:retreasure")


@EITHER
@settings(max_examples=80, deadline=None)
@given(
    texts=st.lists(st.lists(st.binary(max_size=200), max_size=8), max_size=3),
    many=st.integers(0, 2_100),
    columns=st.lists(st.lists(st.none() | st.text(max_size=20), max_size=8), max_size=3),
)
def test_a_message_arrives_as_it_was_sent(
    shared: bool, texts: list[list[bytes]], many: int, columns: list[list[str | None]]
) -> None:
    talk = Talk(shared=shared)
    texts = [*texts, [b"%d" % number for number in range(many)]]
    message = {"word": [pa.chunked_array([column, column], pa.string()) for column in columns], "n": np.arange(many)}
    for _ in range(2):
        found, pieces = talk.carry(message, texts)
        assert found["word"] == message["word"]
        assert found["n"].tolist() == list(range(many))
        assert [piece.to_pybytes() for piece in pieces] == [b"".join(text) for text in texts]
    talk.close()


@linux_only
def test_a_slot_is_free_once_nothing_of_it_is_held(talk: Talk) -> None:
    column = pa.array(["a", "b"])
    held = [talk.carry(column, [[b"text"]]) for _ in range(slots.SLOTS)]
    assert talk.taken() == slots.SLOTS
    # None is free: the socket takes it.
    [more, [text]] = talk.carry(column, [[b"other"]])
    assert (more, text.to_pybytes(), talk.taken()) == (column, b"other", slots.SLOTS)
    part = held[3][0][1:]
    held.clear()
    assert talk.taken() == 1, "a part of a column holds all of its message"
    [found, [text]] = talk.carry(pa.array(["c"]), [[b"new"]])
    assert (found.to_pylist(), text.to_pybytes(), part.to_pylist(), talk.taken()) == (["c"], b"new", ["b"], 2)
    del found, text, part
    assert talk.taken() == 0


@linux_only
def test_what_is_larger_than_a_slot_goes_through_the_socket(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "SLOT_BYTES", 1 << 10)
    # The first one of all too, with which the memory is made but not told of.
    for size, taken in (((1 << 10) + 1, 0), (1 << 10, 1), ((1 << 10) + 1, 0)):
        _, [text] = talk.carry("text", [[b"x" * size]])
        assert (text.to_pybytes(), talk.taken()) == (b"x" * size, taken)
        del text


@linux_only
def test_memory_outlives_the_line_while_it_is_read(talk: Talk) -> None:
    before = mapped()
    _, [text] = talk.carry("text", [[b"abc"]])
    talk.close()
    assert text.to_pybytes() == b"abc"
    assert mapped() == before + 1
    del text
    assert mapped() == before


@linux_only
def test_a_fork_of_the_reader_frees_nothing(talk: Talk) -> None:
    _, [text] = talk.carry("text", [[b"abc"]])
    child = os.fork()
    if not child:
        del text
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert talk.taken() == 1
    del text
    assert talk.taken() == 0


@linux_only
def test_the_end_before_the_memory_was_told_of_is_noticed(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "send_fds", lambda *_: None)
    talk.here.send("text", [[b"abc"]])
    talk.here.close()
    with pytest.raises(EOFError):
        talk.there.receive()


@linux_only
def test_where_the_system_has_no_memory_the_socket_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_name: str) -> int:
        raise OSError(24, "too many open files")

    monkeypatch.setattr(os, "memfd_create", refused)
    talk = Talk(shared=True)
    _, [text] = talk.carry("text", [[b"abc"]])
    assert text.to_pybytes() == b"abc"
    assert talk.here._outgoing is None
    talk.close()


@linux_only
def test_memory_that_is_full_ends_the_talk_rather_than_a_record(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    written = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda file, pieces, at: written(file, [piece[:-1] for piece in pieces], at))
    with pytest.raises(OSError, match="full"):
        talk.here.send("text", [[b"abc"]])


@linux_only
def test_a_line_that_is_closed_leaves_no_descriptor() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        talk = Talk(shared=True)
        talk.carry("text", [[b"abc"]])
        talk.close()
        del talk
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@EITHER
def test_the_end_of_one_side_is_noticed_by_the_other(shared: bool) -> None:
    talk = Talk(shared=shared)
    talk.here.close()
    with pytest.raises(EOFError):
        talk.there.receive()
    with pytest.raises(OSError, match="pipe"):
        talk.there.send("text", [[b"abc"]])
    talk.there.close()
