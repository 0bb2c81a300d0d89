"""Formations of the catalogue, and how far a student is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from calmness import clock
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.training import (
    AdminFormationSession,
    Formation,
    FormationStatus,
    Level,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services import attendance, audit, enrollments

TEXTS = (
    "title",
    "summary",
    "trainer_name",
    "objectives",
    "programme",
    "audience",
    "prerequisites",
    "access_delay",
    "accessibility",
)


@dataclass(frozen=True)
class Progress:
    """Where a student stands with a formation."""

    enrollment: UserFormationEnrollment
    sessions: list[AdminFormationSession]
    attended: int
    held: int
    next_session: AdminFormationSession | None

    @property
    def planned(self) -> int:
        """How many sessions the formation has on the calendar."""
        return len(self.sessions)

    @property
    def presence(self) -> float | None:
        """Attended among held, 0 to 1."""
        return self.attended / self.held if self.held else None


def published() -> list[Formation]:
    """Formations that the public sees, in order."""
    return list(
        db.session.scalars(
            select(Formation)
            .where(Formation.status == FormationStatus.PUBLISHED)
            .order_by(Formation.position, Formation.id)
        )
    )


def every() -> list[Formation]:
    """All formations, for the staff."""
    return list(db.session.scalars(select(Formation).order_by(Formation.position, Formation.id)))


def public(slug: str) -> Formation:
    """A published formation. Raises ``NotFound``."""
    formation = db.session.scalar(
        select(Formation).where(Formation.slug == slug, Formation.status == FormationStatus.PUBLISHED)
    )
    if formation is None:
        raise NotFound
    return formation


def get(formation_id: int) -> Formation:
    """A formation, for the staff. Raises ``NotFound``."""
    formation = db.session.get(Formation, formation_id)
    if formation is None:
        raise NotFound
    return formation


def change(formation_id: int, values: dict[str, str], status: FormationStatus, *, by: User) -> Formation:
    """Save the texts and the state of a formation."""
    formation = get(formation_id)
    for name in TEXTS:
        if name in values:
            setattr(formation, name, values[name].strip())
    formation.level = Level(values.get("level", formation.level))
    formation.status = status
    formation.updated_at = clock.now()
    db.session.flush()
    audit.record("formation.changed", "formation", formation.id, actor=by, changes=(*values, "status"))
    return formation


def progress_of(user_id: int, at: datetime | None = None) -> list[Progress]:
    """All of one's own formations with their progress, living ones first."""
    now = at or clock.now()
    return [progress(enrollment, now) for enrollment in enrollments.of_user(user_id)]


def progress(enrollment: UserFormationEnrollment, now: datetime) -> Progress:
    """Progress of one place: sessions since the enrolment, presence, what comes next."""
    sessions = list(
        db.session.scalars(
            select(AdminFormationSession)
            .where(
                AdminFormationSession.formation_id == enrollment.formation_id,
                AdminFormationSession.status != SessionStatus.CANCELLED,
                AdminFormationSession.end_at >= enrollment.enrolled_at,
            )
            .order_by(AdminFormationSession.start_at)
        )
    )
    seen = attendance.of_user(enrollment.user_id, [session.id for session in sessions])
    attended = sum(row.status in attendance.PRESENT for row in seen.values())
    coming = [session for session in sessions if session.end_at > now]
    return Progress(enrollment, sessions, attended, len(sessions) - len(coming), coming[0] if coming else None)


def agenda(user_id: int, start: datetime, end: datetime) -> list[AdminFormationSession]:
    """One's own sessions in a stretch of time, in order; cancelled ones too."""
    mine = [
        enrollment.formation_id for enrollment in enrollments.of_user(user_id) if enrollment.status in enrollments.LIVE
    ]
    return list(
        db.session.scalars(
            select(AdminFormationSession)
            .where(
                AdminFormationSession.formation_id.in_(mine),
                AdminFormationSession.end_at >= start,
                AdminFormationSession.start_at < end,
            )
            .order_by(AdminFormationSession.start_at)
        )
    )
