"""What Shopify's records are: keys, change times, people and masks.

What belongs here: declarations alone. What does not: how a record is read; the GraphQL documents under queries/
say what it holds, and a contract test holds every path here against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from retreasure_assets.entities import Entity, Identity, Mask

#: Payouts and balance transactions change for weeks after they appear (domain.md section 3, rule 3).
FINANCE_OVERLAP = timedelta(days=90)

_PERSON = ("firstName", "lastName", "displayName", "defaultEmailAddress.emailAddress", "defaultPhoneNumber.phoneNumber")
_ADDRESS = (
    "firstName",
    "lastName",
    "name",
    "company",
    "address1",
    "address2",
    "city",
    "phone",
    "latitude",
    "longitude",
)


def _redacted(prefix: str, fields: tuple[str, ...]) -> dict[str, Mask]:
    return {f"{prefix}{field}": Mask.REDACT for field in fields}


def _address(prefix: str) -> dict[str, Mask]:
    """An address keeps its country, province and postcode area: enough for tax and delivery zones."""
    return {**_redacted(f"{prefix}.", _ADDRESS), f"{prefix}.zip": Mask.POSTCODE_AREA}


ORDERS = Entity(
    source="shopify",
    name="orders",
    natural_key=("id",),
    updated_at="updatedAt",
    description="Shopify orders with their lines, refunds, transactions and fulfilments, one record per version.",
    identities=(Identity("shopify_customer", "customer.id"), Identity("email", "email")),
    masks={
        "email": Mask.REDACT,
        "phone": Mask.REDACT,
        "clientIp": Mask.IP_PREFIX,
        "note": Mask.REDACT,
        **_redacted("customer.", _PERSON),
        **_address("shippingAddress"),
        **_address("billingAddress"),
        "refunds[].note": Mask.REDACT,
    },
)

PRODUCTS = Entity(
    source="shopify",
    name="products",
    natural_key=("id",),
    updated_at="updatedAt",
    description="Shopify products with variants, photos and ReTreasure's metafields, one record per version.",
)

CUSTOMERS = Entity(
    source="shopify",
    name="customers",
    natural_key=("id",),
    updated_at="updatedAt",
    description="Shopify customers with their marketing consent, one record per version.",
    identities=(Identity("shopify_customer", "id"), Identity("email", "defaultEmailAddress.emailAddress")),
    masks={**_redacted("", _PERSON), "note": Mask.REDACT, **_address("defaultAddress")},
)

LOCATIONS = Entity(
    source="shopify",
    name="locations",
    natural_key=("id",),
    updated_at="updatedAt",
    description="Shopify locations: the shop, the warehouse, and those no longer in use.",
)

INVENTORY_LEVELS = Entity(
    source="shopify",
    name="inventory_levels",
    natural_key=("id",),
    updated_at="updatedAt",
    description="Shopify stock per location and item: available, committed, on hand, reserved.",
)

PAYOUTS = Entity(
    source="shopify",
    name="payouts",
    natural_key=("id",),
    updated_at="issuedAt",
    description="Shopify Payments payouts to the bank with their summary.",
    overlap=FINANCE_OVERLAP,
    owner="team:finance",
)

BALANCE_TRANSACTIONS = Entity(
    source="shopify",
    name="balance_transactions",
    natural_key=("id",),
    updated_at="transactionDate",
    description="Shopify Payments ledger: every charge, refund, fee and adjustment with its payout.",
    overlap=FINANCE_OVERLAP,
    owner="team:finance",
)

#: All of them, by name. Locations come before the stock that lies there.
ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (LOCATIONS, PRODUCTS, CUSTOMERS, ORDERS, INVENTORY_LEVELS, PAYOUTS, BALANCE_TRANSACTIONS)
}
