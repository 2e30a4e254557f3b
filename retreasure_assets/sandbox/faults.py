"""Broken answers, on purpose: a layer round every route of every face.

What belongs here: when a request meets a fault, and what it then gets. What does not: the grammar and the kinds
(``fault_spec``) and what is done to records (``fault_records``).

Which fault a request meets follows from the seed, the request itself and how often it was made before, so it does not
depend on what else is asked at the same time. No request fails more than twice in a row, unless a kind's rate is
100 %: a reader that tries again gets on.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from retreasure_assets.sandbox.exchange import Answer, answered, part, refused, whole
from retreasure_assets.sandbox.face import Records, Traits
from retreasure_assets.sandbox.fault_records import Spoiled, edit, follows, records_in, spoil, value_at
from retreasure_assets.sandbox.fault_spec import DEFECTS, NOVELTIES, FaultSpec
from retreasure_assets.sandbox.world_random import pick, stream

#: Faults after which the reader has to ask again.
_FAILING = frozenset({"429", "throttle", "500", "502", "503", "timeout", "cut", "garbled", "token"})
#: How often in a row a request fails at most.
_IN_A_ROW = 2
#: Answers that a token is good for at least: one that never was is not one that has run out, but a wrong one.
_GOOD_FOR = 5
_SPOILING = (*DEFECTS, *NOVELTIES)
_MOVING = frozenset({"duplicate", "reorder", "late", "shift"})
#: Chunks that a slow answer comes in.
_DROPS = 5
_SKEW = timedelta(hours=1)
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Faults:
    """The faults of one server.

    Args:
        spec: which, and how often.
        seed: another seed, other requests.
    """

    spec: FaultSpec
    seed: int
    #: Every record that was spoiled, once.
    spoiled: dict[Spoiled, None] = field(default_factory=dict)
    #: face -> kind -> how often it happened.
    met: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def around(self, app: ASGIApp, face: str, traits: Traits, state: FaceState) -> ASGIApp:
        """The application of one route of ``face`` with its faults."""
        return _Layer(self, app, face, traits, state)


@dataclass
class FaceState:
    """What the layer remembers of one face."""

    asked: Counter[bytes] = field(default_factory=Counter)
    failed: Counter[bytes] = field(default_factory=Counter)
    #: How many answers a token was good for so far, and those that have run out.
    admitted: Counter[str] = field(default_factory=Counter)
    expired: set[str] = field(default_factory=set)
    withheld: dict[tuple[str, str], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    last: dict[tuple[str, str], bytes] = field(default_factory=dict)


def possible_kinds(traits: Traits) -> Collection[str]:
    """The kinds of faults that a face can show, by what it declares of itself."""
    kinds = {"429", "500", "502", "503", "timeout", "cut", "slow", "garbled", "skew"}
    if traits.throttled:
        kinds.add("throttle")
    if traits.expired:
        kinds.add("token")
    if traits.records:
        kinds |= {"duplicate", "reorder", "shift", *_SPOILING}
    if any(records.more for records in traits.records):
        kinds.add("late")
    return kinds


class _Layer:
    def __init__(self, faults: Faults, app: ASGIApp, face: str, traits: Traits, state: FaceState) -> None:
        self._faults = faults
        self._app = app
        self._face = face
        self._traits = traits
        self._state = state
        rates = faults.spec.kinds(face, possible_kinds(traits))
        self._rates = {kind: rate for kind, rate in rates.items() if rate and kind not in _SPOILING}
        self._spoiling = {kind: rate for kind, rate in rates.items() if rate and kind in _SPOILING}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = await whole(receive)
        fault, rng = self._draw(scope, asked)
        token = self._token(scope)
        if fault == "token" and (not token or self._state.admitted[token] < _GOOD_FOR):
            fault = ""
        if fault:
            self._faults.met[self._face][fault] += 1
        refusal = self._refusal(fault, token, rng)
        if refusal is None and fault not in _FAILING:
            self._state.admitted[token] += 1
        answer = refusal or self._changed(await answered(self._app, scope, receive, asked), scope, fault, rng)
        await self._send(answer, fault, receive, send)

    def _draw(self, scope: Scope, asked: bytes) -> tuple[str, Random]:
        """The fault that this request meets ("" for none), and the randomness to make it with."""
        state = self._state
        text = b"\0".join((scope["method"].encode(), scope["path"].encode(), scope["query_string"], asked))
        key = hashlib.sha256(text).digest()
        state.asked[key] += 1
        rng = stream(self._faults.seed, "fault", self._face, key.hex(), state.asked[key])
        target = rng.random()
        fault = ""
        for kind, rate in self._rates.items():
            target -= rate
            if target < 0:
                fault = kind
                break
        # A token that was renewed a moment ago does not run out again.
        most = 1 if fault == "token" else _IN_A_ROW
        if fault in _FAILING and state.failed[key] >= most and self._rates[fault] < 1:
            fault = ""
        state.failed[key] = state.failed[key] + 1 if fault in _FAILING else 0
        return fault, rng

    def _token(self, scope: Scope) -> str:
        """The access token that a request carries, "" for none, or for one that cannot run out."""
        if self._traits.expired is None or scope["path"] in self._traits.grants:
            return ""
        headers: dict[str, str] = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        return headers.get(self._traits.token_header.lower(), "")

    def _refusal(self, fault: str, token: str, rng: Random) -> Answer | None:
        """The answer that the face itself never gets to give."""
        traits, state = self._traits, self._state
        if token and traits.expired is not None:
            if fault == "token":
                state.expired.add(token)
            if token in state.expired:
                return refused(traits.expired)
        if fault == "429":
            return Answer(429, [(b"content-type", b"application/json"), *self._retry_after(rng)], b'{"errors":"429"}')
        if fault == "throttle" and traits.throttled is not None:
            return refused(traits.throttled)
        if fault in ("500", "502", "503"):
            return Answer(int(fault), [(b"content-type", b"text/html")], _HTML)
        return None

    def _retry_after(self, rng: Random) -> list[tuple[bytes, bytes]]:
        wait = self._faults.spec.seconds["retry"]
        form = pick(rng, ("seconds", "date", "none"))
        if form == "none":
            return []
        if form == "seconds":
            return [(b"retry-after", b"%d" % round(wait))]
        clock = datetime.now(UTC) + (_SKEW if "skew" in self._rates else timedelta())
        return [(b"date", _date(clock)), (b"retry-after", _date(clock + timedelta(seconds=wait)))]

    def _changed(self, answer: Answer, scope: Scope, fault: str, rng: Random) -> Answer:
        """What becomes of the face's own answer."""
        if answer.status != 200:
            return answer
        if fault == "skew":
            clock = datetime.now(UTC) + pick(rng, (_SKEW, -_SKEW))
            return answer.added(b"date", _date(clock))
        for records in (one for one in self._traits.records if scope["path"].endswith(one.at)):
            answer = self._moved(answer, records, scope["path"], fault, rng)
        if fault == "garbled" and not _lines(answer):
            return answer.with_body(pick(rng, (answer.body[: len(answer.body) // 2], _HTML)))
        return answer

    def _moved(self, answer: Answer, records: Records, path: str, fault: str, rng: Random) -> Answer:
        """With the records of one list moved about and spoiled; whatever fails on its way keeps what is withheld."""
        state = self._state
        place = (path, records.path)
        idle = fault not in _MOVING and not self._spoiling and not state.withheld[place]
        if idle and "shift" not in self._rates:
            return answer
        found = records_in(answer.body, records.path)
        if found is None:
            return answer
        before = state.last.pop(place, b"")
        if found and (records.more is None or follows(answer.body, records)):
            state.last[place] = found[-1]
        if fault in _FAILING:
            return answer
        found = [self._spoiled(record, records) for record in found]
        late = state.withheld.pop(place, [])
        if fault == "late" and found and follows(answer.body, records):
            state.withheld[place] = [found.pop(int(rng.random() * len(found)))]
        elif fault == "duplicate" and found:
            found.insert(int(rng.random() * len(found)), pick(rng, found))
        elif fault == "shift" and before:
            found.insert(0, self._spoiled(before, records))
        elif fault == "reorder":
            rng.shuffle(found)
        changed = edit(answer.body, records.path, lambda _: [*late, *found])
        return answer if changed is None else answer.with_body(changed)

    def _spoiled(self, record: bytes, records: Records) -> bytes:
        """The record, or what a planted defect makes of it: always the same for one id."""
        if not self._spoiling or records.asked_by:
            return record
        id_ = str(value_at(msgspec.json.decode(record), records.id))
        rng = stream(self._faults.seed, "defect", self._face, id_)
        target = rng.random()
        for kind, rate in self._spoiling.items():
            target -= rate
            if target < 0:
                spoilt = spoil(record, kind, records, rng)
                if spoilt is None:
                    return record
                self._faults.spoiled[Spoiled(self._face, records.path, id_, kind, spoilt[1])] = None
                return spoilt[0]
        return record

    async def _send(self, answer: Answer, fault: str, receive: Receive, send: Send) -> None:
        answer = answer.with_header(b"date", _date(datetime.now(UTC)))
        answer = answer.with_header(b"content-length", b"%d" % len(answer.body))
        seconds = self._faults.spec.seconds
        if fault == "timeout":
            await _gone(receive, seconds["hold"])
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if fault == "timeout":
            return
        if fault == "cut":
            await send(part(answer.body[: len(answer.body) // 2], more=True))
            return
        if fault == "slow":
            size = len(answer.body) // _DROPS + 1
            for at in range(0, len(answer.body), size):
                await send(part(answer.body[at : at + size], more=True))
                await asyncio.sleep(seconds["drip"] / _DROPS)
            await send(part(b"", more=False))
            return
        await send(part(answer.body, more=False))


def _lines(answer: Answer) -> bool:
    """Whether the answer is a file of lines: half of one is a file as good as any."""
    return answer.kind.startswith(("application/jsonl", "application/x-ndjson", "text/csv"))


def _date(moment: datetime) -> bytes:
    return format_datetime(moment, usegmt=True).encode()


async def _gone(receive: Receive, seconds: float) -> None:
    """Wait until the client is gone, or so long."""

    async def disconnected() -> None:
        while (await receive())["type"] != "http.disconnect":
            continue

    try:
        await asyncio.wait_for(disconnected(), seconds)
    except TimeoutError:
        return
