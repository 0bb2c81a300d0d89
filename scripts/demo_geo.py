"""Write ``calmness/geo/data/demo.mmdb``: invented places on ranges that belong to nobody.

IPv4: 198.18.0.0/15 (RFC 2544, benchmarks), a /24 a town. IPv6: 2001:db8::/32 (RFC 3849, documentation), a /48 a town.
The same rows always give the same bytes.
"""

import sys
from pathlib import Path
from unittest import mock

from mmdb_writer import MMDBWriter
from netaddr import IPSet

TARGET = Path(__file__).resolve().parent.parent / "calmness" / "geo" / "data" / "demo.mmdb"
BUILT_AT = 1_767_225_600  # 2026-01-01, UTC

# Country, region as location files write it, town, latitude, longitude.
TOWNS = (
    ("FR", "Ile-de-France", "Paris", 48.9, 2.4),
    ("FR", "Ile-de-France", "Versailles", 48.8, 2.1),
    ("FR", "Auvergne-Rhone-Alpes", "Lyon", 45.8, 4.8),
    ("FR", "Auvergne-Rhone-Alpes", "Grenoble", 45.2, 5.7),
    ("FR", "Auvergne-Rhone-Alpes", "Clermont-Ferrand", 45.8, 3.1),
    ("FR", "Occitanie", "Toulouse", 43.6, 1.4),
    ("FR", "Occitanie", "Montpellier", 43.6, 3.9),
    ("FR", "Nouvelle-Aquitaine", "Bordeaux", 44.8, -0.6),
    ("FR", "Nouvelle-Aquitaine", "Limoges", 45.8, 1.3),
    ("FR", "Provence-Alpes-Cote d'Azur", "Marseille", 43.3, 5.4),
    ("FR", "Provence-Alpes-Cote d'Azur", "Nice", 43.7, 7.3),
    ("FR", "Hauts-de-France", "Lille", 50.6, 3.1),
    ("FR", "Hauts-de-France", "Amiens", 49.9, 2.3),
    ("FR", "Grand Est", "Strasbourg", 48.6, 7.8),
    ("FR", "Grand Est", "Reims", 49.3, 4.0),
    ("FR", "Pays de la Loire", "Nantes", 47.2, -1.6),
    ("FR", "Pays de la Loire", "Angers", 47.5, -0.6),
    ("FR", "Brittany", "Rennes", 48.1, -1.7),
    ("FR", "Brittany", "Brest", 48.4, -4.5),
    ("FR", "Normandy", "Rouen", 49.4, 1.1),
    ("FR", "Normandy", "Caen", 49.2, -0.4),
    ("FR", "Centre-Val de Loire", "Orléans", 47.9, 1.9),
    ("FR", "Centre-Val de Loire", "Tours", 47.4, 0.7),
    ("FR", "Bourgogne-Franche-Comte", "Dijon", 47.3, 5.0),
    ("FR", "Bourgogne-Franche-Comte", "Besançon", 47.2, 6.0),
    ("FR", "Corsica", "Ajaccio", 41.9, 8.7),
    ("GP", "", "Pointe-à-Pitre", 16.2, -61.5),
    ("MQ", "", "Fort-de-France", 14.6, -61.1),
    ("GF", "", "Cayenne", 4.9, -52.3),
    ("RE", "", "Saint-Denis", -20.9, 55.5),
    ("YT", "", "Mamoudzou", -12.8, 45.2),
    ("FR", "", "", 46.2, 2.2),
    ("BE", "Brussels Capital", "Bruxelles", 50.8, 4.4),
    ("CH", "Geneva", "Genève", 46.2, 6.1),
    ("LU", "Luxembourg", "Luxembourg", 49.6, 6.1),
    ("CA", "Quebec", "Montréal", 45.5, -73.6),
    ("MA", "Casablanca-Settat", "Casablanca", 33.6, -7.6),
    ("SN", "Dakar", "Dakar", 14.7, -17.4),
    ("GB", "England", "Londres", 51.5, -0.1),
    ("US", "New York", "New York", 40.7, -74.0),
)


def main(target: Path) -> None:
    """Write the file."""
    writer = MMDBWriter(
        6,
        "Calmness-Demo-City",
        languages=["fr"],
        description="Lieux inventés pour la démonstration",
        ipv4_compatible=True,
    )
    for number, (country, region, city, latitude, longitude) in enumerate(TOWNS):
        record = {
            "country_code": country,
            "state1": region,
            "city": city,
            "latitude": latitude,
            "longitude": longitude,
        }
        writer.insert_network(IPSet([f"198.18.{number}.0/24", f"2001:db8:{number:x}::/48"]), record)
    with mock.patch("time.time", return_value=BUILT_AT):
        writer.to_db_file(str(target))
    print(f"{target.name}: {len(TOWNS)} towns, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
