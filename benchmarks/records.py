"""Synthetic records to measure with: Shopify orders, till lines and exchange rates, as JSON Lines files.

What belongs here: making the same records for the same arguments, in the shapes of
``sources/shopify/queries/order_fields.graphql`` and of the canonical till payload. What does not: the sandbox's
world, which is true to life and far too slow to make millions of.

Amounts are whole cents, so that every order adds up to the cent and passes the rules of silver.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]

LAST_DAY = date(2026, 10, 30)
ORDER_SHARE = 0.4
#: Records of a file; a file is what a source hands out at once.
_FILE_RECORDS = 100_000
#: So many that hardly any is drawn twice: items are one of a kind.
_ITEMS = 10**12
_CURRENCIES = {"EUR": 1.0, "GBP": 0.8642, "USD": 1.1172}
_COUNTRIES = {"EUR": ("IE", "Ireland", "Dublin", "D02 X285"), "GBP": ("GB", "United Kingdom", "Leeds", "LS1 4DY")} | {
    "USD": ("US", "United States", "Portland", "97205-1234")
}
_WORDS = ("walnut", "brass", "oak", "Danish", "Georgian", "glass", "silver", "rosewood", "teak", "enamel")
_THINGS = ("sideboard", "table lamp", "armchair", "clock", "mirror", "tea set", "print", "vase", "writing desk")
_FIRST = ("Aoife", "Seán", "Niamh", "Jack", "Emily", "Zoë", "Liam", "Grace", "Noah", "Siobhán", "Marta", "Oskar")
_LAST = ("O’Brien", "Murphy", "Byrne", "Kelly", "Walsh", "Smith", "Müller", "Jones", "Nowak", "García", "Doyle")


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


def write(plan: Plan, folder: Path) -> Path:
    """Write all records of a plan as ``<bronze table>/<number>.jsonl`` below a folder, unless they are there."""
    target = folder / plan.name
    if target.exists():
        return target
    part = target.with_name(f".{target.name}.part")
    for table, records in (
        ("fx_ecb_rates", rates(plan)),
        ("shopify_orders", (record for day in range(plan.days) for record in orders_of(plan, day))),
        ("pos_transactions", (record for day in range(plan.days) for record in till_lines_of(plan, day))),
    ):
        _write_lines(part / table, records)
    part.rename(target)
    return target


def write_days(plan: Plan, folder: Path) -> Path:
    """Write all records of a plan as ``<date>/<bronze table>/records.jsonl`` below a folder, unless they are there.

    Here every item sold is in the catalogue too, or every line would be an orphan, and the list of them long.
    """
    target = folder / f"daily-{plan.name}"
    if target.exists():
        return target
    part = target.with_name(f".{target.name}.part")
    for day in range(plan.days):
        # A weekend's orders are valued at the rate of the Friday before, also on the first days.
        known = [rate_of(plan, earlier) for earlier in (range(-7, 1) if day == 0 else (day,))]
        orders, till = list(orders_of(plan, day)), list(till_lines_of(plan, day))
        tables = {
            "fx_ecb_rates": [rate for rate in known if rate is not None],
            "pos_products": list(products_of(day_of(plan, day), orders, till)),
            "pos_transactions": till,
            "shopify_orders": orders,
        }
        for table, records in tables.items():
            if records:
                path = part / day_of(plan, day).isoformat() / table / "records.jsonl"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"\n".join(records) + b"\n")
    part.rename(target)
    return target


def _write_lines(folder: Path, records: Iterator[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[bytes] = []
    number = 0
    for record in records:
        lines.append(record)
        if len(lines) == _FILE_RECORDS:
            (folder / f"{number:05d}.jsonl").write_bytes(b"\n".join(lines) + b"\n")
            lines, number = [], number + 1
    if lines:
        (folder / f"{number:05d}.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def day_of(plan: Plan, day: int) -> date:
    """The date of a plan's day, counted from 0."""
    return plan.last_day - timedelta(days=plan.days - 1 - day)


def rates(plan: Plan) -> Iterator[bytes]:
    """The ECB's rates of every working day, from a week before the first day on."""
    for day in range(-7, plan.days):
        if (record := rate_of(plan, day)) is not None:
            yield record


def rate_of(plan: Plan, day: int) -> bytes | None:
    """The rates of one day; none at weekends."""
    when = day_of(plan, day)
    if when.weekday() >= 5:
        return None
    dice = random.Random(f"rate {when}")
    quoted = {code: f"{rate * dice.uniform(0.95, 1.05):.4f}" for code, rate in _CURRENCIES.items() if code != "EUR"}
    return msgspec.json.encode({"date": when.isoformat(), "base": "EUR", "rates": quoted})


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


