"""Places: areas with their centre and spread, zones by table, prefix, day and distance, countries in ISO codes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import iso_regions
import pytest
from bronze_bench import Bench, Dbt, Record
from payloads import fulfillment, order

D = Decimal
MODELS = ("--select", "+fct_shipments")


def place(country: str, area: str, latitude: str | None, longitude: str | None, number: int = 1, **more: Any) -> Record:
    payload = {
        "place_id": f"{country}{area}{number}",
        "country": country,
        "postcode_area": area,
        "latitude": latitude,
        "longitude": longitude,
        "region": None,
    }
    return Record("geo_postcodes", payload | more)


def rule(
    zone: str,
    country: str,
    prefix: str | None = None,
    *,
    carrier: str | None = None,
    since: str = "2026-01-01",
    until: str | None = None,
    origin: tuple[str | None, str | None] = (None, None),
) -> Record:
    payload = {
        "rule_id": f"{carrier}/{origin}/{country}/{prefix}/{since}",
        "carrier": carrier,
        "ship_from_country": origin[0],
        "ship_from_prefix": origin[1],
        "country": country,
        "postcode_prefix": prefix,
        "zone": zone,
        "valid_from": since,
        "valid_to": until,
    }
    return Record("geo_delivery_zones", payload)


def sent(number: int, country: str, postcode_area: str | None, at: str = "2026-09-02T09:00:00Z") -> Record:
    """An order to a place, with one parcel by An Post."""
    address = {"countryCodeV2": country, "zip": postcode_area}
    return order(number, shippingAddress=address, fulfillments=[fulfillment(number, at)])


@pytest.fixture
def ship_from_cork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETREASURE_SHIP_FROM", "IE T12")


@pytest.fixture
def shop(dbt: Dbt, bench: Bench, ship_from_cork: None) -> Bench:
    """A shop in Cork that sends to many places."""
    bench.ingest(
        place("IE", "T12", "51.90", "-8.47"),
        place("IE", "D02", "53.35", "-6.26"),
        place("GB", "SE1", "51.50", "-0.10"),
        place("US", "902", "34.09", "-118.41", 1, region="CA"),
        place("US", "902", "34.01", "-118.49", 2, region="California"),
        place("US", "902", None, None, 3, region="CA"),
        place("US", "972", "95.00", "-122.00"),
        place("Nowhere", "1", "0", "0"),
        rule("UK", "United Kingdom", carrier="An Post"),
        rule("UK new", "GB", carrier="An Post", since="2026-09-03"),
        rule("London", "GB", "SE", carrier="An Post", since="2026-09-03", origin=("IE", "T1")),
        rule("from Dublin", "GB", "SE1", carrier="An Post", since="2026-09-03", origin=("IE", "D")),
        rule("by lorry", "GB", "SE1", carrier="DHL"),
        rule("over", "US", "97", until="2026-08-01"),
    )
    bench.ingest(
        sent(1, "IE", "D02"),
        sent(2, "GB", "SE1"),
        sent(3, "GB", "SE1", "2026-09-04T09:00:00Z"),
        sent(4, "GB", "N1", "2026-09-04T09:00:00Z"),
        sent(5, "US", "902"),
        sent(6, "US", "972"),
        sent(7, "IE", None),
        sent(8, "IE", "T12"),
        sent(9, "XX", "1"),
    )
    bench.build(*MODELS)
    return bench


def test_areas_have_a_centre_and_a_spread(shop: Bench) -> None:
    rows = shop.query(
        "select country, postcode_area, region, latitude, longitude, spread_km, place_count"
        " from silver.postcode_areas order by 1, 2"
    )
    assert rows == [
        ("GB", "SE1", None, D("51.5"), D("-0.1"), D("0"), 1),
        ("IE", "D02", None, D("53.35"), D("-6.26"), D("0"), 1),
        ("IE", "T12", None, D("51.9"), D("-8.47"), D("0"), 1),
        ("US", "902", "US-CA", D("34.05"), D("-118.45"), D("5.8"), 2),
    ]


def test_a_parcel_has_its_zone_of_the_day_and_its_distance(shop: Bench) -> None:
    rows = {
        row[0]: row[1:]
        for row in shop.query(
            "select shipment_id, ship_country, ship_region, ship_postcode_area, distance_km, zone"
            " from gold.fct_shipments"
        )
    }
    assert rows == {
        # By the spherical law of cosines, another formula than the model's: 219.6 and 578.2 km.
        "1": ("IE", None, "D02", D("219.6"), "regional"),
        "2": ("GB", None, "SE1", D("578.2"), "UK"),
        "3": ("GB", None, "SE1", D("578.2"), "London"),
        "4": ("GB", None, "N1", None, "UK new"),
        "5": ("US", "US-CA", "902", rows["5"][3], "overseas"),
        "6": ("US", None, "972", None, None),
        "7": ("IE", None, None, None, None),
        "8": ("IE", None, "T12", D("0"), "local"),
        "9": (None, None, "1", None, None),
    }
    assert D(8000) < rows["5"][3] < D(8500)


def test_rules_hold_until_the_next_of_their_kind(shop: Bench) -> None:
    rows = shop.query(
        "select zone, valid_from, valid_to from silver.delivery_zones where country = 'GB' and carrier = 'an post'"
        " and postcode_prefix = '' order by 2"
    )
    assert rows == [("UK", date(2026, 1, 1), date(2026, 9, 3)), ("UK new", date(2026, 9, 3), None)]


def test_new_places_and_zones_reach_parcels_already_sent(shop: Bench) -> None:
    shop.build(*MODELS)
    before = shop.query("select * exclude (built_at) from gold.fct_shipments order by shipment_id")
    stamps = shop.query("select max(built_at) from gold.fct_shipments")
    shop.build(*MODELS)
    assert shop.query("select max(built_at) from gold.fct_shipments") == stamps
    shop.ingest(place("GB", "N1", "51.54", "-0.10"), rule("Pacific", "US", carrier="An Post", since="2026-09-01"))
    shop.build(*MODELS)
    after = shop.query("select * exclude (built_at) from gold.fct_shipments order by shipment_id")
    assert len(after) == len(before)
    found = dict(shop.query("select shipment_id, zone from gold.fct_shipments"))
    assert (found["5"], found["6"], found["4"]) == ("Pacific", "Pacific", "UK new")
    assert shop.query("select distance_km is null from gold.fct_shipments where shipment_id = '4'") == [(False,)]


def test_every_country_and_region_has_one_code_whatever_it_is_called(shop: Bench) -> None:
    assert shop.query("select count(distinct country) from silver.countries") == [(249,)]
    spellings = ("UK", "GBR", "UNITED KINGDOM", "USA", "UNITED STATES", "IRL", "DEU", "REPUBLIC OF IRELAND")
    found = dict(shop.query(f"select spelling, country from silver.countries where spelling in {spellings}"))
    assert found == dict(zip(spellings, ("GB", "GB", "GB", "US", "US", "IE", "DE", "IE"), strict=True))
    assert shop.query("select region from silver.regions where country = 'US' and spelling in ('TX', 'TEXAS')") == [
        ("US-TX",),
        ("US-TX",),
    ]


def test_regions_are_the_standards_where_the_channels_sell(shop: Bench) -> None:
    assert iso_regions.PATH.read_text(encoding="utf-8") == iso_regions.macro()
    found = {
        (country, spelling): region
        for country, spelling, region in shop.query("select country, spelling, region from silver.regions")
    }
    wanted = {
        ("GB", "ENG"): "GB-ENG",
        ("GB", "SCOTLAND"): "GB-SCT",
        ("GB", "CYMRU"): "GB-WLS",
        ("GB", "KENT"): "GB-KEN",
        ("DE", "BAYERN"): "DE-BY",
        ("FR", "ÎLE-DE-FRANCE"): "FR-IDF",
        ("FR", "VAL-D'OISE"): "FR-95",
        ("IT", "MI"): "IT-MI",
        ("ES", "COMUNIDAD DE MADRID"): "ES-MD",
        ("NL", "UTRECHT"): "NL-UT",
        ("BE", "LIÈGE"): "BE-WLG",
        ("AT", "WIEN"): "AT-9",
        ("CH", "ZÜRICH"): "CH-ZH",
        ("JP", "TOKYO"): "JP-13",
        ("IE", "TIPPERARY"): "IE-TA",
    }
    assert {key: found.get(key) for key in wanted} == wanted
    assert {country for country, _ in found} == set(iso_regions.COUNTRIES)
