"""Page views of the demo: hours, devices, sources and French regions that look like a real school's audience."""

import math
import random
from bisect import bisect
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from calmness.extensions import db
from calmness.models.analytics import PageView, UserSession
from calmness.models.dialect import upsert_stored

DAYS = 400
PARIS = ZoneInfo("Europe/Paris")
HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 11, 12, 12, 11, 12, 12, 11, 11, 12, 14, 16, 19, 21, 20, 13, 6)

PAGES = (
    ("/", 30),
    ("/formations", 14),
    ("/tarifs", 12),
    ("/signaux", 11),
    ("/formations/gestion-du-risque", 7),
    ("/formations/premiers-pas", 6),
    ("/formations/lire-le-carnet-d-ordres", 5),
    ("/formations/price-action", 4),
    ("/faq", 4),
    ("/contact", 3),
    ("/inscription", 5),
    ("/connexion", 4),
    ("/espace", 6),
    ("/espace/historique", 5),
    ("/espace/formations", 4),
    ("/espace/signaux", 3),
)
ENTRIES = (
    ("/", 48),
    ("/formations", 9),
    ("/signaux", 14),
    ("/tarifs", 6),
    ("/formations/gestion-du-risque", 13),
    ("/espace", 10),
)
EXITS = (
    ("/", 34),
    ("/formations", 8),
    ("/tarifs", 15),
    ("/signaux", 12),
    ("/formations/gestion-du-risque", 6),
    ("/formations/premiers-pas", 3),
    ("/formations/lire-le-carnet-d-ordres", 4),
    ("/formations/price-action", 3),
    ("/faq", 4),
    ("/contact", 5),
    ("/inscription", 2),
    ("/espace", 8),
    ("/espace/historique", 7),
    ("/espace/formations", 3),
    ("/espace/signaux", 6),
)
MEDIAN_SECONDS = {
    "/": 17,
    "/connexion": 9,
    "/inscription": 48,
    "/tarifs": 36,
    "/faq": 62,
    "/contact": 33,
    "/espace": 21,
    "/espace/signaux": 29,
    "/espace/historique": 54,
}
"""How long half of the readers stay on a page; on the others it is ELSEWHERE."""
ELSEWHERE = 31
SOURCES = (
    ("recherche", "Google", 38),
    ("direct", "Accès direct", 25),
    ("réseaux", "YouTube", 15),
    ("réseaux", "Telegram", 9),
    ("e-mail", "E-mail", 5),
    ("recherche", "Bing", 2),
    ("recherche", "Qwant", 2),
    ("assistants IA", "ChatGPT", 2),
    ("référent", "abcbourse.com", 2),
)
VIEW = ("stream_ms", "stream_seq", "view_id", "visit_id", "day", "at", "path", "engaged_seconds")
"""Columns of a view, its key first."""
CAMPAIGNS = {"E-mail": "lettre-du-mois", "YouTube": "video-gestion-du-risque", "Telegram": "canal-public"}
PLACES = (
    ("FR", "IDF", "Paris", 26),
    ("FR", "ARA", "Lyon", 12),
    ("FR", "OCC", "Toulouse", 9),
    ("FR", "NAQ", "Bordeaux", 8),
    ("FR", "PAC", "Marseille", 8),
    ("FR", "HDF", "Lille", 7),
    ("FR", "GES", "Strasbourg", 6),
    ("FR", "PDL", "Nantes", 5),
    ("FR", "BRE", "Rennes", 5),
    ("FR", "NOR", "Rouen", 3),
    ("FR", "CVL", "Orléans", 2),
    ("FR", "BFC", "Dijon", 2),
    ("FR", "20R", "Ajaccio", 0.4),
    ("FR", "04", "Saint-Denis", 0.8),
    ("BE", "", "Bruxelles", 3),
    ("CH", "", "Genève", 2),
    ("CA", "", "Montréal", 1.5),
    ("", "", "", 2),
)
DEVICES = (
    ("mobile", "Chrome", "Android", 33),
    ("mobile", "Safari", "iOS", 26),
    ("desktop", "Chrome", "Windows", 20),
    ("desktop", "Firefox", "Windows", 5),
    ("desktop", "Edge", "Windows", 5),
    ("desktop", "Safari", "macOS", 6),
    ("tablet", "Safari", "iPadOS", 4),
    ("tablet", "Chrome", "Android", 1),
)


class _Choice:
    """Draws rows of a table by the weight in their last column: what ``rng.choices`` does, without its lists."""

    def __init__(self, table: tuple[Any, ...]) -> None:
        self.rows = [row[:-1] for row in table]
        self.sums = list(accumulate(row[-1] for row in table))
        self.last = len(self.rows) - 1

    def pick(self, rng: random.Random) -> Any:
        """One of the rows, without its weight."""
        return self.rows[bisect(self.sums, rng.random() * self.sums[-1], 0, self.last)]


