"""Digital signatures, which eBay demands of sellers in the EU and the UK for calls that touch money.

What belongs here: what is signed and how it is written into headers. What does not: who has to sign (the settings).

Source: https://developer.ebay.com/develop/guides/digital-signatures-for-apis, which follows RFC 9421 (the message's
signature) and RFC 9530 (the body's digest). The key comes from eBay's Key Management API: an Ed25519 private key and,
encrypted by eBay, the public one as a JWE.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from retreasure_assets.errors import ConfigurationError

_COMPONENTS = ("x-ebay-signature-key", "@method", "@path", "@authority")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs requests.

    Args:
        key: the private key.
        jwe: the public key as eBay encrypted it, sent along.
        clock: seconds since 1970; replaceable in tests.
    """

    key: Ed25519PrivateKey = field(repr=False)
    jwe: str = field(repr=False)
    clock: Callable[[], float] = time.time

    def headers(self, method: str, url: str, body: bytes | None = None) -> dict[str, str]:
        """The headers that sign a request: key, input, signature and, where there is a body, its digest.

        Args:
            method: the HTTP method.
            url: the address; its query is not signed.
            body: what is sent.
        """
        parts = urlsplit(url)
        authority = parts.netloc.rpartition("@")[2].lower()
        default_port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
        values = {
            "x-ebay-signature-key": self.jwe,
            "@method": method.upper(),
            "@path": parts.path or "/",
            "@authority": authority.removesuffix(default_port) if default_port else authority,
        }
        found = {"x-ebay-signature-key": self.jwe}
        names: tuple[str, ...] = _COMPONENTS
        if body:
            digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
            values["content-digest"] = found["Content-Digest"] = digest
            names = ("content-digest", *_COMPONENTS)
        covered = " ".join(f'"{name}"' for name in names)
        parameters = f"({covered});created={int(self.clock())}"
        lines = [*(f'"{name}": {values[name]}' for name in names), f'"@signature-params": {parameters}']
        signature = base64.b64encode(self.key.sign("\n".join(lines).encode())).decode()
        return {**found, "Signature-Input": f"sig1={parameters}", "Signature": f"sig1=:{signature}:"}


def signer(key: str, jwe: str, clock: Callable[[], float] = time.time) -> Signer:
    """A signer from the settings.

    Args:
        key: the private key, PKCS #8 in base64 as the Key Management API returns it, with or without PEM's lines.
        jwe: the public key's JWE.
        clock: seconds since 1970.

    Raises:
        ConfigurationError: the key is none, or of another kind.
    """
    text = "".join(line for line in key.replace("\\n", "\n").split() if not set(line) <= set("-"))
    for label in ("-----BEGIN", "PRIVATE", "KEY-----", "-----END"):
        text = text.replace(label, "")
    try:
        private = load_der_private_key(base64.b64decode(text, validate=True), password=None)
    except (ValueError, TypeError, binascii.Error):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigurationError(
            "RETREASURE_EBAY_SIGNING_KEY is no Ed25519 private key.",
            remedy="Create a signing key of cipher ED25519 with eBay's Key Management API, and set its privateKey.",
        )
    return Signer(private, jwe.strip(), clock)
