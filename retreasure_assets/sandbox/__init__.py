"""A simulated ReTreasure: a seeded world, and the outside systems' own interfaces on top of it.

What belongs here: the world (``world*``), its truth, and the faces it shows (Shopify, exchange rates, the till).
What does not: anything the platform itself runs on. Nothing but the command line and tests imports this package.
"""
