"""What each mask makes of a value."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.privacy.masks import email_domain, ip_prefix, postcode_area, pseudonymiser


@pytest.mark.parametrize(
    ("postcode", "area"),
    [
        ("SW1A 1AA", "SW1A"),
        ("sw1a1aa", "SW1A"),
        ("M1 1AE", "M1"),
        ("10115", "101"),
        ("90210-1234", "902"),
        ("D02 X285", "D02"),
        ("D6WXY00", "D6W"),
        ("K1A 0B1", "K1A"),
        ("K1A0B1", "K1A"),
        ("1012 AB", "1012"),
        ("123 45", "123"),
        ("00-950", "009"),
        ("0150", "015"),
        ("101", "10"),
        (" 10115 ", "101"),
        ("", None),
        ("12", None),
        ("Jane Street", None),
        ("JANE", None),
        ("1 Jane Street", None),
        ("Doe 12345678", None),
    ],
)
def test_postcode_area(postcode: str, area: str | None) -> None:
    assert postcode_area(postcode) == area


@given(st.text(max_size=20) | st.from_regex(r"[A-Z0-9 -]{1,10}", fullmatch=True))
def test_a_postcode_area_is_short_and_never_the_whole(text: str) -> None:
    area = postcode_area(text)
    assert area is None or (len(area) <= 4 and area.isascii() and len(area) < len(text.strip()))


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("jane@example.com", "example.com"),
        (" Jane@Mail.Example.CO.UK ", "mail.example.co.uk"),
        ('"a@b"@example.com', "example.com"),
        ("jane", None),
        ("@example.com", None),
        ("jane@", None),
        ("jane@jane doe", None),
        ("jane@localhost", None),
    ],
)
def test_email_domain(address: str, domain: str | None) -> None:
    assert email_domain(address) == domain


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("fe80::1%eth0", "fe80::"),
        ("300.1.1.1", None),
        ("jane", None),
        ("", None),
    ],
)
def test_ip_prefix(address: str, prefix: str | None) -> None:
    assert ip_prefix(address) == prefix


def test_pseudonyms_are_hmac_sha256() -> None:
    pseudonym = pseudonymiser(b"key")
    assert pseudonym("loyal-1") == hmac.digest(b"key", b"loyal-1", "sha256").hex()[:32]
    assert pseudonym("loyal-1") != pseudonymiser(b"other")("loyal-1")
