"""Bad input through the real command line: one sentence, an exit code, a row in the log, and nothing lost.

The build says nothing here, so a dbt project of one model stands in for it: a run costs seconds.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import socket
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from retreasure_assets import automation
from retreasure_assets.sandbox import WorldSpec, generate_world, true_gold
from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.shopify import SHOPIFY_TOKEN
from tests.end_to_end.conftest import Home, Outcome, garbling, resize, served

pytestmark = pytest.mark.timeout(300)

COLUMNS = (
    "transaction_id,line_id,sold_at,store_id,item_id,title,quantity,unit_price,discount_amount,tax_amount,line_total,"
    "currency,line_type,loyalty_id,tax_included"
)
PRODUCTS = b"item_id,title,category,currency,price\nRT-1,Vase,glass,EUR,10.00\nRT-2,Lamp,lighting,EUR,20.00\n"
ECB = b"Date,USD,GBP,\n2026-10-30,1.1172,0.8338,\n2026-10-29,1.1100,N/A,\n"
QUOTE = {"base": "EUR", "rates": {"USD": 1.1172}, "timestamp": 1793376000}
#: A shopper's name that no message, log or table may show.
SHOPPER = "Zéphyrine Quillfeather"


def receipts(first: int, count: int, title: str = "Vase") -> bytes:
    """A till file of ``count`` one-line receipts."""
    lines = [
        f"T{n},1,2026-10-{1 + n % 28:02d}T10:00:00Z,S1,RT-1,{title},1,10.00,0.00,0.00,10.00,EUR,sale,LOYAL-{n},false"
        for n in range(first, first + count)
    ]
    return "\n".join([COLUMNS, *lines, ""]).encode()


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_quiet(outcome: Outcome) -> None:
    """Nothing but sentences: no traceback, no library's log, nothing personal."""
    strange = [line for line in outcome.err.splitlines() if not line.startswith(("Failed: ", "Error: ", "Remedy: "))]
    assert strange == []
    for said in (outcome.out, outcome.err):
        assert "Traceback" not in said
        assert "dagster" not in said.lower().replace("make up", "")
        assert SHOPPER not in said
        assert SHOPIFY_TOKEN not in said


@dataclass(frozen=True)
class Ill:
    """What a run made of ill sources: what it said, logged and loaded."""

    outcome: Outcome
    failures: set[tuple[str, str, str]]
    counts: dict[str, int]
    gold: dict[str, int]

    @classmethod
    def of(cls, home: Home, outcome: Outcome) -> Ill:
        counts = {f"{layer}.{table}": home.count(f"{layer}.{table}") for layer, table in home.lake.tables()}
        return cls(outcome, home.failures_logged(), counts, home.gold())


@dataclass(frozen=True)
class Troubled:
    """One home in which most sources are ill in one way, then in another, then well."""

    home: Home
    orders: int
    first: Ill
    second: Ill
    mended: Outcome


