"""Etsy's limits and refusals: the rate is used and kept, tokens are renewed, errors say what to do."""

from __future__ import annotations

import httpx
import pytest

from retreasure_assets.errors import PermanentSourceError, TransientSourceError
from retreasure_assets.sandbox.etsy_requests import EtsyOptions, Quota
from retreasure_assets.sources.etsy.limits import RequestRate
from tests.unit.sources.fake_etsy import Connect, FakeEtsy, Json, day, entry, ids, read, receipt


def test_the_allowed_rate_is_kept_and_used(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.entries = [entry(n, day(n / 100)) for n in range(1, 5001)]
    times: list[float] = []
    etsy.before = lambda path, query: times.append(etsy.clock)
    read(connect_etsy(), "ledger_entries")
    assert len(times) > 50
    assert (len(times) - 1) / (times[-1] - times[0]) >= 9.5
    # From the second on: what the limit is, the first answer tells.
    assert all(later - earlier > 1 for earlier, later in zip(times[1:], times[11:], strict=False))


def test_what_slow_answers_cost_is_made_up_for() -> None:
    clock = 0.0
    rate, quota = RequestRate(monotonic=lambda: clock), Quota(EtsyOptions(per_second=10, clock=lambda: clock))
    for number in range(1, 601):
        clock += rate.delay()
        headers, one_too_many = quota.take()
        assert one_too_many is None
        rate.observe(headers)
        # Every fifth takes four times as long as the limit leaves for one.
        clock += 0.4 if number % 5 == 0 else 0.01
    assert 600 / clock >= 9.5


def test_a_wait_that_etsy_asks_for_is_kept(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.receipts = [receipt(1, day(1))]
    each = connect_etsy()
    read(each, "receipts")
    etsy.answers = [httpx.Response(429, headers={"retry-after": "7"}, json={"error": "quota"})]
    etsy.slept.clear()
    assert ids(read(each, "receipts")) == [1]
    assert max(etsy.slept) >= 7


def test_the_day_is_used_up(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.answers = [httpx.Response(429, headers={"retry-after": "40000"}, json={"error": "quota"})]
    with pytest.raises(TransientSourceError) as raised:
        read(connect_etsy(), "receipts")
    assert raised.value.retry_after == 40000
    assert etsy.slept == []


def test_an_access_token_that_ends_meanwhile_is_renewed(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 151)]

    def end(path: str, query: Json) -> None:
        if len(etsy.refreshed) == 1:
            etsy.access = set()

    etsy.before = end
    assert ids(read(connect_etsy(), "receipts")) == list(range(1, 151))
    assert etsy.refreshed == ["r0", "r1"]


def test_a_key_that_is_wrong(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.answers = [httpx.Response(401, json={"error": "invalid api key"})] * 2
    with pytest.raises(PermanentSourceError, match="neither the app's key nor a new access token") as raised:
        read(connect_etsy(), "receipts")
    assert "RETREASURE_ETSY_SHARED_SECRET" in raised.value.remedy
    assert len(etsy.refreshed) == 2


def test_a_missing_scope_is_named(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.scopes = {"listings_r"}
    with pytest.raises(PermanentSourceError, match="lacks the scope transactions_r") as raised:
        read(connect_etsy(), "ledger_entries")
    assert "transactions_r" in raised.value.remedy
    assert "insufficient_scope:" not in str(raised.value)


def test_check_says_what_is_missing(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    assert connect_etsy().check() == []
    etsy.valid = {"r0"}
    etsy.scopes = {"shops_r"}
    missing = connect_etsy().check()
    assert len(missing) == 2
    assert "listings_r" in " ".join(missing)
    assert "receipts, ledger entries, payments" in " ".join(missing)
    assert len([path for path, _ in etsy.requests if path == "scopes"]) == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b'{"count":1,"results":[{"receipt_id":1'),
        httpx.Response(200, content=b"<html>maintenance</html>"),
        httpx.Response(200, json={"count": 0}),
        httpx.Response(503),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
    ],
)
def test_a_bad_moment_is_survived(etsy: FakeEtsy, connect_etsy: Connect, answer: httpx.Response | Exception) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 4)]
    etsy.answers = [answer]
    assert ids(read(connect_etsy(), "receipts")) == [1, 2, 3]
