"""Where a visit comes from and what it is read with: local files only, no address ever leaves the machine."""

from calmness.geo.addresses import kept_network, visitor_key
from calmness.geo.agents import Device, Visitor, parsed, read_agent
from calmness.geo.database import DEMO_DATABASE, UNKNOWN, DatabaseInfo, LocalCityDatabase, Place, describe, locate
from calmness.geo.regions import REGIONS, Region, country_name, region_code

__all__ = [
    "DEMO_DATABASE",
    "REGIONS",
    "UNKNOWN",
    "DatabaseInfo",
    "Device",
    "LocalCityDatabase",
    "Place",
    "Region",
    "Visitor",
    "country_name",
    "describe",
    "kept_network",
    "locate",
    "parsed",
    "read_agent",
    "region_code",
    "visitor_key",
]
