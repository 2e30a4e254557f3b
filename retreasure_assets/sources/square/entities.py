"""What Square's records are: keys, change times, people and masks.

What belongs here: declarations alone. What does not: how a record is read. A contract test holds every path here
against Square's published schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from retreasure_assets.entities import Entity, Identity, Mask

#: Payouts change for weeks after they appear (domain: finances are read again for 90 days).
FINANCE_OVERLAP = timedelta(days=90)
#: A payout's entries are settled when it is listed; only a slow listing has to be caught up with.
ENTRIES_OVERLAP = timedelta(days=14)
#: Sales made while the register was offline reach Square within 72 hours, under their own change time.
ORDERS_OVERLAP = timedelta(hours=96)

_ADDRESS = (
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "locality",
    "sublocality",
    "sublocality_2",
    "sublocality_3",
    "first_name",
    "last_name",
)
_CARD = (
    "id",
    "last_4",
    "exp_month",
    "exp_year",
    "cardholder_name",
    "fingerprint",
    "customer_id",
    "reference_id",
    "bin",
)
_RECIPIENT = ("display_name", "email_address", "phone_number")
_FULFILMENT_NOTES = {
    "pickup_details": ("note", "cancel_reason", "curbside_pickup_details"),
    "shipment_details": ("shipping_note", "tracking_url", "cancel_reason", "failure_reason"),
    "delivery_details": ("note", "dropoff_notes", "cancel_reason", "courier_support_phone_number"),
}


def _redacted(prefix: str, fields: Iterable[str]) -> dict[str, Mask]:
    return {f"{prefix}.{field}" if prefix else field: Mask.REDACT for field in fields}


def _address(prefix: str) -> dict[str, Mask]:
    """An address keeps its country, district and postcode area: enough for tax and delivery zones."""
    return {**_redacted(prefix, _ADDRESS), f"{prefix}.postal_code": Mask.POSTCODE_AREA}


def _card(prefix: str) -> dict[str, Mask]:
    """Of a bank card its brand and kind remain."""
    return {**_redacted(prefix, _CARD), **_address(f"{prefix}.billing_address")}


def _fulfilments() -> dict[str, Mask]:
    masks: dict[str, Mask] = {
        "fulfillments[].metadata": Mask.REDACT,
        "fulfillments[].entries[].metadata": Mask.REDACT,
    }
    for details, notes in _FULFILMENT_NOTES.items():
        prefix = f"fulfillments[].{details}"
        masks |= _redacted(prefix, notes)
        masks |= _redacted(f"{prefix}.recipient", _RECIPIENT)
        masks |= _address(f"{prefix}.recipient.address")
    return masks


ORDERS = Entity(
    source="square",
    name="orders",
    natural_key=("id",),
    updated_at="updated_at",
    description="Square orders: sales, returns and exchanges with lines, tenders and refunds, one record per version.",
    identities=(Identity("square_customer", "customer_id"),),
    # Free text may name anybody; a ticket is often called after the customer.
    masks={
        "ticket_name": Mask.REDACT,
        "metadata": Mask.REDACT,
        "line_items[].note": Mask.REDACT,
        "line_items[].metadata": Mask.REDACT,
        "line_items[].modifiers[].metadata": Mask.REDACT,
        "taxes[].metadata": Mask.REDACT,
        "discounts[].metadata": Mask.REDACT,
        "service_charges[].metadata": Mask.REDACT,
        "returns[].return_line_items[].note": Mask.REDACT,
        "refunds[].reason": Mask.REDACT,
        "tenders[].note": Mask.REDACT,
        **_card("tenders[].card_details.card"),
        **_fulfilments(),
    },
    overlap=ORDERS_OVERLAP,
)

PAYMENTS = Entity(
    source="square",
    name="payments",
    natural_key=("id",),
    updated_at="updated_at",
    description="Square payments with tips, processing fees and what was given back, one record per version.",
    identities=(Identity("square_customer", "customer_id"), Identity("email", "buyer_email_address")),
    masks={
        "buyer_email_address": Mask.REDACT,
        "note": Mask.REDACT,
        # Whoever has the address sees the receipt.
        "receipt_url": Mask.REDACT,
        "reference_id": Mask.REDACT,
        "statement_description_identifier": Mask.REDACT,
        "device_details.device_name": Mask.REDACT,
        "card_details.device_details.device_name": Mask.REDACT,
        "external_details.source_id": Mask.REDACT,
        "wallet_details.cash_app_details.buyer_full_name": Mask.REDACT,
        "wallet_details.cash_app_details.buyer_cashtag": Mask.REDACT,
        "buy_now_pay_later_details.afterpay_details.email_address": Mask.REDACT,
        "buy_now_pay_later_details.clearpay_details.email_address": Mask.REDACT,
        "bank_account_details.fingerprint": Mask.REDACT,
        "bank_account_details.statement_description": Mask.REDACT,
        "bank_account_details.ach_details.routing_number": Mask.REDACT,
        "bank_account_details.ach_details.account_number_suffix": Mask.REDACT,
        "square_account_details.payment_source_token": Mask.REDACT,
        **_card("card_details.card"),
        **_address("billing_address"),
        **_address("shipping_address"),
    },
    overlap=ORDERS_OVERLAP,
    owner="team:finance",
)

REFUNDS = Entity(
    source="square",
    name="refunds",
    natural_key=("id",),
    updated_at="updated_at",
    description="Square refunds of payments, with the fees that were given back, one record per version.",
    masks={
        "reason": Mask.REDACT,
        **_card("destination_details.card_details.card"),
        "destination_details.external_details.source_id": Mask.REDACT,
    },
    overlap=ORDERS_OVERLAP,
    owner="team:finance",
)

CUSTOMERS = Entity(
    source="square",
    name="customers",
    natural_key=("id",),
    updated_at="updated_at",
    description="Square's customer directory; the reference id is the shop's loyalty card.",
    identities=(
        Identity("square_customer", "id"),
        Identity("pos_loyalty", "reference_id"),
        Identity("email", "email_address"),
    ),
    masks={
        **_redacted(
            "",
            (
                "given_name",
                "family_name",
                "nickname",
                "company_name",
                "email_address",
                "phone_number",
                "birthday",
                "reference_id",
                "note",
                "tax_ids",
            ),
        ),
        **_address("address"),
    },
)

LOCATIONS = Entity(
    source="square",
    name="locations",
    natural_key=("id",),
    updated_at=None,
    description="Square locations: the shop, and those no longer in use.",
)

CATALOG_OBJECTS = Entity(
    source="square",
    name="catalog_objects",
    natural_key=("id",),
    updated_at="updated_at",
    description="Square's catalogue: items with their variations, and categories, one record per version.",
)

INVENTORY_COUNTS = Entity(
    source="square",
    name="inventory_counts",
    natural_key=("catalog_object_id", "location_id", "state"),
    updated_at="calculated_at",
    description="How many of a variation are at a location in each state, one record per count.",
)

PAYOUTS = Entity(
    source="square",
    name="payouts",
    natural_key=("id",),
    updated_at="updated_at",
    description="Square's transfers to the bank, one record per version.",
    overlap=FINANCE_OVERLAP,
    owner="team:finance",
)

PAYOUT_ENTRIES = Entity(
    source="square",
    name="payout_entries",
    natural_key=("id",),
    updated_at="effective_at",
    description="What Square's payouts consist of: charges, refunds, fees and adjustments.",
    overlap=ENTRIES_OVERLAP,
    owner="team:finance",
)

#: All of them, by name. Customers come before what they bought: so their card says from the start who they are.
ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        LOCATIONS,
        CATALOG_OBJECTS,
        CUSTOMERS,
        ORDERS,
        PAYMENTS,
        REFUNDS,
        INVENTORY_COUNTS,
        PAYOUTS,
        PAYOUT_ENTRIES,
    )
}
