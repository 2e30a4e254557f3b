"""eBay's Sell APIs: orders and parcels (Fulfillment), stock and offers (Inventory), ledger and payouts (Finances).

The app's consent needs the scopes sell.fulfillment.readonly, sell.inventory.readonly and sell.finances.
"""

from retreasure_assets.sources.ebay.connector import EbayConnector
from retreasure_assets.sources.ebay.entities import ENTITIES

__all__ = ["ENTITIES", "EbayConnector"]
