"""Shopify's Admin GraphQL API: orders, products, customers, stock, payouts and the payments ledger.

The access token needs the scopes read_orders, read_all_orders (else Shopify shows 60 days), read_products,
read_customers, read_locations, read_inventory, read_shopify_payments_accounts and read_shopify_payments_payouts,
and the app access to protected customer data.
"""

from retreasure_assets.sources.shopify.connector import ShopifyConnector
from retreasure_assets.sources.shopify.entities import ENTITIES

__all__ = ["ENTITIES", "ShopifyConnector"]
