"""Who is who: the rules by which identities of a batch of records become persons.

What belongs here: the union of identities, in memory. What does not: reading and writing the vault (vault.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Matching:
    """The outcome of matching a batch.

    Persons are numbered as the vault numbers them, older ones lower; new ones get ``first_new`` and up.

    Args:
        persons: each record's canonical person.
        created: how many new persons there are.
        assigned: each new identity's person.
        newcomers: the records that new identities came with, each one's first.
        links: younger person -> older one, for persons who turned out to be one.
    """

    persons: list[int]
    created: int
    assigned: dict[bytes, int]
    newcomers: list[int]
    links: dict[int, int] = field(default_factory=dict)


def match(records: Sequence[Sequence[bytes]], known: Mapping[bytes, int], first_new: int) -> Matching:
    """Find each record's person.

    The first known identity of a record decides; its unknown ones are linked to that person. Identities of one
    record that already belong to different persons make these one: the older is canonical.

    Args:
        records: each record's identity digests, best first; none is empty.
        known: digest -> canonical person, from the vault.
        first_new: number of the next new person.
    """
    links: dict[int, int] = {}
    assigned: dict[bytes, int] = {}
    next_new = first_new

    def canonical(person: int) -> int:
        while person in links:
            person = links[person]
        return person

    chosen: list[int] = []
    newcomers: list[int] = []
    known_owner, new_owner = known.get, assigned.get
    for place, digests in enumerate(records):
        person: int | None = None
        unknown: list[bytes] = []
        for digest in digests:
            owner = known_owner(digest)
            if owner is None:
                owner = new_owner(digest)
            if owner is None:
                unknown.append(digest)
                continue
            if links:
                owner = canonical(owner)
            if person is None:
                person = owner
            elif owner != person:
                older, younger = min(owner, person), max(owner, person)
                links[younger] = older
                person = older
        if person is None:
            person = next_new
            next_new += 1
        if unknown:
            newcomers.append(place)
            for digest in unknown:
                assigned[digest] = person
        chosen.append(person)
    if links:
        chosen = [canonical(person) for person in chosen]
    return Matching(chosen, next_new - first_new, assigned, newcomers, links)
