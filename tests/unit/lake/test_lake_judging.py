"""Helper processes judge as this one does, and their end loses nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake import columns as columns_module
from retreasure_assets.lake import judging
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.judging import Judge
from retreasure_assets.lake.records import Judged, RecordReader
from retreasure_assets.lake.sealed import compressed
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.sealing import Compressor, Dictionary, train
from retreasure_assets.privacy.vault import Vault
from tests.unit.lake.world import KEYS, LINES, LOCATIONS, ORDERS, batch, order, rows, unseal

DICTIONARY = Dictionary(7, train([order(number) for number in range(500)]) or b"")


def dictionaries(_entity: Entity) -> Dictionary:
    return DICTIONARY


@pytest.fixture(params=[1, 2])
def helped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judge]:
    """A judge whose every batch but the first goes to a helper, of one or two."""
    monkeypatch.setattr(judging, "_LARGE_BYTES", 0)
    judge = Judge(KEYS.judging, dictionaries, helpers=request.param)
    judge.submit(batch([])).result()
    yield judge
    judge.close()


def kill(judge: Judge) -> None:
    """End its first helper."""
    os.kill(judge._helpers[0]._process.pid, signal.SIGKILL)


def gone(judge: Judge) -> list[bool]:
    """Of each helper whether it is done without."""
    return [helper._gone for helper in judge._helpers]


def columns(judged: Judged) -> dict[str, object]:
    """Every column, as plain values."""
    found = {name: getattr(judged, name) for name in judged.__slots__}
    return {
        name: column.to_pylist() if isinstance(column, pa.Array | pa.ChunkedArray) else [column]
        for name, column in (found | {"places": list(judged.places)}).items()
    }


@st.composite
def batches(draw: st.DrawFn) -> RawBatch:
    """Batches of good, odd and broken records of every kind of entity."""
    entity: Entity = draw(st.sampled_from([ORDERS, LOCATIONS, LINES]))
    texts = draw(
        st.lists(
            st.builds(order, st.integers(0, 5), customer=st.none() | st.integers(0, 3))
            | st.builds(b'{"transaction_id":"%d","line_id":"1","loyalty_id":null}'.__mod__, st.integers(0, 3))
            | st.binary(max_size=12),
            max_size=12,
        )
    )
    if draw(st.booleans()):
        return batch(texts, entity)
    problems = [draw(st.none() | st.just("has 2 fields instead of 9")) for _ in texts]
    return batch([text[::-1] for text in texts], entity, payloads=texts, problems=problems)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=batches())
def test_the_helper_judges_as_this_process_does(helped: Judge, raw: RawBatch) -> None:
    here = RecordReader(raw.entity, KEYS.judging).read(raw)
    here[0].compressed, here[0].dictionary = compressed(raw, here[0], Compressor(DICTIONARY)), DICTIONARY.number
    there = helped.submit(raw).result()
    assert not any(gone(helped))
    assert [columns(judged) for judged in there] == [columns(judged) for judged in here]


@given(st.lists(st.text().map(str.encode) | st.binary(max_size=8) | st.just(b"\xed\xa0\x80") | st.just(b"\xc0\xaf")))
def test_texts_are_utf8_where_each_can_be_decoded(texts: list[bytes]) -> None:
    def decodes(text: bytes) -> bool:
        try:
            text.decode()
        except UnicodeDecodeError:
            return False
        return True

    assert columns_module.all_utf8(texts) == all(map(decodes, texts))


@given(
    chunks=st.lists(st.lists(st.sampled_from(["", "a", "bc"]), max_size=6), min_size=1, max_size=4),
    many=st.sampled_from([0, 1, 500]),
    data=st.data(),
)
def test_values_are_kept_with_and_without_a_copy(chunks: list[list[str]], many: int, data: st.DataObject) -> None:
    column = pa.chunked_array(chunks, pa.string())
    kept = data.draw(st.lists(st.booleans(), min_size=len(column), max_size=len(column)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns_module, "_MANY_RUNS", many)
        found = columns_module.without_copy(column, pa.chunked_array([kept], pa.bool_()))
    assert found.to_pylist() == [value for value, keep in zip(column.to_pylist(), kept, strict=True) if keep]


def test_texts_too_large_for_one_array_are_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = batch([order(1), order(2), b"broken", order(1), order(3, customer=None), order(4)])
    [whole, _] = RecordReader(raw.entity, KEYS.judging).read(raw)
    monkeypatch.setattr(columns_module, "_CHUNK_BYTES", len(order(1)))
    [parted, _] = RecordReader(raw.entity, KEYS.judging).read(raw)
    assert (whole.payloads.num_chunks, parted.payloads.num_chunks) == (1, 2)
    assert columns(parted) == columns(whole)
    assert columns(parted.without(parted.record_ids[:1]))["payloads"] == whole.payloads.to_pylist()[1:]


def test_a_helper_that_is_killed_is_done_without(helped: Judge) -> None:
    raw = batch([order(number) for number in range(50)])
    for _ in helped._helpers:
        expected = [columns(judged) for judged in helped.submit(raw).result()]
    assert None not in expected[0]["compressed"]
    kill(helped)
    here = [expected[0] | {"compressed": [], "dictionary": [0]}, expected[1]]
    assert [columns(judged) for judged in helped.submit(raw).result()] == here
    others = helped._helpers[1:]
    for _ in others:
        assert [columns(judged) for judged in helped.submit(raw).result()] == expected
    assert gone(helped) == [True, *(False for _ in others)]


def test_batches_under_way_outlive_the_helper(helped: Judge) -> None:
    raws = [batch([order(number, customer=place) for number in range(3_000)]) for place in range(6)]
    here = [columns(RecordReader(ORDERS, KEYS.judging).read(raw)[0])["payloads"] for raw in raws]
    answers = [helped.submit(raw) for raw in raws]
    assert columns(answers[0].result()[0])["payloads"] == here[0]
    kill(helped)
    assert [columns(answer.result()[0])["payloads"] for answer in answers] == here
    assert gone(helped)[0]


def test_a_judge_in_a_hurry_leaves_compressing_to_who_waits(helped: Judge) -> None:
    raw = batch([order(number) for number in range(5)])
    helped.hurried = True
    assert len(helped.submit(raw).result()[0].compressed) == 0
    helped.hurried = False
    assert len(helped.submit(raw).result()[0].compressed) == 5


def test_a_helper_that_cannot_be_started_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_LARGE_BYTES", 0)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    judge = Judge(KEYS.judging, dictionaries, helpers=2)
    for number in range(3):
        good, _ = judge.submit(batch([order(number)])).result()
        assert good.natural_keys.to_pylist() == [f"gid://shopify/Order/{number}"]
    assert not judge._helpers
    judge.close()


def test_no_helper_for_little_or_without_leave() -> None:
    for helpers, size in ((2, 10), (0, judging._LARGE_BYTES)):
        judge = Judge(KEYS.judging, dictionaries, helpers=helpers)
        for _ in range(3):
            judge.submit(batch([b"x" * size])).result()
        assert not judge._helpers
        judge.close()


_PARENT = """
import sys, time
from retreasure_assets.lake import columns as columns_module
from retreasure_assets.lake import judging
from retreasure_assets.privacy.sealing import NO_DICTIONARY
from tests.unit.lake.world import KEYS, batch, order
judging._LARGE_BYTES = 0
judge = judging.Judge(KEYS.judging, lambda _: NO_DICTIONARY, helpers=1)
for _ in range(2):
    judge.submit(batch([order(1)])).result()
