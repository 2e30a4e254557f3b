"""Looking addresses up in MaxMind's own test databases, the broken one too."""

from __future__ import annotations

from pathlib import Path

import pytest

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sources.geo import GeoIp, Place


@pytest.mark.parametrize(
    ("database", "address", "place"),
    [
        ("GeoIP2-City-Test.mmdb", "81.2.69.142", Place("GB", "ENG")),
        ("GeoLite2-City-Test.mmdb", "81.2.69.142", Place("GB", "ENG")),
        ("GeoLite2-City-Test.mmdb", "2001:218::1", Place("JP", None)),
        ("GeoLite2-Country-Test.mmdb", "81.2.69.142", Place("GB", None)),
        ("GeoLite2-City-Test.mmdb", "192.0.2.1", Place()),
        ("GeoLite2-City-Test.mmdb", "no address", Place()),
        ("GeoLite2-City-Test.mmdb", "", Place()),
    ],
)
def test_an_address_has_a_country_and_a_region_and_no_more(
    contracts: Path, database: str, address: str, place: Place
) -> None:
    places = GeoIp(contracts / "geo" / database)
    assert places(address) == place
    assert places(address) == place
    places.close()


def test_a_broken_database_is_named_clearly(contracts: Path) -> None:
    places = GeoIp(contracts / "geo" / "GeoIP2-City-Test-Broken-Double-Format.mmdb")
    with pytest.raises(ConfigurationError, match=r"RETREASURE_GEOIP_DATABASE names is damaged") as raised:
        [places(address) for last in range(256) for address in (f"2001:220::{last:x}", f"81.2.69.{last}")]
    assert raised.value.exit_code == 2
    assert raised.value.__cause__ is None


def test_other_files_are_named_clearly(contracts: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        GeoIp(tmp_path / "none.mmdb")("81.2.69.142")
    text = tmp_path / "text.mmdb"
    text.write_text("no database")
    with pytest.raises(ConfigurationError, match="damaged or no MaxMind database"):
        GeoIp(text)("81.2.69.142")
    with pytest.raises(ConfigurationError, match=r"damaged or no MaxMind|may not be read"):
        GeoIp(tmp_path)("81.2.69.142")
    with pytest.raises(ConfigurationError, match="GeoLite2-ASN"):
        GeoIp(contracts / "geo" / "GeoLite2-ASN-Test.mmdb")("81.2.69.142")
