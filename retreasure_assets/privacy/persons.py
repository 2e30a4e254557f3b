"""The vault's rows: persons by number, their keys and their identities.

What belongs here: reading and writing these rows, in bulk, within a session of the database. What does not: the rules
of who is who (people.py), what callers ask and what is remembered for them (vault.py).

Digests are apart from what they stand for: a digest falls anywhere in its index, so the index should be small, while
sealed values are added at the end of their table.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy.database import Database
from retreasure_assets.privacy.identities import RECORD
from retreasure_assets.privacy.keys import KEY_BYTES

_NONCE = 12
#: An id's bytes that tell its moment, and those that are random.
_MOMENT_BYTES, _RANDOM_BYTES = 6, 10

#: An id is one of these and 32 hex digits: a person whom some identity names, or the unnamed subject of one record, who
#: can be forgotten like anybody else but is no customer.
PERSON = "p_"
NOBODY = "r_"

_encode = msgspec.json.Encoder().encode
_values = msgspec.json.Decoder(list[tuple[str, str]]).decode


#: A person just made: id and key.
NewPerson = tuple[str, bytes]


class Persons:
    """The persons of one vault; hold the database's session around every use.

    Args:
        database: the open file.
        wrapping: the key that wraps every person's own.
    """

    def __init__(self, database: Database, wrapping: bytes) -> None:
        self._database = database
        self._wrapping = AESGCM(wrapping)

    def known(self, digests: Iterable[bytes]) -> dict[bytes, int]:
        """The canonical persons of the digests that the vault knows."""
        return dict(
            self._database.select_in(
                "SELECT d.digest, coalesce(l.canonical, d.number) FROM digests d LEFT JOIN person_links l "
                "USING (number) WHERE d.digest IN ({marks})",
                sorted(digests),
            )
        )

    def names(self, numbers: Iterable[int]) -> dict[int, str]:
        """Each number's person id."""
        return dict(
            self._database.select_in("SELECT number, person_id FROM persons WHERE number IN ({marks})", sorted(numbers))
        )

    @property
    def next_number(self) -> int:
        """The number of the next new person; no number is ever used again."""
        row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'persons'").fetchone()
        return row[0] + 1 if row else 1

    def add(
        self, assigned: Mapping[bytes, int], created: Sequence[int], named: Mapping[bytes, tuple[str, str]]
    ) -> dict[int, NewPerson]:
        """Write new persons and identities, within a transaction.

        Args:
            assigned: each new identity's person, by digest.
            created: the numbers of new persons.
            named: each digest's kind and value.
        """
        values: dict[int, list[tuple[str, str]]] = {}
        for digest, number in assigned.items():
            identity = named[digest]
            if identity[0] != RECORD:
                mine = values.get(number)
                if mine is None:
                    values[number] = [identity]
                else:
                    mine.append(identity)
        made: dict[int, NewPerson] = {}
        persons: list[tuple[int, str, bytes]] = []
        sealed: list[tuple[int, bytes]] = []
        wrap = self._wrapping.encrypt
        count = len(created)
        keys, nonces, more_nonces = _noise(count, KEY_BYTES), _noise(count, _NONCE), iter(_noise(count, _NONCE))
        names = _names(count)
        for number, name, key, nonce in zip(created, names, keys, nonces, strict=True):
            mine = values.get(number)
            person_id = (PERSON if mine else NOBODY) + name.hex()
            context = person_id.encode()
            persons.append((number, person_id, nonce + wrap(nonce, key, context)))
            if mine:
                nonce = next(more_nonces)
                sealed.append((number, nonce + AESGCM(key).encrypt(nonce, _encode(mine), context)))
            made[number] = person_id, key
        older = self.names(values.keys() - made.keys())
        held = self.keys(older.values())
        for number, person_id in older.items():
            nonce = secrets.token_bytes(_NONCE)
            data = AESGCM(held[person_id]).encrypt(nonce, _encode(values[number]), person_id.encode())
            sealed.append((number, nonce + data))
        self._database.insert("persons (number, person_id, wrapped_key)", persons)
        self._database.insert("identities (number, sealed)", sorted(sealed))
        # In the order of the index, which spares half the time of a random one.
        self._database.insert("digests (digest, number)", sorted(assigned.items()))
        return made

    def link(self, links: Mapping[int, int]) -> None:
        """Write that younger persons turned out to be older ones."""
        for younger, older in links.items():
            self._database.execute("UPDATE person_links SET canonical = ? WHERE canonical = ?", (older, younger))
            self._database.execute("INSERT INTO person_links VALUES (?, ?)", (younger, older))

    def keys(self, person_ids: Iterable[str]) -> dict[str, bytes]:
        """Each person's key. Who comes back after theirs was forgotten gets a new one.

        Raises:
            KeyError: no such person.
            VaultError: a key is damaged.
        """
        wanted = sorted(person_ids)
        select = "SELECT person_id, wrapped_key FROM persons WHERE person_id IN ({marks})"
        found = dict(self._database.select_in(select, wanted))
        forgotten = [person_id for person_id in wanted if found[person_id] is None]
        if forgotten:
            with self._database.transaction():
                for person_id in forgotten:
                    wrapped = self._wrap(person_id, secrets.token_bytes(KEY_BYTES))
                    self._database.execute(
                        "UPDATE persons SET wrapped_key = ? WHERE person_id = ? AND wrapped_key IS NULL",
                        (wrapped, person_id),
                    )
                # Read again: of two processes that renew at once the first one's key holds.
                found.update(self._database.select_in(select, forgotten))
        return {person_id: self.unwrap(person_id, found[person_id]) for person_id in wanted}

    def key(self, person_id: str) -> bytes | None:
        """The person's key; None when it was forgotten or nobody has this id."""
        row = self._database.execute("SELECT wrapped_key FROM persons WHERE person_id = ?", (person_id,)).fetchone()
        return self.unwrap(person_id, row[0]) if row and row[0] is not None else None

    def identities(self, person_ids: Iterable[str]) -> list[tuple[str, str]]:
        """The clear identities of persons whose keys are there, sorted."""
        rows = self._database.select_in(
            "SELECT p.person_id, p.wrapped_key, i.sealed FROM persons p JOIN identities i USING (number) "
            "WHERE p.person_id IN ({marks}) AND p.wrapped_key IS NOT NULL",
            sorted(person_ids),
        )
        return sorted(
            identity
            for person_id, wrapped, sealed in rows
            for identity in _values(
                _open(AESGCM(self.unwrap(person_id, wrapped)), sealed, person_id, "The identities of person")
            )
        )

    def same(self, person_id: str) -> set[str]:
        """Every id of the same person, this one included where it is known."""
        rows = self._database.execute(
            "WITH chosen AS (SELECT coalesce(l.canonical, p.number) AS number FROM persons p "
            "LEFT JOIN person_links l USING (number) WHERE p.person_id = ?) "
            "SELECT person_id FROM persons WHERE number IN (SELECT number FROM chosen) OR number IN "
            "(SELECT number FROM person_links WHERE canonical IN (SELECT number FROM chosen))",
            (person_id,),
        ).fetchall()
        return {name for (name,) in rows}

    def links(self) -> dict[str, str]:
        """person id -> canonical person id."""
        return dict(
            self._database.execute(
                "SELECT p.person_id, c.person_id FROM person_links l JOIN persons p USING (number) "
                "JOIN persons c ON c.number = l.canonical"
            ).fetchall()
        )

    def forget(self, person_ids: Iterable[str], *, entirely: bool) -> None:
        """Forget the keys and clear identities of persons; entirely: their digests, links and ids too."""
        rows = self._database.select_in("SELECT number FROM persons WHERE person_id IN ({marks})", sorted(person_ids))
        numbers = ",".join(str(number) for (number,) in rows)
        self._database.execute(f"DELETE FROM identities WHERE number IN ({numbers})")
        if entirely:
            for table in ("digests", "person_links", "persons"):
                self._database.execute(f"DELETE FROM {table} WHERE number IN ({numbers})")
        else:
            self._database.execute(f"UPDATE persons SET wrapped_key = NULL WHERE number IN ({numbers})")

    def unwrap(self, person_id: str, wrapped: bytes) -> bytes:
        """A key from its row.

        Raises:
            VaultError: it is damaged.
        """
        return _open(self._wrapping, wrapped, person_id, "The key of person")

    def _wrap(self, person_id: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._wrapping.encrypt(nonce, key, person_id.encode())


def _open(cipher: AESGCM, sealed: bytes, person_id: str, what: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], person_id.encode())
    except InvalidTag:
        raise VaultError(f"{what} {person_id} is damaged.", remedy="Restore the vault from a backup.") from None


def _names(count: int) -> list[bytes]:
    """Names of new persons: the moment in milliseconds and 80 random bits, sorted.

    So made, as UUIDs of version 7 are (RFC 9562), they stand one after the other in their index, of which each batch
    otherwise has every page written anew. They tell no more than when records about the person began to come, as
    these tell themselves.
    """
    moment = (time.time_ns() // 1_000_000).to_bytes(_MOMENT_BYTES, "big")
    return sorted(moment + noise for noise in _noise(count, _RANDOM_BYTES))


def _noise(count: int, size: int) -> list[bytes]:
    """Random bytes, asked of the system once for all."""
    noise = secrets.token_bytes(count * size)
    return [noise[at : at + size] for at in range(0, len(noise), size)]
