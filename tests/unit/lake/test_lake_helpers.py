"""Helper processes judge as this one does, whoever else they judge for, and their end loses nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake import columns as columns_module
from retreasure_assets.lake import helpers as helpers_module
from retreasure_assets.lake import judging
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.helpers import Helpers
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
def helpers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Helpers]:
    """One or two helpers, to whom every batch but the first goes."""
    monkeypatch.setattr(judging, "_LARGE_BYTES", 0)
    helpers = Helpers(KEYS.judging, request.param)
    yield helpers
    helpers.close()


@pytest.fixture
def helped(helpers: Helpers) -> Iterator[Judge]:
    """A judge of whom they have got the first batch."""
    judge = Judge(KEYS.judging, dictionaries, helpers)
    judge.submit(batch([])).result()
    yield judge
    judge.close()


def pids(helpers: Helpers) -> list[int]:
    """The processes of the helpers that run."""
    return [helper._process.pid for helper in helpers._running or ()]


def halt(helpers: Helpers) -> None:
    """Let the first helper do nothing more: what it is given from now on is under way when it is killed."""
    os.kill(pids(helpers)[0], signal.SIGSTOP)


def kill(helpers: Helpers) -> None:
    """End the first helper."""
    os.kill(pids(helpers)[0], signal.SIGKILL)


def gone(helpers: Helpers) -> list[bool]:
    """Of each helper whether it is done without."""
    return [helper._gone for helper in helpers._running or ()]


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
def test_the_helper_judges_as_this_process_does(helpers: Helpers, helped: Judge, raw: RawBatch) -> None:
    here = RecordReader(raw.entity, KEYS.judging).read(raw)
    here[0].compressed, here[0].dictionary = compressed(raw, here[0], Compressor(DICTIONARY)), DICTIONARY.number
    there = helped.submit(raw).result()
    assert not any(gone(helpers))
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


@settings(deadline=None)
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


def test_a_helper_that_is_killed_is_done_without(helpers: Helpers, helped: Judge) -> None:
    raw = batch([order(number) for number in range(50)])
    for _ in pids(helpers):
        expected = [columns(judged) for judged in helped.submit(raw).result()]
    assert None not in expected[0]["compressed"]
    kill(helpers)
    here = [expected[0] | {"compressed": [], "dictionary": [0]}, expected[1]]
    assert [columns(judged) for judged in helped.submit(raw).result()] == here
    others = pids(helpers)[1:]
    for _ in others:
        assert [columns(judged) for judged in helped.submit(raw).result()] == expected
    assert gone(helpers) == [True, *(False for _ in others)]


def test_batches_under_way_outlive_the_helper(helpers: Helpers, helped: Judge) -> None:
    raws = [batch([order(number, customer=place) for number in range(3_000)]) for place in range(6)]
    here = [columns(RecordReader(ORDERS, KEYS.judging).read(raw)[0])["payloads"] for raw in raws]
    answers = [helped.submit(raws[0])]
    assert columns(answers[0].result()[0])["payloads"] == here[0]
    halt(helpers)
    answers += [helped.submit(raw) for raw in raws[1:]]
    kill(helpers)
    assert [columns(answer.result()[0])["payloads"] for answer in answers] == here
    assert gone(helpers)[0]


def test_a_judge_in_a_hurry_leaves_compressing_to_who_waits(helped: Judge) -> None:
    raw = batch([order(number) for number in range(5)])
    helped.hurried = True
    assert len(helped.submit(raw).result()[0].compressed) == 0
    helped.hurried = False
    assert len(helped.submit(raw).result()[0].compressed) == 5


def test_a_helper_that_cannot_be_started_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_LARGE_BYTES", 0)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    helpers = Helpers(KEYS.judging, 2)
    judge = Judge(KEYS.judging, dictionaries, helpers)
    for number in range(3):
        good, _ = judge.submit(batch([order(number)])).result()
        assert good.natural_keys.to_pylist() == [f"gid://shopify/Order/{number}"]
    assert not pids(helpers)
    judge.close()


def test_a_helper_imports_nothing_of_the_folder_it_is_started_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("retreasure_assets", "msgspec", "random"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(judging, "_LARGE_BYTES", 0)
    helpers = Helpers(KEYS.judging, 1)
    judge = Judge(KEYS.judging, dictionaries, helpers)
    for _ in range(2):
        judge.submit(batch([order(1)])).result()
    assert gone(helpers) == [False]
    judge.close()
    helpers.close()


def test_no_helper_for_little_or_without_leave() -> None:
    for count, size in ((2, 10), (0, judging._LARGE_BYTES)):
        helpers = Helpers(KEYS.judging, count)
        judge = Judge(KEYS.judging, dictionaries, helpers)
        for _ in range(3):
            judge.submit(batch([b"x" * size])).result()
        assert not pids(helpers)
        judge.close()


def test_readers_at_a_time_share_helpers(helpers: Helpers) -> None:
    """Each gets its own answers, compressed with its own dictionary."""
    others = Dictionary(8, train([order(number, customer=None) for number in range(500)]) or b"")
    raws = [batch([order(number, customer=place) for number in range(300)]) for place in range(12)]
    here = [columns(RecordReader(ORDERS, KEYS.judging).read(raw)[0])["record_ids"] for raw in raws]
    judges = [Judge(KEYS.judging, lambda _, one=one: one, helpers) for one in (DICTIONARY, others)]
    with ThreadPoolExecutor() as readers:
        answers = [readers.submit(lambda judge=judge: [judge.submit(raw) for raw in raws]) for judge in judges]
        found = [[answer.result()[0] for answer in of_one.result()] for of_one in answers]
    for judge, judged, dictionary in zip(judges, found, (DICTIONARY, others), strict=True):
        assert [columns(one)["record_ids"] for one in judged] == here
        assert {one.dictionary for one in judged} <= {dictionary.number, 0}
        assert judged[-1].dictionary == dictionary.number
        judge.close()
    assert len(pids(helpers)) == helpers._count


def test_helpers_stay_for_who_comes_next_and_then_end(
    helpers: Helpers, lake: Lake, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helpers_module, "_LINGER_SECONDS", 0.5)
    sources = iter(range(100))

    def read() -> list[int]:
        pages = [batch([order(next(sources))]) for _ in range(2)]
        with helpers.reading():
            writer = BronzeWriter(lake, vault, helpers=helpers)
            for page in pages:
                assert writer.write(page, run_id="r").new == 1
            writer.close()
            return pids(helpers)

    first = read()
    assert first
    assert read() == first
    with helpers.reading():
        time.sleep(1)
        assert pids(helpers) == first, "somebody was reading"
    processes = [helper._process for helper in helpers._running or ()]
    for _ in range(500):
        if all(process.returncode is not None for process in processes):
            break
        time.sleep(0.02)
    assert not pids(helpers)
    assert all(process.returncode is not None for process in processes)
    again = read()
    assert len(again) == len(first)
    assert not {*again} & {*first}


_PARENT = """
import time
from retreasure_assets.lake import judging
from retreasure_assets.lake.helpers import Helpers
from retreasure_assets.privacy.sealing import NO_DICTIONARY
from tests.unit.lake.world import KEYS, batch, order
judging._LARGE_BYTES = 0
helpers = Helpers(KEYS.judging, 1)
judge = judging.Judge(KEYS.judging, lambda _: NO_DICTIONARY, helpers)
for _ in range(2):
    judge.submit(batch([order(1)])).result()
print(helpers._running[0]._process.pid, flush=True)
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
    lake: Lake, vault: Vault, helpers: Helpers, seed: int
) -> None:
    """Each batch repeats records of the one ahead, which is not in the table yet when it is looked for."""
    # Batches that a helper judges once the first one is written are compressed there.
    vault.dictionaries.add(ORDERS.table, DICTIONARY.content)
    chance = random.Random(seed)
    numbers = [chance.choices(range(12 * page, 12 * page + 24), k=12) for page in range(8)]
    pages = [[order(number) if number % 7 else b"broken %d" % number for number in page] for page in numbers]
    writer = BronzeWriter(lake, vault, helpers=helpers)
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


def test_a_writer_that_is_closed_waits_for_what_helpers_leave_to_it(lake: Lake, vault: Vault, helpers: Helpers) -> None:
    pages = [batch([order(number, customer=page) for number in range(2_000)]) for page in range(4)]
    writer = BronzeWriter(lake, vault, helpers=helpers)
    written = [writer.submit(page, run_id="r") for page in pages]
    for helper in helpers._running or ():
        helper._process.kill()
    writer.close()
    assert [future.result(0).records for future in written] == [2_000] * 4