def garbler() -> Callable[[bytes, bytes], bytes]:
    """Makes Shopify's third page of orders end in its middle, and another web page of every page of products."""
    second: list[str] = []

    def garble(asked: bytes, answer: bytes) -> bytes:
        question = json.loads(asked)
        if question["query"].startswith("query Products("):
            return b"<!doctype html><title>Log in</title>"
        if question["query"].startswith("query Orders(") and (after := question["variables"]["after"]):
            second.append(after)
            return answer if after == second[0] else answer[: len(answer) // 2]
        return answer

    return garble


def archive(name: str, content: bytes) -> bytes:
    """A zip archive of one file."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return into.getvalue()


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory, small_build: Path) -> Troubled:
    """Three runs, so that every bad source is met by the real command line for the price of three.

    First wrong credentials, an unreachable API, a malformed answer, bad files beside good ones, and a stray one; then
    malformed pages of Shopify, a damaged archive of the ECB and a mistake in a mapping; then all is mended, but for a
    line of the ECB's that is no rates.
    """
    home = Home(tmp_path_factory.mktemp("troubled") / "home")
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    home.drop("pos/transactions/good.csv", receipts(0, 100))
    home.drop("pos/transactions/empty.csv", b"")
    home.drop("pos/transactions/latin.csv", receipts(100, 50, SHOPPER).decode().encode("latin-1"))
    home.drop("pos/transactions/cut.csv.gz", gzip.compress(receipts(200, 5000))[:-400])
    home.drop("pos/transactions/notes.txt", b"call the plumber\n")
    stray = home.drop("pos/transactoins/till.csv", receipts(0, 1))
    mapping = home.path / "mappings" / "till.yaml"
    mapping.parent.mkdir()
    world = generate_world(WorldSpec(seed=3, days=20, scale=0.2))
    quote = {"/latest": (200, json.dumps(QUOTE).encode())}
    with (
        running_sandbox(world) as shop,
        garbling(shop, garbler()) as sick_shop,
        served({"/eurofxref-hist.zip": (200, archive("a.csv", ECB)[:-30]), **quote}) as sick_rates,
        served({"/eurofxref-hist.zip": (200, archive("a.csv", ECB + b"2026-10-28,one,two,\n")), **quote}) as rates,
        served({"/latest": (200, b'{"base": "EUR", ')}) as sick_quote,
    ):
        outcome = home.run(
            RETREASURE_SHOPIFY_URL=shop,
            RETREASURE_SHOPIFY_TOKEN="shpat_" + "0" * 32,
            RETREASURE_FX_URL=f"http://127.0.0.1:{closed_port()}",
            RETREASURE_FX_INTRADAY_URL=f"{sick_quote}/latest",
        )
        first = Ill.of(home, outcome)

        home.settings["RETREASURE_SHOPIFY_TOKEN"] = SHOPIFY_TOKEN
        home.drop("pos/transactions/empty.csv", receipts(100, 10))
        home.drop("pos/transactions/latin.csv", receipts(110, 50, SHOPPER))
        home.drop("pos/transactions/cut.csv.gz", gzip.compress(receipts(200, 5000)))
        (home.path / "drop/pos/transactions/notes.txt").unlink()
        mapping.write_text("extends: pos_transactions\npatern: 'till*.csv'\n")
        outcome = home.run(
            RETREASURE_SHOPIFY_URL=sick_shop,
            RETREASURE_FX_URL=sick_rates,
            RETREASURE_FX_INTRADAY_URL=f"{sick_rates}/latest",
        )
        second = Ill.of(home, outcome)

        stray.unlink()
        mapping.write_text("extends: pos_transactions\npattern: 'till*.csv'\n")
        mended = home.run(
            RETREASURE_SHOPIFY_URL=shop, RETREASURE_FX_URL=rates, RETREASURE_FX_INTRADAY_URL=f"{rates}/latest"
        )
    orders = sum(order["channel"] == "shopify" for order in true_gold(world)["fct_orders"])
    return Troubled(home, orders, first, second, mended)


def reason_of(outcome: Outcome, names: str) -> str:
    """The one sentence that names something, remedy and all."""
    (reason,) = [reason for reason in outcome.reasons if names in reason]
    return reason


def test_a_run_with_bad_sources_fails_with_sentences_alone(troubled: Troubled) -> None:
    for ill in (troubled.first, troubled.second):
        assert ill.outcome.code in (2, 3), ill.outcome.err
        is_quiet(ill.outcome)
        # One for Shopify, however many of its entities it kept from being read; two for rates and one for the till's
        # files, or one for each.
        assert len(ill.outcome.reasons) == (4 if ill is troubled.first else 3), ill.outcome.err


@pytest.mark.parametrize(
    ("names", "remedy"),
    [
        ("Shopify does not accept the credential (HTTP 401)", "Check RETREASURE_SHOPIFY_TOKEN."),
        ("The ECB cannot be reached", "Check the network and RETREASURE_FX_URL."),
        ("The intraday provider of exchange rates did not answer", "Check RETREASURE_FX_INTRADAY_URL"),
        ("pos/transactions/empty.csv is empty", "Export it again, or remove it."),
        ("pos/transactions/latin.csv is not utf-8 as its mapping says", "Save it in the mapping's encoding"),
        ("pos/transactions/cut.csv.gz is truncated or damaged; nothing of it was loaded", "Copy or export it again"),
        ("pos/transactions/notes.txt; the patterns are *.csv", "Rename or remove it, or write a mapping"),
    ],
)
def test_every_bad_source_is_named_with_its_remedy(troubled: Troubled, names: str, remedy: str) -> None:
    assert remedy in reason_of(troubled.first.outcome, names).partition(names)[2]


def test_every_bad_source_is_in_the_ingestion_log(troubled: Troubled) -> None:
    assert troubled.first.failures >= {
        ("shopify", "orders", "PermanentSourceError"),
        ("shopify", "products", "PermanentSourceError"),
        ("fx", "ecb_rates", "TransientSourceError"),
        ("fx", "intraday_rates", "MalformedInputError"),
        ("pos", "transactions", "MalformedInputError"),
    }


def test_the_good_files_beside_them_were_loaded_and_built(troubled: Troubled) -> None:
    loaded = {"bronze.pos_transactions": 100, "bronze.pos_products": 2}
    assert {name: rows for name, rows in troubled.first.counts.items() if name.startswith("bronze.")} == loaded
    assert troubled.first.gold["pos_transactions"] == 100


def test_files_that_no_mapping_reads_are_told_once_and_are_no_failure(troubled: Troubled) -> None:
    (note,) = [line for line in troubled.first.outcome.out.splitlines() if "transactoins" in line]
    assert note.startswith("NOTE No file mapping reads these dropped files: pos/transactoins/till.csv. Move them to ")
    assert "transactoins" not in troubled.first.outcome.err
    assert "NOTE" not in troubled.mended.out


@pytest.mark.parametrize(
    ("names", "remedy"),
    [
        ("Shopify sent a page that cannot be read as the API documents it.", "check that the address is the API's"),
        ("The ECB's file of exchange rates cannot be read: its archive is damaged.", "Check that RETREASURE_FX_URL"),
        (
            "The file mapping till.yaml: the key patern is unknown (did you mean pattern?)",
            "docs/file-mappings.md describes every key. Until then no dropped file is read.",
        ),
    ],
)
def test_a_malformed_page_file_or_mapping_is_named_with_its_remedy(troubled: Troubled, names: str, remedy: str) -> None:
    assert remedy in reason_of(troubled.second.outcome, names).partition(names)[2]


def test_a_malformed_page_file_or_mapping_is_in_the_ingestion_log(troubled: Troubled) -> None:
    assert troubled.second.failures - troubled.first.failures >= {
        ("shopify", "orders", "MalformedInputError"),
        ("shopify", "products", "MalformedInputError"),
        ("fx", "ecb_rates", "MalformedInputError"),
        ("pos", "transactions", "ConfigurationError"),
        ("pos", "products", "ConfigurationError"),
    }


def test_what_came_whole_before_a_malformed_page_is_kept_and_built(troubled: Troubled) -> None:
    counts, gold = troubled.second.counts, troubled.second.gold
    assert 0 < counts["bronze.shopify_orders"] < troubled.orders
    assert gold["shopify_orders"] == counts["bronze.shopify_orders"]
    assert not any(name.startswith("quarantine.") for name in counts)
    assert "bronze.shopify_products" not in counts
    # Nothing of the file, and nothing of dropped files while a mapping cannot be read.
    assert "bronze.fx_ecb_rates" not in counts
    assert gold["pos_transactions"] == 100


def test_the_other_sources_reach_gold_meanwhile(troubled: Troubled) -> None:
    assert troubled.second.gold["fx_intraday_rates"] == 1
    assert troubled.second.gold["shopify_locations"] > 0


def test_once_mended_the_next_run_completes_what_was_missing(troubled: Troubled) -> None:
    home = troubled.home
    assert troubled.mended.code == 0, troubled.mended.err
    assert troubled.mended.err == ""
    for table, records in (("pos_transactions", 5160), ("shopify_orders", troubled.orders)):
        loaded = f"select count(distinct natural_key), count(*) = count(distinct record_id) from bronze.{table}"
        assert home.rows(loaded) == [(records, True)]
    assert home.gold()["pos_transactions"] == 5160
    assert home.count("bronze.fx_intraday_rates") == 1
    assert home.count("bronze.shopify_products") > 0


def test_a_line_that_is_no_rates_is_set_aside_with_its_reason(troubled: Troubled) -> None:
    assert troubled.home.gold()["fx_ecb_rates"] == 2
    reasons = troubled.home.rows("select reason from quarantine.bronze_fx_ecb_rates")
    assert reasons == [("the rate of USD is not a positive number",)]


@pytest.mark.slow
def test_missing_credentials_fail_although_the_files_are_read(home: Home, small_build: Path) -> None:
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    home.settings |= {"RETREASURE_DBT_PROJECT": str(small_build), "RETREASURE_SHOPIFY_SHOP": "retreasure"}
    outcome = home.run()
    assert outcome.code == 2
    is_quiet(outcome)
    (reason,) = outcome.reasons
    assert "shopify is configured in part only. Set RETREASURE_SHOPIFY_TOKEN" in reason
    assert ("shopify", "orders", "ConfigurationError") in home.failures_logged()
    assert home.count("bronze.pos_products") == 2


@pytest.mark.parametrize(
    ("settings", "words", "names"),
    [
        ({}, ["run"], "No source is configured."),
        ({"RETREASURE_SHOPIFY_SHOP": "retreasure"}, ["run"], "The source shopify is configured in part only."),
        pytest.param(
            {"RETREASURE_SHOPIFY_TOKEN": "shpat_1"},
            ["run", "--source", "fx"],
            "The source fx is off.",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"RETREASURE_FX_ENABLED": "true"},
            ["run", "--source", "ebya"],
            "There is no source ebya.",
            marks=pytest.mark.slow,
        ),
        ({"RETREASURE_FX_ENABLED": "true"}, ["run", "--since", "yesterday"], "The since date is not a date."),
        ({"RETREASURE_FX_ENABLED": "perhaps"}, ["run"], "RETREASURE_FX_ENABLED is not valid"),
        ({"RETREASURE_FX_URL": "ftp//nowhere"}, ["run"], "RETREASURE_FX_URL is not valid"),
    ],
)
def test_wrong_settings_are_named_before_anything_is_read(
    home: Home, settings: dict[str, str], words: list[str], names: str
) -> None:
    home.settings |= settings
    outcome = home.run(*words)
    assert outcome.code == 2, outcome.err
    is_quiet(outcome)
    (reason,) = outcome.reasons
    assert reason.startswith(names)
    assert "Remedy: " in outcome.err


@pytest.mark.slow
def test_a_mapping_with_a_mistake_is_named_and_loses_nothing(home: Home, small_build: Path) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/transactions/till.csv", receipts(0, 7))
    mapping = home.path / "mappings" / "till.yaml"
    mapping.parent.mkdir()
    mapping.write_text("extends: pos_transactions\npatern: 'till*.csv'\n")
    outcome = home.run()
    assert outcome.code == 2, outcome.err
    is_quiet(outcome)
    assert len(outcome.reasons) == 1
    assert "The file mapping till.yaml: the key patern is unknown (did you mean pattern?)" in outcome.err
    assert "ConfigurationError" in {error for _, _, error in home.failures_logged()}
    assert home.count("bronze.pos_transactions") == 0

    mapping.write_text("extends: pos_transactions\npattern: 'till*.csv'\n")
    assert home.run().code == 0
    assert home.count("bronze.pos_transactions") == 7


class Slow(HTTPServer):
    """An intraday provider that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()
        slow = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                slow.asked.set()
                slow.go_on.wait(60)
                body = json.dumps(QUOTE).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.mark.slow
def test_a_second_run_is_refused_while_one_is_going_and_goes_on_when_that_is_killed(
    home: Home, small_build: Path
) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    with Slow() as provider:
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        home.settings["RETREASURE_FX_INTRADAY_URL"] = f"http://127.0.0.1:{provider.server_address[1]}/"
        first = home.start("run")
        try:
            assert provider.asked.wait(90), "the first run never asked"
            second = home.run()
        finally:
            first.kill()
            first.communicate(timeout=30)
            provider.go_on.set()
        # The killed one still holds Dagster's slot of its step; nobody must wait for it.
        third = home.run(timeout=120)
        provider.shutdown()
    assert second.code == 7, second.err
    is_quiet(second)
    (reason,) = second.reasons
    assert reason.startswith(f"Another run (process {first.pid}) has been going for 0 min")
    assert "Remedy: Wait until it ends, or stop that process." in second.err
    assert (third.code, third.err) == (0, ""), third.out
    assert home.failures_logged() == {("platform", "run", "AlreadyRunningError")}
    assert home.count("bronze.fx_intraday_rates") == 1
    assert home.count("bronze.pos_products") == 2


@pytest.mark.slow
def test_runs_that_the_daemon_began_and_nobody_goes_on_with_block_nothing(
    home: Home, small_build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    folder = home.path / "dagster"
    folder.mkdir()
    shutil.copy(Path(automation.__file__).with_name("dagster.yaml"), folder)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    pools = ["warehouse", "bronze_pos_products"]
    with DagsterInstance.from_config(str(folder)) as instance:
        dead = [create_run_for_test(instance, status=DagsterRunStatus.STARTED).run_id for _ in pools]
        for pool, run_id in zip(pools, dead, strict=True):
            instance.event_log_storage.initialize_concurrency_limit_to_default(pool)
            assert instance.event_log_storage.claim_concurrency_slot(pool, run_id, "step").is_claimed
        outcome = home.run(timeout=120)
        assert {instance.get_run_by_id(run_id).status for run_id in dead} == {DagsterRunStatus.FAILURE}
    assert (outcome.code, outcome.err) == (0, ""), outcome.out
    assert home.gold()["pos_products"] == 2


@pytest.mark.slow
def test_a_warehouse_that_another_process_holds_and_one_that_is_damaged(home: Home, small_build: Path) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    warehouse = home.path / "build" / "warehouse.duckdb"
    warehouse.parent.mkdir()
    with duckdb.connect(str(warehouse)):
        outcome = home.run()
    assert outcome.code == 7, outcome.err
    is_quiet(outcome)
    (reason,) = outcome.reasons
    assert f"warehouse.duckdb is held by process {os.getpid()}. Wait until that process ends" in reason
    assert home.failures_logged() == {("platform", "build", "AlreadyRunningError")}
    # What a full disk leaves.
    warehouse.write_bytes(b"")
    after = home.run()
    assert (after.code, after.err) == (0, "")
    assert home.gold()["pos_products"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["*.parquet", "*.json"], ids=["rows", "log"])
def test_a_damaged_file_of_the_lake_is_named_and_a_restored_one_goes_on(
    home: Home, small_build: Path, kind: str
) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    home.drop("pos/transactions/till.csv", receipts(0, 7))
    assert home.run().code == 0
    (file, *_) = sorted((home.path / "lake" / "bronze" / "pos_products").rglob(kind))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    home.drop("pos/products/more.csv", PRODUCTS.replace(b"RT-", b"RX-"))
    home.drop("pos/transactions/till.csv", receipts(0, 9))
    outcome = home.run()
    assert outcome.code == 4, outcome.err
    is_quiet(outcome)
    assert all("bronze.pos_products could not be read" in reason for reason in outcome.reasons), outcome.err
    # The table beside it takes in what is new meanwhile.
    assert home.count("bronze.pos_transactions") == 9
    failing = home.rows("select subject, severity, state from ops.failures")
    assert ("bronze.pos_products", "critical", "open") in failing

    file.write_bytes(whole)
    after = home.run()
    assert (after.code, after.err) == (0, ""), after.out
    assert (home.gold()["pos_products"], home.gold()["pos_transactions"]) == (4, 9)
    assert home.rows("select distinct state from ops.failures") == [("resolved",)]


@pytest.mark.slow
@pytest.mark.parametrize("table", ["failures", "alerts"])
def test_damaged_logs_of_failures_and_alerts_are_named_and_keep_no_data_back(
    home: Home, small_build: Path, table: str
) -> None:
    home.settings |= {
        "RETREASURE_DBT_PROJECT": str(small_build),
        "RETREASURE_FX_URL": f"http://127.0.0.1:{closed_port()}",
    }
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    assert home.run().code == 3
    assert ("source", "bronze.fx_ecb_rates", 4) in home.rows("select kind, subject, attempts from ops.failures")
    (log, *_) = sorted((home.path / "lake" / "ops" / table / "_delta_log").glob("*.json"))
    log.write_bytes(b"{half")
    home.drop("pos/products/more.csv", PRODUCTS.replace(b"RT-1", b"RT-9"))
    outcome = home.run()
    assert outcome.code == 3, outcome.err
    is_quiet(outcome)
    assert all("bronze.fx_ecb_rates" in reason or f"ops.{table}" in reason for reason in outcome.reasons), outcome.err
    assert home.gold()["pos_products"] == 3


def test_what_fails_is_in_the_failure_log_until_it_works(troubled: Troubled) -> None:
    kept = troubled.home.rows("select kind, subject, state, error_class from ops.failures")
    ended = {("source", "bronze.shopify_orders", "resolved"), ("source", "bronze.fx_ecb_rates", "resolved")}
    assert {row[:3] for row in kept} >= ended
    assert not [row for row in kept if row[0] != "check" and row[2] == "open"]
    assert len({row[1] for row in kept if row[1] == "bronze.shopify_orders"}) == 1


@pytest.mark.slow
def test_a_mapping_of_a_table_that_an_api_feeds_is_refused(home: Home, small_build: Path) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("shopify/orders/orders.csv", b"id,total\n1,2\n")
    mapping = home.path / "mappings" / "orders.yaml"
    mapping.parent.mkdir()
    mapping.write_text("source: shopify\nentity: orders\npattern: '*.csv'\nnatural_key: id\ncolumns: {id: id}\n")
    outcome = home.run("run", "--source", "shopify")
    assert outcome.code == 2, outcome.err
    is_quiet(outcome)
    (reason,) = outcome.reasons
    assert "The file mapping orders would feed bronze.shopify_orders, which an API feeds. Give it another" in reason


@pytest.mark.slow
def test_a_drop_folder_and_a_file_without_rights_stop_their_entities_alone(
    home: Home, small_build: Path, rights: Callable[[], None]
) -> None:
    home.settings |= {"RETREASURE_DBT_PROJECT": str(small_build)}
    folder = home.drop("pos/products/catalogue.csv", PRODUCTS).parent
    file = home.drop("pos/transactions/secret.csv", receipts(100, 7))
    home.drop("pos/transactions/till.csv", receipts(0, 7))
    folder.chmod(0)
    file.chmod(0)
    outcome = home.run(before=rights)
    assert outcome.code == 3, outcome.err
    is_quiet(outcome)
    assert len(outcome.reasons) == 2
    for place in ("pos/products", "pos/transactions/secret.csv"):
        (reason,) = [reason for reason in outcome.reasons if place in reason]
        assert "No rights to read" in reason
        assert "Give this user the right to read it." in reason
    assert home.failures_logged() == {
        ("pos", "products", "PermanentSourceError"),
        ("pos", "transactions", "PermanentSourceError"),
    }
    assert home.count("bronze.pos_transactions") == 7

    folder.chmod(0o755)
    file.chmod(0o644)
    assert home.run(before=rights).code == 0
    assert home.count("bronze.pos_products") == 2
    assert home.count("bronze.pos_transactions") == 14


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "mode", "code"),
    [
        (".", 0o500, 4),
        (".", 0, 4),
        ("lake", 0o500, 4),
        ("lake", 0, 4),
        ("lake/bronze", 0, 4),
        ("vault", 0o500, 5),
        ("vault", 0, 5),
        ("dagster", 0o500, 4),
        ("build", 0o500, 4),
        ("build/dbt", 0, 4),
    ],
)
def test_a_state_folder_without_rights_is_named(
    home: Home, small_build: Path, rights: Callable[[], None], place: str, mode: int, code: int
) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    folder = home.path / place
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(mode)
    try:
        outcome = home.run(before=rights)
    finally:
        folder.chmod(0o700)
    assert outcome.code == code, outcome.err
    is_quiet(outcome)
    assert len(outcome.reasons) == 1, outcome.err
    remedies = [line for line in outcome.err.splitlines() if line.startswith(("Failed: ", "Remedy: "))]
    assert all("rights on" in remedy for remedy in remedies), outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", [False, True], ids=["state", "lake"])
