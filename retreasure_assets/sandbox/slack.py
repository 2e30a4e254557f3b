"""Slack's chat.postMessage, as strict as Slack's own limits.

What belongs here: taking a message or refusing it, and keeping it to be looked at. What does not: what messages say.

Limits: https://docs.slack.dev/reference/methods/chat.postMessage (text of at most 40,000 characters) and
https://docs.slack.dev/reference/block-kit/blocks (50 blocks; header 150, section 3,000, context 10 elements).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from retreasure_assets.sandbox.world import World

#: The token and the channel that the sandbox's Slack knows; they open nothing else.
SLACK_TOKEN = "xoxb-sandbox"  # noqa: S105 (opens the sandbox alone)
SLACK_CHANNEL = "#data-alerts"

_TEXT, _BLOCKS, _HEADER, _SECTION, _ELEMENTS, _ELEMENT = 40_000, 50, 150, 3_000, 10, 2_000
#: Messages kept; older ones are forgotten.
_KEPT = 500


class SlackFace:
    """The one method that alerts need; what it took is at ``/slack/messages``."""

    paths: ClassVar[Mapping[str, str]] = {"slack": "/slack/messages"}

    def __init__(self, world: World) -> None:
        self.messages: list[dict[str, Any]] = []

    @property
    def routes(self) -> list[Route]:
        """See Face."""
        return [
            Route("/slack/api/chat.postMessage", self._post, methods=["POST"]),
            Route("/slack/messages", self._list),
        ]

    @staticmethod
    def environment(base_url: str) -> Mapping[str, str]:
        """See Face."""
        return {
            "RETREASURE_SLACK_URL": f"{base_url}/slack/api",
            "RETREASURE_SLACK_TOKEN": SLACK_TOKEN,
            "RETREASURE_SLACK_CHANNEL": SLACK_CHANNEL,
        }

    async def _list(self, _request: Request) -> Response:
        return JSONResponse(self.messages)

    async def _post(self, request: Request) -> Response:
        problem = self._problem_of_sender(request)
        message: dict[str, Any] = {}
        if problem is None:
            try:
                message = msgspec.json.decode(await request.body(), type=dict[str, Any])
            except msgspec.DecodeError:
                problem = "invalid_json"
        problem = problem or problem_of(message)
        if problem is not None:
            # Slack answers 200 to what it refuses.
            return JSONResponse({"ok": False, "error": problem})
        self.messages = [*self.messages, message][-_KEPT:]
        return JSONResponse({"ok": True, "channel": "C0SANDBOX", "ts": f"{len(self.messages)}.000100"})

    @staticmethod
    def _problem_of_sender(request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return "not_authed"
        if scheme != "Bearer" or token != SLACK_TOKEN:
            return "invalid_auth"
        kind = request.headers.get("content-type", "")
        return None if kind.startswith("application/json") else "invalid_post_type"


def problem_of(message: Mapping[str, Any]) -> str | None:
    """Slack's code for what is wrong with a message; None where nothing is."""
    if message.get("channel") != SLACK_CHANNEL:
        return "channel_not_found"
    text, blocks = message.get("text"), message.get("blocks", [])
    if not text and not blocks:
        return "no_text"
    if text is not None and (not isinstance(text, str) or len(text) > _TEXT):
        return "msg_too_long"
    if not isinstance(blocks, list) or len(blocks) > _BLOCKS:
        return "invalid_blocks"
    return None if all(_fits(block) for block in blocks) else "invalid_blocks"


def _fits(block: Any) -> bool:
    if not isinstance(block, dict):
        return False
    kind = block.get("type")
    if kind == "header":
        return _is_text(block.get("text"), ("plain_text",), _HEADER)
    if kind == "section":
        return _is_text(block.get("text"), ("plain_text", "mrkdwn"), _SECTION)
    if kind == "context":
        elements = block.get("elements")
        return (
            isinstance(elements, list)
            and 0 < len(elements) <= _ELEMENTS
            and all(_is_text(element, ("plain_text", "mrkdwn"), _ELEMENT) for element in elements)
        )
    return kind == "divider"


def _is_text(value: Any, kinds: tuple[str, ...], longest: int) -> bool:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        return False
    text = value.get("text")
    return isinstance(text, str) and 0 < len(text) <= longest
