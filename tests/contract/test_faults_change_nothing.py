"""Every source against a sandbox that keeps failing: bronze ends up as it does without a single fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from retreasure_assets.entities import Window
from retreasure_assets.errors import TransientSourceError
from retreasure_assets.lake.ingest import ingest
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.keys import derive
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.sandbox.face import name_of, traits_of
from retreasure_assets.sandbox.fault_spec import KEEPING
from retreasure_assets.sandbox.faults import possible_kinds
from retreasure_assets.sandbox.photos import MediaFace
from retreasure_assets.sandbox.server import FACES, Handling, environment, read_faults, running_sandbox
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world
from retreasure_assets.sandbox.world_ebay_ledger import ebay_business
from retreasure_assets.settings import load_settings
from retreasure_assets.sources.http import HttpClient
from retreasure_assets.sources.registry import API_SOURCES, configured_connectors

#: Waits are as short as they can be: what matters is that there is one.
QUICK = "hold=0.2,drip=0.05,retry=0"

Bronze = Mapping[str, set[tuple[str, str]]]


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(WorldSpec(days=12, scale=0.3))


def synced(
    world: World, folder: Path, faults: str | None, patch: pytest.MonkeyPatch, runs: int = 1
) -> tuple[Lake, dict[str, Any]]:
    """A lake that every source was read into, and what the sandbox noted."""
    patch.setattr(HttpClient, "_wait", lambda *_: 0.01)
    lake = Lake(folder / "lake")
    with (
        running_sandbox(world, handling=Handling(read_faults(faults), check_answers=True)) as url,
        Vault(folder / "vault" / "v.sqlite", derive(bytes(32))) as vault,
    ):
        # Photos are asked for by what bronze says: there is none in this home.
        for name, value in {**environment(url), "RETREASURE_HOME": str(folder / "home")}.items():
            patch.setenv(name, value)
        for _ in range(runs):
            connectors = configured_connectors(load_settings())
            assert connectors.keys() == {source.name for source in API_SOURCES}, "a face is missing"
            for connector in connectors.values():
                for entity in connector.entities.values():
                    ingest(connector, entity, lake=lake, vault=vault, window=Window(), run_id="test")
                connector.close()
        return lake, httpx.get(f"{url}/sandbox").json()


def bronze_of(*arguments: Any, **named: Any) -> tuple[Bronze, dict[str, Any]]:
    """Every table's (natural key, digest of the record's bytes), and what the sandbox noted."""
    lake, noted = synced(*arguments, **named)
    tables = [table for layer, table in lake.tables() if layer == "bronze"]
    columns = ["natural_key", "payload_sha256"]
    rows = {table: lake.table("bronze", table).to_pyarrow_table(columns=columns).to_pydict() for table in tables}
    found = {table: list(zip(*(row[name] for name in columns), strict=True)) for table, row in rows.items()}
    assert all(len(records) == len(set(records)) for records in found.values()), "a record is there twice"
    assert not [table for layer, table in lake.tables() if layer == "quarantine"], "a good record is in quarantine"
    return {table: set(records) for table, records in found.items()}, noted


@pytest.fixture(scope="module")
def undisturbed(world: World, tmp_path_factory: pytest.TempPathFactory) -> Bronze:
    with pytest.MonkeyPatch.context() as patch:
        bronze, noted = bronze_of(world, tmp_path_factory.mktemp("undisturbed"), None, patch)
    assert noted == {"faults": {}, "spoiled": [], "violations": []}
    assert sum(map(len, bronze.values())) > 500
    return bronze


@pytest.mark.parametrize("share", ["10%", pytest.param("45%", marks=pytest.mark.slow)])
def test_requests_that_fail_change_nothing(
    world: World, undisturbed: Bronze, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: str
) -> None:
    bronze, noted = bronze_of(world, tmp_path, f"{share},{QUICK}", monkeypatch, runs=2)
    assert noted["faults"], "no request met a fault"
    assert noted["violations"] == []
    assert bronze == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("kind", KEEPING)
def test_no_single_kind_changes_anything(
    world: World, undisturbed: Bronze, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    bronze, noted = bronze_of(world, tmp_path, f"{kind}=60%,{QUICK}", monkeypatch)
    for face in FACES:
        # There are no listings in the home whose photos are asked for.
        if face is not MediaFace and kind in possible_kinds(traits_of(face)):
            assert noted["faults"][name_of(face)][kind] >= 1
    assert bronze == undisturbed


def test_what_is_planted_in_records_is_in_quarantine_and_the_rest_in_bronze(
    world: World, undisturbed: Bronze, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, noted = synced(world, tmp_path, f"malformed=4%,missing=4%,null=4%,{QUICK}", monkeypatch)
    quarantined = sum(lake.row_count(layer, table) for layer, table in lake.tables() if layer == "quarantine")
    assert {record["kind"] for record in noted["spoiled"]} == {"malformed", "missing", "null"}
    assert quarantined == len(noted["spoiled"])
    good = sum(lake.row_count(layer, table) for layer, table in lake.tables() if layer == "bronze")
    # eBay's parcels can only be asked for by their order's id: one that cannot be read takes them along.
    orders = {record["id"] for record in noted["spoiled"] if (record["face"], record["records"]) == ("ebay", "orders")}
    unasked = sum(len(order.parcels) for order in ebay_business(world).orders if order.order_id in orders)
    assert good == sum(map(len, undisturbed.values())) - quarantined - unasked


def test_what_nobody_knows_yet_is_kept(
    world: World, undisturbed: Bronze, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bronze, noted = bronze_of(world, tmp_path, f"novelties=20%,{QUICK}", monkeypatch)
    assert {record["kind"] for record in noted["spoiled"]} == {"unknown", "enum"}
    for table, records in undisturbed.items():
        assert {key for key, _ in bronze[table]} == {key for key, _ in records}


def photos_of(url: str, folder: Path, patch: pytest.MonkeyPatch) -> tuple[Lake, Bronze]:
    """What is known of the photos on Etsy after one more sync, in the same home or another."""
    for name, value in {**environment(url), "RETREASURE_HOME": str(folder)}.items():
        patch.setenv(name, value)
    settings = load_settings()
    lake, connectors = Lake(settings.lake_path), configured_connectors(settings)
    with Vault(folder / "vault" / "v.sqlite", derive(bytes(32))) as vault:
        for source, name in (("etsy", "listings"), ("media", "photos")):
            entity = connectors[source].entities[name]
            ingest(connectors[source], entity, lake=lake, vault=vault, window=Window(), run_id="test")
    rows = lake.table("bronze", "media_photos").to_pyarrow_table(columns=["natural_key", "payload_sha256"]).to_pydict()
    return lake, {"photos": set(zip(rows["natural_key"], rows["payload_sha256"], strict=True))}


def test_photos_are_those_that_a_good_server_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is cut, garbled or refused is asked for again at once, and where the server stays away at the next sync."""
    monkeypatch.setattr(HttpClient, "_wait", lambda *_: 0.01)
    world = generate_world(WorldSpec(days=1, scale=0.02))
    with running_sandbox(world) as url:
        _, good = photos_of(url, tmp_path / "good", monkeypatch)
    assert len(good["photos"]) > 20
    with running_sandbox(world, handling=Handling(read_faults(f"media:80%,{QUICK}"))) as url:
        lake, found = photos_of(url, tmp_path / "failing", monkeypatch)
        met = httpx.get(f"{url}/sandbox").json()["faults"]
    assert met.keys() == {"media"}
    assert met["media"].keys() == possible_kinds(traits_of(MediaFace))
    assert found == good
    assert lake.row_count("bronze", "media_photos") == len(good["photos"])

    away = Handling(read_faults("media:503=100%"))
    with running_sandbox(world, handling=away) as url, pytest.raises(TransientSourceError):
        photos_of(url, tmp_path / "away", monkeypatch)
    with running_sandbox(world) as url:
        assert photos_of(url, tmp_path / "away", monkeypatch)[1] == good
