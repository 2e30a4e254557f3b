"""The grammar of --faults, what a broken answer looks like, and which records are spoiled."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from retreasure_assets.cli import main
from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sandbox.face import Records, Refusal, Traits
from retreasure_assets.sandbox.fault_records import edit, records_in
from retreasure_assets.sandbox.fault_spec import DEFECTS, KEEPING, NOVELTIES, SECONDS, parse_faults
from retreasure_assets.sandbox.faults import FaceState, Faults, possible_kinds
from retreasure_assets.sandbox.fx import FX_TOKEN
from retreasure_assets.sandbox.server import Handling, read_faults, running_sandbox
from retreasure_assets.sandbox.world import World

FACES = ("shopify", "etsy", "fx")
ALL = frozenset((*KEEPING, *DEFECTS, *NOVELTIES))

# --- the grammar --------------------------------------------------------------------------------------------------


def test_a_bare_rate_is_shared_by_all_faults_that_change_nothing() -> None:
    kinds = parse_faults("10%", FACES).kinds("fx", ALL)
    assert kinds.keys() == KEEPING.keys()
    assert sum(kinds.values()) == pytest.approx(0.1)
    few = parse_faults("10%", FACES).kinds("fx", {"cut", "500", "malformed"})
    assert few == {"cut": pytest.approx(0.05), "500": pytest.approx(0.05)}


def test_named_kinds_faces_and_seconds() -> None:
    spec = parse_faults("429=5%, cut=2%,etsy:500=20%,defects=1%,hold=90", FACES)
    assert spec.kinds("fx", ALL) == {"429": 0.05, "cut": 0.02, **dict.fromkeys(DEFECTS, pytest.approx(0.0025))}
    assert spec.kinds("etsy", ALL)["500"] == 0.2
    assert spec.seconds == {**SECONDS, "hold": 90}


def test_what_a_face_is_told_itself_goes_before_what_all_are_told() -> None:
    spec = parse_faults("500=50%,etsy:500=0%", FACES)
    assert spec.kinds("etsy", ALL)["500"] == 0
    assert spec.kinds("fx", ALL)["500"] == 0.5


@pytest.mark.parametrize(
    "text", ["nonsense", "500=5", "500=101%", "ebay:5%", "501=5%", "60%,cut=50%", "hold=5%", "etsy:hold=5", "5%%", "="]
)
def test_what_cannot_be_meant_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be understood") as caught:
        parse_faults(text, FACES)
    assert "--help" in caught.value.remedy


def test_the_help_names_every_kind() -> None:
    shown = " ".join(CliRunner().invoke(main, ["sandbox", "--help"]).output.split())
    for name in (*ALL, *SECONDS, "defects", "novelties"):
        assert name in shown


def test_the_command_line_refuses_it_too() -> None:
    outcome = CliRunner().invoke(main, ["sandbox", "--faults", "ebay:nonsense=1%"])
    assert outcome.exit_code == 2


# --- records in an answer -----------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), lambda inner: st.lists(inner), max_leaves=5
)


@given(st.lists(st.dictionaries(st.text(), json_values)), st.dictionaries(st.text(), json_values))
def test_records_that_are_not_changed_keep_their_bytes(records: list[Any], beside: dict[str, Any]) -> None:
    texts = [json.dumps(record, separators=(", ", " : ")) for record in records]
    inner = "[" + ",".join(texts) + "]"
    body = json.dumps({**beside, "data": {"list": 0, "more": True}}).replace('"list": 0', f'"list": {inner}').encode()
    assert records_in(body, "data.list") == [text.encode() for text in texts]
    turned = edit(body, "data.list", lambda found: found[::-1])
    assert turned is not None
    assert json.loads(turned) == {**beside, "data": {"list": records[::-1], "more": True}}
    assert records_in(turned, "data.list") == [text.encode() for text in texts[::-1]]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"a":null}', b'{"a":{"b":1}}', b'{"a":{"b":{}}}', b"\xff", b"{"])
def test_an_answer_without_such_a_list_has_none(body: bytes) -> None:
    assert records_in(body, "a.b") is None


# --- a face of its own --------------------------------------------------------------------------------------------

TRAITS = Traits(
    records=(Records("rows", "id", more="next", required=("price",), enums=("state",), total="price"),),
    throttled=Refusal(200, {"errors": ["THROTTLED"]}),
    expired=Refusal(401, {"error": "expired"}),
    grants=("/token",),
)


async def rows(request: Request) -> Response:
    start = int(request.query_params.get("from", 0))
    page = [{"id": number, "price": "10.00", "state": "new"} for number in range(start, start + 10)]
    return JSONResponse({"rows": page, "next": start + 10 if start < 90 else None})


async def token(_request: Request) -> Response:
    return JSONResponse({"token": "x"})


def client(text: str, seed: int = 1) -> tuple[httpx.AsyncClient, Faults]:
    """A face behind faults, in this process."""
    faults = Faults(parse_faults(f"{text},hold=0,drip=0", ["face"]), seed)
    state = FaceState()
    routes = [Route("/rows", rows, methods=["GET"]), Route("/token", token, methods=["GET"])]
    for route in routes:
        route.app = faults.around(route.app, "face", TRAITS, state)
    transport = httpx.ASGITransport(Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://face"), faults


async def statuses(text: str, seed: int = 1, asked: int = 40) -> list[int]:
    sent, _ = client(text, seed)
    async with sent:
        return [(await sent.get(f"/rows?from={number}")).status_code for number in range(asked)]


def run(coroutine: Any) -> Any:
    import asyncio

    return asyncio.run(coroutine)


def test_the_same_seed_fails_the_same_requests() -> None:
    first = run(statuses("500=30%"))
    assert first == run(statuses("500=30%"))
    assert first != run(statuses("500=30%", seed=2))
    assert 4 <= first.count(500) <= 20


def test_a_request_fails_twice_in_a_row_at_most_unless_it_always_fails() -> None:
    async def same(text: str) -> list[int]:
        sent, _ = client(text)
        async with sent:
            return [(await sent.get("/rows")).status_code for _ in range(60)]

    answers = run(same("502=90%"))
    assert 502 in answers
    assert all(200 in answers[at : at + 3] for at in range(58))
    assert set(run(same("502=100%"))) == {502}


def test_too_many_requests_come_in_three_forms() -> None:
    async def collect() -> list[httpx.Response]:
        sent, _ = client("429=100%,retry=2")
        async with sent:
            return [await sent.get(f"/rows?from={number}") for number in range(30)]

    forms = Counter[str]()
    for answer in run(collect()):
        assert answer.status_code == 429
        wait = answer.headers.get("retry-after")
        forms["none" if wait is None else "seconds" if wait == "2" else "date"] += 1
        if wait not in (None, "2"):
            assert 0 < (parsedate_to_datetime(wait) - datetime.now(UTC)).total_seconds() <= 3
    assert forms.keys() == {"none", "seconds", "date"}


def test_a_token_that_has_run_out_stays_so_and_another_is_taken() -> None:
    async def collect() -> None:
        sent, faults = client("token=30%")
        async with sent:
            refused: list[int] = []
            for number in range(40):
                current = {"Authorization": f"Bearer {len(refused)}"}
                if (await sent.get(f"/rows?from={number}", headers=current)).status_code == 401:
                    assert (await sent.get("/token", headers=current)).status_code == 200
                    assert (await sent.get("/rows", headers=current)).status_code == 401
                    refused.append(number)
            assert 3 <= len(refused) < 30
            assert faults.met["face"]["token"] >= len(refused)

    run(collect())


def test_moved_records_are_all_there_in_the_end() -> None:
    async def collect(text: str) -> Counter[int]:
        sent, _ = client(text)
        found: Counter[int] = Counter()
        async with sent:
            at: int | None = 0
            while at is not None:
                page = (await sent.get(f"/rows?from={at}")).json()
                found.update(row["id"] for row in page["rows"])
                at = page["next"]
        return found

    for kind in ("late", "reorder"):
        assert run(collect(f"{kind}=70%")) == Counter(range(100))
    for kind in ("duplicate", "shift"):
        found = run(collect(f"{kind}=70%"))
        assert found.keys() == set(range(100))
        assert found.total() > 100


def test_spoiled_records_are_the_same_at_every_reading_and_told() -> None:
    async def collect() -> tuple[list[Any], list[Any], Faults]:
        sent, faults = client("defects=20%,novelties=20%")
        async with sent:
            readings = [[(await sent.get(f"/rows?from={at}")).json()["rows"] for at in range(0, 100, 10)] for _ in "ab"]
        return [row for page in readings[0] for row in page], [row for page in readings[1] for row in page], faults

    first, second, faults = run(collect())
    assert first == second
    good = [{"id": number, "price": "10.00", "state": "new"} for number in range(100)]
    spoiled = {str(number) for number in range(100) if first[number] != good[number]}
    assert spoiled == {record.id for record in faults.spoiled}
    assert {record.kind for record in faults.spoiled} == {*DEFECTS, *NOVELTIES}
    by_id = {record.id: record for record in faults.spoiled}
    for number, row in enumerate(first):
        if (told := by_id.get(str(number))) is None:
            continue
        if told.kind == "malformed":
            assert isinstance(row, str)
        elif told.kind == "missing":
            assert told.field not in row
        elif told.kind == "null":
            assert row[told.field] is None
        elif told.kind == "totals":
            assert row["price"] == "17.00"
        elif told.kind == "enum":
            assert row["state"] != "new"
        else:
            assert row.keys() > good[number].keys()


def test_records_of_another_path_are_left_alone() -> None:
    async def first(at: str) -> list[int]:
        faults = Faults(parse_faults("reorder=100%", ["face"]), 1)
        route = Route("/rows", rows, methods=["GET"])
        route.app = faults.around(route.app, "face", Traits(records=(Records("rows", "id", at=at),)), FaceState())
        transport = httpx.ASGITransport(Starlette(routes=[route]))
        async with httpx.AsyncClient(transport=transport, base_url="http://face") as sent:
            return [row["id"] for row in (await sent.get("/rows")).json()["rows"]]

    assert run(first("/receipts")) == list(range(10))
    assert run(first("/rows")) != list(range(10))


def test_only_what_a_face_declares_can_happen_to_it() -> None:
    bare = possible_kinds(Traits())
    assert "cut" in bare
    assert not {"throttle", "token", "late", "duplicate", *DEFECTS} & set(bare)
    assert set(possible_kinds(TRAITS)) == ALL


# --- over the wire ------------------------------------------------------------------------------------------------


@pytest.fixture
def wire(world: World, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    handling = Handling(read_faults(request.param))
    with running_sandbox(world, handling=handling) as url, httpx.Client(base_url=url, timeout=20) as sent:
        sent.headers["Authorization"] = f"Bearer {FX_TOKEN}"
        yield sent


@pytest.mark.parametrize("wire", ["cut=100%", "timeout=100%,hold=0.1"], indirect=True)
def test_the_connection_ends_before_the_answer_does(wire: httpx.Client, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        wire.get("/fx/latest")
    assert capfd.readouterr().err == ""
    assert wire.get("/sandbox").json()["faults"]["fx"].popitem()[1] == 1


@pytest.mark.parametrize("wire", ["timeout=100%,hold=5"], indirect=True)
def test_a_client_that_waits_less_gives_up_first(wire: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        wire.get("/fx/latest", timeout=0.3)


@pytest.mark.parametrize("wire", ["skew=100%"], indirect=True)
def test_the_servers_clock_can_be_wrong(wire: httpx.Client) -> None:
    answer = wire.get("/fx/latest")
    assert answer.json()["base"] == "EUR"
    assert abs((parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)).total_seconds()) > 3500


@pytest.mark.parametrize("wire", ["slow=100%,drip=0.2"], indirect=True)
def test_a_slow_answer_is_whole(wire: httpx.Client) -> None:
    assert wire.get("/fx/latest").json()["base"] == "EUR"


@pytest.mark.parametrize("wire", ["garbled=100%"], indirect=True)
def test_a_garbled_answer_is_no_json(wire: httpx.Client) -> None:
    with pytest.raises(ValueError):
        wire.get("/fx/latest").json()
