"""The sandbox as one HTTP server.

What belongs here: putting the faces together and serving them. What does not: any face.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sandbox.easypost import EasyPostFace
from retreasure_assets.sandbox.face import Face
from retreasure_assets.sandbox.fx import FxFace
from retreasure_assets.sandbox.shopify import ShopifyFace, ShopifyOptions
from retreasure_assets.sandbox.world import World

HOST = "127.0.0.1"

#: The faces that need nothing but the world.
_PLAIN_FACES = (FxFace, EasyPostFace)
_FACES: tuple[type[Face], ...] = (ShopifyFace, *_PLAIN_FACES)

#: Seconds to wait for the server to start or stop.
_PATIENCE = 15.0


def create_app(world: World, shopify: ShopifyOptions | None = None) -> Starlette:
    """The web application of ``world``: all faces, and a list of them at ``/``.

    Args:
        world: what is served; it must not change any more.
        shopify: how strict the Shopify face is.
    """
    faces: list[Face] = [ShopifyFace(world, shopify), *(face(world) for face in _PLAIN_FACES)]
    paths = {name: path for face in faces for name, path in face.paths.items()}

    async def index(_request: Request) -> Response:
        return JSONResponse(
            {
                "name": "ReTreasure sandbox",
                "seed": world.seed,
                "scale": world.scale,
                "clock": world.clock.isoformat(),
                "faces": paths,
            }
        )

    return Starlette(routes=[Route("/", index), *(route for face in faces for route in face.routes)])


def environment(base_url: str) -> dict[str, str]:
    """The settings that point the platform at a sandbox at ``base_url``."""
    found: dict[str, str] = {}
    for face in _FACES:
        found.update(face.environment(base_url))
    return found


def _listen(port: int) -> socket.socket:
    """A listening socket on this machine only; port 0 takes any free one.

    Raises:
        ConfigurationError: the port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise ConfigurationError(
            f"The sandbox cannot listen on port {port}.", remedy="Choose another with --port, or 0 for any free one."
        ) from None
    listener.listen(128)
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"


def _server(world: World, shopify: ShopifyOptions | None) -> uvicorn.Server:
    app = create_app(world, shopify)
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))


def serve(
    world: World,
    port: int = 0,
    shopify: ShopifyOptions | None = None,
    announce: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve ``world`` on 127.0.0.1 until interrupted or terminated.

    Args:
        world: what is served.
        port: where; 0 takes any free one.
        shopify: how strict the Shopify face is.
        announce: told the base URL as soon as connections are taken.

    Raises:
        ConfigurationError: the port is taken.
    """
    # uvicorn shuts down on Ctrl-C and then raises it again for its caller, who has nothing left to do.
    with _listen(port) as listener, suppress(KeyboardInterrupt):
        server = _server(world, shopify)
        announce(_url(listener))
        server.run(sockets=[listener])


@contextmanager
def running_sandbox(world: World, port: int = 0, shopify: ShopifyOptions | None = None) -> Iterator[str]:
    """Serve ``world`` from a background thread; yields the base URL, such as ``http://127.0.0.1:41234``.

    Raises:
        ConfigurationError: the port is taken.
    """
    with _listen(port) as listener:
        server = _server(world, shopify)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="retreasure-sandbox", daemon=True
        )
        thread.start()
        try:
            # The socket listens already: whoever connects before the server accepts just waits.
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join(_PATIENCE)
