"""Parcels: every provider's words mean the same, and no order of arrival changes where a parcel is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import duckdb
import pytest
from bronze_bench import Bench, Dbt, Record
from hypothesis import example, given
from hypothesis import strategies as st
from payloads import fulfillment, order
from tracking_payloads import aftership, easypost, seventeentrack, shippo

TRACKING = ("--select", "path:models/silver/tracking", "silver_tracking_events")

#: domain.md, section 2: canonical status -> (EasyPost, AfterShip, Shippo, 17TRACK), each as status/detail.
WORDS: dict[str, tuple[str | None, str | None, str | None, str | None]] = {
    "pending": ("unknown/", "Pending/", "UNKNOWN/", "NotFound/NotFound_Other"),
    "label_created": ("pre_transit/", "InfoReceived/InfoReceived_001", "PRE_TRANSIT/", "InfoReceived/"),
    "in_transit": ("in_transit/departed_facility", "InTransit/", "TRANSIT/", "InTransit/InTransit_Arrival"),
    "out_for_delivery": (
        "out_for_delivery/",
        "OutForDelivery/",
        "TRANSIT/out_for_delivery",
        "OutForDelivery/OutForDelivery_Other",
    ),
    "pickup_ready": (
        "available_for_pickup/",
        "AvailableForPickup/",
        "TRANSIT/pickup_available",
        "AvailableForPickup/AvailableForPickup_Other",
    ),
    "attempt_failed": (
        "in_transit/delivery_exception",
        "AttemptFail/",
        "TRANSIT/delivery_attempted",
        "DeliveryFailure/DeliveryFailure_NoBody",
    ),
    "delivered": ("delivered/", "Delivered/Delivered_001", "DELIVERED/delivered", "Delivered/Delivered_Other"),
    "returning": ("return_to_sender/return", "Exception/Exception_010", None, "Exception/Exception_Returning"),
    "returned": (
        "return_to_sender/arrived_at_destination",
        "Exception/Exception_011",
        "RETURNED/",
        "Exception/Exception_Returned",
    ),
    "exception": ("failure/lost", "Exception/Exception_013", "FAILURE/package_lost", "Exception/Exception_Lost"),
    "cancelled": ("cancelled/cancelled", None, None, None),
    "expired": (None, "Expired/Expired_001", None, "Expired/Expired_Other"),
}
PROVIDERS: Sequence[Callable[..., Record]] = (easypost, aftership, shippo, seventeentrack)


@pytest.fixture(scope="module")
def told(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A parcel for each word of each provider, and some odd ones."""
    bench = Bench(dbt, tmp_path_factory.mktemp("tracking"))
    at = "2026-09-02T10:00:00Z"
    for status, words in WORDS.items():
        for provider, word in zip(PROVIDERS, words, strict=True):
            if word is not None:
                name, _, detail = word.partition("/")
                bench.ingest(provider(f"{status}-{provider.__name__}", [(at, name, detail)]))
    bench.ingest(
        easypost("odd", [(at, "in_transit", "in_transit"), ("2026-09-03T10:00:00Z", "beamed_up", "by_scotty")]),
        easypost("test", [(at, "delivered", "")], mode="test"),
        easypost("timeless", [(at, "in_transit", ""), ("", "delivered", "")], updated=at, status="in_transit"),
        easypost("late header", [(at, "in_transit", "")], status="return_to_sender", status_detail="return",
                 updated="2026-09-05T00:00:00Z"),
        Record("easypost_events", easypost("hook", [(at, "delivered", "")]).payload, "r_hook"),
    )  # fmt: skip
    bench.build(*TRACKING)
    return bench


@pytest.mark.parametrize("status", WORDS)
def test_every_word_of_the_table_is_understood(told: Bench, status: str) -> None:
    rows = dict(
        told.query(
            f"select tracking_number, status from silver.tracking_states where tracking_number ilike '{status}-%'"
        )
    )
    expected = {
        f"{status}-{provider.__name__}".upper(): status
        for provider, word in zip(PROVIDERS, WORDS[status], strict=True)
        if word is not None
    }
    assert rows == expected


