"""What all connectors to one API have in common, whatever they read and how.

What belongs here: what is the same for each. What does not: reading (``batches``) and asking what may be read
(``check``): see :class:`retreasure_assets.entities.Connector`.
"""

from __future__ import annotations

from collections.abc import Mapping

from retreasure_assets.entities import Entity
from retreasure_assets.sources.http import HttpClient


class ApiConnector:
    """A source's name, its entities, and the one HTTP layer that it is read through.

    Args:
        source: lower case, as in settings and tables.
        entities: by name.
        http: closed with the connector.
    """

    def __init__(self, source: str, entities: Mapping[str, Entity], http: HttpClient) -> None:
        self.source = source
        self.entities = entities
        self.http = http

    def close(self) -> None:
        """Close the connections; they open again when something is read."""
        self.http.close()
