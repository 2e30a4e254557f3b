"""Telling people that something fails, and that it works again.

``message`` says what an alert is, ``slack`` and ``plain`` how it looks, ``outbox`` that none is lost, ``channels`` what
a way to people is. Nothing here knows Dagster.
"""
