"""A sandbox that answers from memory what it was asked before, so that its own speed is not what is measured.

What belongs here: the cache and the process. What does not: measuring (connectors.py).

The first sync of a world fills the cache. Of requests that were made more than once the last answer counts, which is
what a finished bulk operation says.
"""

from __future__ import annotations

import argparse
import hashlib
import sys

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from retreasure_assets.sandbox.exchange import Answer, answered, whole
from retreasure_assets.sandbox.server import Handling, create_app, listen
from retreasure_assets.sandbox.shopify import ShopifyOptions
from retreasure_assets.sandbox.world import WorldSpec, generate_world


class Cache:
    """Answers by request. ``GET /cache/frozen`` has them served from memory from then on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._answers: dict[bytes, Answer] = {}
        self._frozen = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/cache/frozen":
            self._frozen = True
            await Answer(200, [(b"content-length", b"0")], b"").send(send)
            return
        body = await whole(receive)
        ranged = next((value for name, value in scope["headers"] if name == b"range"), b"")
        text = b"\0".join((scope["method"].encode(), scope["raw_path"], scope["query_string"], ranged, body))
        key = hashlib.sha256(text).digest()
        if not self._frozen or key not in self._answers:
            self._answers[key] = await answered(self._app, scope, receive, body)
        await self._answers[key].send(send)


def main() -> None:
    """Serve until terminated; the first line printed is the address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--rate", type=float, default=1e9, help="points a second")
    parser.add_argument("--bucket", type=float, default=1e9)
    arguments = parser.parse_args()
    world = generate_world(WorldSpec(days=arguments.days, scale=arguments.scale))
    options = ShopifyOptions(restore_rate=arguments.rate, bucket=arguments.bucket)
    limited = arguments.rate < 1e9
    app = create_app(world, options, Handling(contracts=None))
    with listen(0) as listener:
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(app if limited else Cache(app), log_level="warning", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
