"""The vocabulary that sources, privacy and the lake share: entities, raw batches and connectors.

What belongs here: types and their invariants. What does not: any entity of a particular source; each source
module declares its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol


class Mask(StrEnum):
    """How a personal field looks in the masked payload that everyone may read."""

    #: Any value becomes null.
    REDACT = "redact"
    #: A postcode keeps its area: "SW1A 1AA" -> "SW1A", "10115" -> "101", "90210-1234" -> "902".
    POSTCODE_AREA = "postcode_area"
    #: "jane@example.com" -> "example.com"; what the customer's own domain could identify is left to the vault.
    EMAIL_DOMAIN = "email_domain"
    #: 203.0.113.77 -> 203.0.113.0 (IPv4 /24, IPv6 /48).
    IP_PREFIX = "ip_prefix"
    #: A keyed pseudonym (HMAC-SHA256 with the vault's key, 32 hex digits): equal values stay equal.
    PSEUDONYM = "pseudonym"


@dataclass(frozen=True, slots=True)
class Identity:
    """Where a record says whom it is about.

    Args:
        kind: the identity's namespace, such as ``email`` or ``shopify_customer``; equal values of one kind are
            the same person, on every channel.
        path: where its value is in the payload.
    """

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of record of one source, and so one bronze table.

    Paths are dotted; ``[]`` stands for every element of a list: ``lineItems.nodes[].sku``.

    Args:
        source: the source's name, lower case: ``shopify``.
        name: the entity's name, plural: ``orders``.
        natural_key: paths whose values together identify the record within its entity, never personal.
        updated_at: path of the source's own change time (ISO 8601 date or time, or a number of epoch seconds), or None
            where it has none.
        identities: how to recognise the person, best first.
        masks: path -> mask for every personal field. An entity with masks is personal: a record's raw bytes are sealed,
            unless it names nobody and its masked payload is the same, byte for byte.
        overlap: how far an incremental sync reads back behind its cursor.
        snapshot: whether a record without a change time is the state of the moment, so that a state which comes back
            (sold, then on offer again) is news, and not the duplicate of an old one.
        description: one sentence for the catalogue.
        owner: the team that answers for it.
    """

    source: str
    name: str
    natural_key: tuple[str, ...]
    updated_at: str | None
    description: str
    identities: tuple[Identity, ...] = ()
    masks: Mapping[str, Mask] = field(default_factory=dict)
    overlap: timedelta = timedelta(hours=48)
    snapshot: bool = False
    owner: str = "team:data-platform"

    @property
    def table(self) -> str:
        """The bronze table's name: ``shopify_orders``."""
        return f"{self.source}_{self.name}"

    @property
    def personal(self) -> bool:
        """Whether its records hold personal data."""
        return bool(self.masks)


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a source's history that a person asked for; both ends UTC-aware, None for open."""

    since: datetime | None = None
    until: datetime | None = None


#: What a connector needs to go on where it stopped: small, JSON-serialisable, free of personal data.
Cursor = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Records of one entity as received, ready for bronze.

    Args:
        entity: what they are.
        records: each record's own bytes, exactly as received.
        origins: where each came from (URL, ``file:line``, topic/partition/offset); as long as ``records``.
        cursor: where to go on once this batch is durable; None leaves the stored cursor as it is.
        payloads: each record as JSON where the record itself is not JSON (a CSV line); None where it is.
        problems: why the source could not read a record (its payload is then empty), None for a good one;
            None for a batch in which the source judged nothing. Such records go to quarantine, bytes and all.
    """

    entity: Entity
    records: Sequence[bytes]
    origins: Sequence[str]
    cursor: Cursor | None = None
    payloads: Sequence[bytes] | None = None
    problems: Sequence[str | None] | None = None


class Connector(Protocol):
    """Reads one source. Implementations are pure: they neither write to the lake nor know Dagster."""

    @property
    def source(self) -> str:
        """The source's name."""
        ...

    @property
    def entities(self) -> Mapping[str, Entity]:
        """Its entities by name."""
        ...

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """Read what is new since ``cursor`` (minus the entity's overlap), or what lies in ``window``.

        Yields batches in an order such that committing one and storing its cursor never loses a record.
        An explicit window reads just that window and yields batches without cursors.

        Raises:
            SourceError: transient or permanent, by type.
        """
        ...

    def check(self) -> Sequence[str]:
        """One cheap call: whether the source can be read with what is set.

        Returns:
            What is missing, such as a scope: a sentence each. Empty when all is well.

        Raises:
            SourceError: the credentials are wrong, or the source cannot be reached.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...
