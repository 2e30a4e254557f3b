"""One case of each rule of Shopify's orders, the till's, the exports' and the rates', as records.

What becomes of them is expected in test_silver_rules.
"""

from __future__ import annotations

from bronze_bench import Record
from payloads import bag, balance, ecb, exported, fulfillment, line, order, product, refund, till, transaction


def records() -> list[Record]:
    """All cases; some stand for themselves, some belong together."""
    return [
        # Two lines, one bought twice, a discount on each, shipping, tax on top.
        order(
            1,
            lines=[
                line(10, price="50.00", quantity=2, discounts=["5.00", "1.00"], taxes=["20.00", "1.62"]),
                line(11, price="10.00", taxes=["2.30"]),
            ],
            shipping="9.00",
            tax="25.99",
            total="138.99",
        ),
        # The same with the tax inside the prices, and inside the shipping.
        order(
            2,
            lines=[line(20, price="123.00", discounts=["12.30"], taxes=["20.70"])],
            shipping="6.15",
            tax="21.85",
            total="116.85",
            taxes_included=True,
            fulfilment="FULFILLED",
            fulfillments=[fulfillment(1, "2026-09-02T08:00:00Z", delivered="2026-09-04T08:00:00Z")],
        ),
        # Yen have no minor unit; half an hour before midnight UTC is the next day in Dublin in summer.
        order(
            3,
            created="2026-09-01T23:30:00Z",
            lines=[line(30, price="15000", currency="JPY")],
            total="15000",
            shop_total="93.45",
            currency="JPY",
        ),
        # Partly refunded ten days later, shipping included.
        order(
            4,
            lines=[line(40, price="80.00", taxes=["18.40"])],
            shipping="10.00",
            tax="20.70",
            total="110.70",
            status="PARTIALLY_REFUNDED",
            refunds=[
                refund(
                    900, "2026-09-11T10:00:00Z", "110.70", lines=[(40, "80.00", "18.40")], shipping=("10.00", "2.30")
                )
            ],
            transactions=[
                transaction(400, "110.70", "2026-09-01T09:00:00Z"),
                transaction(401, "110.70", "2026-09-11T10:00:00Z", kind="REFUND"),
            ],
        ),
        order(5, test=True),
        order(6, status="VOIDED", cancelled="2026-09-01T09:30:00Z"),
        order(7, status="SOMETHING_NEW"),
        # A tip, duties and an additional fee beside goods and delivery; the duties come back with the goods.
        order(
            8,
            shipping="20.00",
            total="139.50",
            totalTipReceivedSet=bag("5.00"),
            originalTotalDutiesSet=bag("12.00"),
            currentTotalDutiesSet=bag("0.00"),
            originalTotalAdditionalFeesSet=bag("2.50"),
            currentTotalAdditionalFeesSet=bag("2.50"),
            refunds=[refund(901, "2026-09-11T10:00:00Z", "112.00", lines=[(8, "100.00", "0.00")], duties=["12.00"])],
        ),
        # Duties inside the prices; a tip that is a line of its own; duties that changed when the order was edited.
        order(9, dutiesIncluded=True, originalTotalDutiesSet=bag("12.00"), currentTotalDutiesSet=bag("12.00")),
        order(
            10,
            lines=[line(100, price="100.00"), line(101, price="7.00")],
            total="107.00",
            totalTipReceivedSet=bag("7.00"),
        ),
        order(
            13,
            total="104.00",
            originalTotalDutiesSet=bag("9.00"),
            currentTotalDutiesSet=bag("4.00"),
        ),
        # Given back as a whole, tip and fee with it.
        order(
            12,
            total="104.00",
            totalTipReceivedSet=bag("3.00"),
            originalTotalAdditionalFeesSet=bag("1.00"),
            currentTotalAdditionalFeesSet=bag("1.00"),
            refunds=[refund(902, "2026-09-12T10:00:00Z", "104.00", lines=[(12, "100.00", "0.00")])],
        ),
        # A surcharge nobody names does not make a wrong total right.
        order(94, total="130.00", totalTipReceivedSet=bag("5.00")),
        # Broken ones.
        order(90, lines=[line(90, quantity=-1)]),
        order(91, currency="XXX"),
        order(92, total="250.00"),
        order(93, lines=[]),
        order(95, createdAt="yesterday"),
        till("T1", "1", total="61.50", tax="11.50", discount="6.15", item="RT-000001", person="p_9"),
        till("T1", "2", total="100.00", tax="23.00", tax_included="false", item="ORPHAN", quantity="4"),
        till("T2", "1", total="-61.50", tax="-11.50", quantity="-1", kind="return", at="2026-09-20T12:00:00Z"),
        till("T3", "1", total="-10.00", quantity="-1"),
        till("T4", "1", total="10.00", kind="exchange"),
        till("T5", "1", total="10.00", kind="return"),
        till("", "1", total="5.00"),
        till("T6", "1", total="10.00", quantity="1"),
        till("T6", "2", total="-4.00", quantity="-1", kind="return"),
        product(
            1,
            "2026-08-01T10:00:00Z",
            metafields={
                "category": "furniture",
                "era": "1950s",
                "maker": "Unknown",
                "material": "walnut",
                "condition": "good",
                "acquired_at": "2026-07-01",
                "acquisition_cost": "30.00",
                "acquisition_currency": "GBP",
            },
        ),
        product(2, "2026-08-01T10:00:00Z", metafields={}),
        balance(1, payout=7),
        balance(2, kind="SHIPPING_LABEL", amount="-8.50", fee="0.00", net="-8.50", payout=7),
        balance(3, fee="9.99", test=True),
        ecb("2026-08-28", USD="1.1000", JPY="160.00"),
        ecb("2026-09-01", USD="1.2000", JPY="161.00"),
        # The API knows order 1 too; the export alone knows 77 (tax inside) and 78 (tax on top, one discount for all).
        exported(
            "shopify_orders_export",
            "1",
            item_id="X",
            quantity="1",
            unit_price="1.00",
            order_total="1.00",
            status="paid",
        ),
        exported(
            "shopify_orders_export",
            "77",
            item_id="A",
            quantity="1",
            unit_price="123.00",
            order_tax="23.00",
            order_discount="0.00",
            order_shipping="0.00",
            order_total="123.00",
            status="paid",
            order_refunded="12.30",
            paid_at="2026-09-01T09:00:00Z",
        ),
        exported(
            "shopify_orders_export",
            "78",
            "1",
            item_id="A",
            quantity="2",
            unit_price="30.00",
            order_tax="8.00",
            order_discount="10.00",
            order_shipping="5.00",
            order_total="93.00",
            status="paid",
        ),
        exported("shopify_orders_export", "78", "2", item_id="B", quantity="1", unit_price="30.00"),
        exported(
            "etsy_sold_order_items",
            "E1",
            item_id="A",
            quantity="1",
            unit_price="40.00",
            order_shipping="4.00",
            order_tax="3.10",
        ),
        exported("etsy_sold_orders", "E1", order_total="44.00", order_discount="0.00", order_tax="3.10"),
        exported(
            "ebay_orders_report",
            "B1",
            item_id="A",
            quantity="1",
            unit_price="20.00",
            order_total="20.00",
            paid_at="2026-09-01T09:05:00Z",
        ),
    ]
