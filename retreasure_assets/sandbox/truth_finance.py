"""What accounting has to arrive at: margin-scheme VAT, sales by category, exchange results, what fees are for.

What belongs here: finance's figures, reckoned from the facts of all channels and from the world's own events. What does
not: the facts (``truth_facts``), figures of other marts, and adding up by day (``truth``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from retreasure_assets.sandbox.truth_facts import Facts
from retreasure_assets.sandbox.truth_ledger import ZERO, Row, business_date, four
from retreasure_assets.sandbox.world_ebay_ledger import ebay_business
from retreasure_assets.sandbox.world_etsy import etsy_shop
from retreasure_assets.sandbox.world_square import SquareBooks, through_square
from retreasure_assets.sandbox.world_types import Receipt, ReceiptLine

#: UK margin scheme (HMRC, VAT Notice 718): VAT is a sixth of the margin.
_DIVISOR = 6
_EIGHT = Decimal("1e-8")
_CENT = Decimal("0.01")

#: Kinds of fees that are labels and advertising, as the three ledgers call them.
LABELS = ("shipping_label", "shipping_labels")
ADVERTS = ("ad_fee", "offsite_ads_fee")


@dataclass(frozen=True, slots=True)
class _Event:
    """A movement on a channel's account that is about an order: ``kind`` is charge or refund, EUR, signed."""

    channel: str
    order_id: str
    kind: str
    day: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece that a refund is for, and what was given back for it in the refund's own currency."""

    part_id: str
    line_id: str | None
    item_id: str
    amount: Decimal


def shared(whole: Decimal, parts: Sequence[Decimal]) -> list[Decimal]:
    """``whole`` by ``parts``: differences of running shares of four decimals, so that they add up to it."""
    total = sum(parts, ZERO)
    if not total:
        return [whole, *(ZERO for _ in parts[1:])]
    shares, so_far = [], ZERO
    for part in parts:
        shares.append(four(whole * (so_far + part) / total) - four(whole * so_far / total))
        so_far += part
    return shares


def _lines_by_order(facts: Facts) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for line in facts.order_lines:
        found.setdefault((line["channel"], line["order_id"]), []).append(line)
    return {key: sorted(lines, key=lambda line: str(line["line_id"])) for key, lines in found.items()}


def _named_parts(facts: Facts) -> dict[tuple[str, str], list[_Part]]:
    """(channel, refund id) -> what was given back for each piece, without tax, where the channel says so."""
    parts: dict[tuple[str, str], list[_Part]] = {}
    for order in facts.world.orders:
        for refund in order.refunds:
            parts["shopify", str(refund.refund_id)] = [
                _Part(
                    str(line.refund_line_id),
                    str(line.line_id),
                    line.item_id,
                    line.subtotal - (line.tax if order.taxes_included else ZERO),
                )
                for line in refund.lines
            ]
    for sale in ebay_business(facts.world).orders:
        items = {line.line_id: line.item_id for line in sale.lines}
        for given in sale.refunds:
            parts["ebay", given.refund_id] = [_Part(line, line, items[line], amount) for line, amount in given.lines]
    for row in facts.refund_lines:
        part = _Part(row["line_id"], row["line_id"], row["item_id"], row["refund_amount"])
        parts.setdefault((row["channel"], row["refund_id"]), []).append(part)
    for receipt in facts.world.receipts:
        if receipt.lines[0].kind == "return" and not through_square(receipt):
            parts["pos", receipt.receipt_id] = [
                _Part(str(line.line_id), None, line.item_id, _returned(receipt, line)) for line in receipt.lines
            ]
    for sold in SquareBooks(facts.world).sales:
        for back in sold.returns:
            parts["pos", f"{back.order_id}:{sold.order_id}"] = [
                _Part(
                    str(line.line_id),
                    f"line-{back.sold(line).line_id}",
                    line.item_id,
                    _returned(back.receipt, line),
                )
                for line in back.receipt.lines
            ]
    return parts


def _returned(receipt: Receipt, line: ReceiptLine) -> Decimal:
    return -line.total + (line.tax if receipt.tax_included else ZERO)


