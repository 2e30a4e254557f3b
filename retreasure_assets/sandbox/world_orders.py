"""What an online order is made of when it is placed: lines, discounts, delivery, taxes, in the buyer's currency.

What belongs here: the order at the moment of purchase. What does not: its payment and what comes later
(``world_lives``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from random import Random

from retreasure_assets.sandbox.world_fx import FxTable, decimals, rounded
from retreasure_assets.sandbox.world_ids import Ids, listing_id, variant_id
from retreasure_assets.sandbox.world_items import Stock
from retreasure_assets.sandbox.world_order_types import Order, OrderLine, Shipping, Surcharges, Tax
from retreasure_assets.sandbox.world_people import Crowd, draw_address
from retreasure_assets.sandbox.world_random import chance, pick, stream, weighted
from retreasure_assets.sandbox.world_types import Address, Item, Person

ZERO = Decimal(0)

#: VAT in the European Union and the United Kingdom: contained in the price.
_VAT = {
    "IE": ("VAT", Decimal("0.23")),
    "DE": ("MwSt.", Decimal("0.19")),
    "FR": ("TVA", Decimal("0.20")),
    "NL": ("BTW", Decimal("0.21")),
    "GB": ("GB VAT", Decimal("0.20")),
}

#: Sales tax in the United States: added to the price; (lines, delivery).
_SALES_TAX: dict[str, tuple[tuple[tuple[str, Decimal], ...], bool]] = {
    "NY": ((("New York State Tax", Decimal("0.04")), ("New York City Tax", Decimal("0.04875"))), True),
    "TX": ((("Texas State Tax", Decimal("0.0625")), ("Austin Tax", Decimal("0.02"))), True),
    "GA": ((("Georgia State Tax", Decimal("0.04")), ("Chatham County Tax", Decimal("0.03"))), False),
}

_CURRENCY = {"GB": "GBP", "US": "USD", "JP": "JPY"}

_DELIVERY = {"IE": "8.50", "GB": "15.90", "US": "34.00", "DE": "13.90", "FR": "13.90", "NL": "13.90", "JP": "42.00"}

#: What several of one article are bought in. Divisors of 10,000, so that a unit price ex tax has four decimals.
_QUANTITIES = ((1, 45), (2, 35), (4, 12), (5, 8))

#: How many lines an order has; a dealer's may have more than one page of an interface shows.
_LINE_COUNTS = ((1, 780), (2, 140), (3, 50), (4, 20), (7, 8), (58, 2))

_NOTES = (
    "Bitte bei {name} klingeln, Tel. {phone}",
    'It\'s a gift for {name} — please no invoice in the box; "fragile" on top\nThanks!',
    "Concierge: {name}, {street}",
    "{name} さんへ、よろしくお願いします",
)

STAFF_EMAIL = "shop.tests@retreasure.example"


@dataclass(slots=True)
class Market:
    """What drawing an order needs from the rest of the world."""

    stock: Stock
    crowd: Crowd
    fx: FxTable
    ids: Ids
    seed: int


def _client_ip(rng: Random) -> str | None:
    """From the ranges kept for documentation (RFC 5737, RFC 3849)."""
    if chance(rng, 0.1):
        return (
            f"2001:db8:{int(rng.random() * 65535):x}:{int(rng.random() * 65535):x}::{int(rng.random() * 65534) + 1:x}"
        )
    network = pick(rng, ("192.0.2", "198.51.100", "203.0.113"))
    return f"{network}.{int(rng.random() * 253) + 1}" if chance(rng, 0.95) else None


def _share_out(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split ``amount`` in proportion to ``weights``, to the minor unit; what rounding leaves goes to the largest."""
    total = sum(weights, ZERO)
    if not total:
        return [ZERO for _ in weights]
    unit = Decimal(1).scaleb(-decimals(currency))
    shares = [(amount * weight / total).quantize(unit, ROUND_DOWN) for weight in weights]
    largest = max(range(len(weights)), key=lambda index: weights[index])
    shares[largest] += amount - sum(shares, ZERO)
    return shares


def _taxes(amount: Decimal, rates: Sequence[tuple[str, Decimal]], included: bool, currency: str) -> tuple[Tax, ...]:
    return tuple(
        Tax(title, rate, rounded(amount * rate / (1 + rate) if included else amount * rate, currency))
        for title, rate in rates
    )


