"""What the tests of bad input share: files of a till, and what a command may say.

The build says nothing in them, so a dbt project of one model stands in for it: a run costs seconds.
"""

from __future__ import annotations

import socket

from retreasure_assets.sandbox.shopify import SHOPIFY_TOKEN
from tests.end_to_end.conftest import Outcome

COLUMNS = (
    "transaction_id,line_id,sold_at,store_id,item_id,title,quantity,unit_price,discount_amount,tax_amount,line_total,"
    "currency,line_type,loyalty_id,tax_included"
)
PRODUCTS = b"item_id,title,category,currency,price\nRT-1,Vase,glass,EUR,10.00\nRT-2,Lamp,lighting,EUR,20.00\n"
QUOTE = {"base": "EUR", "rates": {"USD": 1.1172}, "timestamp": 1793376000}
#: A shopper's name that no message, log or table may show.
SHOPPER = "Zéphyrine Quillfeather"


def receipts(first: int, count: int, title: str = "Vase") -> bytes:
    """A till file of ``count`` one-line receipts."""
    lines = [
        f"T{n},1,2026-10-{1 + n % 28:02d}T10:00:00Z,S1,RT-1,{title},1,10.00,0.00,0.00,10.00,EUR,sale,LOYAL-{n},false"
        for n in range(first, first + count)
    ]
    return "\n".join([COLUMNS, *lines, ""]).encode()


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_quiet(outcome: Outcome) -> None:
    """Nothing but sentences: no traceback, no library's log, nothing personal."""
    strange = [line for line in outcome.err.splitlines() if not line.startswith(("Failed: ", "Error: ", "Remedy: "))]
    assert strange == []
    for said in (outcome.out, outcome.err):
        assert "Traceback" not in said
        assert "dagster" not in said.lower().replace("make up", "")
        assert SHOPPER not in said
        assert SHOPIFY_TOKEN not in said
