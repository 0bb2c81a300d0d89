"""Places in formations."""

from datetime import datetime

from sqlalchemy import func, select

from calmness.errors import NotFound
from calmness.extensions import db
from calmness.models.training import EnrollmentStatus, Formation, UserFormationEnrollment

LIVE = (EnrollmentStatus.ACTIVE, EnrollmentStatus.SUSPENDED)


def enroll(user_id: int, formation_id: int, payment_id: int | None, at: datetime) -> UserFormationEnrollment:
    """Give a place. A person who has a place keeps it; the caller plans the reminders."""
    existing = db.session.scalar(
        select(UserFormationEnrollment).where(
            UserFormationEnrollment.user_id == user_id,
            UserFormationEnrollment.formation_id == formation_id,
            UserFormationEnrollment.status.in_(LIVE),
        )
    )
    if existing is not None:
        return existing
    enrollment = UserFormationEnrollment(
        user_id=user_id,
        formation_id=formation_id,
        payment_id=payment_id,
        status=EnrollmentStatus.ACTIVE,
        enrolled_at=at,
    )
    db.session.add(enrollment)
    db.session.flush()
    return enrollment


def is_enrolled(user_id: int, formation_id: int) -> bool:
    """Whether a person has a live place."""
    return (
        db.session.scalar(
            select(UserFormationEnrollment.id).where(
                UserFormationEnrollment.user_id == user_id,
                UserFormationEnrollment.formation_id == formation_id,
                UserFormationEnrollment.status.in_(LIVE),
            )
        )
        is not None
    )


def of_user(user_id: int) -> list[UserFormationEnrollment]:
    """A person's own places, newest first."""
    return list(
        db.session.scalars(
            select(UserFormationEnrollment)
            .where(UserFormationEnrollment.user_id == user_id)
            .order_by(UserFormationEnrollment.enrolled_at.desc())
        )
    )


def own(user_id: int, slug: str) -> UserFormationEnrollment:
    """A person's own place in a formation. Raises ``NotFound``."""
    enrollment = db.session.scalar(
        select(UserFormationEnrollment)
        .join(Formation, Formation.id == UserFormationEnrollment.formation_id)
        .where(UserFormationEnrollment.user_id == user_id, Formation.slug == slug)
        .order_by(UserFormationEnrollment.id.desc())
        .limit(1)
    )
    if enrollment is None:
        raise NotFound
    return enrollment


def active_user_ids(formation_id: int) -> list[int]:
    """Everybody who follows a formation now."""
    return list(
        db.session.scalars(
            select(UserFormationEnrollment.user_id).where(
                UserFormationEnrollment.formation_id == formation_id,
                UserFormationEnrollment.status == EnrollmentStatus.ACTIVE,
            )
        )
    )


def counts_by_formation() -> dict[int, int]:
    """How many follow each formation now."""
    rows = db.session.execute(
        select(UserFormationEnrollment.formation_id, func.count())
        .where(UserFormationEnrollment.status == EnrollmentStatus.ACTIVE)
        .group_by(UserFormationEnrollment.formation_id)
    )
    return dict(rows.all())
