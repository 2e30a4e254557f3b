"""The reference files of places: postcodes in the GeoNames layout, and the carriers' tables of zones.

What belongs here: their content and layout. What does not: where anybody lives.

The postcodes are those that the world's towns have, each at its town's place. The zone table has two versions: from the
second Monday of the world on one country's parcels are in other zones.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from retreasure_assets.privacy.masks import postcode_area
from retreasure_assets.sandbox.till import write_whole
from retreasure_assets.sandbox.world_words import COUNTRIES, Town

#: Where the shop's parcels leave from, as RETREASURE_SHIP_FROM has it.
SHIP_FROM = "IE T12"

#: Countries of which GeoNames lists the outward part of postcodes alone.
_OUTWARD = ("IE", "GB", "NL")


class Zone(NamedTuple):
    """A rule: the columns of the file, valid from that day on until the next of its kind."""

    carrier: str
    ship_from_country: str
    ship_from_prefix: str
    country: str
    postcode_prefix: str
    zone: str
    valid_from: str


ZONES = (
    Zone("An Post", "", "", "IE", "", "national", "2026-01-01"),
    Zone("An Post", "IE", "", "GB", "", "UK", "2026-01-01"),
    Zone("An Post", "IE", "", "GB", "", "UK outer", "2026-01-12"),
    Zone("An Post", "IE", "T1", "GB", "SE", "UK inner", "2026-01-12"),
    Zone("DHL Express", "", "", "Germany", "", "EU 1", "2026-01-01"),
    Zone("", "", "", "USA", "112", "New York", "2026-01-01"),
)


class Area(NamedTuple):
    """A postcode area of the world: its country, its name, how GeoNames writes a postcode in it, and its town."""

    country: str
    area: str
    postcode: str
    town: Town


def areas() -> Iterator[Area]:
    """Every postcode area in which somebody of the world may live."""
    for code, country in COUNTRIES.items():
        for town in country.towns:
            known: set[str] = set()
            for digits in itertools.product("0123456789", repeat=2):
                postcode = _filled(town.zip_pattern, digits)
                area = postcode_area(postcode)
                if area is not None and area not in known:
                    known.add(area)
                    yield Area(code, area, area if code in _OUTWARD else postcode, town)


def _filled(pattern: str, digits: tuple[str, ...]) -> str:
    left = list(digits)
    return "".join((left.pop(0) if left else "0") if sign == "#" else "A" if sign == "@" else sign for sign in pattern)


def write_geo_files(drop: Path) -> list[Path]:
    """Write both files below ``drop/geo``; return those that were new or had changed."""
    files = {
        drop / "geo" / "postcodes" / "geonames.txt": postcodes_tsv(),
        drop / "geo" / "delivery_zones" / "carriers.csv": zones_csv(),
    }
    return [path for path, content in files.items() if write_whole(path, content)]


def postcodes_tsv() -> bytes:
    """The GeoNames layout: tab-separated, twelve columns, no header."""
    lines = []
    for country, _, postcode, town in areas():
        place = (country, postcode, town.city, town.province or "", (town.province_code or "").removeprefix("JP-"))
        lines.append("\t".join((*place, "", "", "", "", f"{town.latitude:.4f}", f"{town.longitude:.4f}", "4")))
    return ("\n".join(lines) + "\n").encode()


def zones_csv() -> bytes:
    """The layout of the mapping geo_delivery_zones."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Zone._fields)
    writer.writerows(ZONES)
    return text.getvalue().encode()