def refund_shares(facts: Facts) -> Iterator[tuple[Row, _Part, Decimal]]:
    """Every refund that counts, with the pieces that it is for and each one's share of it, without tax, in EUR.

    A refund that names no pieces is for all of its order, by what was paid for each.
    """
    lines, named = _lines_by_order(facts), _named_parts(facts)
    for refund in facts.refunds:
        if not refund["is_counted"] or refund["refund_ex_tax_base"] is None:
            continue
        of_order = lines.get((refund["channel"], refund["order_id"] or ""), [])
        parts = named.get((refund["channel"], refund["refund_id"])) or [
            _Part(line["line_id"], line["line_id"], line["item_id"], line["gross_amount"] - line["discount_amount"])
            for line in of_order
        ]
        parts = sorted(parts, key=lambda part: part.part_id)
        shares = shared(refund["refund_ex_tax_base"], [part.amount for part in parts])
        for part, share in zip(parts, shares, strict=True):
            yield refund, part, share


def given_back(facts: Facts) -> dict[tuple[str, str, str], Decimal]:
    """(channel, order id, line id) -> what was given back for the line by now, without tax, in EUR."""
    found: dict[tuple[str, str, str], Decimal] = {}
    for refund, part, share in refund_shares(facts):
        if refund["order_id"] is not None and part.line_id is not None:
            key = (refund["channel"], refund["order_id"], part.line_id)
            found[key] = found.get(key, ZERO) + share
    return found


def line_vat(facts: Facts) -> dict[tuple[str, str, str], Decimal]:
    """(channel, order id, line id) -> margin-scheme VAT due on the sale, in EUR.

    In the scheme are second-hand pieces sold without VAT of their own; a piece of unknown price of purchase is not.
    """
    items = {item.item_id: item for item in facts.world.items}
    sales = {(order["channel"], order["order_id"]) for order in facts.orders if order["is_sale"]}
    returned = given_back(facts)
    found = {}
    for line in facts.order_lines:
        key = (line["channel"], line["order_id"], line["line_id"])
        cost, price = line["item_cost_base"], line["line_total_base"]
        if key[:2] not in sales or line["tax_amount"] or items[line["item_id"]].condition == "new":
            continue
        if cost is not None and price is not None:
            margin = price - returned.get(key, ZERO) - cost
            found[key] = four(max(ZERO, margin) / _DIVISOR)
    return found


def vat_by_day(facts: Facts) -> Iterator[tuple[str, str, str, Decimal]]:
    """Business date, channel, category and margin-scheme VAT of each sale in the scheme."""
    due = line_vat(facts)
    categories = {item.item_id: item.category for item in facts.world.items}
    for line in facts.order_lines:
        amount = due.get((line["channel"], line["order_id"], line["line_id"]))
        if amount is not None:
            yield line["business_date"], line["channel"], categories[line["item_id"]], amount


def category_kpis(facts: Facts) -> list[Row]:
    """Orders, units, GMV, net revenue and margin-scheme VAT by business date, channel (``all`` too) and category.

    The delivery of an order is shared among its pieces by price.
    """
    lines = _lines_by_order(facts)
    categories = {item.item_id: item.category for item in facts.world.items}
    sums: dict[tuple[str, str, str], dict[str, Decimal]] = {}

    def add(day: str, channel: str, category: str, kpi: str, amount: Decimal | int) -> None:
        for scope in (channel, "all"):
            flow = sums.setdefault((day, scope, category), {})
            flow[kpi] = flow.get(kpi, ZERO) + amount

    for order in facts.orders:
        of_order = lines.get((order["channel"], order["order_id"]), [])
        if not order["is_sale"] or not of_order or order["gross_base"] is None:
            continue
        day, channel = order["business_date"], order["channel"]
        delivery = shared(order["shipping_base"], [line["gross_base"] for line in of_order])
        for line, share in zip(of_order, delivery, strict=True):
            category = categories[line["item_id"]]
            add(day, channel, category, "units", line["quantity"])
            add(day, channel, category, "gmv", line["gross_base"] + share)
            add(day, channel, category, "net_revenue", line["gross_base"] + share - line["discount_base"])
        for category in {categories[line["item_id"]] for line in of_order}:
            add(day, channel, category, "orders", 1)
    for refund, part, share in refund_shares(facts):
        add(refund["business_date"], refund["channel"], categories[part.item_id], "net_revenue", -share)
    for day, channel, category, amount in vat_by_day(facts):
        add(day, channel, category, "margin_scheme_vat", amount)
    return [
        {"business_date": day, "channel": channel, "category": category, "kpi": kpi, "value": value}
        for (day, channel, category), flow in sorted(sums.items())
        for kpi, value in flow.items()
        # Of a piece in the scheme that was sold at a loss nothing is due.
        if value or kpi != "margin_scheme_vat"
    ]


