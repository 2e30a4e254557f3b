"""What goes wrong over HTTP, as the project's own errors: one clear sentence, a remedy, and whether to try again.

What belongs here: what statuses and httpx's exceptions mean for any API. What does not: sending and trying again
(http.py), and what an API's own error bodies mean.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

import httpx

from retreasure_assets.errors import PermanentSourceError, TransientSourceError

#: Answers worth another try (domain of the taxonomy: errors.TransientSourceError).
TRANSIENT_STATUSES = frozenset({408, 429, *range(500, 600)})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How error messages speak of a source.

    Args:
        source: its name as people write it: ``Shopify``.
        address_setting: the settings that say where it is, for remedies.
        credential_setting: the setting that holds its credential, or None for a public source.
    """

    source: str
    address_setting: str
    credential_setting: str | None = None


def judge(endpoint: Endpoint, response: httpx.Response, url: str, accept: frozenset[int], now: datetime) -> None:
    """Raise the error that an unwanted status stands for.

    Args:
        endpoint: who answered.
        response: the answer; its body is not read.
        url: what was asked for.
        accept: the statuses that are wanted.
        now: this machine's time.

    Raises:
        SourceError: by type.
    """
    status = response.status_code
    if status in accept:
        return
    source, setting = endpoint.source, endpoint.address_setting
    credential = endpoint.credential_setting
    if status in TRANSIENT_STATUSES:
        wait = _retry_after(response.headers, now)
        if status == 429:
            raise TransientSourceError(
                f"{source} limits the rate of requests (HTTP 429).", remedy="Try again later.", retry_after=wait
            )
        raise TransientSourceError(
            f"{source} could not answer (HTTP {status}).",
            remedy="Try again later; its status page tells whether it is down.",
            retry_after=wait,
        )
    if status == 401:
        remedy = f"Check {credential}." if credential else f"Check {setting}; the address asks for a credential."
        raise PermanentSourceError(f"{source} does not accept the credential (HTTP 401).", remedy=remedy)
    if status == 403:
        remedy = (
            f"Check that {credential} belongs to this account and may read what is asked for."
            if credential
            else f"Check {setting}."
        )
        raise PermanentSourceError(f"{source} refuses access (HTTP 403).", remedy=remedy)
    if status in (404, 410):
        raise PermanentSourceError(
            f"{source} has nothing at {public_url(url)} (HTTP {status}).", remedy=f"Check {setting}."
        )
    if 300 <= status < 400:
        target = urlsplit(response.headers.get("location", "")).hostname
        raise PermanentSourceError(
            f"{source} redirects to {target or 'another address'}.", remedy=f"Set {setting} to the right address."
        )
    raise PermanentSourceError(
        f"{source} refuses the request (HTTP {status}).", remedy=f"Check {setting} and the account's state."
    )


@contextmanager
def translated(endpoint: Endpoint, url: str, *, connect_timeout: float, read_timeout: float) -> Iterator[None]:
    """Turn httpx's exceptions into the project's; the originals are dropped, they may quote what was sent.

    Args:
        endpoint: who is asked.
        url: what is asked for.
        connect_timeout, read_timeout: seconds that were waited, for the messages.

    Raises:
        SourceError: by type.
    """
    source, setting = endpoint.source, endpoint.address_setting
    try:
        yield
    except httpx.ConnectTimeout:
        raise TransientSourceError(
            f"{source} did not accept a connection within {connect_timeout:g} s.",
            remedy=f"Check the network and {setting}.",
        ) from None
    except httpx.TimeoutException:
        raise TransientSourceError(
            f"{source} did not answer within {read_timeout:g} s.", remedy="Try again later."
        ) from None
    except httpx.ConnectError as error:
        if _certificate_refused(error):
            raise PermanentSourceError(
                f"The TLS certificate of {source} at {public_url(url)} is not trusted.",
                remedy=f"Check {setting}, and the machine's certificates and clock.",
            ) from None
        raise TransientSourceError(
            f"{source} cannot be reached at {public_url(url)}.", remedy=f"Check the network and {setting}."
        ) from None
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL):
        raise PermanentSourceError(
            f"The address of {source} is not a usable URL.", remedy=f"Check {setting}."
        ) from None
    except httpx.DecodingError:
        raise TransientSourceError(
            f"{source} sent a body that cannot be decompressed.", remedy="Try again later."
        ) from None
    except httpx.TransportError:
        raise TransientSourceError(
            f"{source} broke the connection before its answer was complete.", remedy="Try again later."
        ) from None


def public_url(url: str) -> str:
    """The address without user, password, query and fragment: fit for logs and messages."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _retry_after(headers: httpx.Headers, now: datetime) -> float | None:
    """Seconds of a Retry-After header, given as a number or as a date; None if absent or unreadable."""
    value: str = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    moment = moment_of(value)
    if moment is None:
        return None
    # By the server's own clock where it tells it: one of the two may be hours off.
    wait: float = (moment - (moment_of(headers.get("date", "")) or now)).total_seconds()
    return max(0.0, wait)


@lru_cache(maxsize=8)
def moment_of(value: str) -> datetime | None:
    """An HTTP date; None where it is none."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _certificate_refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
