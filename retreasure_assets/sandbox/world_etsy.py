"""The receipts of the shop on Etsy, as a function of the world's sales there.

What belongs here: what becomes of a sale on Etsy: bundled, paid, cancelled, sent, given back. What does not: the
payment account (``world_etsy_ledger``) and Etsy's way of showing either (``etsy``).

Everything is drawn from streams of its own, named after the sale, and carries its time; what lies at or after the clock
is cut off. So the shop of N days is the first part of the shop of every longer world.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_etsy_ledger import ledger
from retreasure_assets.sandbox.world_etsy_types import (
    ZERO,
    EtsyLine,
    EtsyParcel,
    EtsyReceipt,
    EtsyRefund,
    EtsyShop,
)
from retreasure_assets.sandbox.world_fx import FxTable, rounded
from retreasure_assets.sandbox.world_people import draw_address
from retreasure_assets.sandbox.world_random import chance, hours, pick, stream
from retreasure_assets.sandbox.world_stock_words import CARRIERS
from retreasure_assets.sandbox.world_types import Item, Listing, MarketplaceSale, Person

_CURRENCY = {"GB": "GBP", "US": "USD", "JP": "JPY"}
_VAT = Decimal("0.23")
#: Up to this value in EUR the marketplace collects the VAT of imports to Great Britain.
_BRITISH_LIMIT = Decimal(155)
_SALES_TAX = (Decimal("0.0625"), Decimal("0.08875"), Decimal("0.0725"))
_DELIVERY = {"IE": 8, "GB": 14, "US": 29, "DE": 16, "FR": 16, "NL": 16, "JP": 38}
#: How long a buyer who puts a second piece into the basket takes at most.
_BASKET = timedelta(hours=6)

_USER_BASE = 812_000_000_000


def etsy_shop(world: World) -> EtsyShop:
    """The shop on Etsy as of the world's clock."""
    listings = [listing for listing in world.listings if listing.channel == "etsy"]
    drawn = _Receipts(world, {listing.item_id: listing for listing in listings})
    whole = [drawn.receipt(sales, at) for sales, at in _baskets(world)]
    receipts = [_as_of(receipt, world.clock) for receipt in whole]
    return EtsyShop(receipts, ledger(world, whole, listings), listings)


def user_id(person: Person) -> int:
    """Etsy's number of a person."""
    return _USER_BASE + 7_919 * person.number + 13


def shown_email(world: World, person: Person) -> str | None:
    """A person's e-mail address on Etsy; one in ten keeps it to themselves, always."""
    return None if chance(stream(world.seed, "etsy user", person.number), 0.1) else person.email


def _baskets(world: World) -> list[tuple[list[MarketplaceSale], datetime]]:
    """Sales in order of time, some of two bought together: (what, when it was ordered).

    One sale in seven waits up to six hours for the next one; the order is placed with that, or when the time is up.
    While neither has happened there is no order yet.
    """
    sales = sorted(
        (sale for sale in world.marketplace_sales if sale.channel == "etsy"), key=lambda sale: (sale.at, sale.sale_id)
    )
    baskets: list[tuple[list[MarketplaceSale], datetime]] = []
    waiting: MarketplaceSale | None = None
    for sale in sales:
        if waiting is not None and sale.at <= waiting.at + _BASKET and sale.item_id != waiting.item_id:
            baskets.append(([waiting, sale], sale.at))
            waiting = None
            continue
        if waiting is not None:
            baskets.append(([waiting], waiting.at + _BASKET))
        waiting = None
        if chance(stream(world.seed, "etsy basket", sale.sale_id), 0.15):
            waiting = sale
        else:
            baskets.append(([sale], sale.at))
    if waiting is not None and waiting.at + _BASKET < world.clock:
        baskets.append(([waiting], waiting.at + _BASKET))
    return [basket for basket in baskets if basket[1] < world.clock]


