"""Payloads as bronze holds them: nodes of the Shopify queries, ECB lines, canonical fields of dropped files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bronze_bench import Record

Json = dict[str, Any]


def bag(amount: str, currency: str = "EUR", shop: str | None = None) -> Json:
    """A MoneyBag: ``amount`` as charged, ``shop`` in the shop's euros where that differs."""
    return {
        "shopMoney": {"amount": shop if shop is not None else amount, "currencyCode": "EUR"},
        "presentmentMoney": {"amount": amount, "currencyCode": currency},
    }


def line(
    number: int,
    *,
    price: str = "100.00",
    quantity: int | None = 1,
    discounts: Sequence[str] = (),
    taxes: Sequence[str] = (),
    sku: str | None = None,
    currency: str = "EUR",
) -> Json:
    """A line item node."""
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "sku": sku or f"RT-{number:06d}",
        "title": "Walnut sideboard",
        "quantity": quantity,
        "product": {"id": f"gid://shopify/Product/{number}"},
        "variant": {"id": f"gid://shopify/ProductVariant/{number}"},
        "originalUnitPriceSet": bag(price, currency),
        "discountAllocations": [{"allocatedAmountSet": bag(each, currency)} for each in discounts],
        "taxLines": [{"title": "VAT", "rate": 0.23, "priceSet": bag(each, currency)} for each in taxes],
    }


def refund(
    number: int,
    at: str,
    amount: str,
    *,
    lines: Sequence[tuple[int, str, str]] = (),
    shipping: tuple[str, str] | None = None,
    duties: Sequence[str] = (),
    currency: str = "EUR",
) -> Json:
    """A refund; ``lines`` are (line number, subtotal, tax), ``shipping`` is (subtotal, tax), ``duties`` amounts."""
    return {
        "id": f"gid://shopify/Refund/{number}",
        "legacyResourceId": str(number),
        "createdAt": at,
        "processedAt": at,
        "updatedAt": at,
        "note": None,
        "totalRefundedSet": bag(amount, currency),
        "refundLineItems": {
            "nodes": [
                {
                    "id": f"gid://shopify/RefundLineItem/{number}{index}",
                    "quantity": 1,
                    "restockType": "RETURN",
                    "restocked": True,
                    "lineItem": {"id": f"gid://shopify/LineItem/{of}", "sku": f"RT-{of:06d}"},
                    "location": None,
                    "subtotalSet": bag(subtotal, currency),
                    "totalTaxSet": bag(tax, currency),
                }
                for index, (of, subtotal, tax) in enumerate(lines)
            ]
        },
        "duties": [{"amountSet": bag(each, currency)} for each in duties],
        "refundShippingLines": {
            "nodes": [
                {"id": "x", "subtotalAmountSet": bag(shipping[0], currency), "taxAmountSet": bag(shipping[1], currency)}
            ]
            if shipping
            else []
        },
        "orderAdjustments": {"nodes": []},
    }


def order(
    number: int,
    *,
    updated: str = "2026-09-01T10:00:00Z",
    created: str = "2026-09-01T09:00:00Z",
    lines: Sequence[Json] | None = None,
    shipping: str | None = None,
    tax: str = "0.00",
    total: str = "100.00",
    shop_total: str | None = None,
    taxes_included: bool = False,
    status: str | None = "PAID",
    fulfilment: str = "UNFULFILLED",
    cancelled: str | None = None,
    test: bool = False,
    currency: str = "EUR",
    refunds: Sequence[Json] = (),
    transactions: Sequence[Json] | None = None,
    fulfillments: Sequence[Json] = (),
    person: str | None = "p_1",
    **changes: Any,
) -> Record:
    """An order node as a bronze record of shopify_orders; ``changes`` replace fields of the node."""
    node: Json = {
        "id": f"gid://shopify/Order/{number}",
        "legacyResourceId": str(number),
        "name": f"#{number}",
        "createdAt": created,
        "processedAt": created,
        "updatedAt": updated,
        "cancelledAt": cancelled,
        "closedAt": None,
        "test": test,
        "sourceName": "web",
        "displayFinancialStatus": status,
        "displayFulfillmentStatus": fulfilment,
        "currencyCode": "EUR",
        "presentmentCurrencyCode": currency,
        "taxesIncluded": taxes_included,
        "customerLocale": "en-IE",
        "retailLocation": None,
        "customer": {"id": "gid://shopify/Customer/1", "defaultEmailAddress": {"marketingState": "SUBSCRIBED"}},
        "shippingAddress": {"countryCodeV2": "IE", "zip": "D02"},
        "totalTaxSet": bag(tax, currency),
        "totalPriceSet": bag(total, currency, shop_total),
        "shippingLines": {"nodes": [{"discountedPriceSet": bag(shipping, currency)}] if shipping else []},
        "lineItems": {"nodes": list([line(number, currency=currency)] if lines is None else lines)},
        "transactions": list(
            [transaction(number, total, created, currency=currency)] if transactions is None else transactions
        ),
        "refunds": list(refunds),
        "fulfillments": list(fulfillments),
    }
    return Record("shopify_orders", node | changes, person)


