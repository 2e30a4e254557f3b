"""A sandbox that answers from memory what it was asked before, so that its own speed is not what is measured.

What belongs here: the cache and the process. What does not: measuring (connectors.py).

The first sync of a world fills the cache. Of requests that were made more than once the last answer counts, which is
what a finished bulk operation says. From then on Shopify's answers can be put under a limit: what they cost is in them.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from urllib.parse import parse_qsl

import msgspec
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from retreasure_assets.sandbox.exchange import Answer, answered, whole
from retreasure_assets.sandbox.server import Handling, create_app, listen
from retreasure_assets.sandbox.shopify import ShopifyOptions
from retreasure_assets.sandbox.shopify_cost import Bucket
from retreasure_assets.sandbox.shopify_engine import THROTTLED
from retreasure_assets.sandbox.world import WorldSpec, generate_world

_COST = re.compile(
    rb'"requestedQueryCost":(?P<requested>\d+),"actualQueryCost":(?P<actual>[\d.]+),"throttleStatus":(?P<status>\{[^}]*\})'
)


class Cache:
    """Answers by request.

    ``GET /cache/frozen`` has them served from memory from then on; with ``?rate=...&bucket=...`` as a shop that gives
    so many points a second.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._answers: dict[bytes, Answer] = {}
        self._frozen = False
        self._bucket: Bucket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/cache/frozen":
            self._frozen = True
            asked = dict(parse_qsl(scope["query_string"].decode()))
            self._bucket = Bucket(float(asked["rate"]), float(asked["bucket"])) if asked else None
            await Answer(200, [(b"content-length", b"0")], b"").send(send)
            return
        body = await whole(receive)
        ranged = next((value for name, value in scope["headers"] if name == b"range"), b"")
        text = b"\0".join((scope["method"].encode(), scope["raw_path"], scope["query_string"], ranged, body))
        key = hashlib.sha256(text).digest()
        if not self._frozen or key not in self._answers:
            self._answers[key] = await answered(self._app, scope, receive, body)
        await self._limited(self._answers[key]).send(send)

    def _limited(self, answer: Answer) -> Answer:
        """The answer if the bucket holds what it costs, with what is left in it; else that it does not."""
        cost = _COST.search(answer.body)
        if self._bucket is None or cost is None:
            return answer
        requested = float(cost["requested"])
        if self._bucket.take(requested):
            self._bucket.give_back(requested - float(cost["actual"]))
            start, end = cost.span("status")
            status = msgspec.json.encode(self._bucket.status())
            return answer.with_body(answer.body[:start] + status + answer.body[end:])
        told = {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": self._bucket.status()}
        return answer.with_body(msgspec.json.encode({"errors": [THROTTLED], "extensions": {"cost": told}}))


def main() -> None:
    """Serve until terminated; the first line printed is the address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--scale", type=float, required=True)
    arguments = parser.parse_args()
    world = generate_world(WorldSpec(days=arguments.days, scale=arguments.scale))
    options = ShopifyOptions(restore_rate=1e9, bucket=1e9)
    app = create_app(world, options, Handling(contracts=None))
    with listen(0) as listener:
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(Cache(app), log_level="warning", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
