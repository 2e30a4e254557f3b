"""The gate of a dataset: what goes on, what is kept out, what is withheld, and how it heals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from retreasure_assets.lake.news import news, remember
from retreasure_assets.lake.storage import Lake
from retreasure_assets.lake.warehouse import prepare_warehouse
from retreasure_assets.quality import suite as suites
from retreasure_assets.quality.gate import Gates
from retreasure_assets.quality.quarantine_log import Lifecycle, QuarantineLog
from retreasure_assets.quality.result import GateResult, Status
from retreasure_assets.settings import Settings
from tests.unit.lake.world import ORDERS, PLANTED, assert_nothing_planted, rows
from tests.unit.quality.conftest import order

Receive = Callable[..., GateResult]
Shown = Callable[[], list[str]]


def numbers(*values: int) -> list[str]:
    return sorted(map(str, values))


def statuses(lake: Lake) -> dict[str | None, str]:
    return {entry.natural_key: entry.status.value for entry in QuarantineLog(lake).entries()}


def test_good_rows_go_on(receive: Receive, shown: Shown, lake: Lake) -> None:
    result = receive([order(number) for number in range(10)])
    assert (result.status, result.rows, result.quarantined, result.reasons) == (Status.PASSED, 10, 0, ())
    assert shown() == numbers(*range(10))
    assert not QuarantineLog(lake).entries()


def test_a_bad_row_is_kept_out_with_its_reason_and_the_others_go_on(receive: Receive, shown: Shown, lake: Lake) -> None:
    bad = order(7, createdAt=None, presentmentCurrencyCode="pounds 99")
    result = receive([*(order(number) for number in range(7)), bad])
    assert (result.status, result.rows, result.quarantined) == (Status.WARNED, 8, 1)
    assert {(one.rule, one.column, one.rows) for one in result.reasons} == {
        ("created_at_present", "created_at", 1),
        ("currency_code", "currency", 1),
    }
    assert shown() == numbers(*range(7))
    (entry,) = QuarantineLog(lake).entries()
    assert (entry.status, entry.natural_key, entry.suite_version) == (
        Lifecycle.OPEN,
        "gid://shopify/Order/7",
        result.suite_version,
    )
    # The value is masked: its shape says what is wrong.
    assert {(one.rule, one.value) for one in entry.reasons} == {
        ("created_at_present", None),
        ("currency_code", "aaaaaa 99"),
    }
    (kept,) = rows(lake, "quarantine", "bronze_shopify_orders")
    assert kept["record_id"] == entry.record_id
    assert kept["sealed"] is None
    assert "created_at_present (created_at)" in kept["reason"]
    assert_nothing_planted(lake.root)


def test_a_value_nobody_knows_goes_on_and_is_told(receive: Receive, shown: Shown) -> None:
    result = receive([order(1), order(2, displayFulfillmentStatus="TOMORROW")])
    assert (result.status, result.quarantined) == (Status.WARNED, 0)
    assert [(one.rule, one.rows) for one in result.notes] == [("fulfilment_status_known", 1)]
    assert shown() == numbers(1, 2)


def test_too_many_bad_rows_withhold_the_batch_and_the_last_good_state_stays(receive: Receive, shown: Shown) -> None:
    receive([order(number) for number in range(5)])
    result = receive([order(number, presentmentCurrencyCode="?" if number % 2 else "EUR") for number in range(5, 17)])
    assert (result.status, result.quarantined) == (Status.CLOSED, 6)
    assert "6 of 12 rows are bad, more than 20%" in result.sentence
    assert shown() == numbers(*range(5))


def test_a_source_that_changed_its_form_is_withheld(receive: Receive, shown: Shown) -> None:
    receive([order(1)])
    result = receive([order(number, lineItems={"nodes": {"of": "tomorrow"}}) for number in (2, 3, 4)])
    assert "none of 3 rows keeps lines_type (lines_kind)" in result.sentence
    assert shown() == numbers(1)


def test_what_comes_again_in_good_form_heals_by_itself(receive: Receive, shown: Shown, lake: Lake) -> None:
    receive([order(1)])
    assert receive([order(number, presentmentCurrencyCode="?") for number in range(2, 10)]).closed
    # The source has put all but one right; what was good of the withheld batch is no news to bronze.
    result = receive([*(order(number) for number in range(2, 9)), order(10), order(11)])
    assert (result.status, result.quarantined, result.healed) == (Status.WARNED, 1, 7)
    assert shown() == numbers(*range(1, 9), 10, 11)
    assert sorted(statuses(lake).values()) == ["closed"] * 7 + ["open"]
    result = receive([order(9)])
    assert (result.status, result.healed) == (Status.PASSED, 1)
    assert shown() == numbers(*range(1, 12))
    assert set(statuses(lake).values()) == {"closed"}


def test_a_bad_form_of_what_was_let_through_before_holds_nothing_up(receive: Receive, shown: Shown, lake: Lake) -> None:
    receive([order(number) for number in range(1, 7)])
    # The source broke its form: what was read before came again in it, and new records too.
    broken = [order(number, presentmentCurrencyCode="?") for number in range(1, 10)]
    assert receive(broken).closed
    assert shown() == numbers(*range(1, 7))
    # Mended, the old ones are byte for byte what bronze has, and no news: only the new ones are written.
    result = receive([order(number) for number in range(1, 10)])
    assert (result.status, result.quarantined, result.healed) == (Status.PASSED, 0, 9)
    assert shown() == numbers(*range(1, 10))
    assert set(statuses(lake).values()) == {"closed"}


def test_noise_that_cannot_be_read_withholds_the_rest_until_it_is_gone(receive: Receive, shown: Shown) -> None:
    receive([order(1)])
    noise = [order(number)[:-20] for number in range(2, 9)]
    result = receive([*noise, order(20)])
    assert result.closed
    assert "7 of 8 rows are bad, more than 20%; readable (payload: is not valid JSON) broken by 7" in result.sentence
    # The same noise again is nothing new, and no better.
    result = receive([*noise, order(20)])
    assert (result.status, result.malformed) == (Status.CLOSED, 7)
    assert shown() == numbers(1)
    assert receive([*(order(number) for number in range(2, 9)), order(20)]).status is Status.PASSED
    assert shown() == numbers(*range(1, 9), 20)


def test_few_bad_rows_say_nothing_about_a_small_batch(receive: Receive, shown: Shown) -> None:
    result = receive([order(1), order(2, createdAt="yesterday")])
    assert result.status is Status.WARNED
    assert shown() == numbers(1)


def test_a_rule_that_cannot_be_evaluated_withholds_the_batch(
    receive: Receive, shown: Shown, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    receive([order(1)])
    document = json.loads((Path(suites.__file__).parent / "suites/bronze/shopify_orders.json").read_text())
    document["expectations"][2]["kwargs"]["column"] = "no_such_column"
    (tmp_path / "bronze").mkdir()
    (tmp_path / "bronze" / "shopify_orders.json").write_text(json.dumps(document))
    monkeypatch.setattr(suites, "_FOLDER", tmp_path)
    result = receive([order(2)])
    assert result.structural == ("the rule created_at_present cannot be evaluated",)
    assert shown() == numbers(1)


def test_no_record_where_there_always_is_one(gates: Gates, receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    receive([order(1)])
    assert receive([]).status is Status.PASSED
    never = suites.suite_of("bronze", "shopify_locations")
    assert never.never_empty
    monkeypatch.setattr("retreasure_assets.quality.gate.suite_of", lambda layer, table, folder: never)
    assert "no record at all" in receive([]).sentence


def test_an_evaluation_that_was_killed_before_its_end_is_made_again(
    receive: Receive, shown: Shown, gates: Gates, lake: Lake
) -> None:
    receive([order(1), order(2, createdAt=None)])
    before = rows(lake, "quarantine", "bronze_shopify_orders"), QuarantineLog(lake).entries()
    (lake.state / "gates" / "shopify_orders.json").unlink()
    assert gates.is_waiting(ORDERS)
    assert gates.check(ORDERS, run_id="again") is not None
    assert shown() == numbers(1)
    assert (rows(lake, "quarantine", "bronze_shopify_orders"), QuarantineLog(lake).entries()) == before
    assert not gates.is_waiting(ORDERS)
    assert gates.check(ORDERS, run_id="again") is None


def test_a_withheld_batch_is_no_news_to_the_build(
    receive: Receive, settings: Settings, lake: Lake, gates: Gates
) -> None:
    def versions() -> dict[str, int | str]:
        return prepare_warehouse(settings, lake, [ORDERS.table], gates.admissions([ORDERS.table]))

    receive([order(number) for number in range(5)])
    remember(settings, versions(), "project")
    receive([order(number, createdAt=None) for number in range(5, 15)])
    assert news(settings, versions(), "project") == frozenset()
    receive([order(number) for number in range(5, 15)])
    assert news(settings, versions(), "project") == {"shopify_orders"}


def test_nothing_personal_is_in_a_sentence(receive: Receive) -> None:
    result = receive([order(1), order(2, presentmentCurrencyCode=PLANTED[0], displayFulfillmentStatus=PLANTED[1])])
    assert not any(value in repr(result) for value in PLANTED)
