"""Reading the audit journal."""

from sqlalchemy import func, or_, select

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.audit import AuditEntry


def listing(text: str, *, limit: int, offset: int) -> tuple[list[tuple[AuditEntry, User | None]], int]:
    """Entries with their actor, newest first, with their total. ``text`` looks into action, object and actor."""
    query = select(AuditEntry, User).outerjoin(User, User.id == AuditEntry.actor_id)
    if text:
        like = f"%{text.lower()}%"
        query = query.where(
            or_(AuditEntry.action.like(like), AuditEntry.object_type.like(like), func.lower(User.last_name).like(like))
        )
    total = db.session.scalar(select(func.count()).select_from(query.with_only_columns(AuditEntry.seq).subquery())) or 0
    rows = db.session.execute(query.order_by(AuditEntry.seq.desc()).limit(limit).offset(offset))
    return [(entry, user) for entry, user in rows], total
