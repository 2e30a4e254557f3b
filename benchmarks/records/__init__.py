"""Synthetic records to measure with: the same ones for the same plan, as JSON.

What belongs here: records in the shapes of ``sources/shopify/queries/order_fields.graphql`` and of the canonical
payloads of till, catalogue and rates. What does not: the sandbox's world, which is true to life and far too slow to
make millions of.

Amounts are whole cents, so that every order adds up to the cent and passes the rules of silver.
"""
