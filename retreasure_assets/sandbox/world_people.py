"""The people who buy: names, addresses, e-mail addresses and telephones, all invented.

What belongs here: drawing a person or an address, and choosing who buys next. What does not: what they buy.
"""

from __future__ import annotations

from datetime import datetime
from random import Random

from retreasure_assets.sandbox.world_random import chance, pick, weighted
from retreasure_assets.sandbox.world_types import Address, Person
from retreasure_assets.sandbox.world_words import COMPANIES, COUNTRIES, COUNTRY_WEIGHTS, EMAIL_DOMAINS

_LETTERS = "ABCDEFGHKNPRTVWXY"

#: Ids look like the platform's: large, growing, not consecutive.
SHOPIFY_CUSTOMER_BASE = 7_100_000_000_000


def _fill(rng: Random, pattern: str) -> str:
    """Every # becomes a digit and every @ a capital letter."""
    return "".join(
        str(int(rng.random() * 10)) if sign == "#" else pick(rng, _LETTERS) if sign == "@" else sign for sign in pattern
    )


def draw_address(rng: Random, country_code: str) -> tuple[Address, str]:
    """A new address, and how its owner's name is spelt in an e-mail address."""
    country = COUNTRIES[country_code]
    first, first_plain = pick(rng, country.first_names)
    last, last_plain = pick(rng, country.last_names)
    town = pick(rng, country.towns)
    street = pick(rng, country.streets)
    house = int(rng.random() * 240) + 1
    if country_code == "JP":
        line = f"{street}{house}-{int(rng.random() * 20) + 1}"
    elif country_code in ("DE", "NL"):
        line = f"{street} {house}"
    else:
        line = f"{house} {street}"
    address = Address(
        first_name=first,
        last_name=last,
        company=f"{last} {pick(rng, COMPANIES)}" if chance(rng, 0.07) else None,
        address1=line,
        address2=f"{pick(rng, ('Flat', 'Unit', 'Étage', 'c/o'))} {last}, {house + 1}" if chance(rng, 0.12) else None,
        city=town.city,
        province=town.province,
        province_code=town.province_code,
        zip=_fill(rng, town.zip_pattern),
        country=country.name,
        country_code=country_code,
        phone=_fill(rng, country.phone_pattern) if chance(rng, 0.8) else None,
        latitude=round(town.latitude + (rng.random() - 0.5) / 10, 6),
        longitude=round(town.longitude + (rng.random() - 0.5) / 10, 6),
    )
    return address, f"{first_plain}.{last_plain}"


def draw_person(rng: Random, number: int, since: datetime, country_code: str | None = None) -> Person:
    """A new person; the number makes the e-mail address unique."""
    code = country_code or weighted(rng, COUNTRY_WEIGHTS)
    address, mailbox = draw_address(rng, code)
    note = f"Prefers a call on {address.phone}, ask for {address.first_name}." if chance(rng, 0.03) else None
    return Person(
        number=number,
        since=since,
        email=f"{mailbox}.{number}@{pick(rng, EMAIL_DOMAINS)}",
        phone=address.phone if chance(rng, 0.7) else None,
        address=address,
        locale="en-GB" if code == "NL" and chance(rng, 0.4) else COUNTRIES[code].locale,
        consents=chance(rng, 0.45),
        note=note,
    )


class Crowd:
    """Everybody who has ever bought, in order of appearance."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self._shopify_accounts = 0

    def newcomer(self, rng: Random, at: datetime, country_code: str | None = None) -> Person:
        """Somebody not seen before."""
        person = draw_person(rng, len(self.people), at, country_code)
        self.people.append(person)
        return person

    def buyer(self, rng: Random, at: datetime) -> Person:
        """Who buys next online: two in five have bought before, on this channel or another."""
        if self.people and chance(rng, 0.4):
            return pick(rng, self.people)
        return self.newcomer(rng, at)

    def with_account(self, person: Person, at: datetime) -> Person:
        """Give ``person`` an account in the online shop, unless there is one."""
        if person.shopify_id is None:
            self._shopify_accounts += 1
            person.shopify_id = SHOPIFY_CUSTOMER_BASE + 32_768 * self._shopify_accounts + person.number % 97
            person.shopify_since = at
        return person

    def cardholder(self, rng: Random, at: datetime) -> Person:
        """Who shows a loyalty card at the till: half of them have done so before; cards are handed out on the spot."""
        if self.people and chance(rng, 0.5):
            person = pick(rng, self.people)
            if person.country == "IE":
                return self._with_card(person, at)
        return self._with_card(self.newcomer(rng, at, "IE"), at)

    def _with_card(self, person: Person, at: datetime) -> Person:
        if person.loyalty_id is None:
            # Not consecutive: 7919 is coprime to a million, so that no two people share a card.
            person.loyalty_id = f"RTL-{(person.number + 1) * 7919 % 1_000_000:06d}"
            person.loyalty_since = at
        return person