def test_a_word_that_nobody_knows_is_quarantined_and_the_parcel_goes_on(told: Bench) -> None:
    assert told.one("select status, event_count from silver.tracking_states where tracking_number = 'ODD'") == {
        "status": "in_transit",
        "event_count": 1,
    }
    assert told.query(
        "select tracking_number, provider_status, provider_detail, reject_reason from quarantine.silver_tracking_events"
        " order by 1"
    ) == [
        ("ODD", "beamed_up", "by_scotty", "unknown status; "),
        ("TIMELESS", "delivered", "", "no time; "),
    ]


def test_trackers_of_the_test_mode_are_no_parcels(told: Bench) -> None:
    assert told.query("select * from silver.tracking_events where tracking_number = 'TEST'") == []


def test_a_status_that_no_scan_shows_counts_from_the_trackers_change_on(told: Bench) -> None:
    row = told.one("select * from silver.tracking_states where tracking_number = 'LATEHEADER'")
    assert (row["status"], row["last_event_at"]) == ("returning", datetime(2026, 9, 5, tzinfo=UTC))


def test_webhook_files_tell_of_parcels_too(told: Bench) -> None:
    assert told.one("select status from silver.tracking_states where tracking_number = 'HOOK'") == {
        "status": "delivered"
    }


# --- the state as a function of the events -------------------------------------------------------------------------

T0 = datetime(2026, 9, 1, tzinfo=UTC)
STATES = {
    "pending": (0, False),
    "label_created": (1, False),
    "in_transit": (2, True),
    "pickup_ready": (3, True),
    "out_for_delivery": (4, True),
    "attempt_failed": (5, True),
    "exception": (6, False),
    "expired": (7, False),
    "cancelled": (8, False),
    "delivered": (9, True),
    "returning": (10, True),
    "returned": (11, True),
}
Event = tuple[int, str]


@pytest.fixture(scope="module")
def state_of(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[Event]], dict[str, Any]]:
    """The model tracking_states itself, compiled, over events given as (hour, status)."""
    bench = Bench(dbt, tmp_path_factory.mktemp("states"))
    sql = dbt.compiled(bench.path, "tracking_states")
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    con.execute("attach ':memory:' as warehouse; create schema warehouse.silver; use warehouse")
    con.execute(
        "create table silver.tracking_events (event_id varchar, tracking_number varchar, carrier varchar,"
        " occurred_at timestamptz, status varchar, status_rank int, is_scan boolean, built_at timestamptz)"
    )

    def state(events: Sequence[Event]) -> dict[str, Any]:
        con.execute("delete from silver.tracking_events")
        con.executemany(
            "insert into silver.tracking_events values (?, 'N', 'C', ?, ?, ?, ?, ?)",
            [
                (f"{hour}/{status}", T0 + timedelta(hours=hour), status, *STATES[status], datetime.now(UTC))
                for hour, status in events
            ],
        )
        cursor = con.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        [row] = cursor.fetchall()
        found = dict(zip(names, row, strict=True))
        del found["built_at"]
        return found

    return state


def expected(events: Sequence[Event]) -> str:
    """The rules told as a person would, event by event in the order of time."""
    now = "pending"
    delivered = False
    for _, status in sorted(events, key=lambda event: (event[0], STATES[event[1]][0])):
        if not delivered:
            if status != "pending":
                now = status
            delivered = status == "delivered"
        elif status == "returned" or (status == "delivered" and now in ("returning", "returned")):
            now = "returned"
        elif status == "returning" and now != "returned":
            now = "returning"
    return now


history = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(sorted(STATES))), min_size=1, max_size=12, unique=True)


@given(history, st.randoms(use_true_random=False))
@example([(0, "delivered"), (0, "returning"), (1, "delivered")], Random(0))
def test_the_state_follows_the_rules_whatever_the_order(
    state_of: Callable[[Sequence[Event]], dict[str, Any]], events: list[Event], rng: Random
) -> None:
    state = state_of(sorted(events))
    assert state["status"] == expected(events)
    arrivals = [T0 + timedelta(hours=hour) for hour, status in events if status == "delivered"]
    assert state["delivered_at"] == min(arrivals, default=None)
    scans = [T0 + timedelta(hours=hour) for hour, status in events if STATES[status][1]]
    assert state["first_scan_at"] == min(scans, default=None)
    assert (state["returned_at"] is not None) >= (state["status"] == "returned")
    shuffled = list(events)
    rng.shuffle(shuffled)
    assert state_of(shuffled) == state


