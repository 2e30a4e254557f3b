"""Parcels, visitors and places of the sandbox: deterministic, prefix-stable, and true to what they pretend to be."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from retreasure_assets.privacy.masks import postcode_area
from retreasure_assets.sandbox import World, WorldSpec, generate_world, planted_personal_values
from retreasure_assets.sandbox.ads import write_ad_files
from retreasure_assets.sandbox.clicks import write_click_files
from retreasure_assets.sandbox.easypost import EASYPOST_KEY, EasyPostFace
from retreasure_assets.sandbox.geo import areas, write_geo_files
from retreasure_assets.sandbox.truth_clicks import sessions
from retreasure_assets.sandbox.truth_tracking import shipments
from retreasure_assets.sandbox.world_ads import CAMPAIGNS, spends
from retreasure_assets.sandbox.world_clicks import clicks
from retreasure_assets.sandbox.world_tracking import journeys

AUTHORISED = {"authorization": "Basic " + base64.b64encode(f"{EASYPOST_KEY}:".encode()).decode()}
LONG = {"page_size": "100", "start_datetime": "2026-01-01T00:00:00Z", "end_datetime": "2026-12-01T00:00:00Z"}


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(WorldSpec(seed=5, days=30, scale=0.4))


@pytest.fixture(scope="module")
def client(world: World) -> TestClient:
    return TestClient(Starlette(routes=list(EasyPostFace(world).routes)))


def test_an_earlier_world_shows_the_first_part_of_a_later_one(world: World) -> None:
    for days in (1, 6, 13):
        earlier = world.as_of(world.clock - timedelta(days=days))
        later = {journey.parcel.fulfilment_id: journey for journey in journeys(world)}
        for journey in journeys(earlier):
            whole = later[journey.parcel.fulfilment_id].scans
            assert journey.scans == tuple(scan for scan in whole if scan.known_at < earlier.clock)
        known = {click.event_id: click for click in clicks(world)}
        shown = clicks(earlier)
        assert {click.event_id for click in shown} == {
            click.event_id for click in known.values() if click.known_at[0] < earlier.clock
        }
        for click in shown:
            assert click.known_at == tuple(at for at in known[click.event_id].known_at if at < earlier.clock)
            assert (click.at, click.name, click.visitor) == (known[click.event_id].at, known[click.event_id].name,
                                                             known[click.event_id].visitor)  # fmt: skip


def test_parcels_are_of_every_kind(world: World) -> None:
    rows = shipments(world)
    assert {"delivered", "in_transit", "returned", "label_created"} <= {row["status"] for row in rows}
    scans = [journey.scans for journey in journeys(world)]
    assert any(len(told) > len(set(told)) for told in scans), "some scan is told twice"
    assert any([scan.at for scan in told] != sorted(scan.at for scan in told) for told in scans), (
        "some are out of order"
    )
    assert any(len(told) == 1 for told in scans), "some parcel is silent"
    assert any(row["is_late"] for row in rows)


def test_easypost_pages_as_the_real_one(client: TestClient, world: World) -> None:
    found: list[str] = []
    before: dict[str, str] = {}
    while True:
        answer = client.get("/easypost/v2/trackers", params={**LONG, "page_size": "7", **before}, headers=AUTHORISED)
        page = answer.json()
        found += [tracker["id"] for tracker in page["trackers"]]
        if not page["has_more"]:
            break
        before = {"before_id": found[-1]}
    assert len(found) == len(set(found)) == sum(1 for _ in journeys(world))
    whole = client.get("/easypost/v2/trackers", params=LONG, headers=AUTHORISED).json()["trackers"]
    assert [tracker["created_at"] for tracker in whole] == sorted((t["created_at"] for t in whole), reverse=True)
    after = client.get(
        "/easypost/v2/trackers", params={**LONG, "page_size": "2", "after_id": found[5]}, headers=AUTHORISED
    ).json()
    assert [tracker["id"] for tracker in after["trackers"]] == found[3:5]
    one = client.get(f"/easypost/v2/trackers/{found[0]}", headers=AUTHORISED).json()
    assert one == whole[0]
    recent = client.get("/easypost/v2/trackers", params={"page_size": "100"}, headers=AUTHORISED).json()["trackers"]
    start = (world.clock - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert recent
    assert all(tracker["created_at"] >= start for tracker in recent)


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"page_size": "101"}, 422),
        ({"page_size": "0"}, 422),
        ({"page_size": "many"}, 422),
        ({"before_id": "trk_a", "after_id": "trk_b"}, 422),
        ({"start_datetime": "yesterday"}, 422),
        ({"updated_since": "2026-01-01"}, 422),
        ({"before_id": "trk_unknown"}, 404),
    ],
)
def test_easypost_refuses_what_the_real_one_refuses(
    client: TestClient, parameters: dict[str, str], status: int
) -> None:
    answer = client.get("/easypost/v2/trackers", params=parameters, headers=AUTHORISED)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "errors"}


def test_easypost_wants_its_key(client: TestClient) -> None:
    assert client.get("/easypost/v2/trackers").status_code == 401
    wrong = {"authorization": "Basic " + base64.b64encode(b"EZAKother:").decode()}
    assert client.get("/easypost/v2/trackers/trk_1", headers=wrong).status_code == 401


def test_every_web_order_ends_a_visit(world: World) -> None:
    ordered = {order.order_id for order in world.orders if order.source_name == "web" and not order.test}
    done = [click for click in clicks(world) if click.name == "checkout_completed" and click.order]
    assert {click.order.order_id for click in done if click.order} >= ordered - {
        order.order_id for order in world.orders if world.clock - order.at < timedelta(days=2)
    }
    assert all(click.order and click.at == click.order.at for click in done)
    rows = sessions(world)
    assert sum(row["order_count"] for row in rows) == len(done)
    assert {row["is_bot"] for row in rows if row["is_purchase"]} == {False}
    assert any(row["is_bot"] for row in rows)
    assert any(row["is_cart"] and not row["is_purchase"] for row in rows)


def test_click_files_are_of_whole_days_and_never_change(world: World, tmp_path: Path) -> None:
    yesterday = world.as_of(world.clock - timedelta(hours=30))
    first = write_click_files(yesterday, tmp_path)
    assert first
    assert write_click_files(yesterday, tmp_path) == []
    new = write_click_files(world, tmp_path)
    assert new
    assert not set(new) & set(first)
    lines = [line for path in (*first, *new) for line in path.read_text("utf-8").splitlines()]
    told = [json.loads(line) for line in lines]
    assert len(told) == sum(len(click.known_at) for click in clicks(world))
    ids = [call.get("messageId") or call.get("id") for call in told]
    assert len(set(ids)) < len(ids), "some are told twice"


def test_visitors_are_planted_as_personal(world: World) -> None:
    planted = set(planted_personal_values(world))
    assert {click.visitor.anonymous_id for click in clicks(world)} <= planted


def test_everybodys_postcode_lies_in_an_area_of_the_postcode_file(world: World, tmp_path: Path) -> None:
    listed = {(each.country, each.area) for each in areas()}
    lived = {(person.address.country_code, postcode_area(person.address.zip)) for person in world.people}
    assert lived <= listed
    assert len(write_geo_files(tmp_path)) == 2
    assert write_geo_files(tmp_path) == []


def test_advertising_reports_are_of_whole_days_and_correct_themselves(world: World, tmp_path: Path) -> None:
    yesterday = world.as_of(world.clock - timedelta(hours=30))
    first = write_ad_files(yesterday, tmp_path)
    assert first
    assert write_ad_files(yesterday, tmp_path) == []
    assert not set(write_ad_files(world, tmp_path)) & set(first)
    told: dict[tuple[object, str], list[Decimal]] = {}
    for spend in spends(world):
        told.setdefault((spend.day, spend.campaign.name), []).append(spend.amount)
    assert {len(amounts) for amounts in told.values()} == {1, 2}
    assert all(amounts == sorted(amounts, reverse=True) for amounts in told.values())
    known = {click.way[3] for click in clicks(world) if click.way[3]}
    assert {campaign.name.lower() for campaign in CAMPAIGNS} <= known
