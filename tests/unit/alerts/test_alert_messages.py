"""What an alert says, and that Slack takes it however much there is to say."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.alerts.message import MOST_ITEMS, Alert, compose, impersonal
from retreasure_assets.alerts.plain import plain_text
from retreasure_assets.alerts.slack import BLOCKS, HEADER, SECTION, TEXT, cut, escaped, message
from retreasure_assets.lake.failures import Kind, Severity, Symptom, first_row
from retreasure_assets.sandbox.slack import SLACK_CHANNEL, problem_of

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def alert(*symptoms: Symptom, recovered: bool = False, dagster_url: str = "http://127.0.0.1:3000") -> Alert:
    return compose(
        [first_row(symptom, "run-1", NOW) for symptom in symptoms],
        recovered=recovered,
        by="run-1",
        run_id="4f7c",
        dagster_url=dagster_url,
        runbook="https://example.com/runbook.md",
        at=NOW,
    )


def source(subject: str, cause: str = "Etsy could not answer (HTTP 500).", **more: object) -> Symptom:
    return Symptom(Kind.SOURCE, subject, cause, "TransientSourceError", **more)  # type: ignore[arg-type]


def test_one_failure_is_one_item_however_many_tables_it_stops() -> None:
    told = alert(*(source(f"bronze.etsy_{number}", attempts=4) for number in range(9)))
    (item,) = told.items
    assert (len(item.subjects), item.more, item.attempts) == (4, 5, 36)
    assert told.title == (
        "ERROR: Source not read: bronze.etsy_0, bronze.etsy_1, bronze.etsy_2, bronze.etsy_3 and 5 more"
    )


def test_the_worst_comes_first_and_gives_the_severity() -> None:
    check = Symptom(Kind.CHECK, "silver.orders: unique", "Bad data.", "FailedCheck", severity=Severity.WARNING)
    told = alert(check, Symptom(Kind.SENSOR, "watch", "It died.", "DeadSensor", severity=Severity.CRITICAL))
    assert told.severity is Severity.CRITICAL
    assert [item.kind for item in told.items] == [Kind.SENSOR, Kind.CHECK]


def test_it_names_owner_run_runbook_and_remedy() -> None:
    told = alert(source("bronze.etsy_orders", remedy="Try again later.", owner="team:finance"))
    shown = repr(message(told)["blocks"])
    for said in ("team:finance", "http://127.0.0.1:3000/runs/4f7c", "runbook.md#source-not-read", "Try again later."):
        assert said in shown
        assert said in plain_text(told)


def test_without_the_address_of_the_ui_the_run_is_named() -> None:
    assert "Run 4f7c" in plain_text(alert(source("a"), dagster_url=""))


def test_recovery_says_what_works_again_and_no_reason() -> None:
    told = alert(source("bronze.etsy_orders"), recovered=True)
    assert told.title == "Works again: Source not read: bronze.etsy_orders"
    assert told.severity is Severity.INFO
    assert "HTTP 500" not in plain_text(told)


def test_the_same_failures_of_the_same_run_are_the_same_alert() -> None:
    one, two = source("a"), source("b")
    assert alert(one, two).alert_id == alert(two, one).alert_id
    assert len({alert(one).alert_id, alert(two).alert_id, alert(one, recovered=True).alert_id}) == 3


def test_it_survives_the_outbox() -> None:
    told = alert(source("a"), source("b", cause="Other."))
    assert msgspec.json.decode(msgspec.json.encode(told), type=Alert) == told


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=400), st.text(max_size=5_000)), min_size=1, max_size=70),
    st.booleans(),
)
def test_slack_takes_it_whatever_it_says(told: list[tuple[str, str]], recovered: bool) -> None:
    sent = message(alert(*(source(subject, cause) for subject, cause in told), recovered=recovered))
    assert problem_of({"channel": SLACK_CHANNEL, **sent}) is None
    assert len(sent["text"]) <= TEXT
    assert len(sent["blocks"]) <= BLOCKS


def test_too_many_things_are_counted() -> None:
    told = alert(*(source(f"t{number}", cause=f"Cause {number}.") for number in range(MOST_ITEMS + 5)))
    assert told.more == 5
    assert "5 more: `retreasure status` lists them." in plain_text(told)
    assert len(message(told)["blocks"]) == 2 * MOST_ITEMS + 2


@pytest.mark.parametrize("longest", range(1, 30))
def test_nothing_is_cut_inside_an_escape(longest: int) -> None:
    text = cut(escaped("<&><&><&>"), longest)
    assert len(text) <= longest
    assert text.rstrip("…").replace("&lt;", "").replace("&gt;", "").replace("&amp;", "") == ""


def test_slacks_markup_in_a_cause_is_shown_not_obeyed() -> None:
    sent = message(alert(source("a", cause="Ask <!channel> & <https://evil.example|here>.")))
    section = sent["blocks"][1]["text"]["text"]
    assert "<" not in section
    assert "&lt;!channel&gt; &amp;" in section


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to jane.doe@example.com today.", "Write to <e-mail> today."),
        ("Call +353 21 123 4567 now.", "Call <number> now."),
        ("At https://shop.example/orders?email=jane#x it failed.", "At https://shop.example/orders it failed."),
        ("Nothing new since 2026-11-01 12:34 UTC.", "Nothing new since 2026-11-01 12:34 UTC."),
        ("5,160 rows of bronze.pos_transactions (HTTP 429).", "5,160 rows of bronze.pos_transactions (HTTP 429)."),
        ("The API at http://127.0.0.1:43210 is down.", "The API at http://127.0.0.1:43210 is down."),
    ],
)
def test_nothing_personal_leaves_the_house(text: str, left: str) -> None:
    assert impersonal(text) == left


def test_the_limits_are_slacks() -> None:
    """The stand-in refuses one character more, so that the test above means something."""
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * (HEADER + 1)}}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * (SECTION + 1)}}
    for blocks in ([header], [section], [{"type": "divider"}] * (BLOCKS + 1), [{"type": "marquee"}]):
        assert problem_of({"channel": SLACK_CHANNEL, "text": "x", "blocks": blocks}) == "invalid_blocks"
