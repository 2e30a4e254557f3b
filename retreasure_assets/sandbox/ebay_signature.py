"""Checking the digital signatures that eBay demands of sellers in the EU and the UK.

What belongs here: the check, written from eBay's guide (https://developer.ebay.com/develop/guides/digital-signatures-for-apis)
and RFC 9421 alone, so that it does not share a mistake with whoever signs. What does not: signing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"retreasure sandbox ebay signing key").digest())

#: The sandbox seller's private key as eBay's Key Management API hands it out (PKCS #8, base64, one line), and the
#: public key's JWE, which goes into a header. Neither is a secret: the sandbox prints them.
SIGNING_KEY = base64.b64encode(_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()
SIGNING_JWE = "eyJ6aXAiOiJERUYiLCJhbGciOiJBMjU2R0NNS1ciLCJlbmMiOiJBMjU2R0NNIn0.sandbox.sandbox.sandbox.sandbox"

_INPUT = re.compile(r'^sig1=(\((?P<names>(?:"[^"]+"(?: (?="))?)+)\);created=(?P<created>\d+)[^,]*)$')
_SIGNATURE = re.compile(r"^sig1=:([A-Za-z0-9+/=]+):$")
_NEEDED = ("x-ebay-signature-key", "@method", "@path", "@authority")

#: Seconds that a signature's age may differ from the server's clock.
MAX_AGE = 300


def signature_problem(
    method: str, path: str, authority: str, headers: Mapping[str, str], body: bytes, now: float
) -> tuple[int, str] | None:
    """What is wrong with a request's signature, as eBay's error number and sentence; None where it holds.

    Args:
        method, path, authority: of the request, without its query.
        headers: by lower-case name.
        body: of the request.
        now: seconds since 1970.
    """
    if headers.get("x-ebay-signature-key") != SIGNING_JWE:
        return 215001, "Missing or unknown x-ebay-signature-key header."
    stated = _INPUT.match(headers.get("signature-input", ""))
    signed = _SIGNATURE.match(headers.get("signature", ""))
    if stated is None or signed is None:
        return 215002, "Missing or malformed Signature or Signature-Input header."
    names = re.findall(r'"([^"]+)"', stated["names"])
    wanted = (*(("content-digest",) if body else ()), *_NEEDED)
    if sorted(names) != sorted(wanted):
        return 215003, "The signature does not cover what it must."
    if abs(now - int(stated["created"])) > MAX_AGE:
        return 215004, "The signature has expired."
    if body:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if headers.get("content-digest") != f"sha-256=:{digest}:":
            return 215005, "The Content-Digest does not match the body."
    derived = {"@method": method.upper(), "@path": path, "@authority": authority}
    lines = [f'"{name}": {derived[name] if name in derived else headers[name]}' for name in names]
    base = "\n".join([*lines, f'"@signature-params": {stated[1]}'])
    try:
        _KEY.public_key().verify(base64.b64decode(signed[1], validate=True), base.encode())
    except (InvalidSignature, binascii.Error):
        return 215006, "Signature validation failed."
    return None
