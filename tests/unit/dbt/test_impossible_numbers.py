"""Numbers that no record can mean, more than decimals and integers hold: they end no build, the order is kept out."""

from __future__ import annotations

from collections.abc import Callable

import ebay_payloads as ebay
import etsy_payloads as etsy
import payloads as shop
import pytest
import square_payloads as square
from bronze_bench import Bench

AMOUNTS = ("100000000000", "-100000000000", "99999999999999.9999", "1e40", "NaN", "inf", "twelve", "")
#: More than an integer holds, more than a decimal does, and one digit too many.
COUNTS = (3_000_000_000, 10**30, 1_000_000_000)


@pytest.fixture(scope="module")
def kept_out(new_bench: Callable[[], Bench]) -> dict[str, str]:
    """Reasons by order, of one build over everything; nothing of it ends the build."""
    bench = new_bench()
    orders = [
        *(shop.order(number, total=total) for number, total in enumerate(AMOUNTS, 100)),
        *(shop.order(number, lines=[shop.line(1, quantity=many)]) for number, many in enumerate(COUNTS, 200)),
        *(shop.order(number, lines=[shop.line(1, price=price)]) for number, price in enumerate(AMOUNTS, 300)),
        shop.order(1, total="99999999999.9999"),
        shop.order(2),
        *(
            square.square_order(f"Q{number}", square.sold("L", 1000, quantity=str(many)), total=1000)
            for number, many in enumerate(COUNTS)
        ),
        square.square_order("M", square.sold("L", 10**17), total=10**17),
        etsy.receipt(7, [etsy.sold(70, "10", quantity=COUNTS[0])], "10", goods="10"),
        ebay.order(8, [ebay.line(80, AMOUNTS[2])], "10.00"),
        shop.till("T8", quantity=str(COUNTS[0])),
        shop.till("T9", total=AMOUNTS[2]),
        shop.payout(6, AMOUNTS[2]),
        shop.balance(60, payout=6, amount=AMOUNTS[2], fee="1e40", net="NaN"),
        square.payment("P7", "O7", 10**17),
        etsy.payment(50, 7, AMOUNTS[2]),
        etsy.entry(51, "listing", 10**20),
    ]
    bench.ingest(*orders)
    statuses = bench.build()
    assert set(statuses.values()) == {"success"}
    reasons = dict(bench.query("select order_id, reject_reason from quarantine.silver_orders"))
    assert "2" in {order_id for (order_id,) in bench.query("select order_id from silver.orders")}
    return reasons


@pytest.mark.parametrize(
    ("orders", "reason"),
    [
        ([str(100 + number) for number in range(len(AMOUNTS))], "missing total"),
        ([str(200 + number) for number in range(len(COUNTS))], "negative or missing quantity on a sale"),
        ([str(300 + number) for number in range(len(AMOUNTS))], "totals do not add up"),
        ([f"Q{number}" for number in range(len(COUNTS))], "negative or missing quantity on a sale"),
        (["M", "T9"], "missing total"),
        (["7", "T8"], "negative or missing quantity on a sale"),
        (["01-00008-00000"], "line without a price"),
    ],
)
def test_orders_are_kept_out_and_say_why(kept_out: dict[str, str], orders: list[str], reason: str) -> None:
    assert {order: reason in kept_out.get(order, "") for order in orders} == dict.fromkeys(orders, True)


def test_the_largest_amount_that_can_be_is_read(kept_out: dict[str, str]) -> None:
    assert kept_out["1"] == "totals do not add up; "
