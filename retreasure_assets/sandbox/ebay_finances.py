"""eBay's Finances API: the ledger's entries and the payouts.

What belongs here: their shapes, and which filters and sort orders are taken. What does not: HTTP, tokens and
signatures (``ebay``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

import msgspec
from starlette.responses import Response

from retreasure_assets.sandbox.ebay_format import Json, RefusalError, filters, iso, money, page, period, settled, whole
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ebay import username
from retreasure_assets.sandbox.world_ebay_types import EbayBusiness, EbayEntry, EbayFee, EbayPayout

_DOMAIN = "API_FINANCES"
_PATH = "/sell/finances/v1"
_TYPES = frozenset(
    (
        "SALE",
        "REFUND",
        "CREDIT",
        "DISPUTE",
        "NON_SALE_CHARGE",
        "SHIPPING_LABEL",
        "TRANSFER",
        "ADJUSTMENT",
        "WITHDRAWAL",
        "LOAN_REPAYMENT",
        "PURCHASE",
    )
)
_STATUSES = frozenset(
    ["PAYOUT", "FUNDS_PROCESSING", "FUNDS_AVAILABLE_FOR_PAYOUT", "FUNDS_ON_HOLD", "COMPLETED", "FAILED"]
)
_PAYOUT_STATUSES = frozenset(["INITIATED", "SUCCEEDED", "RETRYABLE_FAILED", "TERMINAL_FAILED", "REVERSED"])
_HOLD = timedelta(days=2)
#: A period without an end reaches so far.
_OPEN_PERIOD = timedelta(days=90)

T = TypeVar("T", EbayEntry, EbayPayout)


class Finances:
    """The seller's account.

    Args:
        world: for the people and the clock.
        business: ledger and payouts.
    """

    def __init__(self, world: World, business: EbayBusiness) -> None:
        self._now = world.clock
        self._names = {person.number: username(person) for person in world.people}
        self._entries = business.entries
        self._payouts = business.payouts

    def transactions(self, query: Mapping[str, str]) -> Response:
        """getTransactions; 204 where nothing matches.

        Raises:
            RefusalError: a parameter is not taken.
        """
        terms = filters(query.get("filter"))
        chosen: Sequence[EbayEntry] = self._entries
        if "transactionDate" in terms:
            chosen = self._within(chosen, terms["transactionDate"], 135008)
        if "transactionType" in terms:
            kind = _value(terms, "transactionType", _TYPES, 135006)
            chosen = [entry for entry in chosen if entry.kind == kind]
        if "transactionStatus" in terms:
            status = _value(terms, "transactionStatus", _STATUSES, 135007)
            chosen = [entry for entry in chosen if self._status(entry) == status]
        if "payoutId" in terms:
            chosen = [entry for entry in chosen if entry.payout_id == terms["payoutId"].strip("{}")]
        if "orderId" in terms:
            wanted = terms["orderId"].strip("{}")
            chosen = [
                entry for entry in chosen if entry.order and not entry.referred and entry.order.order_id == wanted
            ]
        return self._page("transactions", chosen, query, 1000, ("transactionDate",), self._entry)

    def payouts(self, query: Mapping[str, str]) -> Response:
        """getPayouts; 204 where nothing matches.

        Raises:
            RefusalError: a parameter is not taken.
        """
        terms = filters(query.get("filter"))
        chosen: Sequence[EbayPayout] = self._payouts
        if "payoutDate" in terms:
            chosen = self._within(chosen, terms["payoutDate"], 135004)
        if "payoutStatus" in terms:
            status = _value(terms, "payoutStatus", _PAYOUT_STATUSES, 135002)
            chosen = [payout for payout in chosen if payout.status(self._now) == status]
        return self._page("payouts", chosen, query, 200, ("payoutDate", "lastAttemptedPayoutDate"), self._payout)

    def _within(self, records: Sequence[T], term: str, error_id: int) -> list[T]:
        found = period(term)
        if found is None or (found[1] is not None and found[1] < found[0]):
            raise RefusalError(400, error_id, "The value of the date filter is invalid.", _DOMAIN)
        start, end = found
        return [record for record in records if start <= record.at <= (end or start + _OPEN_PERIOD)]

    def _page(
        self,
        key: str,
        chosen: Sequence[T],
        query: Mapping[str, str],
        highest: int,
        fields: tuple[str, ...],
        node: Callable[[T], Json],
    ) -> Response:
        wrong = RefusalError(400, 135003, "The value of pagination is invalid.", _DOMAIN)
        limit = whole(query, "limit", 20, 1, highest, wrong)
        offset = whole(query, "offset", 0, 0, 10**9, wrong)
        if query.get("sort", fields[0]) not in fields:
            raise RefusalError(400, 135005, "The value of sorting is invalid.", _DOMAIN)
        ordered = list(chosen) if "sort" in query else list(reversed(chosen))
        records = [msgspec.json.encode(node(record)) for record in ordered[offset : offset + limit]]
        if not records:
            return Response(status_code=204)
        following = offset + limit if offset + limit < len(ordered) else 0
        return page(key, records, len(ordered), f"{_PATH}/{key[:-1]}", limit, offset, following)

    def _status(self, entry: EbayEntry) -> str:
        if entry.payout_id is not None:
            return "PAYOUT"
        return "FUNDS_PROCESSING" if entry.at > self._now - _HOLD else "FUNDS_AVAILABLE_FOR_PAYOUT"

    def _entry(self, entry: EbayEntry) -> Json:
        order = entry.order
        currency, rate = (order.currency, order.rate) if order else ("EUR", Decimal(1))

        def amount(value: Decimal) -> Json:
            return settled(value, currency, rate)

        node: Json = {
            "transactionId": entry.entry_id,
            "transactionType": entry.kind,
            "transactionStatus": self._status(entry),
            "transactionDate": iso(entry.at),
            # What is charged later was never in the buyer's currency.
            "amount": money(entry.amount, "EUR") if entry.fee_kind else amount(entry.amount),
            "bookingEntry": "CREDIT" if entry.credit else "DEBIT",
            "paymentsEntity": "eBay S.a.r.l.",
        }
        if entry.payout_id is not None:
            node["payoutId"] = entry.payout_id
        if entry.memo:
            node["transactionMemo"] = entry.memo
        if entry.fee_kind:
            node["feeType"] = entry.fee_kind
        if order is not None and entry.referred:
            references = [{"referenceType": "ITEM_ID", "referenceId": order.lines[0].listing_id}]
            node["references"] = [*references, {"referenceType": "ORDER_ID", "referenceId": order.order_id}]
        elif order is not None:
            node["orderId"] = order.order_id
            node["salesRecordReference"] = "0"
            node["buyer"] = {"username": self._names[order.person]}
        if entry.kind in ("SALE", "REFUND") and order is not None:
            node["totalFeeBasisAmount"] = amount(entry.amount + entry.fee_total)
            node["totalFeeAmount"] = amount(entry.fee_total)
            if entry.remitted_tax:
                node["eBayCollectedTaxAmount"] = amount(entry.remitted_tax)
            node["orderLineItems"] = [
                {
                    "lineItemId": line.line_id,
                    "feeBasisAmount": amount((line.due + line.remitted_tax) * rate),
                    "marketplaceFees": [_fee(fee, amount) for fee in entry.fees if fee.line_id == line.line_id],
                }
                for line in order.lines
            ]
        return node

    def _payout(self, payout: EbayPayout) -> Json:
        status = payout.status(self._now)
        node: Json = {
            "payoutId": payout.payout_id,
            "payoutStatus": status,
            "payoutStatusDescription": {"SUCCEEDED": "Funds sent", "INITIATED": "Preparing to send"}.get(
                status, "Waiting to retry"
            ),
            "amount": money(payout.amount, "EUR"),
            "payoutDate": iso(payout.at),
            "payoutInstrument": {
                "instrumentType": "CARD" if payout.express_fee else "BANK",
                "nickname": "VISA" if payout.express_fee else "Business account",
                "accountLastFourDigits": "4242",
            },
            "transactionCount": payout.entries,
        }
        if payout.express_fee:
            fee = money(payout.express_fee, "EUR")
            node["totalAmount"] = money(payout.amount + payout.express_fee, "EUR")
            node["totalFee"] = fee
            node["totalFeeDetails"] = [{"feeType": "EXPRESS_PAYOUT_FEE", "amount": fee}]
        if status == "RETRYABLE_FAILED":
            node["lastAttemptedPayoutDate"] = iso(payout.at + timedelta(hours=2))
        return node


def _fee(fee: EbayFee, amount: Callable[[Decimal], Json]) -> Json:
    return {"feeType": fee.kind, "amount": amount(fee.amount)}


def _value(terms: Mapping[str, str], name: str, known: frozenset[str], error_id: int) -> str:
    text = terms[name].strip("{}")
    if text not in known:
        raise RefusalError(400, error_id, f"The value of {name} is invalid.", _DOMAIN)
    return text
