"""Square's API: the till's orders, payments, refunds and payouts, and the catalogue and stock of the shop.

The access token needs the scopes that ``connector.SCOPES`` names for each entity; ``docs/connecting/square.md`` says
where to get it.
"""

from retreasure_assets.sources.square.connector import SquareConnector
from retreasure_assets.sources.square.entities import ENTITIES

__all__ = ["ENTITIES", "SquareConnector"]
