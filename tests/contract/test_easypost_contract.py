"""EasyPost's published payloads: everything parses, what silver reads is there, and the sandbox looks the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from retreasure_assets.entities import Window
from retreasure_assets.privacy.masking import Masker
from retreasure_assets.sandbox import WorldSpec, generate_world, planted_personal_values
from retreasure_assets.sandbox.server import environment, running_sandbox
from retreasure_assets.sources.easypost.connector import EasyPostConnector
from retreasure_assets.sources.easypost.entities import TRACKERS, tracker_masks
from retreasure_assets.sources.files import load_mappings
from retreasure_assets.sources.slicing import slice_records

FIXTURES = (
    "trackers-list.json",
    "trackers-create.json",
    "trackers-retrieve.json",
    "tracking-webhook.json",
    "tracking_webhook_response.json",
    "cassette_test_tracker_all.yaml",
    "cassette_test_tracker_get_next_page.yaml",
    "cassette_test_tracker_retrieve_batch.yaml",
)


def documents(path: Path) -> Iterator[Any]:
    """The JSON documents of a fixture."""
    if path.suffix == ".json":
        yield json.loads(path.read_text("utf-8"))
        return
    for interaction in yaml.safe_load(path.read_text("utf-8"))["interactions"]:
        yield json.loads(interaction["response"]["body"]["string"])


def trackers(path: Path) -> list[dict[str, Any]]:
    """The trackers in a fixture, wherever they stand."""
    found: list[dict[str, Any]] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("object") == "Tracker" and "tracking_details" in value:
                found.append(value)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for document in documents(path):
        walk(document)
    return found


def paths(value: Any, prefix: str = "") -> set[str]:
    """Every dotted path in a document, [] for the elements of a list."""
    if isinstance(value, list):
        return {path for item in value for path in paths(item, f"{prefix}[]")}
    if not isinstance(value, dict):
        return {prefix}
    inner = {path for name, item in value.items() for path in paths(item, f"{prefix}.{name}" if prefix else name)}
    return inner | {f"{prefix}.{name}" if prefix else name for name in value}


@pytest.mark.parametrize("name", FIXTURES)
def test_every_published_tracker_is_read_and_masked(contracts: Path, name: str) -> None:
    found = trackers(contracts / "tracking" / "easypost" / name)
    assert found
    masker = Masker(TRACKERS.masks, [*TRACKERS.natural_key, TRACKERS.updated_at or ""], b"k" * 32)
    for tracker in found:
        [key, updated], payload = masker(json.dumps(tracker).encode())
        assert key == tracker["id"]
        assert updated == tracker["updated_at"]
        masked = json.loads(payload)
        assert masked["tracking_code"] == tracker["tracking_code"]
        assert len(masked["tracking_details"]) == len(tracker["tracking_details"])
        for before, after in zip(tracker["tracking_details"], masked["tracking_details"], strict=True):
            assert after["message"] is None
            assert after["tracking_location"]["city"] is None
            assert len(after["tracking_location"]["zip"] or "") <= 4 < len(before["message"])
        assert masked.get("signed_by") is None


def test_pages_of_the_cassettes_are_cut_into_records(contracts: Path) -> None:
    for document in documents(contracts / "tracking" / "easypost" / "cassette_test_tracker_get_next_page.yaml"):
        body = json.dumps(document).encode()
        records = slice_records(body, ("trackers",), source="EasyPost")
        assert [json.loads(record) for record in records] == document["trackers"]
        assert isinstance(document["has_more"], bool)


def test_every_path_that_is_masked_or_read_is_in_the_contract(contracts: Path) -> None:
    known = set().union(
        *(paths(tracker) for name in FIXTURES for tracker in trackers(contracts / "tracking" / "easypost" / name))
    )
    # Whole objects that the fixtures leave null.
    absent = {
        path
        for path in (*TRACKERS.masks, *TRACKERS.natural_key, TRACKERS.updated_at or "")
        if path not in known and not path.startswith("carrier_detail.destination_tracking_location.")
    }
    assert absent == set()
    read = """id tracking_code carrier mode status status_detail updated_at est_delivery_date tracking_details
    tracking_details[].datetime tracking_details[].status tracking_details[].status_detail
    tracking_details[].tracking_location.country tracking_details[].tracking_location.state
    tracking_details[].tracking_location.zip"""
    assert set(read.split()) <= known


def test_the_webhook_files_mask_as_the_api_does() -> None:
    [mapping] = [each for each in load_mappings(None) if each.name == "easypost_events"]
    assert dict(mapping.masks) == tracker_masks()


def test_requests_are_those_that_the_published_client_sends(contracts: Path) -> None:
    recorded = yaml.safe_load(
        (contracts / "tracking" / "easypost" / "cassette_test_tracker_get_next_page.yaml").read_text("utf-8")
    )["interactions"]
    asked = [urlsplit(each["request"]["uri"]) for each in recorded]
    assert {url.path for url in asked} == {"/v2/trackers"}
    assert {name for url in asked for name in parse_qs(url.query)} == {"page_size", "before_id"}
    assert EasyPostConnector(key="EZAKx").url == "https://api.easypost.com/v2/trackers"


def test_the_sandboxs_trackers_have_the_published_shape_and_sync_whole(contracts: Path) -> None:
    world = generate_world(WorldSpec(seed=3, days=12, scale=0.3))
    published = set().union(
        *(paths(tracker) for name in FIXTURES for tracker in trackers(contracts / "tracking" / "easypost" / name))
    )
    with running_sandbox(world) as url:
        settings = environment(url)
        reader = EasyPostConnector(
            key=settings["RETREASURE_EASYPOST_API_KEY"], base_url=settings["RETREASURE_EASYPOST_URL"], page_size=7
        )
        assert reader.check() == []
        records = [record for batch in reader.batches(TRACKERS, None, Window()) for record in batch.records]
        reader.close()
    sent = [parcel for order in world.orders for parcel in order.fulfilments if parcel.tracking_number]
    assert {json.loads(record)["tracking_code"] for record in records} == {parcel.tracking_number for parcel in sent}
    assert len(records) == len(sent) > 20
    masker = Masker(TRACKERS.masks, ["id"], b"k" * 32)
    planted = [value for value in planted_personal_values(world) if len(value) >= 5]
    for record in records:
        assert paths(json.loads(record)) - published <= {
            f"carrier_detail.destination_tracking_location.{name}"
            for name in ("object", "city", "state", "country", "zip")
        }
        payload = masker(record)[1].decode()
        assert not [value for value in planted if json.dumps(value)[1:-1] in payload]
