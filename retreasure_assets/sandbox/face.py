"""What every face of the sandbox shows to the server that serves it.

What belongs here: a face's routes and settings, and what it declares of itself so that the server can break its
answers (``faults``) and hold requests against its published contract (``contract``). What does not: any face.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from starlette.routing import Route

from retreasure_assets.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Records:
    """Where a face's answers hold records. Paths are dotted keys.

    Args:
        path: from the answer's root to the list: ``data.orders.nodes``.
        id: in a record, its own id.
        more: in the answer, what is true, or not empty, when another page of this list follows; None where the
            answer does not tell.
        required: in a record, what it is worthless without, beside its id.
        enums: in a record, open enumerations.
        total: in a record, an amount that follows from its parts.
        at: what the request's path ends with, where other answers have other records at the same place.
        asked_by: whether other lists are asked for by these records' ids. They are moved about but never spoiled: one
            without its id would take records with it that nobody spoiled.
    """

    path: str
    id: str
    more: str | None = None
    required: tuple[str, ...] = ()
    enums: tuple[str, ...] = ()
    total: str | None = None
    at: str = ""
    asked_by: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fixed answer by which a platform refuses: status, JSON body, headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contract:
    """A published OpenAPI document that a face keeps.

    Args:
        document: the file below the contracts' folder: ``ebay/ebay-fulfillment-openapi-original.yml``.
        base: what the sandbox's paths have before the document's own: ``/sell/fulfillment/v1``.
        under: what those of the document's paths begin with that it rules: ``/v3/application``.
        departures: how the platform's real answers are known to differ from its own document, as the reasons begin
            that tell so: ``results.[].status does not``. Such an answer is no violation.
    """

    document: str
    base: str = ""
    under: str = "/"
    departures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Traits:
    """What a face declares of itself; each part may be left out.

    Args:
        records: the lists of records in its answers: they can be repeated, shuffled, late and spoiled.
        throttled: how it throttles besides 429, such as GraphQL's 200 with errors.
        expired: how it answers an access token that has run out. Only for a face that gives out a new one at every
            refresh: the old one is refused for good.
        token_header: the header that carries the token.
        grants: paths that give out tokens: none runs out on its way there.
        contracts: what its requests are held against.
        invalid: how it answers a request that breaks the contract.
    """

    records: tuple[Records, ...] = ()
    throttled: Refusal | None = None
    expired: Refusal | None = None
    token_header: str = "authorization"  # noqa: S105 (a header's name)
    grants: tuple[str, ...] = ()
    contracts: tuple[Contract, ...] = ()
    invalid: Refusal = Refusal(400, {"errors": [{"message": "The request does not fit the API's description."}]})


class Face(Protocol):
    """One outside system's interface on top of a world. A class attribute ``traits`` (Traits) is optional."""

    #: What it serves -> where, relative to the server's root.
    paths: ClassVar[Mapping[str, str]]

    def __init__(self, world: World) -> None: ...

    @property
    def routes(self) -> list[Route]:
        """To be mounted at the server's root."""
        ...

    @staticmethod
    def environment(base_url: str) -> Mapping[str, str]:
        """The settings that point the platform at this face of the sandbox at ``base_url``."""
        ...


def name_of(face: type[Face]) -> str:
    """What people call a face: ``shopify`` for ``ShopifyFace``."""
    return face.__name__.removesuffix("Face").lower()


def traits_of(face: type[Face]) -> Traits:
    """What a face declares of itself."""
    declared = getattr(face, "traits", Traits())
    assert isinstance(declared, Traits)
    return declared
