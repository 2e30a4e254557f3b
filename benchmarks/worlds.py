"""Synthetic records to measure with: nested orders of some 4 KB, click events of 0.5 KB, both with personal fields.

What belongs here: seeded records in the form that the sources give them. What does not: the sandbox's world, whose
records are true to a business; these are true to size and nesting only.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from retreasure_assets.entities import Entity, Identity, Mask, RawBatch

_START = datetime(2026, 1, 1, tzinfo=UTC)
_ADDRESS = (
    "firstName",
    "lastName",
    "name",
    "company",
    "address1",
    "address2",
    "city",
    "phone",
    "latitude",
    "longitude",
)

ORDERS = Entity(
    "bench",
    "orders",
    ("id",),
    "updatedAt",
    "Nested orders in the form of Shopify's.",
    (Identity("shopify_customer", "customer.id"), Identity("email", "email")),
    {
        **dict.fromkeys(("email", "phone", "note", "refunds[].note"), Mask.REDACT),
        "clientIp": Mask.IP_PREFIX,
        **dict.fromkeys((f"customer.{name}" for name in ("firstName", "lastName", "displayName")), Mask.REDACT),
        "customer.defaultEmailAddress.emailAddress": Mask.REDACT,
        "customer.defaultPhoneNumber.phoneNumber": Mask.REDACT,
        **{f"{place}.{name}": Mask.REDACT for place in ("shippingAddress", "billingAddress") for name in _ADDRESS},
        **dict.fromkeys((f"{place}.zip" for place in ("shippingAddress", "billingAddress")), Mask.POSTCODE_AREA),
    },
)
CLICKS = Entity(
    "bench",
    "clicks",
    ("event_id",),
    "occurred_at",
    "Click events of the web shop.",
    (Identity("visitor", "visitor_id"),),
    {"visitor_id": Mask.PSEUDONYM, "ip": Mask.IP_PREFIX, "user_agent": Mask.REDACT},
)


def batches(records: int, *, large_share: float = 0.4, size: int = 20_000, seed: int = 1) -> Iterator[RawBatch]:
    """Batches of orders and clicks by turns.

    Args:
        records: how many records in all.
        large_share: share of them that are orders, by count.
        size: records of an order batch and a click batch together.
        seed: the same seed gives the same records.
    """
    chance = random.Random(seed)
    orders = int(records * large_share)
    shoppers, visitors = max(orders // 3, 1), max((records - orders) // 10, 1)
    for start in range(0, records, size):
        end = min(start + size, records)
        first, last = int(start * large_share), int(end * large_share)
        yield _batch(ORDERS, (order(number, chance, shoppers) for number in range(first, last)))
        yield _batch(CLICKS, (click(number, chance, visitors) for number in range(start - first, end - last)))


def _batch(entity: Entity, records: Iterable[dict[str, Any]]) -> RawBatch:
    encoded = [msgspec.json.encode(record) for record in records]
    origins = [f"https://bench.example/{entity.name}?page={place // 250}" for place in range(len(encoded))]
    return RawBatch(entity, encoded, origins)


def order(number: int, chance: random.Random, shoppers: int) -> dict[str, Any]:
    """An order with one line, two addresses, a payment, a shipment, and now and then a refund."""
    shopper = chance.randrange(shoppers)
    first, last = f"Jane{shopper}", f"Doe{shopper % 977}"
    moment = (_START + timedelta(seconds=7 * number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    price = chance.randint(1_000, 90_000) / 100
    refund = {
        "id": f"gid://shopify/Refund/{number}",
        "legacyResourceId": str(number),
        "createdAt": moment,
        "note": f"{first} did not like it",
        "totalRefundedSet": _money(price),
        "refundLineItems": {"nodes": []},
    }
    return {
        "id": f"gid://shopify/Order/{5_550_000 + number}",
        "legacyResourceId": str(5_550_000 + number),
        "name": f"#{1_000 + number}",
        "createdAt": moment,
        "processedAt": moment,
        "updatedAt": moment,
        "cancelledAt": None,
        "cancelReason": None,
        "test": False,
        "confirmed": True,
        "sourceName": "web",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "currencyCode": "EUR",
        "presentmentCurrencyCode": "EUR",
        "taxesIncluded": True,
        "email": f"jane{shopper}@example.com",
        "phone": None,
        "clientIp": f"203.0.{shopper % 199}.{shopper % 251}",
        "note": None,
        "discountCodes": [],
        "tags": ["vintage"],
        "customerLocale": "en-IE",
        "customer": {
            "id": f"gid://shopify/Customer/{shopper}",
            "createdAt": moment,
            "numberOfOrders": "3",
            "firstName": first,
            "lastName": last,
            "displayName": f"{first} {last}",
            "defaultEmailAddress": {"emailAddress": f"jane{shopper}@example.com", "marketingState": "SUBSCRIBED"},
            "defaultPhoneNumber": None,
        },
        "shippingAddress": _address(chance, first, last),
        "billingAddress": _address(chance, first, last),
        **dict.fromkeys(("subtotalPriceSet", "totalPriceSet", "currentTotalPriceSet"), _money(price)),
        **dict.fromkeys(("totalDiscountsSet", "totalRefundedSet"), _money(0)),
        "totalShippingPriceSet": _money(5),
        "totalTaxSet": _money(price * 0.23),
        "shippingLines": {
            "nodes": [
                {
                    "id": f"gid://shopify/ShippingLine/{number}",
                    "title": "Standard",
                    "code": "STD",
                    "originalPriceSet": _money(5),
                    "discountedPriceSet": _money(5),
                    "taxLines": [],
                }
            ]
        },
        "lineItems": {
            "nodes": [
                {
                    "id": f"gid://shopify/LineItem/{10 * number}",
                    "sku": f"RT-{number:07d}",
                    "title": "Walnut sideboard",
                    "quantity": 1,
                    "product": {"id": f"gid://shopify/Product/{number}"},
                    "variant": {"id": f"gid://shopify/ProductVariant/{number}"},
                    "originalUnitPriceSet": _money(price),
                    "discountAllocations": [],
                    "taxLines": [{"title": "VAT", "rate": 0.23, "priceSet": _money(price * 0.23)}],
                }
            ],
            "pageInfo": {"hasNextPage": False, "endCursor": "abc"},
        },
        "transactions": [
            {
                "id": f"gid://shopify/OrderTransaction/{number}",
                "kind": "SALE",
                "status": "SUCCESS",
                "gateway": "shopify_payments",
                "createdAt": moment,
                "amountSet": _money(price),
                "fees": [],
            }
        ],
        "refunds": [refund] if number % 10 == 0 else [],
        "fulfillments": [
            {
                "id": f"gid://shopify/Fulfillment/{number}",
                "status": "SUCCESS",
                "createdAt": moment,
                "deliveredAt": moment,
                "trackingInfo": [{"company": "An Post", "number": f"CE{number:09d}IE"}],
            }
        ],
    }


def click(number: int, chance: random.Random, visitors: int) -> dict[str, Any]:
    """A page view."""
    item = f"RT-{number % 9_999:07d}"
    return {
        "event_id": f"e{number:012d}{chance.getrandbits(64):016x}",
        "occurred_at": (_START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "event": "view_item",
        "visitor_id": f"v{chance.randrange(visitors)}",
        "ip": f"198.51.{chance.randrange(200)}.{chance.randrange(250)}",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140",
        "page": f"https://retreasure.example/items/{item}?utm_source=mail",
        "referrer": "https://search.example/",
        "item_id": item,
        "consent": {"ad_user_data": True, "ad_personalization": False},
        "screen": {"width": 1920, "height": 1080},
    }


def _money(amount: float) -> dict[str, Any]:
    money = {"amount": f"{amount:.2f}", "currencyCode": "EUR"}
    return {"shopMoney": money, "presentmentMoney": money}


def _address(chance: random.Random, first: str, last: str) -> dict[str, Any]:
    return {
        "firstName": first,
        "lastName": last,
        "name": f"{first} {last}",
        "company": None,
        "address1": f"{chance.randint(1, 999)} High Street",
        "address2": None,
        "city": "Dublin",
        "province": "Leinster",
        "provinceCode": "L",
        "zip": "D02 X285",
        "country": "Ireland",
        "countryCodeV2": "IE",
        "phone": f"+35386{chance.randint(1_000_000, 9_999_999)}",
        "latitude": 53.3 + chance.random(),
        "longitude": -6.2 + chance.random(),
    }
