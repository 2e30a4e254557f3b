"""Etsy Open API v3: receipts, listings, the payment account's ledger and payments.

What belongs here: everything that knows Etsy's API. What does not: bronze, silver, and HTTP in general.
"""

from retreasure_assets.sources.etsy.connector import EtsyConnector
from retreasure_assets.sources.etsy.entities import ENTITIES

__all__ = ["ENTITIES", "EtsyConnector"]
