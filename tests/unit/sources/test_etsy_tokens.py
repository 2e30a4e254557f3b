"""Etsy's rotating refresh token: no crash loses the way in."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import httpx
import pytest

from retreasure_assets.entities import Window
from retreasure_assets.errors import PermanentSourceError, SourceError, VaultError
from retreasure_assets.privacy.secret_files import SecretFile
from retreasure_assets.sources.etsy import ENTITIES
from tests.unit.sources.fake_etsy import FakeEtsy, Memory, connector, day, receipt

KEY = bytes(range(32))


class CrashError(BaseException):
    """The process ends here."""


def sync(etsy: FakeEtsy, store: object, **changes: object) -> int:
    each = connector(etsy, store=store, **changes)
    try:
        return sum(len(batch.records) for batch in each.batches(ENTITIES["receipts"], None, Window()))
    finally:
        each.close()


@pytest.fixture
def etsy() -> FakeEtsy:
    return FakeEtsy(receipts=[receipt(1, day(1))])


def test_an_access_token_is_used_while_it_is_good_also_by_the_next_process(etsy: FakeEtsy) -> None:
    store = Memory()
    assert sync(etsy, store) == 1
    etsy.clock += 3000
    assert sync(etsy, store) == 1
    assert etsy.refreshed == ["r0"]
    etsy.clock += 500
    assert sync(etsy, store) == 1
    assert etsy.refreshed == ["r0", "r1"]


def test_the_new_token_is_stored_before_it_is_used_beside_the_old_one(etsy: FakeEtsy) -> None:
    store = Memory()
    seen: list[int] = []
    etsy.before = lambda path, query: seen.append(len(store.saved))
    sync(etsy, store)
    assert seen[0] == 1
    kept = json.loads(store.saved[0])
    assert (kept["refresh"], kept["before"], kept["access"]) == ("r1", "r0", "a1")


def test_a_crash_before_the_answer_is_stored(etsy: FakeEtsy) -> None:
    """Etsy has rotated, nothing was written: the old token is all there is, and Etsy still takes it."""

    class Crashing(Memory):
        def save(self, secret: bytes) -> None:
            raise CrashError

    with pytest.raises(CrashError):
        sync(etsy, Crashing())
    assert sync(etsy, Memory()) == 1
    assert etsy.refreshed == ["r0", "r0"]


@pytest.mark.parametrize("crash_at", range(1, 6))
def test_a_crash_at_any_request_loses_nothing(etsy: FakeEtsy, crash_at: int) -> None:
    """Tokens that are good once, and a process that ends at its n-th request."""
    store = Memory()
    count = 0
    plain = etsy.handle

    def crashing(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        if count == crash_at:
            raise CrashError
        answer = plain(request)
        # No grace: a refresh token is used up at once.
        etsy.valid = {token for token in etsy.valid if token not in etsy.refreshed}
        return answer

    for _ in range(4):
        try:
            sync(etsy, store, transport=httpx.MockTransport(crashing))
        except CrashError:
            etsy.clock += 4000
    etsy.clock += 4000
    assert sync(etsy, store) == 1


def test_a_store_that_lags_behind_is_made_good_by_the_token_before(etsy: FakeEtsy) -> None:
    store = Memory()
    sync(etsy, store)
    etsy.clock += 4000
    # A restored backup: its newest token was never heard of, the one before it is still good.
    etsy.valid = {"r0"}
    assert sync(etsy, store) == 1
    assert etsy.refreshed[-2:] == ["r1", "r0"]


def test_a_token_that_a_person_sets_anew_wins(etsy: FakeEtsy) -> None:
    store = Memory()
    sync(etsy, store)
    etsy.valid = {"fresh"}
    etsy.access = set()
    assert sync(etsy, store, refresh_token="fresh") == 1
    assert etsy.refreshed == ["r0", "fresh"]


def test_none_is_good_any_more(etsy: FakeEtsy) -> None:
    etsy.valid = set()
    with pytest.raises(PermanentSourceError, match="no longer") as raised:
        sync(etsy, Memory())
    assert "RETREASURE_ETSY_REFRESH_TOKEN" in raised.value.remedy
    assert "r0" not in str(raised.value)


@pytest.mark.parametrize(
    "answer", [httpx.Response(401, json={"error": "invalid_client"}), httpx.Response(400, json={})]
)
def test_a_keystring_that_is_wrong(etsy: FakeEtsy, answer: httpx.Response) -> None:
    with pytest.raises(PermanentSourceError, match="does not give an access token"):
        sync(etsy, Memory(), transport=httpx.MockTransport(lambda request: answer))


def test_an_answer_that_cannot_be_read(etsy: FakeEtsy) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=b"<html>"))
    with pytest.raises(SourceError):
        sync(etsy, Memory(), transport=transport)


# --- where it is kept --------------------------------------------------------------------------------------------


def test_a_secret_is_sealed_private_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "vault" / "etsy.tokens"
    store = SecretFile(path, lambda: KEY)
    assert store.load() is None
    with store.lock():
        store.save(b"r1 and r0")
        store.save(b"r2 and r1")
    assert SecretFile(path, lambda: KEY).load() == b"r2 and r1"
    assert b"r2" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {file.name for file in path.parent.iterdir()} <= {"etsy.tokens", "etsy.tokens.lock"}


def test_another_key_another_name_or_damage_do_not_open_it(tmp_path: Path) -> None:
    path = tmp_path / "vault" / "etsy.tokens"
    SecretFile(path, lambda: KEY).save(b"secret")
    with pytest.raises(VaultError):
        SecretFile(path, lambda: bytes(32)).load()
    path.with_name("other.tokens").write_bytes(path.read_bytes())
    with pytest.raises(VaultError):
        SecretFile(path.with_name("other.tokens"), lambda: KEY).load()
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(VaultError) as raised:
        SecretFile(path, lambda: KEY).load()
    assert "secret" in raised.value.message


def test_nobody_else_exchanges_it_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retreasure_assets.privacy.secret_files._PATIENCE", 0.1)
    path = tmp_path / "vault" / "etsy.tokens"
    with (
        SecretFile(path, lambda: KEY).lock(),
        pytest.raises(VaultError, match="Another process"),
        SecretFile(path, lambda: KEY).lock(),
    ):
        pass
