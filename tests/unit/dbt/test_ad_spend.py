"""Advertising spend from bronze to silver: told last counts, spellings are one, what breaks a rule is quarantined."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from bronze_bench import Bench, Record

SPEND = ("--select", "path:models/silver/ads", "silver_ad_spend")


def told(day: str, campaign: str, spend: str | None, **more: object) -> Record:
    payload = {"date": day, "platform": "Google", "campaign": campaign, "currency": "EUR", "spend": spend}
    return Record("ads_spend", {**payload, "impressions": "100", "clicks": "5", "reported_at": None, **more})


def test_spend(bench: Bench) -> None:
    bench.ingest(
        told("2026-03-02", "Brand", "10.00", reported_at="2026-03-03T06:00:00Z"),
        told("2026-03-02", "brand ", "2.00"),
        told("2026-03-02", "Retargeting", "7.00", currency="USD"),
        told("2026-03-03", "Brand", "-1.00"),
        told("2026-03-03", "Brand", "1.00", currency="XXX"),
        told("2026-03-03", " ", None),
    )
    bench.build(*SPEND)
    amounts = "select business_date, platform, campaign, currency, spend_amount from silver.ad_spend order by all"
    day = date(2026, 3, 2)
    assert bench.query(amounts) == [
        (day, "google", "brand", "EUR", Decimal(12)),
        (day, "google", "retargeting", "USD", Decimal(7)),
    ]
    assert bench.query("select reject_reason from quarantine.silver_ad_spend order by all") == [
        ("negative amount; ",),
        ("no campaign; no amount; ",),
        ("unknown currency; ",),
    ]
    # Corrected, and an older telling that comes late.
    bench.ingest(
        told("2026-03-02", "Brand", "9.00", reported_at="2026-03-06T06:00:00Z"),
    )
    bench.ingest(told("2026-03-02", "Brand", "99.00", reported_at="2026-03-04T06:00:00Z"))
    bench.build(*SPEND)
    assert bench.query(amounts)[0] == (day, "google", "brand", "EUR", Decimal(11))
