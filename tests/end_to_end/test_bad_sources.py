"""Bad sources, settings and mappings through the real command line: one sentence, an exit code, a row in the log, and
nothing lost.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from retreasure_assets.sandbox import WorldSpec, generate_world, true_gold
from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.shopify import SHOPIFY_TOKEN
from tests.end_to_end.bad_input import PRODUCTS, QUOTE, SHOPPER, closed_port, is_quiet, receipts
from tests.end_to_end.conftest import Home, Outcome, garbling, served

ECB = b"Date,USD,GBP,\n2026-10-30,1.1172,0.8338,\n2026-10-29,1.1100,N/A,\n"

pytestmark = pytest.mark.timeout(300)


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
