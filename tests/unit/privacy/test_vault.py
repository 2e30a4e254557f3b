"""The vault: the same identity is the same person, whoever asks, and forgetting forgets."""

from __future__ import annotations

import hmac
import multiprocessing
import os
import random
import re
import signal
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy import vault as module
from retreasure_assets.privacy.identities import Namer, clear_identities, digests_of, normalise
from retreasure_assets.privacy.keys import derive
from retreasure_assets.privacy.people import match
from retreasure_assets.privacy.vault import Identities, Vault

KEYS = derive(b"m" * 32)
EMAIL, PHONE = "email", "phone"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault" / "vault.sqlite"


@pytest.fixture
def vault(path: Path) -> Iterator[Vault]:
    with Vault(path, KEYS) as vault:
        yield vault


def mail(name: str) -> Identities:
    return ((EMAIL, f"{name}@example.com"),)


def test_one_identity_is_one_person_however_it_is_written(vault: Vault) -> None:
    people = vault.resolve(
        [
            ((EMAIL, "Jane@Example.com "),),
            ((EMAIL, "jane@example.com"),),
            ((PHONE, "+353 (86) 123"),),
            ((PHONE, "0035386123"),),
        ]
    )
    assert people[0] == people[1] != people[2] == people[3]
    assert re.fullmatch(r"p_[0-9a-f]{32}", people[0])


def test_ids_of_persons_stand_in_the_order_of_their_moments(vault: Vault) -> None:
    earlier = vault.resolve([mail(f"a{number}") for number in range(50)])
    time.sleep(0.01)
    later = vault.resolve([mail(f"b{number}") for number in range(50)])
    assert max(earlier) < min(later)
    # What differs within one moment is random.
    assert len({person[-20:] for person in earlier + later}) == 100


def test_first_known_identity_wins_and_unknown_ones_are_linked(vault: Vault) -> None:
    [customer] = vault.resolve([(("shopify_customer", "1"),)])
    assert vault.resolve([(("shopify_customer", "1"), (EMAIL, "jane@example.com"))]) == [customer]
    assert vault.resolve([mail("jane")]) == [customer]


def test_two_persons_who_turn_out_to_be_one(vault: Vault, path: Path) -> None:
    first, second, third = vault.resolve([mail("a"), mail("b"), mail("c")])
    assert len({first, second, third}) == 3
    assert vault.resolve([(*mail("b"), *mail("c"))]) == [second]
    assert vault.resolve([(*mail("c"), *mail("a"))]) == [first]
    assert vault.resolve([mail("a"), mail("b"), mail("c")]) == [first] * 3
    assert vault.links() == {second: first, third: first}
    assert vault.same(third) == {first, second, third}
    with Vault(path, KEYS) as other:
        assert other.resolve([mail("c")]) == [first]


def test_persons_made_in_one_batch_can_be_one(vault: Vault) -> None:
    assert len(set(vault.resolve([mail("a"), mail("b"), (*mail("a"), *mail("b"))]))) == 1


def test_empty_values_are_no_identity(vault: Vault) -> None:
    one, other = vault.resolve([((EMAIL, "  "), (PHONE, "none"), ("x", 1)), ((EMAIL, ""), (PHONE, None), ("x", 2))])
    assert one != other
    with pytest.raises(ValueError, match="no usable identity"):
        vault.resolve([((EMAIL, " "),)])


@given(st.sampled_from([EMAIL, PHONE, "x"]), st.none() | st.integers() | st.text())
def test_a_record_names_what_normalises_to_something(kind: str, value: str | int | None) -> None:
    text = normalise(kind, value)
    named = Namer(KEYS.identities)([(kind, value), ("y", "other")])
    expected = [(kind, text), ("y", "other")] if text else [("y", "other")]
    assert clear_identities(named.clear) == expected
    digests = [hmac.digest(KEYS.identities, f"{kind}\0{text}".encode(), "sha256")[:16] for kind, text in expected]
    assert digests_of(named.digests) == digests


def test_the_file_is_owner_only_and_holds_nothing_in_clear(vault: Vault, path: Path) -> None:
    vault.resolve([((EMAIL, "planted.jane@example.com"), (PHONE, "+353869998877"))])
    vault.dictionaries.add("shopify_orders", b"planted-dictionary")
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for planted in (b"planted", b"353869998877", KEYS.wrapping):
            assert planted not in file.read_bytes()


def test_a_file_that_others_may_read_is_refused(vault: Vault, path: Path) -> None:
    path.chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        Vault(path, KEYS)


def test_another_master_key_is_refused(vault: Vault, path: Path) -> None:
    with pytest.raises(VaultError, match="does not belong"):
        Vault(path, derive(b"n" * 32))


def test_a_file_of_another_layout_is_refused(vault: Vault, path: Path) -> None:
    vault.close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 1")
    with pytest.raises(VaultError, match="another version of this platform"):
        Vault(path, KEYS)


