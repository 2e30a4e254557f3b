"""The privacy vault: who a person id stands for, and that person's key.

What belongs here: persons, identities, keys, forgetting. What does not: the file (database.py), the
rules of who is who (people.py), the format of sealed records (sealing.py) and the master key (keys.py).

A person has a random id and a random 256-bit key, wrapped by the master key. An identity is stored as a keyed digest,
and its clear value sealed with the person's key. So deleting a key makes that person's sealed records and clear
identities unreadable, and deleting the person makes the id anonymous.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy.database import Database
from retreasure_assets.privacy.dictionaries import Dictionaries
from retreasure_assets.privacy.identities import RECORD, digester, normalise
from retreasure_assets.privacy.keys import KEY_BYTES, Keys, load_keys
from retreasure_assets.privacy.paths import Scalar
from retreasure_assets.privacy.people import Matching, match

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

_NONCE = 12
#: Entries each cache holds at most; some 300 bytes each.
_CACHED = 200_000

#: An id is one of these and 32 random hex digits: a person whom some identity names, or the unnamed subject of one
#: record, who can be forgotten like anybody else but is no customer.
PERSON = "p_"
NOBODY = "r_"

#: One record's identities: (kind, value), best first.
Identities = tuple[tuple[str, Scalar], ...]


class Vault:
    """An open vault. Safe for several threads and processes."""

    def __init__(self, path: Path, keys: Keys) -> None:
        """Open or make the vault.

        Args:
            path: the database file; its folder is made with owner-only rights.
            keys: derived from the master key.

        Raises:
            VaultError: it cannot be opened, others may read it, or it was made with another master key.
        """
        self.keys = keys
        self._digest = digester(keys.identities)
        self._wrapping = AESGCM(keys.wrapping)
        self._people: dict[Identities, str] = {}
        self._ciphers: dict[str, AESGCM] = {}
        self._seen = -1
        self._database = Database(path)
        self.dictionaries = Dictionaries(self._database, keys.dictionaries)
        with self._database.transaction():
            self._database.execute("INSERT OR IGNORE INTO meta VALUES ('check', ?)", (keys.check,))
            found = self._database.execute("SELECT value FROM meta WHERE name = 'check'").fetchone()[0]
        if found != keys.check:
            self.close()
            raise VaultError(
                f"The master key does not belong to the vault {path}.",
                remedy="Set RETREASURE_VAULT_KEY, or restore the key file, that this vault was made with.",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and the keys held in memory."""
        self._database.close()
        self._forget_answers()

    def resolve(self, records: Sequence[Identities]) -> list[str]:
        """Find or make the person of each record; durable when it returns.

        The first known identity decides; unknown identities of the record are linked to that person; identities that
        belong to different persons make these one, the older being canonical.

        Args:
            records: each record's identities, best first. Values that are None or empty count as absent.

        Returns:
            Canonical person ids, in order.

        Raises:
            ValueError: a record has no usable identity; give it one of kind ``record``.
            VaultError: the vault cannot be read or written.
        """
        with self._database.session():
            self._drop_stale()
            people = self._people
            answer = [people.get(identities, "") for identities in records]
            missing = [place for place, person in enumerate(answer) if not person]
            if missing:
                found = self._match([records[place] for place in missing])
                if len(people) + len(missing) > _CACHED:
                    people.clear()
                for place, person in zip(missing, found, strict=True):
                    answer[place] = people[records[place]] = person
            return answer

    def ciphers(self, person_ids: Iterable[str]) -> dict[str, AESGCM]:
        """The cipher of each person; one whose key was forgotten gets a new key.

        Raises:
            KeyError: no such person.
            VaultError: the vault cannot be read or written.
        """
        wanted = set(person_ids)
        with self._database.session():
            self._drop_stale()
            if len(wanted | self._ciphers.keys()) > _CACHED:
                self._ciphers.clear()
            keys = self._keys(wanted - self._ciphers.keys())
            self._ciphers.update((person_id, AESGCM(key)) for person_id, key in keys.items())
            return {person_id: self._ciphers[person_id] for person_id in wanted}

    def key(self, person_id: str) -> bytes | None:
        """The person's key; None when it was forgotten or nobody has this id."""
        with self._database.session():
            row = self._database.execute("SELECT wrapped_key FROM persons WHERE person_id = ?", (person_id,)).fetchone()
        return self._unwrap(person_id, row[0]) if row and row[0] is not None else None

    def identities(self, person_id: str) -> list[tuple[str, str]]:
        """The clear identities as (kind, value) of this person; empty when the key was forgotten."""
        with self._database.session():
            rows = self._database.select_in(
                "SELECT p.person_id, p.wrapped_key, i.kind, i.sealed, i.digest FROM persons p "
                "JOIN identities i USING (number) WHERE p.person_id IN ({marks}) "
                "AND i.sealed IS NOT NULL AND p.wrapped_key IS NOT NULL",
                sorted(self.same(person_id)),
            )
        return sorted(
            (kind, _open(AESGCM(self._unwrap(owner, wrapped)), sealed, digest, "An identity").decode())
            for owner, wrapped, kind, sealed, digest in rows
        )

    def same(self, person_id: str) -> set[str]:
        """Every person id that turned out to be the same person, this one included."""
        with self._database.session():
            rows = self._database.execute(
                "WITH chosen AS (SELECT coalesce(l.canonical, p.number) AS number FROM persons p "
                "LEFT JOIN person_links l USING (number) WHERE p.person_id = ?) "
                "SELECT person_id FROM persons WHERE number IN (SELECT number FROM chosen) OR number IN "
                "(SELECT number FROM person_links WHERE canonical IN (SELECT number FROM chosen))",
                (person_id,),
            ).fetchall()
        return {name for (name,) in rows} or {person_id}

    def links(self) -> dict[str, str]:
        """person id -> canonical person id, for persons who turned out to be one."""
        with self._database.session():
            return dict(
                self._database.execute(
                    "SELECT p.person_id, c.person_id FROM person_links l JOIN persons p USING (number) "
                    "JOIN persons c ON c.number = l.canonical"
                ).fetchall()
            )

    def forget_key(self, person_id: str) -> None:
        """Make everything sealed for this person, under any of their ids, unreadable for good."""
        self._forget(person_id, "UPDATE persons SET wrapped_key = NULL WHERE number IN ({numbers})")

    def forget(self, person_id: str) -> None:
        """Forget the keys and every identity too, so that the ids are anonymous."""
        self._forget(
            person_id,
            "DELETE FROM identities WHERE number IN ({numbers})",
            "DELETE FROM person_links WHERE number IN ({numbers})",
            "DELETE FROM persons WHERE number IN ({numbers})",
        )

    def _match(self, records: Sequence[Identities]) -> list[str]:
        named: dict[bytes, tuple[str, str]] = {}
        digested: list[list[bytes]] = []
        for identities in records:
            digests = []
            for kind, value in identities:
                text = normalise(kind, value)
                if text:
                    digest = self._digest(kind, text)
                    named[digest] = (kind, text)
                    digests.append(digest)
            if not digests:
                raise ValueError("a record has no usable identity")
            digested.append(digests)
        known = self._known(named)
        matching = match(digested, known, first_new=0) if len(known) == len(named) else None
        if matching is None or matching.links:
            matching = self._write_new(digested, known, named)
        names = self._names(set(matching.persons))
        return [names[number] for number in matching.persons]

    def _known(self, digests: Iterable[bytes]) -> dict[bytes, int]:
        """The canonical persons of the digests that the vault knows."""
        return dict(
            self._database.select_in(
                "SELECT i.digest, coalesce(l.canonical, i.number) FROM identities i LEFT JOIN person_links l "
                "USING (number) WHERE i.digest IN ({marks})",
                sorted(digests),
            )
        )

    def _write_new(
        self, digested: Sequence[Sequence[bytes]], known: dict[bytes, int], named: Mapping[bytes, tuple[str, str]]
    ) -> Matching:
        """Make the persons, identities and links that the vault lacks."""
        ciphers: dict[str, AESGCM] = {}
        with self._database.transaction():
            if self._database.version != self._seen:
                # Another process has written since: it may have added some of these.
                known = self._known(named)
            row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'persons'").fetchone()
            first_new = row[0] + 1 if row else 1
            matching = match(digested, known, first_new)
            ciphers = self._insert(matching.assigned, range(first_new, first_new + matching.created), named)
            for younger, older in matching.links.items():
                self._database.execute("UPDATE person_links SET canonical = ? WHERE canonical = ?", (older, younger))
                self._database.execute("INSERT INTO person_links VALUES (?, ?)", (younger, older))
        if matching.links:
            self._people.clear()
        if len(self._ciphers) + len(ciphers) <= _CACHED:
            self._ciphers.update(ciphers)
        return matching

    def _insert(
        self, assigned: Mapping[bytes, int], created: Sequence[int], named: Mapping[bytes, tuple[str, str]]
    ) -> dict[str, AESGCM]:
        """Write new persons and identities; returns the new persons' ciphers."""
        identified = {number for digest, number in assigned.items() if named[digest][0] != RECORD}
        person_ids = [
            (PERSON if number in identified else NOBODY) + noise.hex()
            for number, noise in zip(created, _noise(len(created), 16), strict=True)
        ]
        keys = _noise(len(created), KEY_BYTES)
        made = [AESGCM(key) for key in keys]
        self._database.executemany(
            "INSERT INTO persons VALUES (?, ?, ?)",
            list(zip(created, person_ids, self._wrap(person_ids, keys), strict=True)),
        )
        ciphers = dict(zip(created, made, strict=True))
        older = self._names(set(assigned.values()) - ciphers.keys())
        by_id = self._keys(older.values())
        ciphers.update((number, AESGCM(by_id[person_id])) for number, person_id in older.items())
        # In the order of the index, which spares half the time of a random one.
        rows = []
        for (digest, number), nonce in zip(sorted(assigned.items()), _noise(len(assigned), _NONCE), strict=True):
            kind, value = named[digest]
            sealed = None if kind == RECORD else nonce + ciphers[number].encrypt(nonce, value.encode(), digest)
            rows.append((digest, number, kind, sealed))
        self._database.executemany("INSERT INTO identities VALUES (?, ?, ?, ?)", rows)
        return dict(zip(person_ids, made, strict=True))

    def _names(self, numbers: Iterable[int]) -> dict[int, str]:
        return dict(
            self._database.select_in("SELECT number, person_id FROM persons WHERE number IN ({marks})", sorted(numbers))
        )

    def _keys(self, person_ids: Iterable[str]) -> dict[str, bytes]:
        """Each person's key. Who comes back after theirs was forgotten gets a new one."""
        wanted = sorted(person_ids)
        found = dict(
            self._database.select_in("SELECT person_id, wrapped_key FROM persons WHERE person_id IN ({marks})", wanted)
        )
        forgotten = [person_id for person_id in wanted if found[person_id] is None]
        if forgotten:
            renewed = self._wrap(forgotten, _noise(len(forgotten), KEY_BYTES))
            with self._database.transaction():
                self._database.executemany(
                    "UPDATE persons SET wrapped_key = ? WHERE person_id = ? AND wrapped_key IS NULL",
                    list(zip(renewed, forgotten, strict=True)),
                )
                # Read again: of two processes that renew at once the first one's key holds.
                found.update(
                    self._database.select_in(
                        "SELECT person_id, wrapped_key FROM persons WHERE person_id IN ({marks})", forgotten
                    )
                )
        return {person_id: self._unwrap(person_id, found[person_id]) for person_id in wanted}

    def _forget(self, person_id: str, *statements: str) -> None:
        with self._database.session():
            same = sorted(self.same(person_id))
            with self._database.transaction():
                rows = self._database.select_in("SELECT number FROM persons WHERE person_id IN ({marks})", same)
                numbers = ",".join(str(number) for (number,) in rows)
                for statement in statements:
                    self._database.execute(statement.format(numbers=numbers))
            # What was deleted must not live on in the log.
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._forget_answers()

    def _drop_stale(self) -> None:
        """Drop cached answers when another connection has changed the vault."""
        version = self._database.version
        if version != self._seen:
            self._seen = version
            self._forget_answers()

    def _forget_answers(self) -> None:
        self._people.clear()
        self._ciphers.clear()

    def _wrap(self, person_ids: Sequence[str], keys: Sequence[bytes]) -> list[bytes]:
        encrypt = self._wrapping.encrypt
        return [
            nonce + encrypt(nonce, key, person_id.encode())
            for person_id, key, nonce in zip(person_ids, keys, _noise(len(keys), _NONCE), strict=True)
        ]

    def _unwrap(self, person_id: str, wrapped: bytes) -> bytes:
        return _open(self._wrapping, wrapped, person_id.encode(), f"The key of person {person_id}")


def open_vault(settings: Settings) -> Vault:
    """Open the vault of this installation; the first call makes it and its master key.

    Raises:
        VaultError: the key or the vault cannot be used.
    """
    return Vault(settings.vault_path, load_keys(settings))


def _open(cipher: AESGCM, sealed: bytes, context: bytes, what: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
    except InvalidTag:
        raise VaultError(f"{what} is damaged.", remedy="Restore the vault from a backup.") from None


def _noise(count: int, size: int) -> list[bytes]:
    """Random bytes, asked of the system once for all."""
    noise = secrets.token_bytes(count * size)
    return [noise[at : at + size] for at in range(0, len(noise), size)]
