"""The lake: Delta tables, cursors, the ingestion log, and what reads and writes them.

What belongs here: storage. What does not: talking to sources, personal data in clear, Dagster.
"""