def _account_events(facts: Facts) -> Iterator[_Event]:
    for movement in facts.world.movements:
        if movement.order_id is not None and movement.type in ("CHARGE", "REFUND"):
            kind, day = movement.type.lower(), business_date(movement.at).isoformat()
            yield _Event("shopify", str(movement.order_id), kind, day, movement.amount)
    for entry in etsy_shop(facts.world).entries:
        if entry.ledger_type in ("PAYMENT_GROSS", "REFUND_GROSS"):
            kind = "charge" if entry.ledger_type == "PAYMENT_GROSS" else "refund"
            day = business_date(entry.at).isoformat()
            yield _Event("etsy", str(entry.order_id), kind, day, entry.amount * _CENT)
    for booked in ebay_business(facts.world).entries:
        if booked.order is not None and booked.kind in ("SALE", "REFUND"):
            gross = booked.amount + sum((fee.amount for fee in booked.fees), ZERO)
            kind, day = "charge" if booked.kind == "SALE" else "refund", business_date(booked.at).isoformat()
            yield _Event("ebay", booked.order.order_id, kind, day, gross if booked.credit else -gross)


def exchange_results(facts: Facts) -> list[tuple[str, str, Decimal]]:
    """Business date, channel and gain (a loss is negative) of every sale or refund in another currency than EUR.

    What the channel settled at its own rate, less what was booked at the reference rate of its own day.
    """
    orders = {(order["channel"], order["order_id"]): order for order in facts.orders}
    refunds: dict[tuple[str, str], list[Row]] = {}
    for refund in facts.refunds:
        refunds.setdefault((refund["channel"], refund["order_id"] or ""), []).append(refund)
    events: dict[tuple[str, str, str], list[_Event]] = {}
    for event in _account_events(facts):
        if orders[event.channel, event.order_id]["currency"] != "EUR":
            events.setdefault((event.channel, event.order_id, event.kind), []).append(event)
    found = []
    for (channel, order_id, kind), parts in sorted(events.items()):
        settled = sum((part.amount for part in parts), ZERO)
        back = refunds.get((channel, order_id), [])
        if kind == "refund" and len(back) != len(parts):
            continue
        booked = orders[channel, order_id]["total_base"] if kind == "charge" else -_total(back)
        found.append((max(part.day for part in parts), channel, settled - booked))
    return found


def _total(refunds: Iterable[Row]) -> Decimal:
    return sum((refund["refund_base"] for refund in refunds), ZERO)


def finance_kpis(facts: Facts) -> list[Row]:
    """Labels, advertising and exchange results by business date and channel (``all`` too)."""
    sums: dict[tuple[str, str, str], Decimal] = {}

    def add(day: str, channel: str, kpi: str, amount: Decimal) -> None:
        for scope in (channel, "all"):
            sums[day, scope, kpi] = sums.get((day, scope, kpi), ZERO) + amount

    for fee in facts.fees:
        for kpi, kinds in (("outbound_shipping", LABELS), ("advertising", ADVERTS)):
            if fee["fee_type"] in kinds:
                add(fee["business_date"], fee["channel"], kpi, fee["fee_base"])
    for day, channel, gain in exchange_results(facts):
        add(day, channel, "fx_gain_loss", gain)
    return [
        {"business_date": day, "channel": channel, "kpi": kpi, "value": value.quantize(_EIGHT, ROUND_HALF_UP)}
        for (day, channel, kpi), value in sorted(sums.items())
        if value or kpi == "fx_gain_loss"
    ]
