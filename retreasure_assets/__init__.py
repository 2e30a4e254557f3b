"""ReTreasure's data platform."""

from retreasure_assets.allocator import keep_freed_memory

# Before any module of the platform imports Arrow.
keep_freed_memory()
