"""Small secrets that the platform has to remember, such as a token that changes at every use: one sealed file each.

What belongs here: keeping such a secret so that nobody else reads it and no crash loses it. What does not: what it is
for.

The file is ``nonce (12) | AES-256-GCM ciphertext and tag``, with a key derived from the master key; its name is
authenticated with it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from filelock import FileLock, Timeout

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy.keys import private_folder

_NONCE = 12
#: Seconds to wait for another process that exchanges the secret.
_PATIENCE = 180.0


class SecretFile:
    """One secret in one file.

    Args:
        path: the file; its folder is made owner-only.
        key: gives the key, 32 bytes; called when it is first needed.
    """

    def __init__(self, path: Path, key: Callable[[], bytes]) -> None:
        self._path = path
        self._key = key

    def load(self) -> bytes | None:
        """The secret, None where there is none.

        Raises:
            VaultError: it cannot be read or opened.
        """
        try:
            sealed = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            raise self._unusable("read") from None
        try:
            return AESGCM(self._key()).decrypt(sealed[:_NONCE], sealed[_NONCE:], self._path.name.encode())
        except (InvalidTag, ValueError):
            raise VaultError(
                f"The secret {self._path} cannot be opened with this installation's master key.",
                remedy="Restore the file or the key, or delete the file and set the source's credentials anew.",
            ) from None

    def save(self, secret: bytes) -> None:
        """Replace the secret in one step; durable when this returns.

        Raises:
            VaultError: it cannot be written.
        """
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + AESGCM(self._key()).encrypt(nonce, secret, self._path.name.encode())
        folder = private_folder(self._path.parent)
        temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
            _sync(folder)
        except OSError:
            raise self._unusable("written") from None
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from the secret while the block runs.

        Raises:
            VaultError: another process holds it for minutes.
        """
        private_folder(self._path.parent)
        lock = FileLock(self._path.with_name(f"{self._path.name}.lock"), timeout=_PATIENCE, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise VaultError(
                f"Another process holds the secret {self._path}.", remedy="Wait until it ends, or stop it."
            ) from None
        except OSError:
            raise self._unusable("locked") from None
        try:
            yield
        finally:
            lock.release()

    def _unusable(self, what: str) -> VaultError:
        return VaultError(
            f"The secret {self._path} cannot be {what}.", remedy="Check free space and the rights on its folder."
        )


def _sync(folder: Path) -> None:
    """Make a rename in the folder durable, where the system offers it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