print(judge._helpers[0]._process.pid, flush=True)
time.sleep(60)
"""


def test_a_helper_ends_with_the_process_that_started_it() -> None:
    root = Path(__file__).parents[3]
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], cwd=root, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    helper = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(500):
        try:
            os.kill(helper, 0)
            if Path(f"/proc/{helper}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.02)
    pytest.fail("the helper is still there")


@pytest.mark.parametrize("seed", range(3))
def test_batches_under_way_at_once_are_written_like_one_after_the_other(
    lake: Lake, vault: Vault, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Each batch repeats records of the one ahead, which is not in the table yet when it is looked for."""
    monkeypatch.setattr(judging, "_LARGE_BYTES", 0)
    # Batches that a helper judges once the first one is written are compressed there.
    vault.dictionaries.add(ORDERS.table, DICTIONARY.content)
    chance = random.Random(seed)
    numbers = [chance.choices(range(12 * page, 12 * page + 24), k=12) for page in range(8)]
    pages = [[order(number) if number % 7 else b"broken %d" % number for number in page] for page in numbers]
    writer = BronzeWriter(lake, vault, helpers=2)
    results = [future.result() for future in [writer.submit(batch(page), run_id="r") for page in pages]]
    writer.close()
    seen: set[bytes] = set()
    for result, page in zip(results, pages, strict=True):
        fresh = set(page) - seen
        seen |= fresh
        assert result.new + result.quarantined == len(fresh)
        assert result.quarantined == sum(record.startswith(b"broken") for record in fresh)
    good, bad = rows(lake, "bronze", ORDERS.table), rows(lake, "quarantine", f"bronze_{ORDERS.table}")
    assert sorted(unseal(vault, row) for row in [*good, *bad]) == sorted(seen)
    moments = {row["batch_id"]: row["ingested_at"] for row in good}
    ordered = [moments[result.batch_id] for result in results if result.batch_id in moments]
    assert ordered == sorted(set(ordered))
