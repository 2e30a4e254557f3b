"""The world: the same for ever, a prefix of every longer one, and as varied as it claims."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sandbox.truth import planted_personal_values
from retreasure_assets.sandbox.world import WORLD_START, World, WorldSpec, generate_world
from retreasure_assets.sandbox.world_fx import FxTable, bank_days, decimals, fx_history, is_bank_day
from retreasure_assets.sandbox.world_random import stream
from retreasure_assets.sandbox.world_till import SHOP_ZONE, is_open

ZERO = Decimal(0)
START = datetime(WORLD_START.year, WORLD_START.month, WORLD_START.day, tzinfo=UTC)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    days=st.integers(1, 25),
    more=st.integers(1, 20),
    scale=st.sampled_from([0.02, 0.05, 0.1]),
)
def test_a_longer_world_begins_with_the_shorter_one(seed: int, days: int, more: int, scale: float) -> None:
    short = generate_world(WorldSpec(seed, days, scale))
    longer = generate_world(WorldSpec(seed, days + more, scale))
    assert short.clock == START + timedelta(days=days)
    assert longer.as_of(short.clock) == short


def test_a_world_can_be_seen_at_any_earlier_moment_but_not_later(world: World) -> None:
    noon = START + timedelta(days=20, hours=12, minutes=34)
    seen = world.as_of(noon)
    assert seen.as_of(noon) == seen
    assert world.as_of(START + timedelta(days=40)).as_of(noon) == seen
    with pytest.raises(ValueError, match="later than its own clock"):
        seen.as_of(world.clock)


def test_nothing_lies_at_or_after_the_clock(world: World) -> None:
    def moments(value: object) -> list[datetime]:
        if isinstance(value, datetime):
            return [value]
        if isinstance(value, (list, tuple)):
            return [at for element in value for at in moments(element)]
        if hasattr(type(value), "__dataclass_fields__"):
            names = type(value).__dataclass_fields__
            # What a carrier expects, and when the bank will have the money, is known beforehand.
            known = {"estimated_at", "paid_at", "clock"}
            return [at for name in names if name not in known for at in moments(getattr(value, name))]
        return []

    latest = max(moments(world))
    assert latest < world.clock
    assert world.clock - latest < timedelta(hours=12)


def test_other_seeds_give_other_worlds() -> None:
    first, second = (generate_world(WorldSpec(seed, 5, 0.1)) for seed in (1, 2))
    assert [order.total for order in first.orders] != [order.total for order in second.orders]


def test_the_process_leaves_no_trace_in_the_world() -> None:
    """Neither hash randomisation nor the machine's time zone or locale matters."""
    program = (
        "import hashlib, json\n"
        "from retreasure_assets.sandbox.truth import truth\n"
        "from retreasure_assets.sandbox.world import WorldSpec, generate_world\n"
        "world = generate_world(WorldSpec(seed=3, days=12, scale=0.1))\n"
        "seen = [json.dumps(truth(world)), repr(world.people), repr(world.items), repr(world.listings)]\n"
        "seen += [repr(world.orders), repr(world.receipts), repr(world.marketplace_sales), repr(world.fx)]\n"
        "print(hashlib.sha256(''.join(seen).encode()).hexdigest())\n"
    )
    seen = set()
    for hash_seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"), ("4242", "America/New_York")):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone, "LC_ALL": "C"}
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, text=True, env=environment
        )
        seen.add(run.stdout)
    assert len(seen) == 1


def test_streams_differ_by_name_and_agree_with_themselves() -> None:
    assert stream(1, "day", 2).random() == stream(1, "day", 2).random()
    assert len({stream(*name).random() for name in ((1, "day", 2), (1, "day", 3), (2, "day", 2), (12, "day"))}) == 4


@pytest.mark.parametrize(
    "wrong", [{"days": 0}, {"days": -3}, {"days": 10**6}, {"scale": 0.0}, {"scale": 1000.0}, {"scale": float("nan")}]
)
def test_impossible_worlds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="Give --"):
        WorldSpec(**wrong)  # type: ignore[arg-type]


def test_the_default_world_has_the_promised_size_and_is_made_quickly() -> None:
    begun = time.process_time()
    world = generate_world()
    seconds = time.process_time() - begun
    assert 2000 <= len(world.orders) <= 2500
    assert 1400 <= len(world.receipts) <= 1650
    assert 5700 <= len(world.items) <= 6300
    assert seconds < 5
    # A dealer's order is longer than a page of lines.
    assert max(len(order.lines) for order in world.orders) > 50


def test_scale_multiplies_volumes() -> None:
    small, large = (generate_world(WorldSpec(days=30, scale=scale)) for scale in (0.1, 0.4))
    assert 3 <= len(large.orders) / len(small.orders) <= 5.5
    assert 3 <= len(large.receipts) / len(small.receipts) <= 5.5


def test_worlds_survive_a_copy(world: World) -> None:
    assert pickle.loads(pickle.dumps(world)) == world


