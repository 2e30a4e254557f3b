"""The bronze writer: each record once, exact, masked, sealed."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.errors import LakeError
from retreasure_assets.lake import appending, bronze
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.rows import QUARANTINE_SCHEMA, SCHEMA
from retreasure_assets.lake.storage import Lake, add_actions
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.settings import Settings
from tests.unit.lake.world import (
    KEYS,
    LINES,
    LOCATIONS,
    ORDERS,
    PLANTED,
    assert_nothing_planted,
    batch,
    order,
    rows,
    unseal,
)


def test_a_record_keeps_its_bytes_and_shows_nothing_personal(lake: Lake, vault: Vault) -> None:
    record = order(1, extra="1.10")
    result = BronzeWriter(lake, vault).write(batch([record]), run_id="run-1")
    assert (result.records, result.new, result.duplicates, result.quarantined) == (1, 1, 0, 0)
    assert result.bytes == len(record)
    [row] = rows(lake, "bronze", "shopify_orders")
    assert list(row) == SCHEMA.names
    assert unseal(vault, row) == record
    assert row["payload_sha256"] == hashlib.sha256(record).hexdigest()
    masked = json.loads(row["payload"])
    assert masked == json.loads(record) | {
        "email": None,
        "phone": None,
        "customer": {"id": "gid://shopify/Customer/1", "name": None},
        "address": {"street": None, "zip": "D02", "city": "Dublin"},
    }
    assert row["natural_key"] == "gid://shopify/Order/1"
    assert row["source_updated_at"] == datetime(2026, 3, 2, 10, 1, tzinfo=UTC)
    assert row["ingest_date"] == row["ingested_at"].date()
    assert len(row["record_id"]) == 32
    assert (row["source"], row["entity"], row["run_id"], row["batch_id"]) == (
        "shopify",
        "orders",
        "run-1",
        result.batch_id,
    )
    assert row["origin"] == "https://shop/0"
    assert vault.resolve([(("email", f"1.{PLANTED[1]}"),)]) == [row["person_id"]]


def test_a_forgotten_person_leaves_masked_rows_that_open_no_more(lake: Lake, vault: Vault) -> None:
    BronzeWriter(lake, vault).write(batch([order(1, customer=1), order(2, customer=2)]), run_id="r")
    first, second = rows(lake, "bronze", "shopify_orders")
    vault.forget(first["person_id"])
    assert vault.key(first["person_id"]) is None
    assert unseal(vault, second) == order(2, customer=2)


def test_the_same_batch_again_makes_no_commit(lake: Lake, vault: Vault) -> None:
    records = [order(number) for number in range(20)] + [b"broken"]
    first = BronzeWriter(lake, vault).write(batch(records), run_id="r")
    again = BronzeWriter(lake, vault).write(batch(list(reversed(records))), run_id="s")
    assert (again.new, again.duplicates, again.quarantined) == (0, 21, 0)
    fewer = BronzeWriter(lake, vault).write(batch(records[1:]), run_id="t")
    assert again.batch_id == first.batch_id != fewer.batch_id
    assert lake.table("bronze", "shopify_orders").version() == 1
    assert lake.table("quarantine", "bronze_shopify_orders").version() == 1


def test_the_commit_carries_the_batch(lake: Lake, vault: Vault) -> None:
    result = BronzeWriter(lake, vault).write(batch([order(1)]), run_id="r")
    table = lake.table("bronze", "shopify_orders")
    [commit] = table.history(1)
    assert (commit["batch_id"], commit["run_id"]) == (result.batch_id, "r")
    assert table.transaction_version("retreasure") == 1


def test_a_new_version_of_a_record_is_kept_beside_the_old_one(lake: Lake, vault: Vault) -> None:
    writer = BronzeWriter(lake, vault)
    writer.write(batch([order(1, total="1")]), run_id="r")
    assert writer.write(batch([order(1, total="2"), order(1, total="1")]), run_id="r").new == 1
    assert len(rows(lake, "bronze", "shopify_orders")) == 2


def test_persons(lake: Lake, vault: Vault) -> None:
    writer = BronzeWriter(lake, vault)
    guest = order(3, customer=None)
    writer.write(batch([order(1, customer=1), order(2, customer=1), guest, order(4, customer=None)]), run_id="r")
    people = {row["natural_key"][-1]: row["person_id"] for row in rows(lake, "bronze", "shopify_orders")}
    assert people["1"] == people["2"]
    assert len(set(people.values())) == 3
    # The guest's order, changed: the same person as before.
    writer.write(batch([order(3, customer=None, total="9")]), run_id="r")
    guests = {row["person_id"] for row in rows(lake, "bronze", "shopify_orders") if row["natural_key"].endswith("/3")}
    assert guests == {people["3"]}


def test_an_entity_without_masks_is_kept_as_it_is(lake: Lake, vault: Vault) -> None:
    record = b'{ "id": 5, "name": "Caf\xc3\xa9", "rate": 1.10 }'
    BronzeWriter(lake, vault).write(batch([record], LOCATIONS), run_id="r")
    [row] = rows(lake, "bronze", "shopify_locations")
    assert row["payload"].encode() == record
    assert (row["sealed"], row["person_id"], row["source_updated_at"], row["natural_key"]) == (None, None, None, "5")


def test_lines_of_files(lake: Lake, vault: Vault) -> None:
    lines = [b"1;1;Caf\xe9;L-1", b"1;2;Vase;"]
    payloads = [
        b'{"transaction_id":"1","line_id":"1","sold_at":"2026-01-02T10:00:00Z","title":"Caf\xc3\xa9","loyalty_id":"L-1"}',
        b'{"transaction_id":"1","line_id":"2","sold_at":"2026-01-02","title":"Vase","loyalty_id":null}',
    ]
    writer = BronzeWriter(lake, vault)
    writer.write(batch(lines, LINES, payloads=payloads), run_id="r")
    first, second = rows(lake, "bronze", "pos_transactions")
    assert [unseal(vault, row) for row in (first, second)] == lines
    assert first["natural_key"] == "1|1"
    assert second["source_updated_at"] == datetime(2026, 1, 2, tzinfo=UTC)
    loyalty = json.loads(first["payload"])["loyalty_id"]
    assert len(loyalty) == 32
    assert "L-1" not in first["payload"]
    # A corrected mapping gives the same line another payload: a new version of the record.
    corrected = [payload.replace(b"Vase", b"Big vase") for payload in payloads]
    assert writer.write(batch(lines, LINES, payloads=corrected), run_id="r").new == 1


def test_a_record_that_holds_nothing_personal_is_about_nobody(lake: Lake, vault: Vault) -> None:
    bare = b'{"transaction_id":"1","line_id":"1","sold_at":"2026-01-02T10:00:00Z","title":"Vase","loyalty_id":null}'
    # Not named, but with something masked, or written otherwise than the payload: sealed, for a subject of its own.
    odd = bare.replace(b"null", b'{"a":1}').replace(b'"1","l', b'"2","l')
    spaced = bare.replace(b":", b": ").replace(b'"1","l', b'"3","l')
    twice = bare.replace(b"null", b'"Planted-Jane","loyalty_id":null').replace(b'"1","l', b'"4","l')
    named = bare.replace(b"null", b'"L-1"').replace(b'"1","l', b'"5","l')
    records = [bare, odd, spaced, twice, named]
    writer = BronzeWriter(lake, vault)
    assert writer.write(batch(records, LINES), run_id="r").new == 5
    first, *others = sorted(rows(lake, "bronze", "pos_transactions"), key=lambda row: row["natural_key"])
    assert first["payload"].encode() == bare
    assert (first["sealed"], first["person_id"]) == (None, None)
    assert [unseal(vault, row) for row in others] == records[1:]
    assert [row["person_id"][:2] for row in others] == ["r_", "r_", "r_", "p_"]
    assert all("Planted" not in row["payload"] for row in others)


def test_lines_of_files_that_name_nobody_keep_their_bytes_too(lake: Lake, vault: Vault) -> None:
    BronzeWriter(lake, vault).write(batch([b"5;Dublin"], LOCATIONS, payloads=[b'{"id":"5"}']), run_id="r")
    [row] = rows(lake, "bronze", "shopify_locations")
    assert row["person_id"] is None
    assert unseal(vault, row) == b"5;Dublin"


def test_what_cannot_be_read_is_quarantined_bytes_and_all(lake: Lake, vault: Vault) -> None:
    bad = {
        b"": "is not valid JSON",
        b'{"id":"Planted-Jane"': "is not valid JSON",
        b'["Planted-Jane"]': "is not a JSON object",
        b'{"email":"Planted-Jane"}': "has no id",
        b'{"id":null}': "has no id",
        b'{"id":" "}': "has no id",
        b'{"id":{"a":"Planted-Jane"}}': "has no id",
        b'{"id":"1","note":"Planted-Jane \xff"}': "is not valid UTF-8",
        b'{"id":"1","note":"\\ud800"}': "is not valid JSON",
        order(7)[:-20]: "is not valid JSON",
    }
    records = [order(1), *bad, order(2)]
    result = BronzeWriter(lake, vault).write(batch(records), run_id="r")
    assert (result.new, result.duplicates, result.quarantined) == (2, 0, len(bad))
    found = rows(lake, "quarantine", "bronze_shopify_orders")
    assert list(found[0]) == QUARANTINE_SCHEMA.names
    assert {unseal(vault, row): row["reason"] for row in found} == bad
    assert all(row["payload"] is None and row["person_id"] is None for row in found)
    assert_nothing_planted(lake.root.parent)


def test_what_the_source_could_not_read_is_quarantined_with_its_reason(lake: Lake, vault: Vault) -> None:
    raw = batch([b"1;2", order(1)], payloads=[b"", order(1)], problems=["has 2 fields instead of 9", None])
    assert BronzeWriter(lake, vault).write(raw, run_id="r").quarantined == 1
    [row] = rows(lake, "quarantine", "bronze_shopify_orders")
    assert (row["reason"], unseal(vault, row)) == ("has 2 fields instead of 9", b"1;2")


def test_no_planted_value_is_anywhere(lake: Lake, vault: Vault, settings: Settings) -> None:
    writer = BronzeWriter(lake, vault)
    for start in range(0, 900, 300):
        writer.write(batch([order(number, customer=number % 50) for number in range(start, start + 300)]), run_id="r")
    assert vault.dictionaries.all()
    assert_nothing_planted(settings.home)


def test_ingested_at_only_ever_grows(lake: Lake, vault: Vault) -> None:
    times = iter([datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)])
    for number in range(3):
        BronzeWriter(lake, vault, clock=lambda: next(times)).write(batch([order(number)]), run_id="r")
    found = sorted(rows(lake, "bronze", "shopify_orders"), key=lambda row: row["natural_key"])
    moments = [row["ingested_at"] for row in found]
    assert moments == sorted(set(moments))
    assert moments[-1] - moments[0] < timedelta(seconds=1)


def test_an_empty_batch_changes_nothing(lake: Lake, vault: Vault) -> None:
    assert BronzeWriter(lake, vault).write(batch([]), run_id="r").records == 0
    assert lake.tables() == []


def test_lists_of_different_lengths_are_a_mistake(lake: Lake, vault: Vault) -> None:
    with pytest.raises(ValueError, match="different lengths"):
        BronzeWriter(lake, vault).write(batch([order(1)], payloads=[]), run_id="r")


def test_undated_records_are_found_again(lake: Lake, vault: Vault) -> None:
    writer = BronzeWriter(lake, vault)
    records = [order(1, updated="soon"), order(2), b'{"id":"3"}']
    assert writer.write(batch(records), run_id="r").new == 3
    assert writer.write(batch([*records, order(4)]), run_id="r").new == 1


def test_two_writers_with_batches_under_way_write_each_record_once(
    lake: Lake, vault: Vault, settings: Settings
) -> None:
    records = [order(number) for number in range(300)]
    failures: list[BaseException] = []

    def write(seed: int) -> None:
        with Vault(settings.vault_path, KEYS) as own:
            writer = BronzeWriter(lake, own)
            under_way = [
                writer.submit(batch(records[start : start + 30]), run_id=f"r{seed}") for start in range(0, 300, 30)
            ]
            failures.extend(error for future in under_way if (error := future.exception()) is not None)
            writer.close()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    found = rows(lake, "bronze", "shopify_orders")
    assert len(found) == len({row["record_id"] for row in found}) == 300
    moments = {row["batch_id"]: row["ingested_at"] for row in found}
    appended = {(row["run_id"], row["batch_id"], row["ingested_at"]) for row in found}
    assert len({moment for _, _, moment in appended}) == len(appended) >= len(moments)


def test_records_of_a_batch_that_failed_are_not_taken_for_written(
    lake: Lake, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = BronzeWriter(lake, vault)
    writer.write(batch([order(1)]), run_id="r")
    prepared = threading.Event()
    real, calls = appending.append, iter([True])

    def append(*arguments: Any, **named: Any) -> Any:
        if next(calls, False):
            # Fails when the next batch has been looked for already.
            assert prepared.wait(20)
            raise OSError(errno.ENOSPC, "full")
        return real(*arguments, **named)

    monkeypatch.setattr(bronze, "append", append)
    failing = writer.submit(batch([order(2), order(3)]), run_id="r")
    following = [writer.submit(batch([order(2)]), run_id="r")]
    writer._preparer.submit(lambda: None).result()
    following.append(writer.submit(batch([order(3), order(4)]), run_id="r"))
    prepared.set()
    with pytest.raises(LakeError, match="disk is full"):
        failing.result()
    assert [future.result().new for future in following] == [1, 2]
    writer.close()
    found = rows(lake, "bronze", "shopify_orders")
    assert sorted(row["natural_key"][-1] for row in found) == ["1", "2", "3", "4"]


def test_two_writers_at_once_write_each_record_once(lake: Lake, vault: Vault, settings: Settings) -> None:
    records = [order(number) for number in range(400)]

    def write(seed: int) -> None:
        with Vault(settings.vault_path, KEYS) as own:
            writer = BronzeWriter(lake, own)
            for start in range(0, 400, 100):
                writer.write(batch(records[start : start + 100]), run_id=f"r{seed}")

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = rows(lake, "bronze", "shopify_orders")
    assert len(found) == len({row["record_id"] for row in found}) == 400


def test_only_files_that_can_hold_a_record_are_read(lake: Lake, vault: Vault) -> None:
    writer = BronzeWriter(lake, vault)
    for day in range(1, 6):
        writer.write(batch([order(day, updated=f"2026-01-0{day}T00:00:00.123456Z")]), run_id="r")
    table = lake.table("bronze", "shopify_orders")
    actions = add_actions(table)
    keep = [low.day == 3 for low in actions["min.source_updated_at"].to_pylist()]
    for path, kept in zip(actions["path"].to_pylist(), keep, strict=True):
        if not kept:
            (Path(lake.uri("bronze", "shopify_orders")) / path).unlink()
    again = batch([order(3, updated="2026-01-03T00:00:00.123456Z")])
    assert BronzeWriter(lake, vault).write(again, run_id="r").duplicates == 1


def test_a_lake_that_cannot_be_written_is_one_sentence(lake: Lake, vault: Vault) -> None:
    lake.root.mkdir(parents=True)
    (lake.root / "bronze").write_text("a file where a folder should be")
    with pytest.raises(LakeError, match=r"bronze\.shopify_orders could not be opened or written") as caught:
        BronzeWriter(lake, vault).write(batch([order(1)]), run_id="r")
    assert caught.value.__cause__ is None


pages = st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=5)


@settings(max_examples=15, deadline=None)
@given(pages)
def test_any_split_order_and_repetition_gives_each_record_once(split: list[list[int]]) -> None:
    """Numbers above 9 are broken records, 8 and 9 have no change time."""

    def record(number: int) -> bytes:
        if number > 9:
            return b"broken" * number
        return order(number, updated="unknown" if number > 7 else None)

    with tempfile.TemporaryDirectory() as folder, Vault(Path(folder) / "v" / "vault.sqlite", KEYS) as vault:
        lake = Lake(Path(folder) / "lake")
        writer = BronzeWriter(lake, vault)
        results = [writer.write(batch([record(number) for number in page]), run_id="r") for page in split]
        wanted = {record(number) for page in split for number in page}
        good, bad = rows(lake, "bronze", ORDERS.table), rows(lake, "quarantine", f"bronze_{ORDERS.table}")
        assert sorted(unseal(vault, row) for row in [*good, *bad]) == sorted(wanted)
        assert sum(result.new for result in results) == len(good)
        assert sum(result.quarantined for result in results) == len(bad)
        for result, page in zip(results, split, strict=True):
            assert result.records == len(page) == result.new + result.duplicates + result.quarantined


def test_a_state_that_comes_back_is_news_where_records_are_states(lake: Lake, vault: Vault) -> None:
    """On offer, sold, on offer again: the last word counts, though it was said before."""
    stock = dataclasses.replace(LOCATIONS, name="stock", snapshot=True)
    writer = BronzeWriter(lake, vault)
    on_offer, sold, other = (b'{"id":"1","quantity":1}', b'{"id":"1","quantity":0}', b'{"id":"2","quantity":1}')
    new = []
    for state in (on_offer, on_offer, sold, sold, on_offer, on_offer):
        new.append(writer.write(batch([state, other], stock), run_id="run").new)
    assert new == [2, 0, 1, 0, 1, 0]
    told = sorted(rows(lake, "bronze", "shopify_stock"), key=lambda row: row["ingested_at"])
    assert [row["payload"] for row in told if row["natural_key"] == "1"] == [
        state.decode() for state in (on_offer, sold, on_offer)
    ]
    # Elsewhere a record that was there before stays a duplicate: an old file dropped once more changes nothing.
    for state, count in ((on_offer, 1), (sold, 1), (on_offer, 0)):
        assert writer.write(batch([state], LOCATIONS), run_id="run").new == count
