"""The 18 French regions, the names that location files give them, and countries as people call them."""

import unicodedata
from dataclasses import dataclass

from babel import Locale


@dataclass(frozen=True)
class Region:
    """A region. ``code`` is what visits store: the ISO 3166-2 part in Europe, the INSEE number overseas.

    ``column`` and ``row`` place it in the tile grid, roughly where it lies on a map; overseas below.
    """

    code: str
    insee: str
    name: str
    short: str
    column: int
    row: float


REGIONS = (
    Region("HDF", "32", "Hauts-de-France", "HDF", 3, 0),
    Region("NOR", "28", "Normandie", "NOR", 2, 1),
    Region("IDF", "11", "Île-de-France", "IDF", 3, 1),
    Region("GES", "44", "Grand Est", "GES", 4, 1),
    Region("BRE", "53", "Bretagne", "BRE", 1, 1),
    Region("PDL", "52", "Pays de la Loire", "PDL", 1, 2),
    Region("CVL", "24", "Centre-Val de Loire", "CVL", 2, 2),
    Region("BFC", "27", "Bourgogne-Franche-Comté", "BFC", 3, 2),
    Region("NAQ", "75", "Nouvelle-Aquitaine", "NAQ", 2, 3),
    Region("ARA", "84", "Auvergne-Rhône-Alpes", "ARA", 3, 3),
    Region("OCC", "76", "Occitanie", "OCC", 2, 4),
    Region("PAC", "93", "Provence-Alpes-Côte d’Azur", "PAC", 3, 4),
    Region("20R", "94", "Corse", "COR", 4, 4),
    Region("01", "01", "Guadeloupe", "GLP", 0, 5.4),
    Region("02", "02", "Martinique", "MTQ", 1, 5.4),
    Region("03", "03", "Guyane", "GUF", 2, 5.4),
    Region("04", "04", "La Réunion", "REU", 3, 5.4),
    Region("06", "06", "Mayotte", "MYT", 4, 5.4),
)
BY_CODE = {region.code: region for region in REGIONS}
OVERSEAS = {"GP": "01", "MQ": "02", "GF": "03", "RE": "04", "YT": "06"}
"""Countries of the files that are regions of France. MC, MF, NC and PF are not."""

_OTHER_NAMES = {
    "brittany": "BRE",
    "corsica": "20R",
    "normandy": "NOR",
    "new aquitaine": "NAQ",
    "provence": "PAC",
    "rhone alpes": "ARA",
    "auvergne": "ARA",
    "bourgogne": "BFC",
    "burgundy": "BFC",
    "franche comte": "BFC",
    "centre": "CVL",
    "reunion": "04",
}
"""English and former names still found in both packaged files."""


def _plain(name: str) -> str:
    without = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(without.replace("’", " ").replace("'", " ").replace("-", " ").lower().split())


_BY_NAME = {_plain(region.name): region.code for region in REGIONS} | _OTHER_NAMES


def region_code(country: str, name: str | None) -> str:
    """Code of the region that a location file names; empty outside France and for what nobody knows.

    Overseas the country decides: GeoLite2 leaves the region empty there and DB-IP writes a town.
    """
    if country in OVERSEAS:
        return OVERSEAS[country]
    if country != "FR" or not name:
        return ""
    given = name.removeprefix("FR-")
    return given if given in BY_CODE else _BY_NAME.get(_plain(name), "")


def country_name(code: str, language: str = "fr") -> str:
    """``Belgique`` for ``BE``; the code itself when nobody named it, ``Pays inconnu`` for nothing."""
    if not code:
        return "Unknown country" if language == "en" else "Pays inconnu"
    return str(Locale(language).territories.get(code, code))
