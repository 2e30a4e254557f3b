"""Digital signatures: built here by hand, checked by the sandbox's own reading of the standard, and tampered with."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sandbox.ebay_signature import MAX_AGE, SIGNING_JWE, SIGNING_KEY, signature_problem
from retreasure_assets.sources.ebay.signing import signer

URL = "https://apiz.ebay.com/sell/finances/v1/transaction"
NOW = 1_780_000_000.0


def signed(method: str = "GET", url: str = URL, body: bytes | None = None) -> dict[str, str]:
    headers = signer(SIGNING_KEY, SIGNING_JWE, lambda: NOW).headers(method, url, body)
    return {name.lower(): value for name, value in headers.items()}


def problem(
    headers: dict[str, str],
    path: str = "/sell/finances/v1/transaction",
    *,
    method: str = "GET",
    authority: str = "apiz.ebay.com",
    body: bytes = b"",
    now: float = NOW,
) -> int | None:
    found = signature_problem(method, path, authority, headers, body, now)
    return None if found is None else found[0]


def test_the_signature_is_that_of_the_standard() -> None:
    """The base that RFC 9421 section 2.5 describes, written out."""
    headers = signed(url=f"{URL}?limit=1")
    base = (
        f'"x-ebay-signature-key": {SIGNING_JWE}\n'
        '"@method": GET\n'
        '"@path": /sell/finances/v1/transaction\n'
        '"@authority": apiz.ebay.com\n'
        '"@signature-params": ("x-ebay-signature-key" "@method" "@path" "@authority");created=1780000000'
    )
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"retreasure sandbox ebay signing key").digest())
    assert headers["signature"] == f"sig1=:{base64.b64encode(key.sign(base.encode())).decode()}:"
    assert headers["signature-input"].endswith(";created=1780000000")
    assert "content-digest" not in headers
    assert problem(headers) is None


def test_a_body_is_covered_by_its_digest() -> None:
    body = b'{"orderId":"1"}'
    headers = signed("POST", URL, body)
    assert headers["content-digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    assert problem(headers, method="POST", body=body) is None
    assert problem(headers, method="POST", body=b"{}") == 215005


@given(st.sampled_from(["GET", "POST"]), st.from_regex(r"/[a-z_0-9/%.-]{0,30}", fullmatch=True), st.binary(max_size=60))
def test_whatever_is_signed_is_accepted(method: str, path: str, body: bytes) -> None:
    headers = signed(method, f"https://apiz.ebay.com{path}", body)
    assert problem(headers, path, method=method, body=body) is None


def test_what_is_changed_or_old_is_refused() -> None:
    headers = signed()
    assert problem(headers, path="/sell/finances/v1/payout") == 215006
    assert problem(headers, method="POST") == 215006
    assert problem(headers, authority="api.ebay.com") == 215006
    assert problem(headers, now=NOW + MAX_AGE + 1) == 215004
    assert problem({**headers, "x-ebay-signature-key": "other"}) == 215001
    assert problem({**headers, "signature": "sig1=:AAAA:"}) == 215006
    assert problem({name: value for name, value in headers.items() if name != "signature"}) == 215002
    fewer = headers["signature-input"].replace(' "@authority"', "")
    assert problem({**headers, "signature-input": fewer}) == 215003


def test_a_port_is_part_of_the_authority_unless_it_is_the_usual_one() -> None:
    assert problem(signed(url="http://127.0.0.1:8080/x"), "/x", authority="127.0.0.1:8080") is None
    assert problem(signed(url="https://apiz.ebay.com:443/x"), "/x") is None


def test_the_key_may_come_with_the_lines_of_pem() -> None:
    lines = "\n".join(SIGNING_KEY[i : i + 40] for i in range(0, len(SIGNING_KEY), 40))
    pem = f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"
    for text in (pem, pem.replace("\n", "\\n"), f" {SIGNING_KEY} "):
        headers = {k.lower(): v for k, v in signer(text, SIGNING_JWE, lambda: NOW).headers("GET", URL).items()}
        assert problem(headers) is None


def _other_kind() -> str:
    key = generate_private_key(SECP256R1())
    return base64.b64encode(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()


@pytest.mark.parametrize("key", ["", "no base64!", "AAAA", SIGNING_KEY[:-8], _other_kind()])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(ConfigurationError, match="RETREASURE_EBAY_SIGNING_KEY") as caught:
        signer(key, SIGNING_JWE)
    assert not key or key not in str(caught.value)
    assert caught.value.__cause__ is None


def test_keys_show_in_no_representation() -> None:
    assert SIGNING_JWE not in repr(signer(SIGNING_KEY, SIGNING_JWE))
