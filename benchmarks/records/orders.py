"""Shopify orders, as the Admin API answers them.

What belongs here: their records, refunds among them. What does not: other sources'.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from benchmarks.records.plan import Plan, day_of
from benchmarks.records.values import CURRENCIES, ITEMS, THINGS, WORDS, amount_text, time_text

Json = dict[str, Any]

_COUNTRIES = {"EUR": ("IE", "Ireland", "Dublin", "D02 X285"), "GBP": ("GB", "United Kingdom", "Leeds", "LS1 4DY")} | {
    "USD": ("US", "United States", "Portland", "97205-1234")
}
_FIRST = ("Aoife", "Seán", "Niamh", "Jack", "Emily", "Zoë", "Liam", "Grace", "Noah", "Siobhán", "Marta", "Oskar")
_LAST = ("O’Brien", "Murphy", "Byrne", "Kelly", "Walsh", "Smith", "Müller", "Jones", "Nowak", "García", "Doyle")


def orders_of(plan: Plan, day: int) -> Iterator[bytes]:
    """The order records of one day, in the order of their change times."""
    when = day_of(plan, day)
    dice = random.Random(f"{plan.seed} orders {when}")
    step = 54_000 // plan.orders if plan.orders < 54_000 else 1
    encode = msgspec.json.Encoder().encode
    again: list[bytes] = []
    for place in range(plan.orders):
        moment = datetime(when.year, when.month, when.day, 7, tzinfo=UTC) + timedelta(seconds=place * step % 54_000)
        number = when.toordinal() * 100_000 + place
        node = _order(dice, number, moment)
        record = encode(node)
        yield record
        if place % 50 == 0:
            again.append(encode(_refunded(node, moment + timedelta(hours=8))))
        elif place % 200 == 1:
            again.append(record)
    yield from again


def _bag(cents: int, currency: str) -> Json:
    return {
        "shopMoney": {"amount": amount_text(round(cents / CURRENCIES[currency])), "currencyCode": "EUR"},
        "presentmentMoney": {"amount": amount_text(cents), "currencyCode": currency},
    }


def _address(dice: random.Random, first: str, last: str, currency: str) -> Json:
    code, country, city, postcode = _COUNTRIES[currency]
    return {
        "firstName": first,
        "lastName": last,
        "name": f"{first} {last}",
        "company": None,
        "address1": f"{dice.randrange(1, 400)} High Street",
        "address2": None,
        "city": city,
        "province": None,
        "provinceCode": None,
        "zip": postcode,
        "country": country,
        "countryCodeV2": code,
        "phone": f"+35386{dice.randrange(10**7):07d}",
        "latitude": round(dice.uniform(50, 55), 5),
        "longitude": round(dice.uniform(-8, 2), 5),
    }


def _line(dice: random.Random, line_id: int, currency: str, included: bool) -> tuple[Json, int, int, int]:
    """A line item, what it costs before discount, its discount and its tax."""
    price = dice.randrange(1_500, 90_000)
    discount = price // 10 if dice.random() < 0.15 else 0
    paid = price - discount
    tax = paid * 23 // 123 if included else paid * 7 // 100
    item = dice.randrange(ITEMS)
    line = {
        "id": f"gid://shopify/LineItem/{line_id}",
        "sku": f"RT-{item:012d}",
        "title": f"{dice.choice(WORDS)} {dice.choice(THINGS)}",
        "vendor": "ReTreasure",
        "quantity": 1,
        "currentQuantity": 1,
        "requiresShipping": True,
        "taxable": True,
        "product": {"id": f"gid://shopify/Product/{item}"},
        "variant": {"id": f"gid://shopify/ProductVariant/{item}"},
        "originalUnitPriceSet": _bag(price, currency),
        "discountAllocations": [{"allocatedAmountSet": _bag(discount, currency)}] if discount else [],
        "taxLines": [{"title": "VAT", "rate": 0.23 if included else 0.07, "priceSet": _bag(tax, currency)}],
    }
    return line, price, discount, tax


def _order(dice: random.Random, number: int, moment: datetime) -> Json:
    currency = dice.choices(("EUR", "GBP", "USD"), (70, 20, 10))[0]
    included = currency != "USD"
    made = [_line(dice, number * 10 + place, currency, included) for place in range(2 if dice.random() < 0.2 else 1)]
    lines = [line for line, _, _, _ in made]
    gross, discount, tax = (sum(amounts) for amounts in zip(*(amounts for _, *amounts in made), strict=True))
    shipping = dice.choice((0, 495, 1_250))
    shipping_tax = shipping * 23 // 123 if included else 0
    total_tax = tax + shipping_tax
    tip = dice.randrange(100, 1_000) if dice.random() < 0.02 else 0
    # Goods sent over a border that they are taxed at.
    duty = gross // 20 if not included and dice.random() < 0.3 else 0
    fee = 150 if dice.random() < 0.01 else 0
    total = gross - discount + shipping + (0 if included else total_tax) + tip + duty + fee
    paid = dice.random() >= 0.03
    customer = dice.randrange(200_000)
    first, last = _FIRST[customer % len(_FIRST)], _LAST[customer // 7 % len(_LAST)]
    email = f"customer.{customer}@example.com"
    at = time_text(moment)
    return {
        "id": f"gid://shopify/Order/{number}",
        "legacyResourceId": str(number),
        "name": f"#{number}",
        "createdAt": at,
        "processedAt": at,
        "updatedAt": at,
        "cancelledAt": None,
        "closedAt": None,
        "cancelReason": None,
        "test": dice.random() < 0.005,
        "confirmed": True,
        "sourceName": "web",
        "displayFinancialStatus": "PAID" if paid else "PENDING",
        "displayFulfillmentStatus": "FULFILLED" if paid else "UNFULFILLED",
        "currencyCode": "EUR",
        "presentmentCurrencyCode": currency,
        "taxesIncluded": included,
        "email": email,
        "phone": None,
        "clientIp": f"203.0.113.{customer % 250}",
        "note": "Please ring the bell, it's a gift for Zoë" if dice.random() < 0.05 else None,
        "discountCodes": ["WELCOME10"] if discount else [],
        "tags": [],
        "customerLocale": "en-IE",
        "retailLocation": None,
        "customer": {
            "id": f"gid://shopify/Customer/{customer}",
            "createdAt": "2024-01-01T00:00:00Z",
            "numberOfOrders": str(customer % 5 + 1),
            "firstName": first,
            "lastName": last,
            "displayName": f"{first} {last}",
            "defaultEmailAddress": {"emailAddress": email, "marketingState": "SUBSCRIBED"},
            "defaultPhoneNumber": None,
        },
        "shippingAddress": _address(dice, first, last, currency),
        "billingAddress": _address(dice, first, last, currency),
        "subtotalPriceSet": _bag(gross - discount, currency),
        "totalDiscountsSet": _bag(discount, currency),
        "totalShippingPriceSet": _bag(shipping, currency),
        "totalTaxSet": _bag(total_tax, currency),
        "dutiesIncluded": False,
        "totalTipReceivedSet": _bag(tip, currency),
        "originalTotalDutiesSet": _bag(duty, currency) if duty else None,
        "currentTotalDutiesSet": _bag(duty, currency) if duty else None,
        "originalTotalAdditionalFeesSet": _bag(fee, currency) if fee else None,
        "currentTotalAdditionalFeesSet": _bag(fee, currency) if fee else None,
        "totalPriceSet": _bag(total, currency),
        "currentTotalPriceSet": _bag(total, currency),
        "totalRefundedSet": _bag(0, currency),
        "shippingLines": {
            "nodes": [
                {
                    "id": f"gid://shopify/ShippingLine/{number}",
                    "title": "Standard",
                    "code": "standard",
                    "originalPriceSet": _bag(shipping, currency),
                    "discountedPriceSet": _bag(shipping, currency),
                    "taxLines": [{"title": "VAT", "rate": 0.23, "priceSet": _bag(shipping_tax, currency)}],
                }
            ]
        },
        "lineItems": {"nodes": lines, "pageInfo": {"hasNextPage": False, "endCursor": f"c{number}"}},
        "transactions": [
            {
                "id": f"gid://shopify/OrderTransaction/{number}",
                "kind": "SALE",
                "status": "SUCCESS" if paid else "PENDING",
                "gateway": "shopify_payments",
                "test": False,
                "createdAt": at,
                "processedAt": at,
                "amountSet": _bag(total, currency),
                "parentTransaction": None,
                "fees": [],
            }
        ],
        "refunds": [],
        "fulfillments": [],
    }


def _refunded(node: Json, moment: datetime) -> Json:
    """The order after its first line was given back, and what it cost to send and to bring in."""
    line = node["lineItems"]["nodes"][0]
    at, number = time_text(moment), node["legacyResourceId"]
    currency = node["presentmentCurrencyCode"]

    def cents(bag: Json | None) -> int:
        return int(bag["presentmentMoney"]["amount"].replace(".", "")) if bag else 0

    price, tax = cents(line["originalUnitPriceSet"]), cents(line["taxLines"][0]["priceSet"])
    discount = sum(cents(part["allocatedAmountSet"]) for part in line["discountAllocations"])
    subtotal = price - discount
    [delivery] = node["shippingLines"]["nodes"]
    shipping, shipping_tax = cents(delivery["discountedPriceSet"]), cents(delivery["taxLines"][0]["priceSet"])
    duty = cents(node["originalTotalDutiesSet"])
    back = subtotal + shipping + duty + (0 if node["taxesIncluded"] else tax + shipping_tax)
    given_back = {
        "id": f"gid://shopify/RefundShippingLine/{number}",
        "subtotalAmountSet": _bag(shipping, currency),
        "taxAmountSet": _bag(shipping_tax, currency),
    }
    refund = {
        "id": f"gid://shopify/Refund/{number}",
        "legacyResourceId": number,
        "createdAt": at,
        "processedAt": at,
        "updatedAt": at,
        "note": "Customer did not like the colour",
        "totalRefundedSet": _bag(back, currency),
        "refundLineItems": {
            "nodes": [
                {
                    "id": f"gid://shopify/RefundLineItem/{number}",
                    "quantity": 1,
                    "restockType": "RETURN",
                    "restocked": True,
                    "lineItem": {"id": line["id"], "sku": line["sku"]},
                    "location": None,
                    "subtotalSet": _bag(subtotal, currency),
                    "totalTaxSet": _bag(tax, currency),
                }
            ]
        },
        "duties": [{"amountSet": _bag(duty, currency)}] if duty else [],
        "refundShippingLines": {"nodes": [given_back] if shipping else []},
        "orderAdjustments": {"nodes": []},
    }
    status = "PARTIALLY_REFUNDED" if node["displayFinancialStatus"] == "PAID" else "PENDING"
    return node | {
        "updatedAt": at,
        "displayFinancialStatus": status,
        "totalRefundedSet": _bag(back, currency),
        "refunds": [refund],
    }
