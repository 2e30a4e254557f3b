"""Exchange rates over HTTP: the ECB's two files, and an intraday provider.

What belongs here: layouts and addresses. What does not: the rates (``world_fx``).

The layouts are the ECB's own, oddities kept: the history is newest first, has a column for every currency that ever
was, prints N/A for those that are gone, drops trailing zeros and ends every line with a comma; the daily file has
fixed decimals, blanks behind its commas and a long date.
"""

from __future__ import annotations

import hmac
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_fx import COLUMNS, FxDay
from retreasure_assets.sandbox.world_random import stream

#: What the sandbox's intraday provider takes for a bearer token; it opens nothing else.
FX_TOKEN = "fx-sandbox-token"  # noqa: S105 (not a secret: printed by the sandbox)

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def history_csv(history: list[FxDay]) -> bytes:
    """``eurofxref-hist.csv``."""
    lines = ["Date," + ",".join(COLUMNS) + ","]
    for entry in reversed(history):
        rates = (entry.rates.get(currency) for currency in COLUMNS)
        printed = ("N/A" if rate is None else _short(rate) for rate in rates)
        lines.append(f"{entry.day.isoformat()},{','.join(printed)},")
    return ("\n".join(lines) + "\n").encode("ascii")


def daily_csv(entry: FxDay) -> bytes:
    """``eurofxref.csv``: the latest day, only the currencies that there still are."""
    current = [currency for currency in COLUMNS if currency in entry.rates]
    date = f"{entry.day.day} {_MONTHS[entry.day.month - 1]} {entry.day.year}"
    head = "Date, " + ", ".join(current) + ", "
    line = date + ", " + ", ".join(str(entry.rates[currency]) for currency in current) + ", "
    return f"{head}\n{line}\n".encode("ascii")


def _short(rate: Decimal) -> str:
    """Without trailing zeros: 0.83380 -> 0.8338, 136.00 -> 136."""
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def zipped(name: str, content: bytes) -> bytes:
    """A zip archive of one file, the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, date_time=(2026, 1, 1, 16, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


class FxFace:
    """The routes of both providers."""

    paths: ClassVar[Mapping[str, str]] = {"ecb": "/stats/eurofxref", "fx": "/fx/latest"}

    def __init__(self, world: World) -> None:
        self._world = world

    @staticmethod
    def environment(base_url: str) -> Mapping[str, str]:
        """See Face."""
        return {
            "RETREASURE_FX_ENABLED": "true",
            "RETREASURE_FX_URL": f"{base_url}/stats/eurofxref",
            "RETREASURE_FX_INTRADAY_URL": f"{base_url}/fx/latest",
            "RETREASURE_FX_INTRADAY_TOKEN": FX_TOKEN,
        }

    @property
    def routes(self) -> list[Route]:
        """To be mounted at the server's root."""
        return [
            Route("/stats/eurofxref/eurofxref-hist.zip", self._history, methods=["GET"]),
            Route("/stats/eurofxref/eurofxref.zip", self._daily, methods=["GET"]),
            Route("/fx/latest", self._latest, methods=["GET"]),
        ]

    @cached_property
    def _history_zip(self) -> bytes:
        return zipped("eurofxref-hist.csv", history_csv(self._world.fx))

    @cached_property
    def _daily_zip(self) -> bytes:
        return zipped("eurofxref.csv", daily_csv(self._world.fx[-1]))

    async def _history(self, _request: Request) -> Response:
        return Response(self._history_zip, media_type="application/zip")

    async def _daily(self, _request: Request) -> Response:
        return Response(self._daily_zip, media_type="application/zip")

    async def _latest(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {FX_TOKEN}".encode()):
            return JSONResponse({"error": True, "message": "invalid_app_id"}, status_code=401)
        return JSONResponse(latest_rates(self._world))


def latest_rates(world: World) -> dict[str, Any]:
    """``{base, rates, timestamp}`` a few minutes before the world's clock, a little off the last official rates."""
    at = datetime.fromtimestamp(world.clock.timestamp() - 300, tz=UTC)
    rng = stream(world.seed, "intraday", at.isoformat())
    rates = {
        currency: round(float(rate) * (1 + (rng.random() - 0.5) * 0.004), 6)
        for currency, rate in world.fx[-1].rates.items()
        if currency not in ("DKK", "BGN")
    }
    return {"base": "EUR", "rates": rates, "timestamp": int(at.timestamp())}
