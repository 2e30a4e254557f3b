"""The master key: made once, owner-only, refused otherwise."""

from __future__ import annotations

import base64
import multiprocessing
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy.keys import KEY_FILE, derive, load_keys
from retreasure_assets.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def _key_of(home: Path) -> bytes:
    return load_keys(Settings(home=home)).wrapping


def test_the_first_call_makes_an_owner_only_key_and_later_ones_read_it(settings: Settings) -> None:
    keys = load_keys(settings)
    folder = settings.vault_path.parent
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert load_keys(settings) == keys
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert len(set(pool.map(_key_of, [tmp_path / "home"] * 6, chunksize=1))) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(settings: Settings, mode: int) -> None:
    load_keys(settings)
    (settings.vault_path.parent / KEY_FILE).chmod(mode)
    with pytest.raises(VaultError, match="chmod 600"):
        load_keys(settings)


def test_a_folder_that_others_may_enter_is_refused(settings: Settings) -> None:
    load_keys(settings)
    settings.vault_path.parent.chmod(0o755)
    with pytest.raises(VaultError, match="chmod 700"):
        load_keys(settings)


def test_a_lost_key_is_not_replaced_by_a_new_one(settings: Settings) -> None:
    load_keys(settings)
    settings.vault_path.touch(mode=0o600)
    (settings.vault_path.parent / KEY_FILE).unlink()
    with pytest.raises(VaultError, match="Restore the key file"):
        load_keys(settings)


@pytest.mark.parametrize("text", ["", "c2hvcnQ=", "not base64!", "ü" * 32, base64.b64encode(b"x" * 33).decode()])
def test_a_key_of_another_form_is_refused_without_being_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(VaultError, match="RETREASURE_VAULT_KEY is not a key") as caught:
        load_keys(Settings(home=tmp_path, vault_key=SecretStr(text)))
    assert not text or text not in str(caught.value)


def test_the_environments_key_needs_no_file(tmp_path: Path) -> None:
    key = base64.b64encode(b"k" * 32).decode()
    assert load_keys(Settings(home=tmp_path, vault_key=SecretStr(key))) == derive(b"k" * 32)
    assert list(tmp_path.iterdir()) == []


def test_derived_keys_differ_and_do_not_show() -> None:
    keys = derive(b"k" * 32)
    values = [getattr(keys, name) for name in keys.__slots__]
    assert len(set(values)) == len(values)
    assert repr(keys) == "Keys()"
    assert derive(b"l" * 32) != keys