def test_a_full_disk_is_named_and_the_next_run_completes(
    tmp_path: Path, small_build: Path, small_disk: Callable[[int], Path], elsewhere: bool
) -> None:
    """The disk fills up under Dagster's own files, or, with those elsewhere, under the lake's."""
    disk = small_disk(2 << 20)
    home = Home(disk / "home", {"RETREASURE_DBT_PROJECT": str(small_build)})
    if elsewhere:
        history = tmp_path / "dagster"
        history.mkdir()
        home.settings["DAGSTER_HOME"] = str(history)
    home.path.mkdir()
    (home.path / "drop").symlink_to(tmp_path / "drop")
    (tmp_path / "drop").mkdir()
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    home.drop("pos/transactions/till.csv", receipts(0, 60_000))
    outcome = home.run()
    # The vault's keys are written before what they seal, so that it may be the first that finds no space.
    assert outcome.code in (4, 5), outcome.err
    is_quiet(outcome)
    assert "the disk is full" in outcome.err or "Check free space" in outcome.err

    resize(disk, 200 << 20)
    after = home.run()
    assert after.code == 0, after.err
    loaded = "select count(*), count(distinct natural_key), count(distinct record_id) from bronze.pos_transactions"
    assert home.rows(loaded) == [(60_000, 60_000, 60_000)]
    assert dict(home.rows("select source_table, records from gold.loaded"))["pos_transactions"] == 60_000