def _text(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _bag(cents: int, currency: str) -> Json:
    return {
        "shopMoney": {"amount": _text(round(cents / _CURRENCIES[currency])), "currencyCode": "EUR"},
        "presentmentMoney": {"amount": _text(cents), "currencyCode": currency},
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
    item = dice.randrange(_ITEMS)
    line = {
        "id": f"gid://shopify/LineItem/{line_id}",
        "sku": f"RT-{item:012d}",
        "title": f"{dice.choice(_WORDS)} {dice.choice(_THINGS)}",
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
    total = gross - discount + shipping + (0 if included else total_tax)
    paid = dice.random() >= 0.03
    customer = dice.randrange(200_000)
    first, last = _FIRST[customer % len(_FIRST)], _LAST[customer // 7 % len(_LAST)]
    email = f"customer.{customer}@example.com"
    at = _iso(moment)
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
    """The order after its first line was given back."""
    line = node["lineItems"]["nodes"][0]
    at, number = _iso(moment), node["legacyResourceId"]
    currency = node["presentmentCurrencyCode"]

    def cents(bag: Json) -> int:
        return int(bag["presentmentMoney"]["amount"].replace(".", ""))

    price, tax = cents(line["originalUnitPriceSet"]), cents(line["taxLines"][0]["priceSet"])
    discount = sum(cents(part["allocatedAmountSet"]) for part in line["discountAllocations"])
    subtotal = price - discount
    back = subtotal + (0 if node["taxesIncluded"] else tax)
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
        "refundShippingLines": {"nodes": []},
        "orderAdjustments": {"nodes": []},
    }
    status = "PARTIALLY_REFUNDED" if node["displayFinancialStatus"] == "PAID" else "PENDING"
    return node | {
        "updatedAt": at,
        "displayFinancialStatus": status,
        "totalRefundedSet": _bag(back, currency),
        "refunds": [refund],
    }


def products_of(when: date, orders: Iterable[bytes], till: Iterable[bytes]) -> Iterator[bytes]:
    """The catalogue's records of the items that were sold on a day."""
    sold = {line["item_id"]: line["title"] for line in map(msgspec.json.decode, till)}
    for order in map(msgspec.json.decode, orders):
        sold.update({line["sku"]: line["title"] for line in order["lineItems"]["nodes"]})
    for item, title in sold.items():
        yield msgspec.json.encode(
            {
                "item_id": item,
                "title": title,
                "category": "furniture",
                "era": "1960s",
                "maker": None,
                "material": title.split()[0],
                "condition": "good",
                "acquisition_cost": "40.00",
                "currency": "EUR",
                "listed_at": f"{when}T06:00:00Z",
                "price": "120.00",
            }
        )


def till_lines_of(plan: Plan, day: int) -> Iterator[bytes]:
    """The till lines of one day: receipts of one to three lines, one in forty a return."""
    when = day_of(plan, day)
    dice = random.Random(f"{plan.seed} till {when}")
    encode = msgspec.json.Encoder().encode
    left, receipt = plan.till_lines, 0
    while left:
        lines = min(left, dice.randrange(1, 4))
        moment = datetime(when.year, when.month, when.day, 9, tzinfo=UTC) + timedelta(seconds=receipt % 30_000)
        number = f"{when:%Y%m%d}-{receipt:06d}"
        loyalty = f"L{dice.randrange(50_000):08d}" if dice.random() < 0.3 else None
        sign = -1 if dice.random() < 0.025 else 1
        for place in range(1, lines + 1):
            yield encode(_till_line(dice, number, str(place), _iso(moment), loyalty, sign))
        left, receipt = left - lines, receipt + 1


def _till_line(dice: random.Random, number: str, line: str, at: str, loyalty: str | None, sign: int) -> Json:
    price = dice.randrange(300, 30_000)
    discount = price // 10 if sign > 0 and dice.random() < 0.1 else 0
    paid = price - discount
    minus = "-" if sign < 0 else ""
    return {
        "transaction_id": number,
        "line_id": line,
        "sold_at": at,
        "store_id": "dublin-1",
        "register_id": "till-2",
        "item_id": f"RT-{dice.randrange(_ITEMS):012d}",
        "title": f"{dice.choice(_WORDS)} {dice.choice(_THINGS)}",
        "quantity": f"{minus}1",
        "unit_price": _text(price),
        "discount_amount": _text(discount),
        "tax_amount": minus + _text(paid * 23 // 123),
        "line_total": minus + _text(paid),
        "currency": "EUR",
        "payment_method": dice.choice(("card", "cash")),
        "line_type": "return" if sign < 0 else "sale",
        "loyalty_id": loyalty,
        "tax_included": "true",
    }
