"""One case of each of Etsy's rules, as records; what becomes of them is expected in test_silver_etsy."""

from __future__ import annotations

from bronze_bench import Record
from etsy_payloads import adjustment, entry, epoch, listing, payment, product, receipt, sold
from payloads import exported

LATER = "2026-09-11T10:00:00Z"


def records() -> list[Record]:
    """One case of each rule, oldest first."""
    back = adjustment(90, 500, 2000, LATER)
    return [
        # VAT within the prices: 23 of 123 of everything that was paid. The discount is shared by price.
        receipt(
            1,
            [sold(10, "100.00"), sold(11, "50.00", quantity=2)],
            "196.80",
            goods="200.00",
            discount="20.00",
            shipping="16.80",
            vat="36.80",
            shipped=True,
            status="Completed",
            shipments=[
                {
                    "receipt_shipping_id": 7,
                    "shipment_notification_timestamp": epoch("2026-09-02T08:00:00Z"),
                    "carrier_name": "An Post",
                    "tracking_code": "RT1IE",
                },
                {"receipt_shipping_id": None, "shipment_notification_timestamp": epoch("2026-09-03T08:00:00Z")},
            ],
        ),
        # Sales tax on top, paid in dollars, settled in euros.
        receipt(
            2,
            [sold(20, "80.00", currency="USD")],
            "108.00",
            goods="80.00",
            shipping="20.00",
            tax="8.00",
            currency="USD",
        ),
        payment(200, 2, "108.00", currency="USD"),
        # VAT on top, and gift wrapping within the total.
        receipt(3, [sold(30, "40.00")], "54.00", goods="40.00", wrap="5.00", vat="9.00"),
        # Yen have no minor unit; half an hour before midnight UTC is the next day in Dublin in summer.
        receipt(
            4,
            [sold(40, "15000", currency="JPY")],
            "15000",
            goods="15000",
            currency="JPY",
            created="2026-09-01T23:30:00Z",
            paid=False,
            status="Payment Processing",
        ),
        # Given back in part: payment, receipt and ledger tell of one refund, the receipt of another one.
        receipt(5, [sold(50, "100.00")], "100.00", goods="100.00", refunds=[(LATER, "20.00"), (LATER, "5.00")]),
        payment(500, 5, "100.00", adjustments=[back, adjustment(91, 500, 700, LATER, success=False)]),
        entry(1, "PAYMENT_GROSS", 10000, refers=("shop_payment", 500), balance=10000),
        entry(2, "PAYMENT_PROCESSING_FEE", -430, refers=("shop_payment", 500), balance=9570),
        entry(3, "PAYMENT_GROSS", 9000, refers=("shop_payment", 200), balance=18570),
        entry(4, "sales_tax", -667, refers=("receipt", 2), balance=17903),
        entry(5, "transaction", -433, refers=("transaction", 20), balance=17470),
        entry(6, "vat_seller_services", -100, parent=5, balance=17370),
        entry(7, "listing", -18, refers=("listing", 10_020), balance=17352),
        entry(8, "moon_phase_fee", -7, balance=17345),
        # 45.00 of 173.45 stay behind.
        entry(9, "DISBURSE2", -12845, at="2026-09-07T06:00:00Z", refers=("disbursement", 1), balance=4500),
        entry(10, "REFUND_GROSS", -2000, at=LATER, refers=("payment_adjustment", 90), adjustments=[back], balance=2500),
        # Only the ledger knows: half of 108.00 dollars at 0.8333.
        entry(11, "REFUND_GROSS", -4500, at=LATER, refers=("receipt", 2), balance=-2000),
        # The bank sent the first payout back.
        entry(12, "DISBURSE_FAILURE", 12845, at=LATER, balance=10845),
        # Nothing of this can be tied to an order.
        entry(13, "shipping_labels", -500, at=LATER, refers=("shipping_label", 77), balance=10345),
        entry(14, "DISBURSE2", -10345, at="2026-09-14T06:00:00Z", balance=0),
        entry(15, "offsite_ads_fee", -300, at="2026-09-20T06:00:00Z", refers=("receipt", 5), balance=-300),
        # Cancelled before anybody paid, after that, and with a status that nobody knows.
        receipt(6, [sold(60, "10.00")], "10.00", goods="10.00", paid=False, status="Canceled", updated=LATER),
        receipt(7, [sold(70, "10.00")], "10.00", goods="10.00", status="canceled", refunds=[(LATER, "10.00")]),
        receipt(8, [sold(80, "10.00", sku="")], "10.00", goods="10.00", status="Awaiting Dragon"),
        # Broken ones.
        receipt(9, [sold(90, "10.00")], "12.00", goods="10.00"),
        receipt(91, [], "10.00", goods="10.00"),
        receipt(92, [sold(92, "9.00")], "10.00", goods="10.00"),
        # The API knows receipt 5 and the days of its account; the files alone know receipt 55 and August.
        exported("etsy_sold_order_items", "5", item_id="A", quantity="1", unit_price="40.00", order_total="40.00"),
        exported("etsy_sold_order_items", "55", item_id="B", quantity="1", unit_price="40.00", order_total="40.00"),
        *(
            Record(
                "etsy_statement", {"type": "Fee", "title": title, "currency": "EUR", "fees_taxes": "-1.00", "date": day}
            )
            for title, day in (("august", "2026-08-20"), ("september", "2026-09-10"))
        ),
        listing(1, "2026-08-01T09:00:00Z"),
        listing(1, "2026-08-10T09:00:00Z", price="45.00"),
        listing(1, "2026-09-01T09:00:00Z", price="45.00", state="sold_out"),
        # Variations with numbers of their own, one of them offered twice, one deleted; and one number for all.
        listing(
            2,
            "2026-08-01T09:00:00Z",
            products=[
                product(21, "RT-2B", (1, "70.00"), (2, "75.00")),
                product(22, "RT-2A", (1, "60.00")),
                product(23, "RT-2C", (1, "1.00"), deleted=True),
            ],
        ),
        listing(3, "2026-08-01T09:00:00Z", products=[product(31, "RT-3", (1, "9.00")), product(32, "RT-3")]),
        # Two lines; the payment names the one that was given back, and what is of neither.
        receipt(11, [sold(110, "60.00"), sold(111, "20.00", quantity=2)], "105.00", goods="100.00", shipping="5.00"),
        payment(1100, 11, "105.00", adjustments=[adjustment(95, 1100, 4500, LATER, items=[(111, 4000), (None, 500)])]),
    ]
