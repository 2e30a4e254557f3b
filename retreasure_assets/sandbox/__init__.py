"""A simulated ReTreasure: a seeded world, and the outside systems' own interfaces on top of it.

What belongs here: the world (``world*``), its truth (``truth*``), and the faces it shows (``shopify*``, ``ebay*``,
``fx``, ``till``). What does not: anything the platform itself runs on. Nothing but the command line and tests imports
this package.
"""

from retreasure_assets.sandbox.truth import planted_personal_values
from retreasure_assets.sandbox.truth import truth as true_gold
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world

__all__ = ["World", "WorldSpec", "generate_world", "planted_personal_values", "true_gold"]
