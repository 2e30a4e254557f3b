"""Compression dictionaries, kept encrypted in the vault's file.

What belongs here: keeping them. What does not: training and using them (sealing.py).
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy.database import Database

_NONCE = 12


class Dictionaries:
    """The dictionaries of one vault. None is ever changed or removed: sealed records name theirs by its number."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._cipher = AESGCM(key)

    def all(self) -> dict[int, bytes]:
        """Every dictionary by its number."""
        with self._database.session():
            rows = self._database.execute("SELECT number, entity, sealed FROM dictionaries").fetchall()
        return {number: self._open(entity, sealed) for number, entity, sealed in rows}

    def newest(self, entity: str) -> tuple[int, bytes] | None:
        """The newest dictionary of an entity as (number, content)."""
        with self._database.session():
            row = self._database.execute(
                "SELECT number, sealed FROM dictionaries WHERE entity = ? ORDER BY number DESC LIMIT 1", (entity,)
            ).fetchone()
        return (row[0], self._open(entity, row[1])) if row else None

    def add(self, entity: str, content: bytes) -> int:
        """Keep a dictionary and return its number."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, content, entity.encode())
        with self._database.transaction():
            cursor = self._database.execute("INSERT INTO dictionaries (entity, sealed) VALUES (?, ?)", (entity, sealed))
            return int(cursor.lastrowid or 0)

    def _open(self, entity: str, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], entity.encode())
        except InvalidTag:
            raise VaultError(
                f"A compression dictionary of {entity} is damaged.", remedy="Restore the vault from a backup."
            ) from None