def test_every_kind_of_order_occurs(full_world: World) -> None:
    world, orders = full_world, full_world.orders
    assert {order.currency for order in orders} == {"EUR", "GBP", "USD", "JPY"}
    assert {order.taxes_included for order in orders} == {True, False}
    assert any(order.test for order in orders)
    assert any(order.person is None and order.email for order in orders)
    assert any(order.person is None and order.email is None for order in orders)
    assert any(len(order.lines) > 1 for order in orders)
    assert any(line.quantity > 1 for order in orders for line in order.lines)
    assert any(len(line.discounts) == 2 for order in orders for line in order.lines)
    assert any(order.shipping is None for order in orders)
    assert any(order.shipping and order.shipping.discount for order in orders)
    assert any(order.cancelled_at and not order.refunds for order in orders)
    assert any(order.cancelled_at and order.refunds for order in orders)
    assert any(order.cancel_reason == "INVENTORY" for order in orders)
    refunds = [refund for order in orders for refund in order.refunds]
    assert any(refund.goodwill for refund in refunds)
    assert any(refund.shipping for refund in refunds)
    assert {refund.restocked for refund in refunds} == {True, False}
    assert any(0 < refund.amount < order.total for order in orders for refund in order.refunds)
    kinds = Counter((t.kind, t.status) for order in orders for t in order.transactions)
    assert kinds.keys() >= {
        ("SALE", "SUCCESS"),
        ("SALE", "FAILURE"),
        ("SALE", "PENDING"),
        ("AUTHORIZATION", "SUCCESS"),
        ("CAPTURE", "SUCCESS"),
        ("VOID", "SUCCESS"),
        ("REFUND", "SUCCESS"),
    }
    assert {movement.type for movement in world.movements} == {"CHARGE", "REFUND", "ADJUSTMENT", "TRANSFER"}
    assert any(len({v.price for v in listing.versions}) > 1 for listing in world.listings)
    surcharges = [order.surcharges for order in orders]
    assert any(each.tip for each in surcharges)
    assert any(each.additional_fees for each in surcharges)
    assert {each.duties_included for each in surcharges if each.duties} == {True, False}
    assert any(refund.duties for order in orders for refund in order.refunds)
    assert {line.kind for receipt in world.receipts for line in receipt.lines} == {"sale", "return"}
    assert {receipt.tax_included for receipt in world.receipts} == {True, False}
    assert {receipt.loyalty_id is None for receipt in world.receipts} == {True, False}


def test_orders_add_up_in_their_own_minor_unit(world: World) -> None:
    for order in world.orders:
        unit = Decimal(1).scaleb(-decimals(order.currency))
        amounts = [order.total, *(t.amount for t in order.transactions)]
        amounts += [tax.amount for line in order.lines for tax in line.taxes]
        amounts += [amount for line in order.lines for amount in (line.unit_price, *line.discounts)]
        assert all(amount == amount.quantize(unit) and amount >= 0 for amount in amounts)
        assert all(line.paid >= 0 for line in order.lines)
        assert order.total > 0
        paid = sum(
            (t.amount for t in order.transactions if t.kind in ("SALE", "CAPTURE") and t.status == "SUCCESS"), ZERO
        )
        assert paid in (ZERO, order.total)
        back = sum((refund.amount for refund in order.refunds), ZERO)
        assert back <= paid
        assert back == sum((t.amount for t in order.transactions if t.kind == "REFUND"), ZERO)
        for refund in order.refunds:
            lines = sum((line.subtotal for line in refund.lines), ZERO)
            tax = sum((line.tax for line in refund.lines), ZERO) + refund.shipping_tax
            assert refund.tax == tax
            added = ZERO if order.taxes_included else tax
            beside = refund.duties + refund.extras
            assert beside <= order.surcharges.total
            assert refund.amount == lines + refund.shipping + refund.goodwill + added + beside
        sent = sum(parcel.quantity for parcel in order.fulfilments)
        assert sent <= sum(line.quantity for line in order.lines)
        events = [order.at, *(t.at for t in order.transactions)]
        assert events == sorted(events)


def test_a_piece_is_sold_once_unless_it_came_back_or_was_oversold(world: World) -> None:
    sales: Counter[str] = Counter(sale.item_id for sale in world.marketplace_sales)
    back: Counter[str] = Counter()
    for order in world.orders:
        if order.test:
            continue
        for line in order.lines:
            sales[line.item_id] += line.quantity
        if order.cancelled_at:
            back.update({line.item_id: line.quantity for line in order.lines})
        else:
            back.update({p.item_id: p.quantity for refund in order.refunds for p in refund.lines if refund.restocked})
    for receipt in world.receipts:
        for line in receipt.lines:
            (sales if line.kind == "sale" else back)[line.item_id] += abs(line.quantity)
    stock = {item.item_id: item.stock for item in world.items}
    oversold = [item_id for item_id, sold in sales.items() if sold - back[item_id] > stock[item_id]]
    assert all(sold <= stock[item_id] + back[item_id] + 1 for item_id, sold in sales.items())
    assert len(oversold) < len(sales) * 0.01