def _own_rate(rng: Random, fx: FxTable, currency: str, at: datetime) -> Decimal:
    """The platform's rate, EUR per unit: the last ECB rate less up to 2 %, as it charges for converting."""
    if currency == "EUR":
        return Decimal(1)
    found = fx.per_euro(currency, at.date() - timedelta(days=1))
    assert found is not None, "the rate history begins before the world does and has no gap of a week"
    spread = Decimal(1000 + int(rng.random() * 20)) / 1000
    return (1 / (found[0] * spread)).quantize(Decimal("1e-10"))


def _draw_lines(rng: Random, market: Market, at: datetime, test: bool) -> tuple[list[tuple[Item, int]], bool]:
    """(item, quantity) of each line, taken off the shelf, and whether one of them was sold before."""
    if not test and chance(rng, 0.012):
        oversold = market.stock.choose_oversold("shopify", at)
        if oversold is not None:
            market.stock.sell(rng, oversold, "shopify", at, oversold=True)
            return [(oversold, 1)], True
    lines: list[tuple[Item, int]] = []
    for _ in range(weighted(rng, _LINE_COUNTS)):
        quantity = weighted(rng, _QUANTITIES)
        item = market.stock.choose_multiple(rng, "shopify", quantity) if chance(rng, 0.18) else None
        if item is None:
            item, quantity = market.stock.choose(rng, "shopify", at), 1
        if item is None or any(item.number == other.number for other, _ in lines):
            continue
        if not test:
            market.stock.sell(rng, item, "shopify", at, quantity)
        lines.append((item, quantity))
    return lines, False


def _draw_discounts(
    rng: Random, amounts: list[Decimal], currency: str, rate: Decimal
) -> tuple[list[list[Decimal]], list[str], bool]:
    """Allocations of each line, the codes used, and whether delivery is free."""
    allocations: list[list[Decimal]] = [[] for _ in amounts]
    kind = rng.random()
    if kind < 0.07 or 0.28 <= kind < 0.30:
        chosen = int(rng.random() * len(amounts))
        allocations[chosen].append(rounded(amounts[chosen] * Decimal("0.2"), currency))
    if 0.10 <= kind < 0.24 or 0.28 <= kind < 0.30:
        left = [amount - sum(taken, ZERO) for amount, taken in zip(amounts, allocations, strict=True)]
        code, percent = pick(rng, (("WELCOME10", 10), ("SPRING15", 15), ("FRÜHLING5", 5)))
        off = rounded(sum(left, ZERO) * percent / 100, currency)
        if kind >= 0.21:
            code, off = "THANKYOU5", min(rounded(Decimal(5) / rate, currency), sum(left, ZERO))
        for taken, share in zip(allocations, _share_out(off, left, currency), strict=True):
            if share:
                taken.append(share)
        return allocations, [code], False
    if 0.24 <= kind < 0.28:
        return allocations, ["FREESHIP"], True
    return allocations, [], False


def _draw_shipping(
    rng: Random, market: Market, country: str, currency: str, rate: Decimal, subtotal: Decimal, free: bool
) -> Shipping | None:
    """Delivery without its taxes; None for a collection in the shop."""
    if country == "IE" and chance(rng, 0.15):
        return None
    express = country != "IE" and chance(rng, 0.2)
    price = rounded(Decimal(_DELIVERY[country]) * (2 if express else 1) / rate, currency)
    if subtotal * rate > 300 and not express:
        price = ZERO
    return Shipping(
        shipping_id=market.ids.next("shipping"),
        title="Express courier" if express else "Tracked & insured",
        code="express" if express else "standard",
        price=price,
        discount=price if free else ZERO,
        taxes=(),
    )


def _draw_surcharges(
    rng: Random, currency: str, rate: Decimal, subtotal: Decimal, shipping: Shipping | None, ship_to: Address
) -> Surcharges:
    """A tip now and then; on the way out of Europe often duties, and what their handling costs."""
    tip = duties = fees = ZERO
    if chance(rng, 0.05):
        tip = rounded(subtotal * pick(rng, (Decimal("0.05"), Decimal("0.1"))), currency)
    included = chance(rng, 0.15)
    if shipping is not None and ship_to.country_code in ("US", "JP") and chance(rng, 0.4):
        duties = rounded(subtotal * Decimal(20 + int(rng.random() * 100)) / 1000, currency)
        if chance(rng, 0.5):
            fees = rounded(Decimal("4.50") / rate, currency)
    return Surcharges(tip, duties, included and bool(duties), fees)


