"""What a world adds up to, and whom one could recognise in it.

What belongs here: daily figures, KPIs and counts from the world's facts (``truth_facts``), and the list of every
planted personal value. What does not: the facts themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from retreasure_assets.sandbox.truth_clicks import sessions
from retreasure_assets.sandbox.truth_ebay import ebay_counts, ebay_personal_values
from retreasure_assets.sandbox.truth_facts import Facts
from retreasure_assets.sandbox.truth_finance import category_kpis, finance_kpis, vat_by_day
from retreasure_assets.sandbox.truth_fulfilment import (
    daily_deliveries,
    daily_returns,
    daily_shipping,
    fulfilment_kpis,
    order_fulfilments,
    queue,
)
from retreasure_assets.sandbox.truth_ledger import ZERO, Row
from retreasure_assets.sandbox.truth_marketing import ad_spend, attributions, daily_campaigns, marketing_kpis, segments
from retreasure_assets.sandbox.truth_oversells import oversells
from retreasure_assets.sandbox.truth_photos import shown_photos
from retreasure_assets.sandbox.truth_stock import stock_kpis
from retreasure_assets.sandbox.truth_tracking import shipments
from retreasure_assets.sandbox.truth_visits import daily_sessions, funnel, visit_kpis
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ads import spends
from retreasure_assets.sandbox.world_clicks import clicks
from retreasure_assets.sandbox.world_etsy import etsy_shop
from retreasure_assets.sandbox.world_square import SquareBooks, through_square
from retreasure_assets.sandbox.world_tracking import journeys
from retreasure_assets.sandbox.world_types import Address

_EIGHT = Decimal("1e-8")


def truth(world: World) -> dict[str, Any]:
    """The truth of ``world`` as of its clock, ready for JSON.

    Returns:
        ``fct_orders``, ``fct_order_lines``, ``fct_refunds``, ``fct_payments``, ``fct_fees``, ``fct_payouts``,
        ``refund_lines`` (Etsy's), ``fct_shipments`` (the online shop's), ``fct_sessions`` (told by their times, not by
        id), ``agg_daily_sessions``, ``rpt_funnel``, ``fct_ad_spend``, ``fct_attributions``, ``agg_daily_campaigns``,
        ``mkt_segments`` (without anybody's id), ``fct_order_fulfilments``, ``rpt_fulfilment_queue``,
        ``agg_daily_shipping``, ``agg_daily_deliveries``, ``agg_daily_returns``, ``rpt_oversells``,
        ``rpt_listing_quality`` (photos), ``stock``,
        ``agg_daily_sales``, ``kpis`` (date, channel, kpi, value) and ``category_kpis`` (with the category): lists of
        rows with the names that gold uses, money as text with four decimals, KPI values with eight; ``counts`` by
        name; ``clock``, ``seed``, ``scale``.
    """
    facts = Facts(world)
    days = daily_sales(facts)
    visits = sessions(world)
    visit_days = daily_sessions(visits)
    spent, owed = ad_spend(facts), attributions(facts, visits)
    campaigns = daily_campaigns(spent, owed)
    mart_kpis: list[Row] = []

    def say(day: str, channel: str, kpi: str, value: Decimal) -> None:
        value = value.quantize(_EIGHT, ROUND_HALF_UP)
        mart_kpis.append({"business_date": day, "channel": channel, "kpi": kpi, "value": value})

    visit_kpis(visit_days, say)
    marketing_kpis(campaigns, say)
    parcels = shipments(world)
    sent = order_fulfilments(facts, parcels)
    shipping, deliveries, returns = daily_shipping(facts, sent), daily_deliveries(parcels), daily_returns(facts)
    fulfilment_kpis(shipping, deliveries, returns, say)
    of_stock = stock_kpis(facts, [row["business_date"] for row in days])
    of_all = [
        *kpis(facts, days, spent),
        *mart_kpis,
        *finance_kpis(facts),
        *(row for row in of_stock if row["category"] == "all"),
    ]
    of_categories = [*category_kpis(facts), *(row for row in of_stock if row["category"] != "all")]
    return {
        "seed": world.seed,
        "scale": world.scale,
        "clock": world.clock.isoformat(),
        "fct_orders": _texts(facts.orders),
        "fct_order_lines": _texts(facts.order_lines),
        "fct_refunds": _texts(facts.refunds),
        "refund_lines": _texts(facts.refund_lines),
        "fct_payments": _texts(facts.payments),
        "fct_fees": _texts(facts.fees),
        "fct_payouts": _texts(facts.payouts),
        "rpt_oversells": oversells(facts),
        "rpt_listing_quality": shown_photos(world),
        "stock": _texts(facts.stock),
        "fct_shipments": [_plain(row) for row in parcels],
        "fct_order_fulfilments": _texts(sent),
        "rpt_fulfilment_queue": queue(facts, sent),
        "agg_daily_shipping": shipping,
        "agg_daily_deliveries": deliveries,
        "agg_daily_returns": returns,
        "fct_sessions": _texts(visits),
        "agg_daily_sessions": _texts(visit_days),
        "rpt_funnel": _texts(funnel(visits)),
        "fct_ad_spend": _texts(spent),
        "fct_attributions": _texts(owed),
        "agg_daily_campaigns": _texts(campaigns),
        "mkt_segments": _texts(segments(facts, date.fromisoformat(days[-1]["business_date"]))) if days else [],
        "agg_daily_sales": _texts(days),
        "kpis": [{**row, "value": f"{row['value']:.8f}"} for row in of_all],
        "category_kpis": [{**row, "value": f"{row['value']:.8f}"} for row in of_categories],
        "counts": counts(world, facts),
    }


def _texts(rows: list[Row]) -> list[Row]:
    return [
        {
            name: f"{value:.4f}" if isinstance(value, Decimal) else value
            for name, value in row.items()
            if not name.startswith("_")
        }
        for row in rows
    ]


def _plain(row: Row) -> Row:
    """A row whose numbers are no money."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _known(rows: Iterable[Row], name: str) -> Decimal:
    """A sum that leaves out what could not be converted."""
    return sum((row[name] for row in rows if row[name] is not None), ZERO)


def daily_sales(facts: Facts) -> list[Row]:
    """Sales and refunds by business date and channel: what was paid, tests left out, each on its own day."""
    sales: dict[tuple[str, str], list[Row]] = {}
    back: dict[tuple[str, str], list[Row]] = {}
    for order in facts.orders:
        if order["is_sale"]:
            sales.setdefault((order["business_date"], order["channel"]), []).append(order)
    for refund in facts.refunds:
        if refund["is_counted"]:
            back.setdefault((refund["business_date"], refund["channel"]), []).append(refund)
    rows = []
    for day, channel in sorted(sales.keys() | back.keys()):
        orders, refunds = sales.get((day, channel), []), back.get((day, channel), [])
        row: Row = {
            "business_date": day,
            "channel": channel,
            "orders": len(orders),
            "units": sum(order["units"] for order in orders),
            "refunds": len(refunds),
        }
        for name in ("gross", "discount", "shipping", "tax"):
            row[f"{name}_base"] = _known(orders, f"{name}_base")
        row["refund_base"] = _known(refunds, "refund_ex_tax_base")
        row["net_base"] = row["gross_base"] + row["shipping_base"] - row["discount_base"] - row["refund_base"]
        row["item_cost_base"] = _known(orders, "item_cost_base")
        rows.append(row)
    return rows


def kpis(facts: Facts, days: list[Row], spent: list[Row]) -> list[Row]:
    """KPIs by business date and channel (``all`` too); one whose divisor is 0 has no row that day."""
    flows: dict[tuple[str, str], dict[str, Decimal]] = {}

    def add(day: str, channel: str, **amounts: Decimal | int) -> None:
        for scope in (channel, "all"):
            flow = flows.setdefault((day, scope), {})
            for name, amount in amounts.items():
                flow[name] = flow.get(name, ZERO) + amount

    for row in days:
        add(
            row["business_date"],
            row["channel"],
            sales=1,
            orders=row["orders"],
            units=row["units"],
            gmv=row["gross_base"] + row["shipping_base"],
            net=row["net_base"],
            refund=row["refund_base"],
            cost=row["item_cost_base"],
        )
    for fee in facts.fees:
        add(fee["business_date"], fee["channel"], fee=fee["fee_base"])
    for day, channel, _, vat in vat_by_day(facts):
        add(day, channel, vat=vat)
    for line in spent:
        add(line["business_date"], "shopify", ads=line["spend_base"] or ZERO)
    rows: list[Row] = []

    def say(day: str, channel: str, kpi: str, value: Decimal) -> None:
        value = value.quantize(_EIGHT, ROUND_HALF_UP)
        rows.append({"business_date": day, "channel": channel, "kpi": kpi, "value": value})

    for (day, channel), flow in sorted(flows.items()):
        gmv, net, fees, ads, vat = (flow.get(name, ZERO) for name in ("gmv", "net", "fee", "ads", "vat"))
        if flow.get("orders"):
            say(day, channel, "orders", flow["orders"])
            say(day, channel, "units", flow["units"])
            say(day, channel, "gmv", gmv)
        if flow.get("sales"):
            say(day, channel, "net_revenue", net)
        if vat:
            say(day, channel, "margin_scheme_vat", vat)
        say(day, channel, "contribution_margin", net - flow.get("cost", ZERO) - fees - ads - vat)
        if ads:
            say(day, channel, "ad_spend", ads)
        if gmv:
            say(day, channel, "fee_ratio", fees / gmv)
            say(day, channel, "refund_rate", flow.get("refund", ZERO) / gmv)
        if flow.get("orders"):
            say(day, channel, "aov", gmv / flow["orders"])
    incidents: dict[tuple[str, str], int] = {}
    for oversell in oversells(facts):
        for channel in (oversell["channel"], "all"):
            key = (oversell["business_date"], channel)
            incidents[key] = incidents.get(key, 0) + 1
    for (day, channel), number in sorted(incidents.items()):
        say(day, channel, "oversells", Decimal(number))
    for (day, channel), flow in sorted(flows.items()):
        if flow.get("orders"):
            rate = Decimal(incidents.get((day, channel), 0) * 1000) / flow["orders"]
            say(day, channel, "oversells_per_1000_orders", rate)
    for day, channel, share in _repeat_rates(facts, days):
        say(day, channel, "repeat_rate_365d", share)
    differences: dict[tuple[str, str], Decimal] = {}
    for payout in facts.payouts:
        for channel in (payout["channel"], "all"):
            key = (payout["business_date"], channel)
            differences[key] = differences.get(key, ZERO) + payout["net_amount"] - payout["_ledger_net_amount"]
    for (day, channel), difference in sorted(differences.items()):
        say(day, channel, "payout_difference", difference)
    return rows


def _repeat_rates(facts: Facts, days: list[Row]) -> list[tuple[str, str, Decimal]]:
    """Of the people with a sale in the 365 days that end on each day, the share with two or more."""
    sales: dict[str, list[tuple[date, str]]] = {"all": []}
    for order in facts.orders:
        buyer = facts.buyers.get((order["channel"], order["order_id"]))
        if order["is_sale"] and buyer is not None:
            day = date.fromisoformat(order["business_date"])
            for channel in (order["channel"], "all"):
                sales.setdefault(channel, []).append((day, buyer))
    wanted = {(row["business_date"], channel) for row in days for channel in (row["channel"], "all")}
    rates = []
    for text, channel in sorted(wanted):
        day = date.fromisoformat(text)
        times: dict[str, int] = {}
        for at, buyer in sales.get(channel, []):
            if day - timedelta(days=365) < at <= day:
                times[buyer] = times.get(buyer, 0) + 1
        if times:
            repeat = sum(1 for bought in times.values() if bought > 1)
            rates.append((text, channel, Decimal(repeat) / len(times)))
    return rates


def counts(world: World, facts: Facts) -> dict[str, int]:
    """How many of everything the faces show, and how many people one can tell apart by what they show.

    ``persons``: everybody the faces tell of, once as far as accounts, e-mail addresses and cards tell.
    """
    shop = etsy_shop(world)
    sold = {(line["channel"], line["item_id"]) for line in facts.order_lines}
    till = [receipt for receipt in world.receipts if not through_square(receipt)]
    books = SquareBooks(world)
    return {
        "shopify_orders": len(world.orders),
        "shopify_customers": sum(person.shopify_id is not None for person in world.people),
        "shopify_products": sum(listing.channel == "shopify" for listing in world.listings),
        "shopify_payouts": len(world.payouts),
        "shopify_balance_transactions": len(world.movements),
        "etsy_receipts": len(shop.receipts),
        "etsy_listings": len(shop.listings),
        "etsy_ledger_entries": len(shop.entries),
        "etsy_payments": sum(receipt.paid_at is not None for receipt in shop.receipts),
        **ebay_counts(world),
        "pos_receipts": len(till),
        "pos_lines": sum(len(receipt.lines) for receipt in till),
        "pos_products": sum(listing.channel == "pos" for listing in world.listings),
        "square_orders": len(books.sales) + len(books.returns),
        "square_payments": len(books.sales),
        "square_refunds": len(books.returns),
        "square_customers": len(books.customers),
        "square_payouts": len(books.payouts),
        "square_payout_entries": sum(len(paid.entries) for paid in books.payouts),
        "square_inventory_counts": len(books.shelves),
        "square_locations": 2,
        "items": len(facts.shown_items),
        "items_sold": len({item_id for _, item_id in sold}),
        "listings": len(facts.listings),
        "persons": len(facts.persons),
        "fx_days": len(world.fx),
        "clickstream_events": len(clicks(world)),
        "ads_spend": sum(1 for _ in spends(world)),
        "easypost_trackers": sum(1 for _ in journeys(world)),
    }


def planted_personal_values(world: World) -> list[str]:
    """Every name, company, e-mail address, telephone number, street line, loyalty card, bank card and client address.

    They are as written in the faces' answers (before JSON escapes them), so that a search for them in clear finds any
    leak; family and first names stand alone too. None of them occurs in what is not personal, such as a title.
    """
    found: set[str] = set()
    for person in world.people:
        found.update(_of_address(person.address))
        found.update(value for value in (person.email, person.phone, person.loyalty_id, person.note) if value)
    for order in world.orders:
        for address in (order.ship_to, order.bill_to):
            if address is not None:
                found.update(_of_address(address))
        found.update(value for value in (order.email, order.phone, order.client_ip, order.note) if value)
        found.update(refund.note for refund in order.refunds if refund.note)
    for receipt in etsy_shop(world).receipts:
        found.update(_of_address(receipt.ship_to))
        found.update(value for value in (receipt.message, receipt.gift_message, receipt.gift_sender) if value)
        found.add(str(receipt.user_id))
        found.update(refund.note for refund in receipt.refunds if refund.note)
    found.update(ebay_personal_values(world))
    for sale in SquareBooks(world).sales:
        if sale.card is not None:
            found.update((sale.card.holder, sale.card.fingerprint))
    for click in clicks(world):
        found.update((click.visitor.anonymous_id, click.visitor.ip))
    return sorted(found)


def _of_address(address: Address) -> Iterable[str]:
    lines = (address.name, address.first_name, address.last_name, address.company, address.address1, address.address2)
    for value in (*lines, address.phone):
        if value:
            yield value
