"""What every face of the sandbox shows to the server that serves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from starlette.routing import Route

from retreasure_assets.sandbox.world import World


class Face(Protocol):
    """One outside system's interface on top of a world."""

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
