"""How many records are made, and of which days.

What belongs here: sizes and days. What does not: the records (the modules beside), and their files (files.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

LAST_DAY = date(2026, 10, 30)
ORDER_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make.

    Args:
        days: business days up to ``last_day``.
        orders: orders a day; one in fifty comes again, changed by a refund, and one in two hundred unchanged.
        till_lines: till lines a day.
        last_day: the last of the days.
        seed: another seed makes other records.
    """

    days: int
    orders: int
    till_lines: int
    last_day: date = LAST_DAY
    seed: int = 7

    @classmethod
    def of_size(cls, records: int) -> Plan:
        """A year's worth of about so many records: four tenths orders, the others till lines."""
        days = 365
        return cls(days, max(1, round(records * ORDER_SHARE / days)), max(1, round(records * (1 - ORDER_SHARE) / days)))

    @property
    def name(self) -> str:
        """A folder's name for it."""
        return f"{self.days}d-{self.orders}o-{self.till_lines}t-{self.last_day:%Y%m%d}-{self.seed}"


def day_of(plan: Plan, day: int) -> date:
    """The date of a plan's day, counted from 0."""
    return plan.last_day - timedelta(days=plan.days - 1 - day)
