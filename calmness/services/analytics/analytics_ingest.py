"""From the stream of page views to visits: read in batches, grouped in order, written once.

The stream's own id is the key of a view: a batch read twice counts once. One reader at a time (a locked row): two
would make two visits of one.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select, update

from calmness import clock
from calmness.extensions import db
from calmness.geo.agents import read_agent
from calmness.models.analytics import AnalyticsDay, AnalyticsDirtyDay, PageView, UserSession, ViewSource
from calmness.models.audit import ChainHead
from calmness.models.dialect import insert_once, locked

VISIT_GAP = timedelta(minutes=30)
LOCK = "analytics-ingest"
MAX_ENGAGED = 1800


@dataclass(frozen=True)
class Hit:
    """An entry of the stream: its id and its fields."""

    ms: int
    seq: int
    fields: dict[str, Any]


def parse(entry_id: str, raw: str) -> Hit | None:
    """Read an entry; None for one that is not ours."""
    ms, _, seq = entry_id.partition("-")
    try:
        fields = json.loads(raw)
    except ValueError:
        return None
    return Hit(int(ms), int(seq or 0), fields) if isinstance(fields, dict) else None


def take(hits: list[Hit], zone: ZoneInfo) -> int:
    """Write a batch in order. Gives how many views were new."""
    # The lock keeps visits whole; the row belongs to no chain.
    locked(db.session(), ChainHead, {"name": LOCK}, {"seq": 0, "hash": bytes(32)})
    _note_sources(hits)
    added = 0
    for hit in sorted(hits, key=lambda one: (one.ms, one.seq)):
        if "of" in hit.fields:
            _engage(hit)
        else:
            added += _view(hit, zone)
    return added


def lost_views() -> int:
    """Views that processes numbered and that never came: Redis was emptied, full or away."""
    return db.session.scalar(select(func.coalesce(func.sum(ViewSource.highest - ViewSource.received), 0))) or 0


def dirty_days() -> list[Any]:
    """Days whose rollups are out of date."""
    return list(db.session.scalars(select(AnalyticsDirtyDay.day).order_by(AnalyticsDirtyDay.day)))


def clean(day: Any) -> None:
    """The rollups of a day are computed."""
    row = db.session.get(AnalyticsDirtyDay, day)
    if row is not None:
        db.session.delete(row)
        db.session.flush()


def _note_sources(hits: list[Hit]) -> None:
    """Count what came from each process beside the highest of its numbers. A view read again counts once."""
    now = clock.now()
    for hit in hits:
        process, number = hit.fields.get("p"), hit.fields.get("n")
        if not isinstance(process, str) or not isinstance(number, int) or _is_known(hit):
            continue
        row = {"process": process[:16], "highest": number, "received": 1, "seen_at": now}
        if insert_once(db.session(), ViewSource, [row]) == 0:
            db.session.execute(
                update(ViewSource)
                .where(ViewSource.process == process[:16])
                .values(
                    highest=case((ViewSource.highest < number, number), else_=ViewSource.highest),
                    received=ViewSource.received + 1,
                    seen_at=now,
                )
            )


def _is_known(hit: Hit) -> bool:
    return db.session.get(PageView, (hit.ms, hit.seq)) is not None


def _view(hit: Hit, zone: ZoneInfo) -> int:
    fields = hit.fields
    at = datetime.fromtimestamp(fields.get("t", hit.ms / 1000), UTC)
    day = at.astimezone(zone).date()
    visitor = read_agent(fields.get("ua"))
    if visitor.bot:
        _count_bot(day)
        return 0
    if _is_known(hit):
        return 0
    visit = _visit(fields, at, day, visitor, zone)
    row = {
        "stream_ms": hit.ms,
        "stream_seq": hit.seq,
        "view_id": str(fields.get("id", ""))[:22],
        "visit_id": visit.id,
        "day": day,
        "at": at,
        "path": fields["path"],
        "engaged_seconds": None,
    }
    insert_once(db.session(), PageView, [row])
    _mark_dirty(day)
    return 1


def _visit(fields: dict[str, Any], at: datetime, day: Any, visitor: Any, zone: ZoneInfo) -> UserSession:
    hashed = bytes.fromhex(fields["v"])
    current = db.session.scalar(
        select(UserSession)
        .where(UserSession.visitor_hash == hashed, UserSession.day == day, UserSession.last_at >= at - VISIT_GAP)
        .order_by(UserSession.last_at.desc())
        .limit(1)
    )
    if current is not None:
        current.last_at = max(current.last_at, at)
        current.views += 1
        current.exit_path = fields["path"]
        current.bounced = False
        db.session.flush()
        return current
    visit = UserSession(
        day=day,
        visitor_hash=hashed,
        started_at=at,
        last_at=at,
        hour=at.astimezone(zone).hour,
        views=1,
        seconds=0,
        bounced=True,
        entry_path=fields["path"],
        exit_path=fields["path"],
        channel=str(fields.get("channel", "direct"))[:24],
        source=str(fields.get("source", ""))[:100],
        campaign=str(fields.get("campaign", ""))[:100],
        country=str(fields.get("country", ""))[:2],
        region=str(fields.get("region", ""))[:4],
        city=str(fields.get("city", ""))[:100],
        device=visitor.device.value,
        browser=visitor.browser[:40],
        system=visitor.system[:40],
    )
    db.session.add(visit)
    db.session.flush()
    return visit


def _engage(hit: Hit) -> None:
    """Time on a page, cumulative: the highest wins, so a beacon sent twice is harmless."""
    try:
        seconds = min(max(int(hit.fields["engaged"]), 0), MAX_ENGAGED)
    except (KeyError, ValueError, TypeError):
        return
    view = db.session.scalar(
        select(PageView).where(
            PageView.view_id == str(hit.fields["of"])[:22], PageView.at > clock.now() - timedelta(days=1)
        )
    )
    if view is None or (view.engaged_seconds or 0) >= seconds:
        return
    gained = seconds - (view.engaged_seconds or 0)
    view.engaged_seconds = seconds
    db.session.execute(
        update(UserSession)
        .where(UserSession.id == view.visit_id)
        .values(seconds=UserSession.seconds + gained, bounced=UserSession.bounced & (UserSession.seconds + gained < 10))
    )
    _mark_dirty(view.day)


def _mark_dirty(day: Any) -> None:
    insert_once(db.session(), AnalyticsDirtyDay, [{"day": day, "marked_at": clock.now()}])


def _count_bot(day: Any) -> None:
    zeros = {"visitors": 0, "visits": 0, "views": 0, "bounces": 0, "seconds": 0, "bots": 0}
    locked(db.session(), AnalyticsDay, {"day": day}, zeros).bots += 1
    db.session.flush()
