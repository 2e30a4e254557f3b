"""The master key and the keys derived from it.

What belongs here: where the master key comes from, who may read it, and one derived key per purpose. What does
not: the random key of each person (vault.py), which the master key merely wraps.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from retreasure_assets.errors import VaultError

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

KEY_BYTES = 32
KEY_FILE = "master.key"
_POSIX = os.name == "posix"


@dataclass(frozen=True, slots=True)
class Keys:
    """One 256-bit key per purpose, derived from the master key by HKDF-SHA256 (RFC 5869).

    A leaked derived key tells nothing about the others. ``repr`` shows none of them.
    """

    pseudonyms: bytes = field(repr=False)
    identities: bytes = field(repr=False)
    wrapping: bytes = field(repr=False)
    #: For bytes that belong to no person: what cannot be read, and lines of files that name nobody.
    unowned: bytes = field(repr=False)
    dictionaries: bytes = field(repr=False)
    #: For secrets that the platform itself has to remember (secret_files.py).
    secrets: bytes = field(repr=False)
    #: Not a key: tells whether a vault was made with this master key.
    check: bytes = field(repr=False)

    @property
    def judging(self) -> JudgingKeys:
        """Those of the keys that judging records takes."""
        return JudgingKeys(self.pseudonyms, self.identities)


@dataclass(frozen=True, slots=True)
class JudgingKeys:
    """The two keys that records are judged with: those of pseudonyms and of identities' digests."""

    pseudonyms: bytes = field(repr=False)
    identities: bytes = field(repr=False)


def derive(master: bytes) -> Keys:
    """Derive every key from the master key of 32 bytes."""

    def key(purpose: str) -> bytes:
        info = f"retreasure/v1/{purpose}".encode()
        return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)

    return Keys(
        pseudonyms=key("pseudonyms"),
        identities=key("identities"),
        wrapping=key("wrapping"),
        unowned=key("unowned"),
        dictionaries=key("dictionaries"),
        secrets=key("secrets"),
        check=key("check"),
    )


def load_keys(settings: Settings) -> Keys:
    """The keys of this installation; the first call makes the master key file.

    The master key is ``RETREASURE_VAULT_KEY`` where set, else the file ``master.key`` beside the vault.

    Raises:
        VaultError: the key is not base64 of 32 bytes, others may read it, or it is gone although a vault exists.
    """
    if settings.vault_key is not None:
        return derive(_decode(settings.vault_key.get_secret_value(), "RETREASURE_VAULT_KEY"))
    folder = private_folder(settings.vault_path.parent)
    path = folder / KEY_FILE
    if not path.exists():
        if settings.vault_path.exists():
            raise VaultError(
                f"The vault exists but its master key {path} does not.",
                remedy="Restore the key file from a backup, or set RETREASURE_VAULT_KEY.",
            )
        _create(path)
    _refuse_others(path, "chmod 600")
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise VaultError(f"The master key {path} cannot be read.", remedy="Check the file and its rights.") from None
    return derive(_decode(text, f"The master key {path}"))


def private_folder(folder: Path) -> Path:
    """Make the vault's folder with owner-only rights, or check those it has.

    Raises:
        VaultError: it cannot be made, or others have rights on it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    except OSError:
        raise VaultError(
            f"The vault's folder {folder} cannot be made.", remedy="Check the rights on RETREASURE_HOME."
        ) from None
    _refuse_others(folder, "chmod 700")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise VaultError(f"Access to the vault's folder {folder} is refused.", remedy="Give this user rights on it.")
    return folder


def _create(path: Path) -> None:
    """Write a new key so that, of several processes starting at once, one wins whole and the others read it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
    except OSError:
        raise VaultError(
            f"The master key {path} cannot be written.", remedy="Check free space and the rights on its folder."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _refuse_others(path: Path, remedy: str) -> None:
    if not _POSIX:
        return
    mode = path.stat().st_mode
    if stat.S_IMODE(mode) & 0o077:
        raise VaultError(f"Others than its owner have rights on {path}.", remedy=f"Run `{remedy} {path}`.")


def _decode(text: str, name: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultError(
            f"{name} is not a key: it must be base64 of {KEY_BYTES} bytes.",
            remedy="Make one with `openssl rand -base64 32`, or restore the one that the vault was made with.",
        )
    return key
