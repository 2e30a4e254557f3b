"""The list of regions in dbt_project/macros/regions.sql, made from pycountry's copy of ISO 3166-2.

`python tests/unit/dbt/iso_regions.py` writes the file anew when pycountry is updated; test_geo compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pycountry

PATH = Path(__file__).resolve().parents[3] / "dbt_project" / "macros" / "regions.sql"

#: Where the channels sell and addresses name a region.
COUNTRIES = ("AT", "AU", "BE", "CA", "CH", "DE", "ES", "FR", "GB", "IE", "IT", "JP", "NL", "US")

#: Divisions that no address names: Ireland's historic provinces.
_UNNAMED = {("IE", "Province")}

_HEAD = """\
{#
  Regions by ISO 3166-2 where the channels sell and addresses name them: [country, code, name, spellings in capitals].
  No spelling stands twice in a country. Made by tests/unit/dbt/iso_regions.py. Elsewhere a region stays as its source
  has it.
#}
{% macro regions() -%}
  {%- set listed -%}
  [
"""
_TAIL = """
  ]
  {%- endset -%}
  {{- return(fromjson(listed)) -}}
{%- endmacro %}
"""


def spellings(name: str) -> Iterator[str]:
    """The ways in which a name of the standard is written: as it stands, each of its languages, and turned around.

    >>> list(spellings("Wales [Cymru GB-CYM]"))
    ['Wales', 'Cymru']
    >>> list(spellings("Madrid, Comunidad de"))
    ['Madrid, Comunidad de', 'Comunidad de Madrid', 'Madrid']
    """
    for place, part in enumerate(re.split(r"[\[\]()]", name)):
        text = re.sub(r"\s+[A-Z]{2}-[A-Z0-9]{1,3}$", "", part.strip())
        if not text or (place and text[0].islower()):
            continue
        yield text
        head, comma, tail = text.rpartition(", ")
        if comma and " and " not in tail:
            yield f"{tail} {head}"
            yield head


def rows() -> list[tuple[str, str, str, list[str]]]:
    """Country, code, name and spellings.

    Of two regions with one spelling the code counts before the name, the standard's name before one made of it, the
    larger region before a part of it.
    """
    found: dict[tuple[str, str], str] = {}
    names: dict[tuple[str, str], str] = {}
    regions = [
        (country, each.code.partition("-")[2], each.name, each.parent_code is not None)
        for country in COUNTRIES
        for each in pycountry.subdivisions.get(country_code=country)
        if (country, each.type) not in _UNNAMED
    ]
    regions.sort(key=lambda region: (region[0], region[3], region[1]))
    for country, code, name, _ in regions:
        names[country, code] = next(spellings(name))
        found.setdefault((country, code), code)
    for place in range(8):
        for country, code, name, _ in regions:
            ways = list(spellings(name))
            if place < len(ways):
                found.setdefault((country, ways[place].upper()), code)
    written: dict[tuple[str, str], list[str]] = {region: [] for region in sorted(names)}
    for (country, spelling), code in found.items():
        written[country, code].append(spelling)
    return [(country, code, names[country, code], ways) for (country, code), ways in written.items()]


def macro() -> str:
    """The file's text."""
    return _HEAD + ",\n".join(f"    {json.dumps(list(row), ensure_ascii=False)}" for row in rows()) + _TAIL


if __name__ == "__main__":
    PATH.write_text(macro(), encoding="utf-8")
