"""The sandbox as one HTTP server.

What belongs here: putting the faces together and serving them. What does not: any face.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sandbox.contract_layer import Contracts, contracts_folder
from retreasure_assets.sandbox.easypost import EasyPostFace
from retreasure_assets.sandbox.ebay import EbayFace
from retreasure_assets.sandbox.etsy import EtsyFace
from retreasure_assets.sandbox.face import Face, name_of, traits_of
from retreasure_assets.sandbox.fault_spec import FaultSpec, parse_faults
from retreasure_assets.sandbox.faults import FaceState, Faults
from retreasure_assets.sandbox.fx import FxFace
from retreasure_assets.sandbox.photos import MediaFace
from retreasure_assets.sandbox.shopify import ShopifyFace, ShopifyOptions
from retreasure_assets.sandbox.slack import SlackFace
from retreasure_assets.sandbox.square import SquareFace
from retreasure_assets.sandbox.world import World

HOST = "127.0.0.1"

#: The faces that need nothing but the world.
_PLAIN_FACES: tuple[type[Face], ...] = (FxFace, EbayFace, EtsyFace, SquareFace, EasyPostFace, MediaFace)
FACES: tuple[type[Face], ...] = (ShopifyFace, *_PLAIN_FACES)
#: What no fault meets: where the platform sends something.
_UNDISTURBED: tuple[type[Face], ...] = (SlackFace,)

#: Seconds to wait for the server to start or stop.
_PATIENCE = 15.0


def read_faults(text: str | None) -> FaultSpec | None:
    """What ``--faults`` says, None for nothing.

    Raises:
        ConfigurationError: it cannot be understood.
    """
    return parse_faults(text, [name_of(face) for face in FACES]) if text else None


@dataclass(frozen=True, slots=True)
class Handling:
    """What becomes of a request on its way to a face and of the answer on its way back.

    Args:
        faults: what goes wrong.
        contracts: the published contracts that requests are held against; None to let everything pass.
        check_answers: whether the faces' own answers are held against them too.
    """

    faults: FaultSpec | None = None
    contracts: Path | None = field(default_factory=contracts_folder)
    check_answers: bool = False


def create_app(world: World, shopify: ShopifyOptions | None = None, handling: Handling | None = None) -> Starlette:
    """The web application of ``world``: all faces, and a list of them at ``/``.

    What was spoiled, which faults were met, and which requests broke a contract is at ``/sandbox``.

    Args:
        world: what is served; it must not change any more.
        shopify: how strict the Shopify face is.
        handling: what becomes of requests and answers.
    """
    handling = handling or Handling()
    faces: list[Face] = [ShopifyFace(world, shopify), *(face(world) for face in _PLAIN_FACES)]
    undisturbed = [face(world) for face in _UNDISTURBED]
    paths = {name: path for face in [*faces, *undisturbed] for name, path in face.paths.items()}
    faults = Faults(handling.faults, world.seed) if handling.faults else None
    contracts = Contracts(handling.contracts, handling.check_answers) if handling.contracts else None
    routes = [route for face in faces for route in _routes(face, faults, contracts)]
    routes += [route for face in undisturbed for route in face.routes]

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

    async def noted(_request: Request) -> Response:
        return JSONResponse(
            {
                "faults": faults.met if faults else {},
                "spoiled": [asdict(record) for record in faults.spoiled] if faults else [],
                "violations": [asdict(violation) for violation in contracts.violations] if contracts else [],
            }
        )

    return Starlette(routes=[Route("/", index), Route("/sandbox", noted), *routes])


def _routes(face: Face, faults: Faults | None, contracts: Contracts | None) -> list[Route]:
    """The face's routes: faults are met before its contract, which is read before the face is asked."""
    name, traits, state = name_of(type(face)), traits_of(type(face)), FaceState()
    routes = face.routes
    for route in routes:
        if contracts is not None and traits.contracts:
            route.app = contracts.around(route.app, name, traits)
        if faults is not None:
            route.app = faults.around(route.app, name, traits, state)
    return routes


def environment(base_url: str) -> dict[str, str]:
    """The settings that point the platform at a sandbox at ``base_url``."""
    found: dict[str, str] = {}
    for face in (*FACES, *_UNDISTURBED):
        found.update(face.environment(base_url))
    return found


def listen(port: int) -> socket.socket:
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


def _server(world: World, shopify: ShopifyOptions | None, handling: Handling | None) -> uvicorn.Server:
    app = create_app(world, shopify, handling)
    broken = handling is not None and handling.faults is not None
    # Broken answers have a Date of their own, and uvicorn is told on purpose to leave them unfinished.
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", date_header=not broken)
    if broken:
        config.timeout_graceful_shutdown = 1
        logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing response" not in record.msg)
    return uvicorn.Server(config)


def serve(
    world: World,
    port: int = 0,
    shopify: ShopifyOptions | None = None,
    announce: Callable[[str], None] = lambda url: None,
    handling: Handling | None = None,
) -> None:
    """Serve ``world`` on 127.0.0.1 until interrupted or terminated.

    Args:
        world: what is served.
        port: where; 0 takes any free one.
        shopify: how strict the Shopify face is.
        announce: told the base URL as soon as connections are taken.
        handling: what becomes of requests and answers.

    Raises:
        ConfigurationError: the port is taken.
    """
    # uvicorn shuts down on Ctrl-C and then raises it again for its caller, who has nothing left to do.
    with listen(port) as listener, suppress(KeyboardInterrupt):
        server = _server(world, shopify, handling)
        announce(_url(listener))
        server.run(sockets=[listener])


@contextmanager
def running_sandbox(
    world: World, port: int = 0, shopify: ShopifyOptions | None = None, handling: Handling | None = None
) -> Iterator[str]:
    """Serve ``world`` from a background thread; yields the base URL, such as ``http://127.0.0.1:41234``.

    Raises:
        ConfigurationError: the port is taken.
    """
    with listen(port) as listener:
        server = _server(world, shopify, handling)
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