class _Receipts:
    """Draws receipts with all that is still to come."""

    def __init__(self, world: World, listings: dict[str, Listing]) -> None:
        self._world = world
        self._listings = listings
        self._fx = FxTable(world.fx)
        self._items: dict[str, Item] = {item.item_id: item for item in world.items}
        self._people = {person.number: person for person in world.people}

    def receipt(self, sales: list[MarketplaceSale], at: datetime) -> EtsyReceipt:
        first = sales[0]
        rng = stream(self._world.seed, "etsy", first.sale_id)
        person = self._people[first.person]
        country = person.country
        currency = _CURRENCY.get(country, "EUR")
        per_euro = self._per_euro(rng, currency, at)
        lines = tuple(self._line(sale, currency, per_euro) for sale in sales)
        gift = chance(rng, 0.1)
        ship_to = draw_address(rng, country)[0] if gift else person.address
        goods = sum((line.price for line in lines), ZERO)
        discount = rounded(goods * pick(rng, (10, 15)) / 100, currency) if chance(rng, 0.14) else ZERO
        shipping = ZERO if chance(rng, 0.25) else rounded(Decimal(_DELIVERY[country]) * per_euro, currency)
        wrap = rounded(Decimal("4.50") * per_euro, currency) if gift and chance(rng, 0.5) else ZERO
        base = goods - discount + shipping + wrap
        tax, vat, included = self._taxes(rng, country, lines, base, base / per_euro, currency)
        receipt = EtsyReceipt(
            receipt_id=first.sale_id,
            at=at,
            person=person.number,
            user_id=user_id(person),
            email=shown_email(self._world, person),
            ship_to=ship_to,
            currency=currency,
            per_euro=per_euro,
            lines=lines,
            discount=discount,
            shipping=shipping,
            gift_wrap=wrap,
            tax=tax,
            vat=vat,
            vat_included=included,
            message=f"Please leave it with {ship_to.name} at number {int(rng.random() * 90) + 1}."
            if chance(rng, 0.08)
            else None,
            is_gift=gift,
            gift_message=f"For {ship_to.name}, with love from {person.address.first_name}!" if gift else "",
            gift_sender=person.address.name if gift else "",
            payment_id=100_000_000_000 + first.sale_id,
        )
        self._live(rng, receipt, oversold=any(self._oversold(sale) for sale in sales))
        return receipt

    def _per_euro(self, rng: Random, currency: str, at: datetime) -> Decimal:
        """Etsy's rate: the last ECB rate of an earlier day, and 2.5 % for converting."""
        if currency == "EUR":
            return Decimal(1)
        found = self._fx.per_euro(currency, at.date() - timedelta(days=1))
        assert found is not None, "the rate history begins before the world does and has no gap of a week"
        return (found[0] * Decimal("1.025")).quantize(Decimal("1e-6"))

    def _line(self, sale: MarketplaceSale, currency: str, per_euro: Decimal) -> EtsyLine:
        return EtsyLine(
            transaction_id=900_000_000 + sale.sale_id,
            listing_id=self._listings[sale.item_id].listing_id,
            item_id=sale.item_id,
            title=self._items[sale.item_id].title,
            quantity=1,
            price=rounded(sale.price * per_euro, currency),
        )

    def _taxes(
        self,
        rng: Random,
        country: str,
        lines: tuple[EtsyLine, ...],
        base: Decimal,
        euros: Decimal,
        currency: str,
    ) -> tuple[Decimal, Decimal, bool]:
        """Sales tax, VAT, and whether the VAT is part of the prices."""
        if country == "US":
            return (rounded(base * pick(rng, _SALES_TAX), currency) if chance(rng, 0.8) else ZERO), ZERO, True
        if country == "GB" and euros <= _BRITISH_LIMIT:
            return ZERO, rounded(base / 5, currency), False
        if currency == "EUR" and all(self._items[line.item_id].taxable for line in lines):
            return ZERO, rounded(base * _VAT / (1 + _VAT), currency), True
        return ZERO, ZERO, True

    def _oversold(self, sale: MarketplaceSale) -> bool:
        """Sold elsewhere before: then the sale itself did not end the listing."""
        return not any(
            version.state == "sold" and sale.at <= version.at <= sale.at + timedelta(seconds=2)
            for version in self._listings[sale.item_id].versions
        )

    # --- what becomes of it ----------------------------------------------------------------------------------

    def _live(self, rng: Random, receipt: EtsyReceipt, *, oversold: bool) -> None:
        kind = rng.random()
        if kind < 0.02:
            receipt.cancelled_at = receipt.at + hours(rng, 50, 120)
            return
        receipt.paid_at = receipt.at + (hours(rng, 4, 60) if kind < 0.06 else timedelta(seconds=4))
        if oversold or chance(rng, 0.02):
            receipt.cancelled_at = receipt.paid_at + hours(rng, 1, 16)
            receipt.cancelled_silently = chance(rng, 0.5)
            surfaces = "silently" if receipt.cancelled_silently else "at once"
            reason = "Out of stock" if oversold else "The buyer asked for it"
            self._refund(rng, receipt, receipt.cancelled_at, receipt.total, reason, surfaces)
            return
        sent = receipt.paid_at + hours(rng, 4, 72)
        receipt.parcels.append(
            EtsyParcel(
                parcel_id=1_100_000_000_000 + receipt.receipt_id,
                at=sent,
                carrier=pick(rng, CARRIERS)[0],
                tracking_code=f"RT{int(rng.random() * 10**9):09d}IE",
            )
        )
        if not chance(rng, 0.12):
            return
        at = sent + hours(rng, 60, 400)
        surfaces = pick(rng, ("at once", "at once", "silently", "never"))
        if chance(rng, 0.5):
            self._refund(rng, receipt, at, receipt.total, "Item not as described", surfaces)
            return
        part = rounded(receipt.total * Decimal(5 + int(rng.random() * 20)) / 100, receipt.currency)
        # A small part is often of one piece, and then the payment says of which.
        line = receipt.lines[-1].transaction_id if receipt.receipt_id % 2 else None
        self._refund(rng, receipt, at, part, "Other", surfaces, line)
        if chance(rng, 0.3):
            self._refund(rng, receipt, at + hours(rng, 20, 90), part, "Other", surfaces)

    def _refund(
        self,
        rng: Random,
        receipt: EtsyReceipt,
        at: datetime,
        amount: Decimal,
        reason: str,
        surfaces: str,
        transaction_id: int | None = None,
    ) -> None:
        note = f"Agreed with {receipt.ship_to.name} by message" if chance(rng, 0.3) else None
        number = 100_000_000_000 + 10 * receipt.receipt_id + len(receipt.refunds)
        receipt.refunds.append(EtsyRefund(number, at, amount, reason, note, surfaces, transaction_id))


def _as_of(receipt: EtsyReceipt, moment: datetime) -> EtsyReceipt:
    paid = receipt.paid_at is not None and receipt.paid_at < moment
    cancelled = receipt.cancelled_at is not None and receipt.cancelled_at < moment
    return replace(
        receipt,
        paid_at=receipt.paid_at if paid else None,
        cancelled_at=receipt.cancelled_at if cancelled else None,
        refunds=[refund for refund in receipt.refunds if refund.at < moment],
        parcels=[parcel for parcel in receipt.parcels if parcel.at < moment],
    )
