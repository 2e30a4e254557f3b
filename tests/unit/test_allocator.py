"""Threads share as many arenas as they are told to, and memory that Arrow freed is there for the next batch."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

#: Eight threads that hold memory at once, and how many arenas it is from, as glibc itself tells.
_THREADS = """
import ctypes, sys, threading
from retreasure_assets.allocator import share_arenas
if int(sys.argv[1]):
    share_arenas(int(sys.argv[1]))
libc = ctypes.CDLL(None)
libc.fopen.restype = libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes, libc.fclose.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
together = threading.Barrier(9)
def hold():
    libc.malloc(10_000)
    together.wait()
    together.wait()
for _ in range(8):
    threading.Thread(target=hold).start()
together.wait()
file = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
together.wait()
"""


def arenas(wanted: int, told: Path, **environment: str) -> int:
    inherited = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", _THREADS, str(wanted), str(told)]
    subprocess.run(command, env=inherited | environment, check=True, timeout=60)
    return told.read_text("utf-8").count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_threads_share_arenas(tmp_path: Path) -> None:
    told = tmp_path / "told.xml"
    assert arenas(0, told) > 3
    assert arenas(2, told) == 2
    assert arenas(2, told, MALLOC_ARENA_MAX="3") == 3


#: How many pages the system had to make for the same 12 MB, taken, written and freed again and again.
_BATCHES = """
import ctypes, resource, time
import retreasure_assets
import pyarrow as pa
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
made = 0
for batch in range(6):
    before = faults()
    memory = [pa.allocate_buffer(4 << 20) for _ in range(3)]
    for one in memory:
        ctypes.memset(one.address, 1, one.size)
    made += faults() - before
    del memory, one
    # Longer than Arrow's allocator waits by itself; it looks at the clock when it is asked for something.
    time.sleep(0.3)
    [pa.allocate_buffer(100_000) for _ in range(20)]
print(made)
"""


def pages_made(**environment: str) -> int:
    inherited = {name: value for name, value in os.environ.items() if name != "MIMALLOC_PURGE_DELAY"}
    command = [sys.executable, "-c", _BATCHES]
    ran = subprocess.run(command, env=inherited | environment, check=True, timeout=60, capture_output=True, text=True)
    return int(ran.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="counts pages as Linux does")
def test_the_next_batch_finds_the_memory_of_the_last() -> None:
    assert pages_made() * 3 < pages_made(MIMALLOC_PURGE_DELAY="10")
