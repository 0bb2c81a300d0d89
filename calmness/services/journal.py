"""Reading the audit journal."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, or_, select

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.audit import AuditEntry


@dataclass(frozen=True)
class Wanted:
    """Which entries. ``area`` is what an action's name begins with; days are the reader's and both belong to it."""

    text: str = ""
    area: str = ""
    first: date | None = None
    last: date | None = None


def listing(
    wanted: Wanted, zone: ZoneInfo, *, limit: int, offset: int
) -> tuple[list[tuple[AuditEntry, User | None]], int]:
    """Entries with their actor, newest first, with their total. The text is part of an action or of the actor's name,
    or all of an object's number."""
    query = select(AuditEntry, User).outerjoin(User, User.id == AuditEntry.actor_id).where(*_conditions(wanted, zone))
    total = db.session.scalar(select(func.count()).select_from(query.with_only_columns(AuditEntry.seq).subquery())) or 0
    rows = db.session.execute(query.order_by(AuditEntry.seq.desc()).limit(limit).offset(offset))
    return [(entry, user) for entry, user in rows], total


def size() -> int:
    """How many entries there are."""
    return db.session.scalar(select(func.max(AuditEntry.seq))) or 0


def _conditions(wanted: Wanted, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.text:
        text = wanted.text.lower()
        found.append(
            or_(
                AuditEntry.object_id == wanted.text,
                AuditEntry.action.contains(text, autoescape=True),
                AuditEntry.object_type.contains(text, autoescape=True),
                func.lower(User.first_name + " " + User.last_name).contains(text, autoescape=True),
            )
        )
    if wanted.area:
        found.append(AuditEntry.action.startswith(f"{wanted.area}.", autoescape=True))
    if wanted.first:
        found.append(AuditEntry.at >= datetime.combine(wanted.first, time.min, zone))
    if wanted.last:
        found.append(AuditEntry.at < datetime.combine(wanted.last + timedelta(days=1), time.min, zone))
    return found