A_SOURCE, A_PLACE, A_DEVICE = _Choice(SOURCES), _Choice(PLACES), _Choice(DEVICES)
AN_ENTRY, A_PAGE, AN_EXIT = _Choice(ENTRIES), _Choice(PAGES), _Choice(EXITS)


@dataclass
class _Tables:
    visits: list[dict[str, Any]]
    views: list[tuple[Any, ...]]


def make(rng: random.Random, now: datetime, views: int) -> None:
    """Insert visits and views in bulk; the rollups are then computed by their own service."""
    tables = _Tables([], [])
    today = now.astimezone(PARIS).date()
    days = [today - timedelta(days=offset) for offset in range(DAYS - 1, -1, -1)]
    weights = [
        (1 + 2.2 * index / DAYS)
        * (0.72 if day.weekday() >= 5 else 1.0)
        * (1 + 0.22 * math.sin((index - DAYS) / 9 + 2.2))
        for index, day in enumerate(days)
    ]
    per_day = [views * weight / sum(weights) for weight in weights]
    visit_id, count, owed = 0, 0, 0.0
    for day, wanted in zip(days, per_day, strict=True):
        if day == today:
            # Today has only begun: as many views as the hours so far deserve.
            hour = now.astimezone(PARIS).hour
            wanted *= sum(HOURS[:hour]) / sum(HOURS)
        owed += wanted
        while count < owed:
            started = datetime(day.year, day.month, day.day, _hour(rng, day, today, now), tzinfo=PARIS)
            started = (started + timedelta(seconds=rng.random() * 3600)).astimezone(now.tzinfo)
            visit_id += 1
            count += _visit(rng, tables, visit_id, day, started)
    _live_visitors(rng, tables, visit_id, now)
    # Below the ORM, whose bulk insert looks at each of two hundred thousand rows again.
    connection = db.session.connection()
    for start in range(0, len(tables.visits), 10_000):
        connection.execute(insert(UserSession), tables.visits[start : start + 10_000])
    for start in range(0, len(tables.views), 10_000):
        chunk = tables.views[start : start + 10_000]
        upsert_stored(db.session(), PageView, VIEW, chunk, key=VIEW[:2], update_columns=("view_id",))


def _hour(rng: random.Random, day: Any, today: Any, now: datetime) -> int:
    """Hour of a visit; of today only the hours that are over."""
    last = now.astimezone(PARIS).hour if day == today else 24
    return rng.choices(range(max(last, 1)), weights=HOURS[: max(last, 1)])[0]


def _live_visitors(rng: random.Random, tables: _Tables, visit_id: int, now: datetime) -> None:
    today = now.astimezone(PARIS).date()
    for offset in range(1, 15):
        _visit(rng, tables, visit_id + offset, today, now - timedelta(seconds=rng.randrange(5, 200)), views=1)


def _visit(
    rng: random.Random, tables: _Tables, visit_id: int, day: Any, started: datetime, views: int | None = None
) -> int:
    length = views or (1 if rng.random() < 0.42 else 2 + int(rng.expovariate(0.45)))
    channel, source = A_SOURCE.pick(rng)
    country, region, city = A_PLACE.pick(rng)
    device, browser, system = A_DEVICE.pick(rng)
    entry = AN_ENTRY.pick(rng)[0]
    paths = [entry, *(A_PAGE.pick(rng)[0] for _ in range(length - 2)), AN_EXIT.pick(rng)[0]][:length]
    at = started
    total = 0
    local_day = day.isoformat()
    for number, path in enumerate(paths):
        engaged = (
            int(min(900, MEDIAN_SECONDS.get(path, ELSEWHERE) * rng.lognormvariate(0, 1)))
            if rng.random() < 0.86
            else None
        )
        instant = at.timestamp()
        view_id = f"{visit_id:x}-{number}"
        tables.views.append(
            (int(instant * 1000), visit_id * 64 + number, view_id, visit_id, local_day, int(instant), path, engaged)
        )
        total += engaged or 0
        if number < length - 1:
            at += timedelta(seconds=(engaged or 20) + rng.randrange(2, 12))
    visitor = rng.randbytes(16)
    if visit_id % 6 == 0 and tables.visits[-1]["day"] == day:
        # Who came a moment ago is back.
        visitor = tables.visits[-1]["visitor_hash"]
    tables.visits.append(
        {
            "id": visit_id,
            "day": day,
            "visitor_hash": visitor,
            "started_at": started,
            "last_at": at,
            "hour": started.astimezone(PARIS).hour,
            "views": length,
            "seconds": total,
            "bounced": length == 1 and total < 10,
            "entry_path": paths[0],
            "exit_path": paths[-1],
            "channel": channel,
            "source": source,
            "campaign": CAMPAIGNS.get(source, "") if visit_id % 2 else "",
            "country": country,
            "region": region,
            "city": city,
            "device": device,
            "browser": browser,
            "system": system,
            "user_id": None,
        }
    )
    return length
