"""From an internet address to its country and region, through a MaxMind database.

What belongs here: the look-up. What does not: which addresses are looked up (file mappings say so), and postcodes.

The look-up happens at ingest, on the whole address, before masking cuts it to its network. Nothing finer than the
region is taken, though a database may know the town and a position: more than that the business does not need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb

from retreasure_assets.errors import ConfigurationError

_CACHED = 65_536
_REMEDY = "Set RETREASURE_GEOIP_DATABASE to a GeoLite2 or GeoIP2 City or Country database, or leave it out."


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is: ISO 3166-1 country, and the region's part of its ISO 3166-2 code; None where unknown."""

    country: str | None = None
    region: str | None = None


#: From an internet address as text to its place.
Places = Callable[[str], Place]

NOWHERE = Place()


class GeoIp:
    """Looks addresses up in one database, opened on first use and kept open.

    Args:
        path: the ``.mmdb`` file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: maxminddb.Reader | None = None
        self._cached = lru_cache(_CACHED)(self._find)

    def __call__(self, address: str) -> Place:
        """The place of an address; nowhere for what is no address, or in no list.

        Raises:
            ConfigurationError: the database is missing, of another kind, or damaged.
        """
        return self._cached(address)

    def close(self) -> None:
        """Close the database."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _find(self, address: str) -> Place:
        try:
            found: Any = self._open().get(address)
        except ValueError:
            # No address at all, or one of IPv6 in a database of IPv4.
            return NOWHERE
        except (maxminddb.InvalidDatabaseError, UnicodeDecodeError, MemoryError):
            raise self._damaged() from None
        if not isinstance(found, dict):
            return NOWHERE
        country = _mapping(found.get("country")) or _mapping(found.get("registered_country"))
        regions = found.get("subdivisions")
        region = _mapping(regions[0]) if isinstance(regions, list) and regions else {}
        return Place(_code(country), _code(region))

    def _open(self) -> maxminddb.Reader:
        if self._reader is None:
            try:
                reader = maxminddb.open_database(str(self._path))
            except FileNotFoundError:
                raise ConfigurationError(
                    "The file that RETREASURE_GEOIP_DATABASE names does not exist.", remedy=_REMEDY
                ) from None
            except OSError:
                raise ConfigurationError(
                    "The file that RETREASURE_GEOIP_DATABASE names may not be read.",
                    remedy="Give this user the right to read it.",
                ) from None
            except (maxminddb.InvalidDatabaseError, ValueError):
                raise self._damaged() from None
            kind = reader.metadata().database_type
            if not any(word in kind for word in ("City", "Country", "Enterprise", "Insights")):
                raise ConfigurationError(
                    f"The database that RETREASURE_GEOIP_DATABASE names ({kind}) does not tell countries.",
                    remedy=_REMEDY,
                )
            self._reader = reader
        return self._reader

    def _damaged(self) -> ConfigurationError:
        return ConfigurationError(
            "The file that RETREASURE_GEOIP_DATABASE names is damaged or no MaxMind database.",
            remedy="Download it again, or leave the setting out.",
        )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _code(place: dict[str, Any]) -> str | None:
    code = place.get("iso_code")
    return code if isinstance(code, str) and code.isascii() else None
