"""Places in formations."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from calmness.errors import Conflict, NotFound
from calmness.extensions import db
from calmness.models.training import (
    AdminFormationSession,
    EnrollmentStatus,
    Formation,
    FormationSession,
    SessionStatus,
    UserFormationEnrollment,
)

LIVE = (EnrollmentStatus.ACTIVE, EnrollmentStatus.SUSPENDED)


class FormationFull(Conflict):
    """Every place of the formation is taken."""

    slug = "formation-full"
    message = _l("Cette formation est complète\u00a0: toutes ses places sont prises.")


def enroll(user_id: int, formation_id: int, payment_id: int | None, at: datetime) -> UserFormationEnrollment:
    """Give a place. A person who has a place keeps it; the caller plans the reminders. Raises ``FormationFull``.

    The formation's row is held until the transaction ends: of two who want the last place, one waits and reads why not.
    """
    formation = db.session.scalars(
        select(Formation)
        .where(Formation.id == formation_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    existing = db.session.scalar(
        select(UserFormationEnrollment).where(
            UserFormationEnrollment.user_id == user_id,
            UserFormationEnrollment.formation_id == formation_id,
            UserFormationEnrollment.status.in_(LIVE),
        )
    )
    if existing is not None:
        return existing
    if places_left(formation) == 0:
        raise FormationFull
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


def places_left(formation: Formation) -> int | None:
    """How many may still join; None without a limit."""
    if formation.capacity is None:
        return None
    return max(0, formation.capacity - taken(formation.id))


def taken(formation_id: int) -> int:
    """How many have a place now."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(UserFormationEnrollment)
            .where(UserFormationEnrollment.formation_id == formation_id, UserFormationEnrollment.status.in_(LIVE))
        )
        or 0
    )


def full_formation_ids() -> set[int]:
    """Formations without a place left."""
    rows = db.session.execute(
        select(Formation.id)
        .join(UserFormationEnrollment, UserFormationEnrollment.formation_id == Formation.id)
        .where(UserFormationEnrollment.status.in_(LIVE), Formation.capacity.is_not(None))
        .group_by(Formation.id, Formation.capacity)
        .having(func.count() >= Formation.capacity)
    )
    return set(rows.scalars())


def complete_due(at: datetime) -> list[UserFormationEnrollment]:
    """End the places of those to whom every unit of the programme was given since they came. Gives them.

    A formation without a written programme is never over by itself.
    """
    units = (
        select(FormationSession.id)
        .where(FormationSession.formation_id == UserFormationEnrollment.formation_id)
        .correlate(UserFormationEnrollment)
    )
    given = (
        select(AdminFormationSession.id)
        .where(
            AdminFormationSession.unit_id == FormationSession.id,
            AdminFormationSession.status == SessionStatus.FINISHED,
            AdminFormationSession.start_at >= UserFormationEnrollment.enrolled_at,
            AdminFormationSession.end_at < at,
        )
        .correlate(FormationSession, UserFormationEnrollment)
    )
    over = list(
        db.session.scalars(
            select(UserFormationEnrollment).where(
                UserFormationEnrollment.status == EnrollmentStatus.ACTIVE,
                units.exists(),
                ~units.where(~given.exists()).exists(),
            )
        )
    )
    for enrollment in over:
        enrollment.status, enrollment.ended_at = EnrollmentStatus.COMPLETED, at
    db.session.flush()
    return over


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