@given(history, history)
def test_delivered_is_final_but_for_a_return(
    state_of: Callable[[Sequence[Event]], dict[str, Any]], before: list[Event], after: list[Event]
) -> None:
    later = [(hour + 20, status) for hour, status in after if status not in ("returning", "returned")]
    earlier = [event for event in before if event[1] != "delivered"]
    assert state_of([*earlier, (15, "delivered"), *later])["status"] == "delivered"
    assert state_of([*earlier, (15, "delivered"), *later, (50, "returned")])["status"] == "returned"


# --- arrival -------------------------------------------------------------------------------------------------------


def journeys() -> list[Record]:
    """Versions of five trackers, later ones with more scans, some told again by a webhook or another provider."""
    day = "2026-09-{:02d}T10:00:00Z".format
    scans = [
        (day(1), "pre_transit", "label_created"),
        (day(2), "in_transit", "received_at_origin_facility"),
        (day(4), "out_for_delivery", ""),
        (day(4), "delivered", ""),
        (day(9), "return_to_sender", "return"),
        (day(12), "return_to_sender", "arrived_at_destination"),
    ]
    records = [easypost(f"E{length}", scans[:upto]) for length in (2, 4, 5, 6) for upto in range(1, length + 1)]
    records += [easypost("E4", [scans[3], scans[1], scans[1], scans[0]], updated=day(6), status="delivered")]
    records += [Record("easypost_events", easypost("E4", scans[:3]).payload, "r_E4")]
    records += [aftership("E4", [(day(4), "Delivered", "Delivered_001")])]
    records += [shippo("S1", [(day(2), "TRANSIT", ""), (day(5), "DELIVERED", "delivered")])]
    records += [shippo("S1", [(day(2), "TRANSIT", "")])]
    return records


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_any_order_repetition_and_portion_gives_the_same_states(new_bench: Callable[[], Bench], seed: int) -> None:
    settled = new_bench()
    settled.ingest(*journeys())
    settled.build(*TRACKING)
    rng = Random(seed)
    records = journeys() + rng.sample(journeys(), 6)
    rng.shuffle(records)
    bench = new_bench()
    cuts = sorted(rng.sample(range(1, len(records)), 3))
    for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True):
        bench.ingest(*records[start:end])
        bench.build(*TRACKING)
    assert bench.snapshot() == settled.snapshot()
    states = dict(bench.query("select tracking_number, status from silver.tracking_states"))
    assert states == {"E2": "in_transit", "E4": "delivered", "E5": "returning", "E6": "returned", "S1": "delivered"}


def test_a_parcel_is_where_its_carrier_says_once_it_was_scanned(bench: Bench) -> None:
    sent = fulfillment(1, "2026-09-02T09:00:00Z", delivered="2026-09-04T09:00:00Z") | {
        "estimatedDeliveryAt": "2026-09-03T12:00:00Z"
    }
    bench.ingest(order(1, fulfillments=[sent]), order(2, fulfillments=[fulfillment(2, "2026-09-02T09:00:00Z")]))
    bench.ingest(easypost("RT1IE", [("2026-09-02T09:30:00Z", "pre_transit", "label_created")]))
    models = ("--select", "+shipments")
    bench.build(*models)
    assert bench.query(
        "select shipment_id, status, channel_status, carrier_status, delivered_at is null, promised_at is null"
        " from silver.shipments order by 1"
    ) == [
        ("1", "delivered", "delivered", "label_created", False, False),
        ("2", "in_transit", "in_transit", None, True, True),
    ]
    # Nothing of the orders is new, only a scan.
    back = [("2026-09-03T10:00:00Z", "in_transit", ""), ("2026-09-05T10:00:00Z", "return_to_sender", "return")]
    bench.ingest(easypost("rt 1ie", back))
    bench.build(*models)
    row = bench.one("select * from silver.shipments where shipment_id = '1'")
    assert (row["status"], row["carrier_status"], row["first_scan_at"]) == (
        "returning",
        "returning",
        datetime(2026, 9, 3, 10, tzinfo=UTC),
    )
    assert row["delivered_at"] == datetime(2026, 9, 4, 9, tzinfo=UTC)
    assert bench.query("select count(*) from silver.shipments") == [(2,)]
    before = bench.snapshot(stamps=True)
    bench.build(*models)
    assert bench.snapshot(stamps=True) == before
