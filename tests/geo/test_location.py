"""Places of addresses, from both shapes of file."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ip2geotools.databases.interfaces import IGeoIpDatabase
from ip2geotools.errors import InvalidRequestError, IpAddressNotFoundError
from ip2geotools.models import IpLocation
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from calmness.geo import (
    DEMO_DATABASE,
    REGIONS,
    UNKNOWN,
    LocalCityDatabase,
    Place,
    country_name,
    describe,
    locate,
    region_code,
)
from calmness.geo.database import _readers

pytestmark = pytest.mark.once
DEMO = str(DEMO_DATABASE)
NESTED = {
    "country": {"iso_code": "FR", "names": {"en": "France", "fr": "France"}},
    "city": {"names": {"en": "Strasbourg", "fr": "Strasbourg"}},
    "subdivisions": [
        {"iso_code": "GES", "names": {"en": "Grand Est"}},
        {"iso_code": "67", "names": {"en": "Bas-Rhin"}},
    ],
    "location": {"latitude": 48.58342, "longitude": 7.74296},
}


def write(path: Path, version: int, networks: dict[str, dict[str, Any]], kind: str = "GeoLite2-City") -> Path:
    """A database file of some networks."""
    writer = MMDBWriter(version, kind, languages=["en"], description="A test file")
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


def test_the_demo_knows_a_town_of_every_region() -> None:
    places = [locate(f"198.18.{number}.9", DEMO) for number in range(40)]

    assert {place.region for place in places} - {""} == {region.code for region in REGIONS}
    assert places[0] == Place("FR", "IDF", "Paris", 48.9, 2.4)


@pytest.mark.parametrize("address", ["198.18.2.1", "::ffff:198.18.2.1", "2001:db8:2:ffff::1"])
def test_every_way_to_write_an_address_leads_to_the_town(address: str) -> None:
    assert locate(address, DEMO).city == "Lyon"


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "::1", "fe80::1", "", "nowhere", None, "198.18.3.1; drop"]
)
def test_an_address_that_no_file_knows_has_no_place(address: str | None) -> None:
    assert locate(address, DEMO) == UNKNOWN


@pytest.mark.parametrize("path", [None, "", "/nowhere/city.mmdb"])
def test_without_a_file_every_place_is_unknown(path: str | None) -> None:
    assert locate("198.18.2.1", path) == UNKNOWN
    assert describe(path) == []


def test_two_files_answer_for_a_family_each(tmp_path: Path) -> None:
    flat = {"country_code": "FR", "state1": "Rhone-Alpes", "city": "Lyon", "latitude": 45.7485, "longitude": 4.8467}
    four = write(tmp_path / "four.mmdb", 4, {"203.0.113.0/24": NESTED})
    six = write(tmp_path / "six.mmdb", 6, {"2001:db8::/32": flat}, "dbip-city")
    files = f"{four}:{six}"

    assert locate("203.0.113.5", files) == Place("FR", "GES", "Strasbourg", 48.6, 7.7)
    assert locate("2001:db8::5", files) == Place("FR", "ARA", "Lyon", 45.7, 4.8)
    assert locate("2001:db8::5", str(tmp_path)).city == "Lyon"
    assert [info.attribution for info in describe(files)] == ["GeoLite2, MaxMind", "IP Geolocation by DB-IP"]


def test_a_record_with_little_in_it_is_read(tmp_path: Path) -> None:
    file = str(
        write(tmp_path / "poor.mmdb", 4, {"203.0.113.0/25": {"country": {"iso_code": "MC"}}, "203.0.113.128/25": {}})
    )

    assert locate("203.0.113.1", file) == Place(country="MC")
    assert locate("203.0.113.200", file) == UNKNOWN


def test_the_file_is_opened_once() -> None:
    assert _readers(DEMO) is _readers(DEMO)


def test_the_database_speaks_the_interface_of_ip2geotools() -> None:
    assert issubclass(LocalCityDatabase, IGeoIpDatabase)
    location = LocalCityDatabase.get("198.18.16.1", db_path=DEMO)

    assert isinstance(location, IpLocation)
    assert (location.ip_address, location.country, location.region, location.city) == (
        "198.18.16.1",
        "FR",
        "Pays de la Loire",
        "Angers",
    )
    with pytest.raises(IpAddressNotFoundError):
        LocalCityDatabase.get("192.168.1.1", db_path=DEMO)
    with pytest.raises(InvalidRequestError):
        LocalCityDatabase.get("localhost", db_path=DEMO)


@pytest.mark.parametrize(
    ("country", "name", "code"),
    [
        ("FR", "Ile-de-France", "IDF"),
        ("FR", "Île-de-France", "IDF"),
        ("FR", "Rhone-Alpes", "ARA"),
        ("FR", "New Aquitaine", "NAQ"),
        ("FR", "Provence", "PAC"),
        ("FR", "Provence-Alpes-Cote d'Azur", "PAC"),
        ("FR", "Provence-Alpes-Côte d’Azur", "PAC"),
        ("FR", "Brittany", "BRE"),
        ("FR", "Normandy", "NOR"),
        ("FR", "Corsica", "20R"),
        ("FR", "Bourgogne", "BFC"),
        ("FR", "Centre-Val de Loire", "CVL"),
        ("FR", "FR-OCC", "OCC"),
        ("FR", "Atlantis", ""),
        ("FR", None, ""),
        ("RE", "", "04"),
        ("GP", "Les Abymes", "01"),
        ("MC", "", ""),
        ("NC", "South Province", ""),
        ("ES", "Normandy", ""),
    ],
)
def test_regions_are_found_by_all_their_names(country: str, name: str | None, code: str) -> None:
    assert region_code(country, name) == code


def test_regions_have_a_place_of_their_own_in_the_grid() -> None:
    assert len({(region.column, region.row) for region in REGIONS}) == len(REGIONS) == 18


def test_countries_are_named_in_the_reader_s_language() -> None:
    assert country_name("BE") == "Belgique"
    assert country_name("BE", "en") == "Belgium"
    assert country_name("") == "Pays inconnu"
    assert country_name("ZZZ") == "ZZZ"


def test_an_old_file_is_stale_and_the_demo_is_not(tmp_path: Path) -> None:
    fresh = describe(str(write(tmp_path / "new.mmdb", 4, {"203.0.113.0/24": NESTED})))[0]
    today = datetime.now(UTC)

    assert not fresh.is_stale(today)
    assert fresh.is_stale(today + timedelta(days=61))
    assert not describe(DEMO)[0].is_stale(today + timedelta(days=4000))


def test_the_committed_file_is_what_the_script_writes(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "scripts" / "demo_geo.py"

    subprocess.run([sys.executable, script, tmp_path / "demo.mmdb"], check=True, capture_output=True)

    assert (tmp_path / "demo.mmdb").read_bytes() == DEMO_DATABASE.read_bytes()
