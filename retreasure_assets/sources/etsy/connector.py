"""The Etsy connector: which entity is read how, and from where on.

What belongs here: joining the readers into batches for bronze. What does not: pages (receipts.py, ledger.py), requests
(client.py), tokens (tokens.py).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from urllib.parse import urlencode

import httpx
import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window
from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sources.api_connector import ApiConnector
from retreasure_assets.sources.etsy import ledger, receipts
from retreasure_assets.sources.etsy.client import BASE_URL, MAX_PAGE, EtsyClient
from retreasure_assets.sources.etsy.entities import ENTITIES, SCOPES
from retreasure_assets.sources.etsy.limits import RequestRate
from retreasure_assets.sources.etsy.state import CursorState, Scan, Step, batch, batches, load
from retreasure_assets.sources.etsy.tokens import Tokens, TokenStore
from retreasure_assets.sources.http import HttpClient
from retreasure_assets.sources.http_errors import Endpoint
from retreasure_assets.sources.slicing import malformed

#: The states that a listing can be in; each is a list of its own.
LISTING_STATES = ("active", "inactive", "sold_out", "draft", "expired")

#: Etsy takes no earlier time than this.
_EARLIEST = 946_684_800


class _Shop(msgspec.Struct):
    created_timestamp: int = 0


class EtsyConnector(ApiConnector):
    """Reads one shop (implements :class:`retreasure_assets.entities.Connector`).

    Args:
        keystring, shared_secret: the app's.
        refresh_token: what connecting the app to the shop gave.
        shop_id: the shop's number.
        store: keeps the rotating refresh token.
        base_url: another server than https://openapi.etsy.com.
        history_start: the first day that a first sync asks for.
        transport, sleep, monotonic, now: replaceable in tests.
    """

    def __init__(
        self,
        *,
        keystring: str,
        shared_secret: str,
        refresh_token: str,
        shop_id: int,
        store: TokenStore,
        base_url: str | None = None,
        history_start: date = date(2020, 1, 1),
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if shop_id < 1:
            raise ConfigurationError(
                "RETREASURE_ETSY_SHOP_ID is not a shop's number.", remedy="Set it to the number of the shop."
            )
        base = (base_url or BASE_URL).rstrip("/")
        rate = RequestRate(monotonic=monotonic)
        http = HttpClient(
            Endpoint("Etsy", "RETREASURE_ETSY_URL and RETREASURE_ETSY_SHOP_ID", "RETREASURE_ETSY_KEYSTRING"),
            headers={"x-api-key": f"{keystring}:{shared_secret}", "Accept": "application/json"},
            limiter=rate,
            transport=transport,
            sleep=sleep,
            now=now,
        )
        super().__init__("etsy", ENTITIES, http)
        tokens = Tokens(http, f"{base}/v3/public/oauth/token", keystring, refresh_token, store, now)
        self._client = EtsyClient(http, tokens, rate, base, shop_id)
        self._history_start = int(
            datetime(history_start.year, history_start.month, history_start.day, tzinfo=UTC).timestamp()
        )
        self._now = now

    def check(self) -> Sequence[str]:
        """One cheap call: what the token may read.

        Returns:
            A sentence for every scope that is missing.

        Raises:
            SourceError: Etsy cannot be asked, or does not accept the credentials.
        """

        def granted(body: bytes) -> set[str]:
            return set(re.findall(r"\b[a-z]+_[rwd]\b", body.decode("utf-8", "replace")))

        client = self._client
        found = client.send(
            "POST",
            f"{client.base_url}/v3/application/scopes",
            granted,
            scope=None,
            purpose="the token's scopes",
            body=urlencode({"token": client.tokens.access()}).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        entities: dict[str, list[str]] = {}
        for name, scope in SCOPES.items():
            entities.setdefault(scope, []).append(name.replace("_", " "))
        return [
            f"The Etsy token lacks the scope {scope}, without which {', '.join(names)} cannot be read."
            for scope, names in entities.items()
            if scope not in found
        ]

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """Read what is new since ``cursor``, or what lies in ``window``; see the protocol.

        A window reads receipts by their time of change, and the ledger and payments by the time of booking. Listings
        have no history: they are always read whole.

        Raises:
            SourceError: by type; batches yielded before stay valid.
        """
        if entity.name == "listings":
            for step in self._listings():
                yield batch(entity, step, None)
            return
        if window.since is not None or window.until is not None:
            since = _epoch(window.since) if window.since else self._history_start
            until = _epoch(window.until) if window.until else None
            for step in self._window(entity, since, until):
                if step.records:
                    yield batch(entity, step, None)
            return
        stored = load(cursor, entity)
        found = False
        now = _epoch(self._now())
        for read in batches(entity, self._steps(entity, stored), stored, now):
            found = True
            yield read
        if not found and stored.scan is not None:
            # What was left of the interrupted sync is gone: the next one begins behind the watermark again.
            fresh = CursorState(stored.updated)
            yield from batches(entity, self._steps(entity, fresh), fresh, now)

    def _steps(self, entity: Entity, stored: CursorState) -> Iterator[Step]:
        overlap = int(entity.overlap.total_seconds())
        since = self._history_start if stored.updated is None else stored.updated - overlap
        if stored.scan is not None:
            since = stored.scan.since
        since = max(since, _EARLIEST)
        if entity.name == "receipts":
            passes = [(receipts.CHANGED, since)]
            if stored.updated is None:
                passes.append((receipts.GONE, since))
            else:
                recent = max(_EARLIEST, stored.updated - int(receipts.RESCAN.total_seconds()))
                gone = max(_EARLIEST, stored.updated - int(receipts.CANCELLED.total_seconds()))
                passes += [(receipts.RECENT, recent), (receipts.GONE, gone)]
            yield from receipts.read(self._client, passes, stored.scan, since)
            return
        scan = stored.scan
        if scan is None:
            if stored.updated is None:
                since = max(since, self._founded())
            scan = Scan(since=since, at=since, until=max(since, _epoch(self._now())))
        yield from self._account(entity, scan)

    def _window(self, entity: Entity, since: int, until: int | None) -> Iterator[Step]:
        since = max(since, _EARLIEST)
        if entity.name == "receipts":
            passes = [(receipts.CHANGED, since), (receipts.GONE_LATELY, since)]
            return receipts.read(self._client, passes, None, since, until)
        end = max(since, _epoch(self._now()) if until is None else until)
        return self._account(entity, Scan(since=since, at=since, until=end))

    def _account(self, entity: Entity, scan: Scan) -> Iterator[Step]:
        read = ledger.read_payments if entity.name == "payments" else ledger.read_entries
        return read(self._client, scan)

    def _founded(self) -> int:
        """When the shop was opened: its ledger is empty before."""

        def parse(body: bytes) -> int:
            try:
                return msgspec.json.decode(body, type=_Shop).created_timestamp
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise malformed("Etsy") from None

        return self._client.get(f"shops/{self._client.shop_id}", {}, parse, scope=None, purpose="the shop")

    def _listings(self) -> Iterator[Step]:
        """All listings, state by state; a page whose neighbours moved meanwhile is made good by the next sync."""
        for state in LISTING_STATES:
            offset = 0
            while True:
                query: dict[str, str | int] = {
                    "state": state,
                    "limit": MAX_PAGE,
                    "offset": offset,
                    "includes": "Inventory,Images",
                }
                page = self._client.page("listings", query, scope=SCOPES["listings"], purpose="listings")
                if page.records:
                    yield Step(page.records, f"{page.origin}#{state}[{offset}]", None)
                if len(page.records) < MAX_PAGE:
                    break
                offset += MAX_PAGE


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
