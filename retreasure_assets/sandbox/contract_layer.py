"""A layer round every route of a face that refuses requests which its published contract does not allow.

What belongs here: refusing and noting. What does not: what is wrong (``contract``).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from retreasure_assets.sandbox.exchange import answered, refused, whole
from retreasure_assets.sandbox.face import Traits

_REFUSALS = range(400, 500)


def contracts_folder() -> Path | None:
    """Where the published contracts are: RETREASURE_CONTRACTS, or beside the repository; None where they are not."""
    named = os.environ.get("RETREASURE_CONTRACTS")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "contracts"
    return folder if folder.is_dir() else None


@dataclass(frozen=True, slots=True)
class Violation:
    """A request, or an answer, that breaks the contract: of which face, where, and why. Without any value."""

    face: str
    what: str
    method: str
    path: str
    reason: str


@dataclass
class Contracts:
    """The contracts of one server.

    Args:
        folder: the published documents.
        answers: whether answers are held against them too.
    """

    folder: Path
    answers: bool = False
    #: Whatever broke one, once each.
    violations: dict[Violation, None] = field(default_factory=dict)

    def around(self, app: ASGIApp, face: str, traits: Traits) -> ASGIApp:
        """The application of one route of ``face``, behind its contract."""
        # Only where there are contracts: jsonschema is a development dependency.
        from retreasure_assets.sandbox.contract import ruling

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            found = ruling(self.folder, traits.contracts, scope["path"])
            if found is None:
                await app(scope, receive, send)
                return
            document, path, contract = found
            body = await whole(receive)
            method = scope["method"]
            operation = document.operation(method, path)
            if isinstance(operation, str):
                self._note(face, "request", method, path, [operation])
                await refused(traits.invalid).send(send)
                return
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
            reasons = document.asked(operation, scope["query_string"].decode("latin-1"), headers, body)
            self._note(face, "request", method, operation.template, reasons)
            answer = await answered(app, scope, receive, body)
            if reasons:
                # What the face refuses by itself it refuses in the platform's own words.
                await (answer if answer.status in _REFUSALS else refused(traits.invalid)).send(send)
                return
            if self.answers:
                reasons = [
                    reason
                    for reason in document.answered(operation, answer.status, answer.kind, answer.body)
                    if not reason.removeprefix("the answer at ").startswith(contract.departures)
                ]
                self._note(face, "answer", method, operation.template, reasons)
            await answer.send(send)

        return guarded

    def _note(self, face: str, what: str, method: str, path: str, reasons: list[str]) -> None:
        self.violations.update(dict.fromkeys(Violation(face, what, method, path, reason) for reason in reasons))
