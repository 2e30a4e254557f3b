"""One case of each of eBay's rules, as records; what becomes of them is expected in test_ebay_rules."""

from __future__ import annotations

from bronze_bench import Record
from ebay_payloads import entry, fees, line, money, order, refund, summary
from payloads import exported

_TAX = [{"taxType": "VAT", "amount": money("20.00")}]
_REMITTED = [{"taxType": "VAT", "amount": money("20.00"), "collectionMethod": "NET"}]
_CANCELLED = {"cancelState": "CANCELED", "cancelledDate": "2026-09-03T09:00:00.000Z"}


def records() -> list[Record]:
    """All cases; some stand for themselves, some belong together."""
    day = "2026-09-10T08:00:00.000Z"
    return [
        # A discount that the lines state, delivery with a discount; both are stated as negative.
        order(
            1,
            [line(1, "100.00", discounted="90.00"), line(2, "50.00")],
            "147.00",
            pricing={
                "priceDiscount": money("-10.00"),
                "deliveryCost": money("10.00"),
                "deliveryDiscount": money("-3.00"),
            },
            fulfillmentHrefs=["https://api.ebay.com/sell/fulfillment/v1/order/1/shipping_fulfillment/TRACK1"],
            orderFulfillmentStatus="FULFILLED",
        ),
        # Tax that eBay remits, broken down: in the total and among the taxes, and no money of ours.
        order(2, [line(3, "100.00", taxes=_TAX, ebayCollectAndRemitTaxes=_REMITTED)], "120.00"),
        # The same not broken down: the total is without it.
        order(
            3,
            [line(4, "100.00", ebayCollectAndRemitTaxes=_REMITTED)],
            "100.00",
            paymentSummary=summary("100.00", []),
        ),
        # Tax of the seller's own is part of the total.
        order(4, [line(5, "100.00", taxes=[{"taxType": "SALES_TAX", "amount": money("8.00")}])], "108.00"),
        # Everything converted: charged in pounds, settled in euro.
        order(
            5,
            [line(6, "115.00", lineItemCost=money("115.00", charged="100.00"))],
            "0",
            pricing={"deliveryCost": money("11.50", charged="10.00"), "total": money("126.50", charged="110.00")},
            paymentSummary={
                "totalDueSeller": money("126.50", charged="110.00"),
                "payments": [
                    {
                        "paymentReferenceId": "P5",
                        "paymentStatus": "PAID",
                        "paymentDate": "2026-09-01T09:05:00.000Z",
                        "amount": money("126.50", charged="110.00"),
                    }
                ],
                "refunds": [{**refund(day, "11.50", refundId="R5"), "amount": money("11.50", charged="10.00")}],
            },
            orderPaymentStatus="PARTIALLY_REFUNDED",
        ),
        # A price that was lowered afterwards is shared among the lines.
        order(6, [line(7, "75.00"), line(8, "25.00")], "96.00", pricing={"adjustment": money("-4.00")}),
        # Cancelled before it was paid.
        order(
            7,
            [line(9, "30.00")],
            "30.00",
            orderPaymentStatus="PENDING",
            cancelStatus=_CANCELLED,
            paymentSummary=summary("30.00", [], [{"paymentStatus": "PENDING", "amount": money("30.00")}]),
        ),
        # Cancelled afterwards, and given back. One refund failed, one is under way, one names itself by reference only.
        order(
            8,
            [line(10, "40.00", refunds=[{"amount": money("40.00"), "refundDate": day, "refundId": "R1"}])],
            "40.00",
            orderPaymentStatus="FULLY_REFUNDED",
            cancelStatus=_CANCELLED,
            paymentSummary=summary(
                "40.00",
                [
                    refund(day, "40.00", refundId="R1", refundReferenceId="REF1"),
                    refund(day, "5.00", refundStatus="FAILED", refundId="R2"),
                    refund(None, "6.00", refundStatus="PENDING", refundId="R3"),
                    refund(day, "1.00", refundReferenceId="REF4"),
                    refund(day, "2.00"),
                ],
            ),
        ),
        # Words nobody knows.
        order(
            9,
            [line(11, "10.00", listingMarketplaceId="EBAY_MARS")],
            "10.00",
            orderFulfillmentStatus="TELEPORTED",
            orderPaymentStatus="PAID_IN_KIND",
            cancelStatus={"cancelState": "RECONSIDERED"},
            somethingNew={"deep": [1]},
        ),
        # A total that does not add up.
        order(0, [line(12, "10.00")], "99.00"),
        # The export knows order 1 too, in other words, and one that the API does not know.
        exported("ebay_orders_report", "01-00001-00000", title="Clock (export)", quantity="1", line_total="1.00"),
        exported(
            "ebay_orders_report",
            "99-99999-99999",
            paid_at="2026-09-01T09:00:00Z",
            title="Old clock",
            quantity="1",
            unit_price="12.00",
            order_total="12.00",
        ),
        # The ledger.
        entry(
            "T1",
            "SALE",
            "CREDIT",
            "128.00",
            orderId="01-00001-00000",
            payoutId="PO1",
            totalFeeAmount=money("19.00"),
            orderLineItems=fees(("FINAL_VALUE_FEE", "18.65"), ("FIXED", "0.20"), ("FIXED", "0.15"), ("NONE", "0.00")),
        ),
        entry(
            "T2",
            "REFUND",
            "DEBIT",
            "35.00",
            orderId="01-00008-00000",
            payoutId="PO1",
            totalFeeAmount=money("5.00"),
            orderLineItems=fees(("FINAL_VALUE_FEE", "5.00")),
        ),
        entry(
            "F1",
            "NON_SALE_CHARGE",
            "DEBIT",
            "2.50",
            feeType="AD_FEE",
            payoutId="PO1",
            references=[
                {"referenceType": "ITEM_ID", "referenceId": "111"},
                {"referenceType": "ORDER_ID", "referenceId": "01-00001-00000"},
            ],
            # Said twice by eBay, charged once.
            orderLineItems=fees(("AD_FEE", "2.50")),
        ),
        entry("L1", "SHIPPING_LABEL", "DEBIT", "7.00", orderId="01-00001-00000", payoutId="PO1"),
        entry("L1", "SHIPPING_LABEL", "CREDIT", "7.00", orderId="01-00001-00000", payoutId="PO1"),
        entry("X1", "TRANSFER", "DEBIT", "3.00", payoutId="PO1"),
        entry("X2", "NON_SALE_CHARGE", "DEBIT", "9.00", feeType="OTHER_FEES", transactionStatus="FAILED"),
        entry("X3", "GIFT_FROM_EBAY", "CREDIT", "1.50"),
        Record(
            "ebay_payouts",
            {
                "payoutId": "PO1",
                "payoutDate": "2026-09-05T04:00:00.000Z",
                "payoutStatus": "SUCCEEDED",
                "amount": money("85.50"),
                "totalAmount": money("87.50"),
                "totalFeeDetails": [{"feeType": "EXPRESS_PAYOUT_FEE", "amount": money("2.00")}],
            },
        ),
        Record(
            "ebay_payouts",
            {
                "payoutId": "PO2",
                "payoutDate": "2026-09-06T04:00:00.000Z",
                "payoutStatus": "RETRYABLE_FAILED",
                "amount": money("5.00"),
            },
        ),
    ]
