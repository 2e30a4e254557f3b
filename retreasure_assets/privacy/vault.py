"""The privacy vault: who a person id stands for, and that person's key.

What belongs here: what callers ask of it, and what it remembers between their calls. What does not: the file
(database.py), its rows (persons.py), the rules of who is who (people.py), the format of sealed records (sealing.py)
and the master key (keys.py).

A person has a random id and a random 256-bit key, wrapped by the master key. An identity is stored as a keyed digest,
and its clear value sealed with the person's key. So deleting a key makes that person's sealed records and clear
identities unreadable, and deleting the person makes the id anonymous.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy.database import Database
from retreasure_assets.privacy.dictionaries import Dictionaries
from retreasure_assets.privacy.identities import Namer, clear_identities, digests_of
from retreasure_assets.privacy.keys import Keys, load_keys
from retreasure_assets.privacy.paths import Scalar
from retreasure_assets.privacy.people import match
from retreasure_assets.privacy.persons import NOBODY, PERSON, Persons

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

__all__ = ["NOBODY", "PERSON", "Identities", "Vault", "open_vault"]

#: Entries each cache holds at most; some 300 bytes each.
_CACHED = 300_000

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
        self._name = Namer(keys.identities)
        #: By the record's digests, one after the other.
        self._people: dict[bytes, str] = {}
        self._keys: dict[str, bytes] = {}
        self._seen = -1
        self._database = Database(path)
        self._persons = Persons(self._database, keys.wrapping)
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
        named = [self._name(identities) for identities in records]
        return self.persons([one.digests for one in named], [one.clear for one in named])

    def persons(self, digests: Sequence[bytes], clear: Sequence[bytes]) -> list[str]:
        """``resolve`` for records whose identities are digested already.

        Args:
            digests: each record's ``Named.digests``.
            clear: each record's ``Named.clear``.
        """
        with self._database.session():
            self._drop_stale()
            people = self._people
            answer = [people.get(one, "") for one in digests]
            missing = [place for place, person in enumerate(answer) if not person]
            if missing:
                found = self._match([digests[place] for place in missing], [clear[place] for place in missing])
                if len(people) + len(missing) > _CACHED:
                    people.clear()
                for place, person in zip(missing, found, strict=True):
                    answer[place] = people[digests[place]] = person
            return answer

    def keys_of(self, person_ids: Sequence[str]) -> list[bytes]:
        """The key of each person, in order; one whose key was forgotten gets a new one.

        Raises:
            KeyError: no such person.
            VaultError: the vault cannot be read or written.
        """
        with self._database.session():
            self._drop_stale()
            keys = self._keys
            unknown = {person_id for person_id in person_ids if person_id not in keys}
            if len(unknown) + len(keys) > _CACHED:
                keys.clear()
                unknown = set(person_ids)
            keys.update(self._persons.keys(unknown))
            return [keys[person_id] for person_id in person_ids]

    def key(self, person_id: str) -> bytes | None:
        """The person's key; None when it was forgotten or nobody has this id."""
        with self._database.session():
            return self._persons.key(person_id)

    def identities(self, person_id: str) -> list[tuple[str, str]]:
        """The clear identities as (kind, value) of this person; empty when the key was forgotten."""
        with self._database.session():
            return self._persons.identities(self._persons.same(person_id))

    def same(self, person_id: str) -> set[str]:
        """Every person id that turned out to be the same person, this one included."""
        with self._database.session():
            return self._persons.same(person_id) or {person_id}

    def links(self) -> dict[str, str]:
        """person id -> canonical person id, for persons who turned out to be one."""
        with self._database.session():
            return self._persons.links()

    def forget_key(self, person_id: str) -> None:
        """Make everything sealed for this person, under any of their ids, unreadable for good."""
        self._forget(person_id, entirely=False)

    def forget(self, person_id: str) -> None:
        """Forget the keys and every identity too, so that the ids are anonymous."""
        self._forget(person_id, entirely=True)

    def _match(self, digests: Sequence[bytes], clear: Sequence[bytes]) -> list[str]:
        """The persons of records that are not in the cache."""
        if not all(digests):
            raise ValueError("a record has no usable identity")
        records = [*map(digests_of, digests)]
        distinct = {digest for record in records for digest in record}
        names: dict[int, str] = {}
        known = self._persons.known(distinct)
        matching = match(records, known, first_new=0) if len(known) == len(distinct) else None
        if matching is None or matching.links:
            with self._database.transaction():
                if self._database.version != self._seen:
                    # Another process has written since: it may have added some of these.
                    known = self._persons.known(distinct)
                first_new = self._persons.next_number
                matching = match(records, known, first_new)
                named = {
                    digest: identity
                    for place in matching.newcomers
                    for digest, identity in zip(records[place], clear_identities(clear[place]), strict=True)
                }
                made = self._persons.add(matching.assigned, range(first_new, first_new + matching.created), named)
                self._persons.link(matching.links)
            if matching.links:
                self._people.clear()
            if len(self._keys) + len(made) > _CACHED:
                self._keys.clear()
            self._keys.update(made.values())
            names = {number: person_id for number, (person_id, _) in made.items()}
        names.update(self._persons.names(set(matching.persons) - names.keys()))
        return [names[number] for number in matching.persons]

    def _forget(self, person_id: str, *, entirely: bool) -> None:
        with self._database.session():
            with self._database.transaction():
                self._persons.forget(self._persons.same(person_id), entirely=entirely)
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
        self._keys.clear()


def open_vault(settings: Settings) -> Vault:
    """Open the vault of this installation; the first call makes it and its master key.

    Raises:
        VaultError: the key or the vault cannot be used.
    """
    return Vault(settings.vault_path, load_keys(settings))
