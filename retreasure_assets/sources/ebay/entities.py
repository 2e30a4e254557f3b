"""What eBay's records are: keys, change times, people and masks.

What belongs here: declarations alone. What does not: how a record is read. A contract test holds every path here
against eBay's published schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from retreasure_assets.entities import Entity, Identity, Mask

#: Ledger entries and payouts change for weeks after they appear (domain.md section 3, rule 3).
FINANCE_OVERLAP = timedelta(days=90)

_STREET = ("addressLine1", "addressLine2", "city", "county")


def _place(prefix: str) -> dict[str, Mask]:
    """An address keeps its country, province and postcode area: enough for tax and delivery zones."""
    return {
        **{f"{prefix}.{field}": Mask.REDACT for field in _STREET},
        f"{prefix}.postalCode": Mask.POSTCODE_AREA,
    }


def _contact(prefix: str) -> dict[str, Mask]:
    return {
        f"{prefix}.fullName": Mask.REDACT,
        f"{prefix}.companyName": Mask.REDACT,
        f"{prefix}.email": Mask.REDACT,
        f"{prefix}.primaryPhone.phoneNumber": Mask.REDACT,
        **_place(f"{prefix}.contactAddress"),
    }


ORDERS = Entity(
    source="ebay",
    name="orders",
    natural_key=("orderId",),
    updated_at="lastModifiedDate",
    description="eBay orders with lines, payments, refunds and cancellations, one record per version.",
    identities=(
        Identity("ebay_user", "buyer.username"),
        Identity("email", "buyer.buyerRegistrationAddress.email"),
    ),
    masks={
        "buyer.username": Mask.PSEUDONYM,
        **_contact("buyer.buyerRegistrationAddress"),
        "buyer.taxAddress.city": Mask.REDACT,
        "buyer.taxAddress.postalCode": Mask.POSTCODE_AREA,
        "buyer.taxIdentifier.taxpayerId": Mask.REDACT,
        "buyerCheckoutNotes": Mask.REDACT,
        **_contact("fulfillmentStartInstructions[].shippingStep.shipTo"),
        **_place("fulfillmentStartInstructions[].finalDestinationAddress"),
        "lineItems[].giftDetails.message": Mask.REDACT,
        "lineItems[].giftDetails.recipientEmail": Mask.REDACT,
        "lineItems[].giftDetails.senderName": Mask.REDACT,
    },
)

FULFILLMENTS = Entity(
    source="ebay",
    name="fulfillments",
    # Without a tracking number the id is an arbitrary one, such as 999, and no more than the order's own.
    natural_key=("order.orderId", "fulfillment.fulfillmentId"),
    updated_at=None,
    description="eBay orders' parcels: carrier, tracking number and when each was sent, one record per state seen.",
    snapshot=True,
)

INVENTORY_ITEMS = Entity(
    source="ebay",
    name="inventory_items",
    natural_key=("sku",),
    updated_at=None,
    description="eBay inventory items: quantity by SKU and place, one record per state seen.",
    snapshot=True,
)

OFFERS = Entity(
    source="ebay",
    name="offers",
    natural_key=("offerId",),
    updated_at=None,
    description="eBay offers: price, marketplace and listing of a SKU, one record per state seen.",
    snapshot=True,
)

TRANSACTIONS = Entity(
    source="ebay",
    name="transactions",
    # A shipping label and its refund share their id; type and booking tell them apart.
    natural_key=("transactionId", "transactionType", "bookingEntry"),
    updated_at="transactionDate",
    description="eBay ledger: sales, refunds, fees, labels, disputes and transfers, each with its payout.",
    identities=(Identity("ebay_user", "buyer.username"),),
    masks={"buyer.username": Mask.PSEUDONYM},
    overlap=FINANCE_OVERLAP,
    owner="team:finance",
)

PAYOUTS = Entity(
    source="ebay",
    name="payouts",
    natural_key=("payoutId",),
    updated_at="payoutDate",
    description="eBay payouts to the bank or card with their state and fee.",
    overlap=FINANCE_OVERLAP,
    owner="team:finance",
)

#: All of them, by name.
ENTITIES: Mapping[str, Entity] = {
    entity.name: entity for entity in (ORDERS, FULFILLMENTS, INVENTORY_ITEMS, OFFERS, TRANSACTIONS, PAYOUTS)
}
