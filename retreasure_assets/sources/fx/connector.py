"""The exchange-rate connector: which file is fetched when, and what cursor each batch carries.

What belongs here: fetching, conditional requests, cursors. What does not: the files' form (ecb.py, intraday.py).

A first sync takes the ECB's whole history. Later ones take the daily file, and the history again only when a working
day may lie between: the daily file holds one day. The cursor keeps the last day with its rates, so that the same day
in the daily file's other notation is known and adds nothing, and the server's validators, so that an unchanged file is
not sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window
from retreasure_assets.errors import PermanentSourceError
from retreasure_assets.settings import ECB_URL
from retreasure_assets.sources.fx import ecb, intraday
from retreasure_assets.sources.fx.entities import ECB_RATES, INTRADAY_RATES
from retreasure_assets.sources.http import Answer, HttpClient
from retreasure_assets.sources.http_errors import Endpoint, public_url

T = TypeVar("T")

_HISTORY = "eurofxref-hist"
_DAILY = "eurofxref"


class _EcbCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last day read, its rates as printed, and the daily file's validators."""

    date: date
    rates: dict[str, str] = {}
    etag: str | None = None
    last_modified: str | None = None


class _IntradayCursor(msgspec.Struct, frozen=True):
    timestamp: datetime


class FxConnector:
    """Reads exchange rates (implements :class:`retreasure_assets.entities.Connector`).

    Args:
        ecb_url: the folder of the ECB's files; None leaves the ECB out.
        intraday_url: the intraday provider's address; None leaves it out.
        intraday_token: its bearer token, if it wants one.
        transport, sleep, now: replaceable in tests.
    """

    def __init__(
        self,
        *,
        ecb_url: str | None = ECB_URL,
        intraday_url: str | None = None,
        intraday_token: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ecb_url = ecb_url.rstrip("/") if ecb_url else None
        self._intraday_url = intraday_url
        self._ecb = HttpClient(Endpoint("The ECB", "RETREASURE_FX_URL"), transport=transport, sleep=sleep, now=now)
        bearer = {"Authorization": f"Bearer {intraday_token}"} if intraday_token else {}
        self._intraday = HttpClient(
            Endpoint(
                "The intraday rate provider",
                "RETREASURE_FX_INTRADAY_URL",
                "RETREASURE_FX_INTRADAY_TOKEN",
            ),
            headers={"Accept": "application/json", **bearer},
            transport=transport,
            sleep=sleep,
            now=now,
        )

    @property
    def source(self) -> str:
        """``fx``."""
        return "fx"

    @property
    def entities(self) -> Mapping[str, Entity]:
        """The entities that are configured, by name."""
        on = [ECB_RATES] if self._ecb_url else []
        return {entity.name: entity for entity in (*on, *([INTRADAY_RATES] if self._intraday_url else []))}

    @property
    def clients(self) -> Sequence[HttpClient]:
        """The HTTP layer, for its counters."""
        return (self._ecb, self._intraday)

    def check(self) -> Sequence[str]:
        """Read each provider's latest rates; see the protocol."""
        missing = []
        if self._ecb_url:
            lines, _, _ = self._fetch(_DAILY, {})
            if not lines or lines[-1].day is None:
                missing.append("The ECB's file of the latest day has no rates: check RETREASURE_FX_URL.")
        if self._intraday_url:
            self._quote()
        return missing

    def close(self) -> None:
        """Close the connections."""
        self._ecb.close()
        self._intraday.close()

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """Read what is new since ``cursor``, or what lies in ``window``; see the protocol.

        An intraday provider knows the present only: a window gives its answer if that lies within, else nothing.

        Raises:
            SourceError: by type.
        """
        if entity.name == ECB_RATES.name:
            yield from self._ecb_batches(cursor, window)
        else:
            yield from self._intraday_batches(cursor, window)

    def _ecb_batches(self, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        if window.since is not None or window.until is not None:
            lines, url, _ = self._fetch(_HISTORY, {})
            chosen = [line for line in lines or [] if line.day is None or _within(line.day, window)]
            yield from _ecb_batch(chosen, url, None)
            return
        stored = _convert(cursor, _EcbCursor)
        validators: Mapping[str, str] = {}
        newest: ecb.RateLine | None = None
        if stored is not None:
            lines, url, validators = self._fetch(_DAILY, _conditions(stored))
            if lines is None:
                return
            newest = lines[-1]
            if newest.problem is None and newest.day is not None:
                if newest.day < stored.date or (newest.day == stored.date and newest.same_rates(stored.rates)):
                    return
                if ecb.follows(newest.day, stored.date):
                    yield from _ecb_batch([newest], url, _ecb_cursor(newest, validators))
                    return
        lines, url, _ = self._fetch(_HISTORY, {})
        new = [line for line in lines or [] if stored is None or line.day is None or line.day > stored.date]
        good = [line for line in new if line.problem is None]
        if not good:
            # Nowhere to go on from: the next sync asks again.
            yield from _ecb_batch(new, url, None)
            return
        if newest is None or newest.day is None or newest.day > (good[-1].day or newest.day):
            # The daily file is ahead of the history: it must be sent again next time.
            validators = {}
        yield from _ecb_batch(new, url, _ecb_cursor(good[-1], validators))

    def _fetch(
        self, name: str, conditions: Mapping[str, str]
    ) -> tuple[list[ecb.RateLine] | None, str, Mapping[str, str]]:
        """A file's lines (None when unchanged), where it was, and its validators; zip first, then plain CSV."""

        def reader(answer: Answer) -> list[ecb.RateLine] | None:
            return None if answer.status == 304 else ecb.parse(ecb.unpack(answer.body))

        kept: dict[str, str] = {}

        def noting(answer: Answer) -> list[ecb.RateLine] | None:
            for header, key in (("etag", "etag"), ("last-modified", "last_modified")):
                if value := answer.headers.get(header):
                    kept[key] = value
            return reader(answer)

        accept = frozenset({200, 304}) if conditions else frozenset({200})
        url = f"{self._ecb_url}/{name}.zip"
        try:
            lines = self._ecb.read("GET", url, noting, headers=conditions, accept=accept)
        except PermanentSourceError:
            # A mirror may keep the plain file only; if it has neither, the second error names the folder as well.
            kept.clear()
            url = f"{self._ecb_url}/{name}.csv"
            lines = self._ecb.read("GET", url, noting, headers=conditions, accept=accept)
        return lines, url, kept

    def _intraday_batches(self, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        windowed = window.since is not None or window.until is not None
        stored = None if windowed else _convert(cursor, _IntradayCursor)
        body, quote = self._quote()
        if stored is not None and quote.at <= stored.timestamp:
            return
        if (window.since and quote.at < window.since) or (window.until and quote.at >= window.until):
            return
        yield RawBatch(
            entity=INTRADAY_RATES,
            records=[body],
            origins=[public_url(self._intraday_url or "")],
            cursor=None if windowed else msgspec.to_builtins(_IntradayCursor(quote.at)),
            payloads=[quote.payload],
        )

    def _quote(self) -> tuple[bytes, intraday.Quote]:
        url = self._intraday_url or ""
        provider = urlsplit(url).hostname or ""

        def reader(answer: Answer) -> tuple[bytes, intraday.Quote]:
            return answer.body, intraday.parse(answer.body, provider)

        return self._intraday.read("GET", url, reader)


def _ecb_batch(lines: list[ecb.RateLine], url: str, cursor: _EcbCursor | None) -> Iterator[RawBatch]:
    if not lines:
        return
    problems = [line.problem for line in lines]
    yield RawBatch(
        entity=ECB_RATES,
        records=[line.raw for line in lines],
        origins=[f"{public_url(url)}:{line.number}" for line in lines],
        cursor=None if cursor is None else msgspec.to_builtins(cursor),
        payloads=[line.payload() for line in lines],
        problems=problems if any(problems) else None,
    )


def _ecb_cursor(line: ecb.RateLine, validators: Mapping[str, str]) -> _EcbCursor:
    if line.day is None:
        raise ValueError("a good line has a date")
    return _EcbCursor(line.day, dict(line.rates), validators.get("etag"), validators.get("last_modified"))


def _conditions(stored: _EcbCursor) -> Mapping[str, str]:
    conditions = {"If-None-Match": stored.etag, "If-Modified-Since": stored.last_modified}
    return {header: value for header, value in conditions.items() if value}


def _within(day: date, window: Window) -> bool:
    """A day lies in a window when its midnight (UTC) does."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (window.since is None or moment >= window.since) and (window.until is None or moment < window.until)


def _convert(cursor: Cursor | None, kind: type[T]) -> T | None:
    if cursor is None:
        return None
    try:
        return msgspec.convert(dict(cursor), kind)
    except msgspec.ValidationError:
        raise PermanentSourceError(
            "The stored cursor of the exchange rates cannot be read.", remedy="Read the missing period with --since."
        ) from None