def transaction(number: int, amount: str, at: str, *, kind: str = "SALE", currency: str = "EUR") -> Json:
    """An order transaction."""
    return {
        "id": f"gid://shopify/OrderTransaction/{number}",
        "kind": kind,
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "test": False,
        "createdAt": at,
        "processedAt": at,
        "amountSet": bag(amount, currency),
        "parentTransaction": None,
        "fees": [],
    }


def fulfillment(number: int, at: str, *, delivered: str | None = None) -> Json:
    """A fulfilment with one tracking number."""
    return {
        "id": f"gid://shopify/Fulfillment/{number}",
        "legacyResourceId": str(number),
        "status": "SUCCESS",
        "displayStatus": "DELIVERED" if delivered else "IN_TRANSIT",
        "createdAt": at,
        "updatedAt": at,
        "deliveredAt": delivered,
        "trackingInfo": [{"company": "An Post", "number": f"RT{number}IE", "url": None}],
    }


def product(
    number: int,
    updated: str,
    *,
    price: str = "100.00",
    status: str = "ACTIVE",
    title: str = "Walnut sideboard",
    quantity: int = 1,
    created: str = "2026-08-01T00:00:00Z",
    metafields: Mapping[str, str] | None = None,
    variants: int = 1,
) -> Record:
    """A product node as a bronze record."""
    fields = {"category": "furniture", "era": "1950s"} if metafields is None else metafields
    node = {
        "id": f"gid://shopify/Product/{number}",
        "legacyResourceId": str(number),
        "title": title,
        "productType": "furniture",
        "vendor": "ReTreasure",
        "status": status,
        "createdAt": created,
        "updatedAt": updated,
        "publishedAt": created,
        "variants": {
            "nodes": [
                {
                    "id": f"gid://shopify/ProductVariant/{number}{index}",
                    "legacyResourceId": f"{number}{index}",
                    "sku": f"RT-{number:06d}" + (f"-{index}" if index else ""),
                    "price": price,
                    "inventoryQuantity": quantity,
                    "inventoryItem": {"id": "x", "unitCost": {"amount": "40.00", "currencyCode": "EUR"}},
                }
                for index in range(variants)
            ]
        },
        "metafields": {
            "nodes": [{"key": key, "type": "single_line_text_field", "value": value} for key, value in fields.items()]
        },
    }
    return Record("shopify_products", node)


def ecb(day: str, **rates: str) -> Record:
    """A line of the ECB file."""
    return Record("fx_ecb_rates", {"date": day, "base": "EUR", "rates": rates})


def till(
    receipt: str,
    line_id: str = "1",
    *,
    at: str = "2026-09-01T12:00:00Z",
    item: str = "RT-000001",
    quantity: str = "1",
    total: str = "100.00",
    discount: str | None = None,
    tax: str = "0.00",
    tax_included: str = "true",
    kind: str = "sale",
    currency: str = "EUR",
    person: str | None = None,
) -> Record:
    """A line of a till receipt."""
    return Record(
        "pos_transactions",
        {
            "transaction_id": receipt,
            "line_id": line_id,
            "sold_at": at,
            "store_id": "DUB1",
            "register_id": "R1",
            "item_id": item,
            "title": "Brooch",
            "quantity": quantity,
            "unit_price": None,
            "discount_amount": discount,
            "tax_amount": tax,
            "line_total": total,
            "currency": currency,
            "payment_method": "card",
            "line_type": kind,
            "loyalty_id": None,
            "tax_included": tax_included,
        },
        person,
    )


def exported(table: str, order_id: str, line_id: str = "1", **fields: str | None) -> Record:
    """A row of an order export with the canonical fields."""
    row: Json = {"order_id": order_id, "line_id": line_id, "ordered_at": "2026-09-01T09:00:00Z", "currency": "EUR"}
    return Record(table, row | fields)


def balance(
    number: int,
    *,
    kind: str = "CHARGE",
    amount: str = "100.00",
    fee: str = "3.00",
    net: str = "97.00",
    order_number: int | None = 1,
    payout: int | None = None,
    at: str = "2026-09-01T09:00:02Z",
    test: bool = False,
) -> Record:
    """A Shopify Payments balance transaction."""
    money = {"amount": amount, "fee": fee, "net": net}
    node: Json = {name: {"amount": value, "currencyCode": "EUR"} for name, value in money.items()}
    node |= {
        "id": f"gid://shopify/ShopifyPaymentsBalanceTransaction/{number}",
        "type": kind,
        "test": test,
        "transactionDate": at,
        "associatedOrder": {"id": f"gid://shopify/Order/{order_number}"} if order_number else None,
        "associatedPayout": {"id": f"gid://shopify/ShopifyPaymentsPayout/{payout}", "status": "PAID"}
        if payout
        else None,
    }
    return Record("shopify_balance_transactions", node)


def payout(number: int, net: str, *, status: str = "PAID", at: str = "2026-09-03T00:00:00Z") -> Record:
    """A payout of Shopify Payments."""
    money = {name: {"amount": net, "currencyCode": "EUR"} for name in ("gross", "net")}
    node = {"id": f"gid://shopify/ShopifyPaymentsPayout/{number}", "legacyResourceId": str(number), "issuedAt": at}
    return Record("shopify_payouts", node | {"status": status, "transactionType": "DEPOSIT"} | money)
