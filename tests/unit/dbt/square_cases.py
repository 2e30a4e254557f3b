"""One case of each of Square's rules, as records; what becomes of them is expected in test_square_rules."""

from __future__ import annotations

from bronze_bench import Record
from payloads import ecb, product
from square_payloads import (
    catalog_item,
    category,
    count,
    customer,
    entry,
    euros,
    payment,
    payment_refund,
    payout,
    sold,
    square_order,
    taken_back,
)

ATTRIBUTES = {
    "era": {"type": "STRING", "key": "era", "string_value": "1950s"},
    "acquisition_cost": {"type": "NUMBER", "key": "acquisition_cost", "number_value": "41.50"},
}


def records() -> list[Record]:
    """All cases; some stand for themselves, some belong together."""
    wrapping = {"total_money": euros(369), "total_tax_money": euros(69), "calculation_phase": "SUBTOTAL_PHASE"}
    shared = {"total_money": euros(500), "total_tax_money": euros(0), "treatment_type": "APPORTIONED_TREATMENT"}
    return [
        category("C1", "Furniture"),
        catalog_item("I1", "V1", "RT-000001", category="C1", attributes=ATTRIBUTES),
        catalog_item(
            "I1",
            "V1",
            "RT-000001",
            updated="2026-08-20T10:00:00.000Z",
            price=9_000,
            category="C1",
            attributes=ATTRIBUTES,
        ),
        catalog_item("I2", "V2", "RT-000002"),
        catalog_item("I3", "V3", "", title="Without a stock number"),
        catalog_item("I4", "V4", "RT-000004", is_archived=True),
        product(2, "2026-08-05T10:00:00Z", metafields={"era": "1960s"}),
        Record(
            "pos_products",
            {
                "item_id": "RT-000002",
                "title": "As the till has it",
                "category": "Lamps",
                "listed_at": "2026-07-15T09:00:00Z",
            },
        ),
        # Tax inside the price, two pieces, a discount; gift wrapping with tax, a tip, and cents rounded up.
        square_order(
            "sale",
            sold("a", 11070, quantity="2", discount=1230, tax=2070),
            sold("b", 1003, variation=None),
            total=11070 + 1003 + 369 + 200 + 2,
            charges=[wrapping],
            tip=200,
            rounding=2,
            person="p_1",
        ),
        # Tax on top, no catalogue object that anybody knows, sold by weight.
        square_order("weight", sold("a", 12300, quantity="1.70000", tax=2300, variation="V9"), total=12300),
        square_order("apportioned", sold("a", 10500, variation="V2"), total=10500, charges=[shared]),
        # Yen have no smaller unit.
        square_order("yen", sold("a", 15000, currency="JPY"), total=15000, currency="JPY"),
        # Dinars have thousandths.
        square_order("dinar", sold("a", 1500, currency="KWD"), total=1500, currency="KWD"),
        square_order("open", sold("a", 1000), total=1000, state="OPEN", tendered=400),
        square_order("unpaid", sold("a", 1000), total=1000, state="OPEN", tendered=0),
        square_order("cancelled", sold("a", 1000), total=1000, state="CANCELED", tendered=0),
        square_order("unknown", sold("a", 1000), total=1000, state="SOMETHING_NEW"),
        square_order("draft", sold("a", 1000), total=1000, state="DRAFT"),
        # Somebody opened the drawer.
        square_order("drawer", total=0),
        square_order("broken", sold("a", 1000), total=1500),
        square_order("lineless", total=1500),
        # A return ten days later: an order of its own, half a minute before midnight UTC.
        square_order(
            "return",
            total=0,
            created="2026-09-10T23:59:30.000Z",
            updated="2026-09-10T23:59:40.000Z",
            returns=[
                {
                    "source_order_id": "sale",
                    "return_line_items": [taken_back("r1", "a", 11070, tax=2070)],
                    "return_service_charges": [wrapping],
                }
            ],
            refunds=[{"id": "R1", "transaction_id": "sale", "status": "APPROVED", "amount_money": euros(11439)}],
        ),
        # An exchange takes one piece back, an unlinked one another, and sells a third.
        square_order(
            "exchange",
            sold("n", 5000, variation="V2"),
            total=5000,
            returns=[
                {"source_order_id": "apportioned", "return_line_items": [taken_back("x1", "a", 10500, variation="V2")]},
                {"return_line_items": [taken_back("x2", "z", 300, variation=None)]},
            ],
        ),
        # An older kind of record lists its refunds alone.
        square_order(
            "listed",
            total=0,
            refunds=[
                {
                    "id": "R2",
                    "transaction_id": "open",
                    "created_at": "2026-09-05T10:00:00Z",
                    "status": "APPROVED",
                    "amount_money": euros(400),
                },
                {
                    "id": "R3",
                    "transaction_id": "open",
                    "created_at": "2026-09-05T10:00:00Z",
                    "status": "FAILED",
                    "amount_money": euros(400),
                },
            ],
        ),
        payment(
            "P1",
            "sale",
            12644,
            fees=[
                ("ADJUSTMENT", "2026-09-02T12:00:00.000Z", 50),
                ("INITIAL", "2026-09-01T12:00:00.000Z", 221),
                ("ADJUSTMENT", "2026-09-20T12:00:00.000Z", -10),
            ],
        ),
        payment("P2", "open", 400, status="APPROVED"),
        payment("P3", "unpaid", 1000, status="FAILED"),
        payment("P4", "unpaid", 1000, status="CANCELED"),
        payment("P5", "unknown", 1000, status="SOMETHING_NEW"),
        payment_refund("R1", "P1", 11439, fee=-200),
        payment_refund("R9", "nobody's", 100, status="REJECTED"),
        payout("PO1", 12333 - 50 - 2900),
        entry("E1", "PO1", "CHARGE", 12554, 221, "P1"),
        entry("E2", "PO1", "FEE", -50, payment_id="P1"),
        entry("E3", "PO1", "SUBSCRIPTION_FEE", -2900),
        entry("E4", "PO1", "SOMETHING_NEW", 0),
        entry("E5", "PO3", "REFUND", -11439, -200, "P1", "R1"),
        payout("PO3", -11239),
        payout("PO2", 500, status="SENT", updated="2026-09-02T05:00:00.000Z"),
        count("V1", "1"),
        count("V1", "2", state="RESERVED_FOR_SALE", at="2026-09-02T10:00:00.000Z"),
        count("V2", "0", at="2026-09-01T10:00:00.000Z"),
        count("V7", "3.5"),
        customer("C1", "p_7", address={"country": "IE", "postal_code": "T12"}),
        customer("C2", "p_8", preferences={"email_unsubscribed": True}),
        ecb("2026-09-01", USD="1.2000", JPY="160.00"),
    ]
