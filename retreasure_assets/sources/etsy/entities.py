"""What Etsy's records are: keys, change times, people and masks.

What belongs here: declarations alone. What does not: how a record is read. A contract test holds every path here
against Etsy's OpenAPI file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from retreasure_assets.entities import Entity, Identity, Mask

#: Fees of a sale come for weeks after it, and payments change with them (domain.md section 3, rule 3).
FINANCE_OVERLAP = timedelta(days=90)

RECEIPTS = Entity(
    source="etsy",
    name="receipts",
    natural_key=("receipt_id",),
    updated_at="updated_timestamp",
    description="Etsy receipts with their transactions, shipments and refunds, one record per version.",
    # The export files name the buyer by another id than the interface: who bought a receipt is one person in both.
    identities=(
        Identity("etsy_user", "buyer_user_id"),
        Identity("email", "buyer_email"),
        Identity("etsy_receipt", "receipt_id"),
    ),
    masks={
        "buyer_user_id": Mask.PSEUDONYM,
        "transactions[].buyer_user_id": Mask.PSEUDONYM,
        "zip": Mask.POSTCODE_AREA,
        **dict.fromkeys(
            (
                "seller_email",
                "buyer_email",
                "payment_email",
                "name",
                "first_line",
                "second_line",
                "city",
                "formatted_address",
                "message_from_seller",
                "message_from_buyer",
                "message_from_payment",
                "gift_message",
                "gift_sender",
                # What a buyer had written on a piece, and what a seller wrote about a refund.
                "transactions[].variations[].formatted_value",
                "refunds[].reason",
                "refunds[].note_from_issuer",
            ),
            Mask.REDACT,
        ),
    },
)

LISTINGS = Entity(
    source="etsy",
    name="listings",
    natural_key=("listing_id",),
    updated_at="updated_timestamp",
    description="Etsy listings in every state with their inventory, one record per version seen.",
)

LEDGER_ENTRIES = Entity(
    source="etsy",
    name="ledger_entries",
    natural_key=("entry_id",),
    updated_at="created_timestamp",
    description="Etsy's payment account: every charge, fee, tax, refund and disbursement, one entry each.",
    overlap=FINANCE_OVERLAP,
    owner="team:finance",
)

PAYMENTS = Entity(
    source="etsy",
    name="payments",
    natural_key=("payment_id",),
    updated_at="updated_timestamp",
    description="Etsy Payments: what a buyer paid for a receipt, and what was given back of it.",
    identities=(Identity("etsy_user", "buyer_user_id"),),
    masks={
        "buyer_user_id": Mask.PSEUDONYM,
        "shipping_user_id": Mask.PSEUDONYM,
        "shipping_address_id": Mask.REDACT,
        "billing_address_id": Mask.REDACT,
        "payment_adjustments[].reason_code": Mask.REDACT,
    },
    overlap=FINANCE_OVERLAP,
    owner="team:finance",
)

#: All of them, by name.
ENTITIES: Mapping[str, Entity] = {entity.name: entity for entity in (LISTINGS, RECEIPTS, LEDGER_ENTRIES, PAYMENTS)}

#: What each of them needs the token to allow (the contract's ``security`` of each operation).
SCOPES: Mapping[str, str] = {
    "listings": "listings_r",
    "receipts": "transactions_r",
    "ledger_entries": "transactions_r",
    "payments": "transactions_r",
}
