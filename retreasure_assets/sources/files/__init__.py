"""Dropped files of any layout: declarative mappings, and a connector that reads files by them.

What belongs here: CSV and JSON Lines, from a folder to raw batches. What does not: bronze, masking, and any
particular layout; those are YAML files in ``sources/mappings`` and in a user's own folder.
"""

from retreasure_assets.sources.files.catalogue import entities, load_mappings
from retreasure_assets.sources.files.connector import FilesConnector, connectors, stray_files
from retreasure_assets.sources.files.mapping import FileMapping

__all__ = ["FileMapping", "FilesConnector", "connectors", "entities", "load_mappings", "stray_files"]
