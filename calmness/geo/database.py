"""Look-ups in city files on this machine (MaxMind DB format), through ip2geotools' interface.

ip2geotools' own classes open their file at each look-up or, worse, send the address of the visitor to a third party:
only its interface and its model are used here. Two shapes are understood: MaxMind's nested records and the flat ones
of the ip-location-db packages (DB-IP, GeoLite2), in one file for both families or in one file each.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import maxminddb
from ip2geotools.databases.interfaces import IGeoIpDatabase
from ip2geotools.errors import InvalidRequestError, IpAddressNotFoundError
from ip2geotools.models import IpLocation

from calmness.geo.addresses import parsed
from calmness.geo.regions import region_code

DEMO_DATABASE = Path(__file__).with_name("data") / "demo.mmdb"
"""Invented places on ranges that belong to nobody (see ``scripts/demo_geo.py``)."""
DEMO_TYPE = "Calmness-Demo-City"
STALE_AFTER = timedelta(days=60)


@dataclass(frozen=True)
class Place:
    """Where an address probably is. Codes: ISO 3166-1 for the country, ``REGIONS`` for the region; empty = unknown.

    Coordinates are the town's, rounded to 0.1 degree (about 10 km), never the address's.
    """

    country: str = ""
    region: str = ""
    city: str = ""
    latitude: float | None = None
    longitude: float | None = None


UNKNOWN = Place()


@dataclass(frozen=True)
class DatabaseInfo:
    """What a page tells about the file in use. ``attribution`` and ``url`` are asked for by the licences."""

    path: Path
    kind: str
    built_at: datetime
    attribution: str
    url: str

    def is_stale(self, at: datetime) -> bool:
        """Whether it is older than 60 days at an instant; the demo's invented places do not age."""
        return self.kind != DEMO_TYPE and at - self.built_at > STALE_AFTER


class LocalCityDatabase(IGeoIpDatabase):
    """ip2geotools' interface on files that stay open as long as the process lives."""

    @staticmethod
    def get(
        ip_address: str,
        api_key: str | None = None,
        db_path: str | None = None,
        username: str | None = None,
        password: str | None = None,
    ) -> IpLocation:
        """Location of an address. ``db_path``: files or a folder, separated as in ``PATH``.

        ``region`` is the name that the file gives. Raises InvalidRequestError for what is no address and
        IpAddressNotFoundError for one that no file knows (private ones are in none).
        """
        address = parsed(ip_address)
        del api_key, username, password  # of paid services
        if address is None:
            raise InvalidRequestError("not an IP address")
        record = _record(address, db_path or str(DEMO_DATABASE))
        if record is None:
            raise IpAddressNotFoundError("in no file")
        return IpLocation(str(address), **_fields(record))


def locate(address: str | None, db_path: str | None) -> Place:
    """Place of an address for the audience measure; ``UNKNOWN`` without a file, an address or an entry."""
    if not db_path or not address:
        return UNKNOWN
    try:
        found = LocalCityDatabase.get(address, db_path=db_path)
    except (InvalidRequestError, IpAddressNotFoundError):
        return UNKNOWN
    country = (found.country or "").upper()[:2]
    return Place(
        country=country,
        region=region_code(country, found.region),
        city=(found.city or "")[:100],
        latitude=None if found.latitude is None else round(float(found.latitude), 1),
        longitude=None if found.longitude is None else round(float(found.longitude), 1),
    )


def describe(db_path: str | None) -> list[DatabaseInfo]:
    """The files in use; empty when none is installed."""
    return [] if not db_path else [_info(path, reader) for path, reader in _readers(db_path)]


@lru_cache(maxsize=8)
def _readers(db_path: str) -> tuple[tuple[Path, maxminddb.Reader], ...]:
    # Opened once per process and path; a new file is taken up at the next start.
    paths: list[Path] = []
    for part in db_path.split(os.pathsep):
        path = Path(part)
        paths += sorted(path.glob("*.mmdb")) if path.is_dir() else [path] if path.is_file() else []
    return tuple((path, maxminddb.open_database(path)) for path in paths)


def _record(address: IPv4Address | IPv6Address, db_path: str) -> Mapping[str, Any] | None:
    for _, reader in _readers(db_path):
        if address.version == 6 and reader.metadata().ip_version == 4:
            continue  # such a look-up raises
        found = reader.get(address)
        if isinstance(found, dict):
            return found
    return None


def _fields(record: Mapping[str, Any]) -> dict[str, Any]:
    if "country_code" in record or "state1" in record:
        return {
            "city": record.get("city") or None,
            "region": record.get("state1") or None,
            "country": record.get("country_code") or None,
            "latitude": record.get("latitude"),
            "longitude": record.get("longitude"),
        }
    country: Mapping[str, Any] = record.get("country") or record.get("registered_country") or {}
    subdivisions = record.get("subdivisions") or [{}]
    location: Mapping[str, Any] = record.get("location") or {}
    return {
        "city": _name(record.get("city")),
        "region": subdivisions[0].get("iso_code") or _name(subdivisions[0]),
        "country": country.get("iso_code"),
        "latitude": location.get("latitude"),
        "longitude": location.get("longitude"),
    }


def _name(part: Mapping[str, Any] | None) -> str | None:
    names: Mapping[str, str] = (part or {}).get("names") or {}
    return names.get("fr") or names.get("en")


def _info(path: Path, reader: maxminddb.Reader) -> DatabaseInfo:
    metadata = reader.metadata()
    built_at = datetime.fromtimestamp(metadata.build_epoch, UTC)
    known = f"{metadata.database_type} {' '.join(metadata.description.values())} {path.name}".lower()
    if "maxmind" in known or "geolite" in known:
        credit, url = "GeoLite2, MaxMind", "https://www.maxmind.com"
    elif "db-ip" in known or "dbip" in known:
        credit, url = "IP Geolocation by DB-IP", "https://db-ip.com"
    else:
        credit, url = "", ""
    return DatabaseInfo(path, metadata.database_type, built_at, credit, url)