def test_more_persons_than_are_remembered(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHED", 5)
    wanted = [mail(f"n{number}") for number in range(1_500)]
    people = vault.resolve(wanted)
    assert len(set(people)) == 1_500
    assert vault.resolve(wanted[::-1]) == people[::-1]
    keys = vault.keys_of(people)
    assert len(set(keys)) == 1_500
    assert keys == [vault.key(person) for person in people]
    assert vault.keys_of(people[::-1]) == keys[::-1]
    # Several records of one person, some of whom are remembered and some not.
    assert vault.keys_of([people[7], people[0], people[7], people[1_499]]) == [keys[7], keys[0], keys[7], keys[1_499]]


def test_a_damaged_file_is_one_sentence(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True)
    path.touch(mode=0o600)
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(VaultError, match=r"cannot be used \(SQLITE_NOTADB\)") as caught:
        Vault(path, KEYS)
    assert caught.value.__cause__ is None


def test_clear_identities_are_there_for_an_export(vault: Vault) -> None:
    [person] = vault.resolve([((EMAIL, "Jane@example.com"), (PHONE, "+353 86"))])
    vault.resolve([((EMAIL, "jane@example.com"), (EMAIL, "j2@example.com"), ("record", "a|b|1"))])
    assert vault.identities(person) == [(EMAIL, "j2@example.com"), (EMAIL, "jane@example.com"), (PHONE, "35386")]


def test_forgetting_a_key(vault: Vault) -> None:
    jane, other = vault.resolve([mail("jane"), mail("other")])
    key = vault.key(jane)
    vault.keys_of([jane])
    vault.forget_key(jane)
    assert vault.key(jane) is None
    assert vault.identities(jane) == []
    assert vault.key(other) is not None
    # She comes back: the same person, another key.
    assert vault.resolve([mail("jane")]) == [jane]
    vault.keys_of([jane])
    assert vault.key(jane) not in {None, key}
    # What she was called is gone all the same, until a source says it of her anew.
    assert vault.identities(jane) == []
    vault.resolve([(*mail("jane"), *mail("jane.doe"))])
    assert vault.identities(jane) == [(EMAIL, "jane.doe@example.com")]


def test_forgetting_a_person_leaves_no_trace(vault: Vault, path: Path) -> None:
    first, second = vault.resolve([mail("jane"), mail("jane.doe")])
    vault.resolve([(*mail("jane"), *mail("jane.doe"))])
    vault.forget(second)
    assert vault.key(first) is None
    assert vault.key(second) is None
    assert vault.links() == {}
    with sqlite3.connect(path) as database:
        for table in ("persons", "identities", "person_links"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    files = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert first.encode() not in files
    assert second.encode() not in files
    [again] = vault.resolve([mail("jane")])
    assert again not in {first, second}


def test_another_process_forgetting_is_seen(vault: Vault, path: Path) -> None:
    [jane] = vault.resolve([mail("jane")])
    vault.keys_of([jane])
    with Vault(path, KEYS) as other:
        other.forget(jane)
    assert vault.resolve([mail("jane")]) != [jane]
    with pytest.raises(KeyError):
        vault.keys_of([jane])


def test_dictionaries(vault: Vault) -> None:
    assert vault.dictionaries.newest("shopify_orders") is None
    first = vault.dictionaries.add("shopify_orders", b"one")
    second = vault.dictionaries.add("shopify_orders", b"two")
    vault.dictionaries.add("pos_transactions", b"three")
    assert vault.dictionaries.newest("shopify_orders") == (second, b"two")
    assert vault.dictionaries.all()[first] == b"one"


def _resolve_many(path: Path, seed: int) -> list[tuple[str, str]]:
    names = [f"n{number}" for number in range(300)]
    random.Random(seed).shuffle(names)
    with Vault(path, KEYS) as vault:
        found: list[tuple[str, str]] = []
        for start in range(0, 300, 20):
            part = names[start : start + 20]
            found += zip(part, vault.resolve([mail(name) for name in part]), strict=True)
        return found


def test_processes_that_resolve_at_once_find_the_same_persons(path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        answers = pool.starmap(_resolve_many, [(path, seed) for seed in range(3)], chunksize=1)
    assert len({pair for answer in answers for pair in answer}) == 300


def _resolve_for_ever(path: Path) -> None:
    with Vault(path, KEYS) as vault:
        for number in range(1_000_000):
            vault.resolve([mail(f"k{number}-{part}") for part in range(50)])


def test_a_kill_leaves_a_whole_vault(path: Path) -> None:
    for wait in (0.25, 0.31, 0.37):
        process = multiprocessing.get_context("spawn").Process(target=_resolve_for_ever, args=(path,))
        process.start()
        while not path.exists():
            time.sleep(0.01)
        time.sleep(wait)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with Vault(path, KEYS) as vault, sqlite3.connect(path) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            orphans = "SELECT count(*) FROM identities WHERE number NOT IN (SELECT number FROM persons)"
            assert database.execute(orphans).fetchone() == (0,)
            assert vault.key(vault.resolve([mail("k0-0")])[0]) is not None


digests = st.sampled_from([bytes([number]) for number in range(8)])
batches = st.lists(st.lists(digests, min_size=1, max_size=3), min_size=1, max_size=12)


@settings(max_examples=200)
@given(batches)
def test_matching_is_the_union_of_identities(records: list[list[bytes]]) -> None:
    matching = match(records, {}, first_new=1)
    groups: list[set[bytes]] = []
    for record in records:
        touched = [group for group in groups if group & set(record)]
        groups = [group for group in groups if group not in touched] + [set(record).union(*touched)]
    for one, person in zip(records, matching.persons, strict=True):
        for other, other_person in zip(records, matching.persons, strict=True):
            same = any(one[0] in group and other[0] in group for group in groups)
            assert (person == other_person) == same
    assert all(younger > older for younger, older in matching.links.items())


@settings(max_examples=30, deadline=None)
@given(batches, st.integers(1, 4))
def test_resolving_in_any_split_finds_the_same_groups(records: list[list[bytes]], size: int) -> None:
    wanted = [tuple(("x", digest.hex()) for digest in record) for record in records]
    with tempfile.TemporaryDirectory() as folder, Vault(Path(folder) / "v" / "vault.sqlite", KEYS) as vault:
        for start in range(0, len(wanted), size):
            vault.resolve(wanted[start : start + size])
        people = vault.resolve(wanted)
    expected = match(records, {}, first_new=1).persons
    assert [people.index(person) for person in people] == [expected.index(person) for person in expected]
