"""What the records of several sources have in common: items, words, and how amounts and times are written.

What belongs here: values. What does not: records.
"""

from __future__ import annotations

from datetime import datetime

#: So many that hardly any is drawn twice: items are one of a kind.
ITEMS = 10**12
#: What one euro is worth, about.
CURRENCIES = {"EUR": 1.0, "GBP": 0.8642, "USD": 1.1172}
WORDS = ("walnut", "brass", "oak", "Danish", "Georgian", "glass", "silver", "rosewood", "teak", "enamel")
THINGS = ("sideboard", "table lamp", "armchair", "clock", "mirror", "tea set", "print", "vase", "writing desk")


def amount_text(cents: int) -> str:
    """Cents as a decimal number of whole units."""
    return f"{cents // 100}.{cents % 100:02d}"


def time_text(moment: datetime) -> str:
    """A UTC time in ISO 8601, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
