"""Looking back: a record as it was at an earlier moment.

What belongs here: what of each record exists before a moment. What does not: drawing records.

``trimmed`` copies what it changes and shares what it does not; nobody writes to a finished world.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from retreasure_assets.sandbox.world_order_types import BalanceTransaction, Fulfilment, Order, Payout
from retreasure_assets.sandbox.world_types import Item, Listing, MarketplaceSale, Person, Receipt

Record = TypeVar("Record", Person, Item, Listing, Order, Receipt, MarketplaceSale, BalanceTransaction, Payout)


def trimmed(records: Iterable[Record], moment: datetime) -> list[Record]:
    """The records that exist before ``moment``, each as it was then."""
    kept = []
    for record in records:
        earlier = _as_of(record, moment)
        if earlier is not None:
            kept.append(earlier)
    return kept


def _as_of(record: Record, moment: datetime) -> Record | None:
    if isinstance(record, Person):
        return _person(record, moment) if record.since < moment else None
    if isinstance(record, Item):
        return _item(record, moment) if record.listed_at < moment else None
    if isinstance(record, Listing):
        return _listing(record, moment) if record.versions[0].at < moment else None
    if record.at >= moment:
        return None
    return _order(record, moment) if isinstance(record, Order) else record


def _person(person: Person, moment: datetime) -> Person:
    shop = person.shopify_since is not None and person.shopify_since < moment
    card = person.loyalty_since is not None and person.loyalty_since < moment
    return replace(
        person,
        shopify_id=person.shopify_id if shop else None,
        shopify_since=person.shopify_since if shop else None,
        loyalty_id=person.loyalty_id if card else None,
        loyalty_since=person.loyalty_since if card else None,
    )


def _item(item: Item, moment: datetime) -> Item:
    moves = [move for move in item.moves if move.at < moment]
    return replace(item, moves=sorted(moves, key=lambda move: move.at))


def _listing(listing: Listing, moment: datetime) -> Listing:
    return replace(listing, versions=[version for version in listing.versions if version.at < moment])


def _order(order: Order, moment: datetime) -> Order:
    cancelled = order.cancelled_at is not None and order.cancelled_at < moment
    return replace(
        order,
        transactions=sorted((t for t in order.transactions if t.at < moment), key=lambda t: (t.at, t.transaction_id)),
        refunds=[refund for refund in order.refunds if refund.at < moment],
        fulfilments=[_fulfilment(sent, moment) for sent in order.fulfilments if sent.at < moment],
        cancelled_at=order.cancelled_at if cancelled else None,
        cancel_reason=order.cancel_reason if cancelled else None,
    )


def _fulfilment(sent: Fulfilment, moment: datetime) -> Fulfilment:
    return replace(
        sent,
        in_transit_at=sent.in_transit_at if sent.in_transit_at and sent.in_transit_at < moment else None,
        delivered_at=sent.delivered_at if sent.delivered_at and sent.delivered_at < moment else None,
    )
