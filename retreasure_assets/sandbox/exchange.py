"""One request and its answer, held whole: what layers round a face's routes work with.

What belongs here: ASGI messages put together and taken apart. What does not: any layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retreasure_assets.sandbox.face import Refusal


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names in lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def kind(self) -> str:
        """Its content type, "" for none."""
        return next((value.decode("latin-1") for name, value in self.headers if name == b"content-type"), "")

    def with_body(self, body: bytes) -> Answer:
        """The same with another body, and the length that goes with it."""
        kept = [(name, value) for name, value in self.headers if name != b"content-length"]
        return replace(self, headers=[*kept, (b"content-length", b"%d" % len(body))], body=body)

    def with_header(self, name: bytes, value: bytes) -> Answer:
        """The same with one more header, unless it has that one."""
        return self if any(known == name for known, _ in self.headers) else self.added(name, value)

    def added(self, name: bytes, value: bytes) -> Answer:
        """The same with one more header."""
        return replace(self, headers=[*self.headers, (name, value)])

    async def send(self, send: Send) -> None:
        """Send it at once."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send(part(self.body, more=False))


def part(body: bytes, *, more: bool) -> Message:
    """A piece of a body."""
    return {"type": "http.response.body", "body": body, "more_body": more}


def refused(refusal: Refusal) -> Answer:
    """A fixed refusal as an answer."""
    extra = [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    body = msgspec.json.encode(refusal.body)
    length = (b"content-length", b"%d" % len(body))
    return Answer(refusal.status, [(b"content-type", b"application/json"), length, *extra], body)


async def whole(receive: Receive) -> bytes:
    """A request's body."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return body


async def answered(app: ASGIApp, scope: Scope, receive: Receive, body: bytes) -> Answer:
    """What an application answers to a request whose body was read already."""
    asked: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    start: list[Message] = []
    parts: list[bytes] = []

    async def replay() -> Message:
        return asked.pop() if asked else await receive()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, replay, keep)
    headers = [(bytes(name).lower(), bytes(value)) for name, value in start[0].get("headers", [])]
    return Answer(start[0]["status"], headers, b"".join(parts))