def _note(rng: Random, address: Address) -> str | None:
    if not chance(rng, 0.05):
        return None
    return pick(rng, _NOTES).format(name=address.name, phone=address.phone or "—", street=address.address1)


def draw_order(rng: Random, market: Market, at: datetime) -> tuple[Order, bool] | None:
    """An order placed at ``at`` and whether it oversells; None when there was nothing to buy."""
    test = chance(rng, 0.012)
    sold, oversold = _draw_lines(rng, market, at, test)
    if not sold:
        return None
    buyer = market.crowd.buyer(rng, at)
    guest = test or chance(rng, 0.08)
    if not guest:
        market.crowd.with_account(buyer, at)
    gift = chance(rng, 0.05)
    ship_to = draw_address(rng, buyer.country)[0] if gift else buyer.address
    included = buyer.country in _VAT
    rates, tax_delivery = _tax_rules(ship_to)
    currency = _CURRENCY.get(buyer.country, "EUR")
    rate = _own_rate(rng, market.fx, currency, at)

    units = [rounded(market.stock.price(item, "shopify") / rate, currency) for item, _ in sold]
    amounts = [unit * quantity for unit, (_, quantity) in zip(units, sold, strict=True)]
    allocations, codes, free = _draw_discounts(rng, amounts, currency, rate)
    lines = []
    for (item, quantity), unit, taken in zip(sold, units, allocations, strict=True):
        paid = unit * quantity - sum(taken, ZERO)
        product_id = listing_id("shopify", item.number)
        lines.append(
            OrderLine(
                line_id=market.ids.next("line"),
                item_id=item.item_id,
                product_id=product_id,
                variant_id=variant_id(product_id),
                title=item.title,
                vendor=item.maker,
                taxable=item.taxable,
                quantity=quantity,
                unit_price=unit,
                discounts=tuple(taken),
                taxes=_taxes(paid, rates, included, currency) if item.taxable else (),
            )
        )
    subtotal = sum((line.paid for line in lines), ZERO)
    shipping = _draw_shipping(rng, market, buyer.country, currency, rate, subtotal, free)
    if shipping is not None and tax_delivery and shipping.paid and any(line.taxable for line in lines):
        shipping = replace(shipping, taxes=_taxes(shipping.paid, rates, included, currency))
    order_id = market.ids.next("order")
    return (
        Order(
            order_id=order_id,
            number=1000 + market.ids.issued("order"),
            at=at,
            person=None if guest else buyer.number,
            email=_email(rng, buyer, test, guest),
            phone=buyer.phone if chance(rng, 0.3) and not test else None,
            locale=buyer.locale,
            currency=currency,
            rate=rate,
            taxes_included=included,
            test=test,
            source_name="shopify_draft_order" if chance(rng, 0.02) else "web",
            client_ip=_client_ip(rng),
            note=_note(rng, ship_to),
            discount_codes=tuple(codes),
            surcharges=Surcharges()
            if test
            else _draw_surcharges(
                stream(market.seed, "surcharges", order_id), currency, rate, subtotal, shipping, ship_to
            ),
            ship_to=ship_to if shipping is not None else None,
            bill_to=buyer.address,
            lines=tuple(lines),
            shipping=shipping,
        ),
        oversold,
    )


def _tax_rules(ship_to: Address) -> tuple[tuple[tuple[str, Decimal], ...], bool]:
    """The rates that apply to lines, and whether to delivery too. Exports to Japan are free of tax."""
    vat = _VAT.get(ship_to.country_code)
    if vat is not None:
        return (vat,), True
    return _SALES_TAX.get(ship_to.province_code or "", ((), False))


def _email(rng: Random, buyer: Person, test: bool, guest: bool) -> str | None:
    """Mostly the buyer's address; sometimes typed in capitals; some guests who ordered by telephone left none."""
    if test:
        return STAFF_EMAIL
    if guest and chance(rng, 0.15):
        return None
    return buyer.email.capitalize() if chance(rng, 0.02) else buyer.email
