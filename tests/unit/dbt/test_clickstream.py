"""Events and sessions: clocks put right, machines marked, and sessions that no order of arrival changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from bronze_bench import Bench, Record

CLICKS = ("--select", "path:models/silver/clickstream", "silver_events")
T0 = datetime(2026, 9, 1, 10, tzinfo=UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def click(
    event_id: str, minutes: float, visitor: str = "v1", *, skew: float = 0, late: float = 0, **more: Any
) -> Record:
    """An event ``minutes`` after the beginning, from a clock ``skew`` minutes ahead, told ``late`` minutes later."""
    at, ahead, told = T0 + timedelta(minutes=minutes), timedelta(minutes=skew), timedelta(minutes=late)
    payload = {
        "event_id": event_id,
        "provider": "segment",
        "event_type": "page",
        "event_name": "Page",
        "anonymous_id": visitor,
        "page_path": "/",
        "user_agent": "Mozilla/5.0 (X11; Linux) Firefox/145.0",
        "original_at": stamp(at + ahead),
        "sent_at": stamp(at + ahead + told),
        "timestamp": stamp(at + ahead),
        "received_at": stamp(at + told),
    }
    return Record("clickstream_events", payload | more, f"p_{visitor}")


def test_events(bench: Bench) -> None:
    track = {"event_type": "track", "event_name": "Product Added", "item_id": "RT-1"}
    bench.ingest(
        click("wrong clock", 5, skew=90, late=3),
        click("mad clock", 5, original_at="1970-01-01T00:00:00Z", timestamp=stamp(T0)),
        click("pixel", 7, provider="shopify_pixel", event_type="standard", event_name="checkout_completed",
              original_at=None, sent_at=None, order_id="5"),
        click("machine", 7, "v2", user_agent="Mozilla/5.0 (compatible; Googlebot/2.1)"),
        click("phone", 8, user_agent="Mozilla/5.0 (Linux; Android 9; CUBOT_X19) Chrome/120"),
        click("cart", 9, **track),
        click("own", 9, event_type="track", event_name="Watched the Film"),
        click("timeless", 9, provider="shopify_pixel", timestamp=None),
    )  # fmt: skip
    # Told again, later, by the same browser.
    bench.ingest(click("cart", 9, late=600, **track))
    bench.build(*CLICKS)
    rows = bench.query("select event_id, occurred_at, event_name, is_bot from silver.events order by event_id")
    at = {
        name: T0 + timedelta(minutes=minutes)
        for name, minutes in (("five", 5), ("seven", 7), ("eight", 8), ("nine", 9))
    }
    assert rows == [
        ("cart", at["nine"], "product_added_to_cart", False),
        ("machine", at["seven"], "page_viewed", True),
        ("mad clock", T0, "page_viewed", False),
        ("own", at["nine"], "watched_the_film", False),
        ("phone", at["eight"], "page_viewed", False),
        ("pixel", at["seven"], "checkout_completed", False),
        ("wrong clock", at["five"], "page_viewed", False),
    ]
    assert bench.query("select event_id, reject_reason from quarantine.silver_events") == [("timeless", "no time; ")]


def sessions(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.query(
        "select visitor_id, date_diff('minute', timestamptz '2026-09-01 10:00:00+00', started_at), duration_seconds,"
        " event_count from silver.sessions order by all"
    )


def test_a_session_has_the_texts_of_its_first_and_last_event(bench: Bench) -> None:
    bench.ingest(
        # At the same moment the lower id comes first; what it lacks, a later event does not stand in for.
        click("a", 0, page_path="/first", referrer=None),
        click("ab", 0, page_path="/second", referrer="https://elsewhere.example/"),
        click("first campaign", 1, page_path="/offer", utm_source="mail", utm_medium="", utm_campaign=None),
        click("second campaign", 2, utm_source="ads", utm_medium="cpc", utm_campaign="autumn"),
        click("z", 3, page_path=None, referrer="https://elsewhere.example/"),
        click("only", 0, "v2", page_path="", referrer="", user_agent=None),
    )
    bench.build(*CLICKS)
    assert bench.query(
        "select visitor_id, entry_path, exit_path, referrer, device, utm_source, utm_medium, utm_campaign, country"
        " from silver.sessions order by visitor_id"
    ) == [
        ("v1", "/first", None, None, "desktop", "mail", "", None, None),
        ("v2", "", "", "", "unknown", None, None, None, None),
    ]


UNTOUCHED = (
    "select started_at, built_at from silver.sessions"
    " where visitor_id = 'v2' or started_at > '2026-09-01 15:00+00' order by all"
)


def test_a_late_event_reopens_the_sessions_it_touches_and_no_others(bench: Bench) -> None:
    bench.ingest(click("a", 0), click("b", 50), click("c", 500), click("d", 0, "v2"))
    bench.build(*CLICKS)
    assert sessions(bench) == [("v1", 0, 0, 1), ("v1", 50, 0, 1), ("v1", 500, 0, 1), ("v2", 0, 0, 1)]
    stamps = bench.query(UNTOUCHED)
    # Exactly half an hour of pause is none: two sessions become one.
    bench.ingest(click("between", 20, late=3000))
    bench.build(*CLICKS)
    assert sessions(bench) == [("v1", 0, 3000, 3), ("v1", 500, 0, 1), ("v2", 0, 0, 1)]
    assert bench.query(UNTOUCHED) == stamps
    # An earlier beginning is another session id; the old one goes.
    bench.ingest(click("before", -10, late=4000))
    bench.build(*CLICKS)
    assert sessions(bench) == [("v1", -10, 3600, 4), ("v1", 500, 0, 1), ("v2", 0, 0, 1)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 10))])
def test_any_order_and_portion_of_arrival_gives_the_same_sessions(new_bench: Callable[[], Bench], seed: int) -> None:
    rng = Random(seed)
    records = []
    for visitor in ("v1", "v2", "v3"):
        minute = 0.0
        for number in range(30):
            minute += rng.choice((1, 5, 29, 30, 31, 45, 300))
            records.append(click(f"{visitor}-{number}", minute, visitor, late=rng.choice((0, 0, 900))))
    settled = new_bench()
    settled.ingest(*records)
    settled.build(*CLICKS)
    records += rng.sample(records, 10)
    rng.shuffle(records)
    bench = new_bench()
    cuts = sorted(rng.sample(range(1, len(records)), 3))
    for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True):
        bench.ingest(*records[start:end])
        bench.build(*CLICKS)
    assert bench.snapshot() == settled.snapshot()
    assert len(bench.query("select * from silver.sessions")) > 10
    before = bench.snapshot(stamps=True)
    bench.build(*CLICKS)
    assert bench.snapshot(stamps=True) == before