def test_some_pieces_are_sold_twice(full_world: World) -> None:
    world = full_world
    oversold = [order for order in world.orders if order.cancel_reason == "INVENTORY"]
    assert 3 <= len(oversold) <= len(world.orders) * 0.02
    elsewhere = {sale.item_id for sale in world.marketplace_sales}
    elsewhere |= {line.item_id for receipt in world.receipts for line in receipt.lines}
    assert all(order.lines[0].item_id in elsewhere for order in oversold)
    stock = {item.item_id: item for item in world.items}
    for order in oversold:
        moves = stock[order.lines[0].item_id].moves
        assert sum(move.on_hand for move in moves) == 0


def test_listings_follow_their_item(world: World) -> None:
    for listing in world.listings:
        times = [version.at for version in listing.versions]
        assert times == sorted(set(times))
    current = {(entry.channel, entry.item_id): entry.versions[-1] for entry in world.listings}
    assert len({(entry.channel, entry.listing_id) for entry in world.listings}) == len(world.listings)
    for item in world.items:
        available = sum(move.available for move in item.moves)
        shown = current.get(("shopify", item.item_id))
        if shown is not None and item.stock > 1:
            assert available == shown.quantity


def test_account_movements_are_paid_out_once(world: World) -> None:
    for payout in world.payouts:
        assert is_bank_day(payout.at.date())
        held = [m for m in world.movements if m.payout_id == payout.payout_id]
        inside = [m for m in held if m.type != "TRANSFER"]
        transfers = [m for m in held if m.type == "TRANSFER"]
        assert sum((m.net for m in inside), ZERO) == payout.net == payout.gross - payout.fees
        assert [m.net for m in transfers] == [-payout.net]
        assert all(m.at.date() <= payout.at.date() - timedelta(days=2) for m in inside)
    late = [m for m in world.movements if m.payout_id is None]
    assert all(world.clock - m.at < timedelta(days=7) for m in late)


def test_the_till_keeps_opening_hours(world: World) -> None:
    for receipt in world.receipts:
        local = receipt.at.astimezone(SHOP_ZONE)
        assert is_open(local.date())
        assert 9 <= local.hour < 18
        assert len({line.kind for line in receipt.lines}) == 1
    assert len({receipt.receipt_id for receipt in world.receipts}) == len(world.receipts)


def test_people_return_on_other_channels(world: World) -> None:
    online = {order.person for order in world.orders if order.person is not None}
    market = {sale.person for sale in world.marketplace_sales}
    cards = {person.number for person in world.people if person.loyalty_id}
    assert len(online & market) > 3
    assert online & cards
    emails = [person.email.lower() for person in world.people]
    assert len(set(emails)) == len(emails)
    assert all(email.split("@")[1].endswith(("example.com", "example.org", "example.net")) for email in emails)
    assert len({person.loyalty_id for person in world.people if person.loyalty_id}) == len(cards)


def test_planted_values_stand_nowhere_else(world: World) -> None:
    planted = planted_personal_values(world)
    assert len(planted) > 800
    assert all(len(value.encode()) >= 5 for value in planted)
    plain = "\n".join(
        [item.title + item.description_html + item.maker for item in world.items]
        + [order.name + " ".join(order.discount_codes) for order in world.orders]
        + [tax.title for order in world.orders for line in order.lines for tax in line.taxes]
    )
    assert [value for value in planted if value in plain] == []
    for order in world.orders:
        for value in (order.email, order.phone, order.client_ip, order.ship_to and order.ship_to.address1):
            assert value is None or value in planted
    for person in world.people:
        assert {person.email, person.address.name, person.address.last_name, person.address.address1} <= set(planted)


def test_rates_are_published_on_bank_days_only() -> None:
    history = fx_history(7, date(2026, 4, 10))
    days = [entry.day for entry in history]
    assert days[0] == date(2025, 12, 1)
    assert days == list(bank_days(date(2025, 12, 1), date(2026, 4, 10)))
    for closed in (date(2025, 12, 25), date(2025, 12, 26), date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6)):
        assert closed not in days
    assert fx_history(7, date(2026, 2, 1)) == [entry for entry in history if entry.day < date(2026, 2, 1)]
    assert all(("BGN" in entry.rates) == (entry.day.year == 2025) for entry in history)
    assert all(rate > 0 for entry in history for rate in entry.rates.values())


def test_the_last_rate_holds_for_a_week() -> None:
    table = FxTable(fx_history(7, date(2026, 4, 10)))
    good_friday = date(2026, 4, 3)
    thursday = table.per_euro("USD", date(2026, 4, 2))
    assert thursday is not None
    assert table.per_euro("USD", good_friday) == thursday == table.per_euro("USD", date(2026, 4, 6))
    assert table.per_euro("USD", date(2026, 4, 16)) == table.per_euro("USD", date(2026, 4, 9))
    assert table.per_euro("USD", date(2026, 4, 17)) is None
    assert table.per_euro("BGN", date(2026, 3, 1)) is None
    assert table.per_euro("EUR", good_friday) == (Decimal(1), good_friday)
