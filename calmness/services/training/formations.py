"""Formations of the catalogue, and how far a student is."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from calmness import clock
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.training import (
    AdminFormationSession,
    EnrollmentStatus,
    Formation,
    FormationSession,
    FormationStatus,
    Level,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services import audit, slugs
from calmness.services.training import attendance, enrollments


@dataclass(frozen=True)
class Sheet:
    """What an admin writes of a formation. ``units`` are the titles of the programme, in order."""

    title: str
    summary: str
    level: Level
    trainer_name: str
    units: tuple[str, ...]
    unit_minutes: int
    capacity: int | None
    status: FormationStatus
    objectives: str = ""
    audience: str = ""
    prerequisites: str = ""
    access_delay: str = ""
    accessibility: str = ""


class ProgrammeMissing(DomainError):
    """The public must read what a formation is made of."""

    slug = "programme-missing"
    field = "programme"
    message = _l("Écrivez au moins une séance au programme.")


class CapacityTooSmall(DomainError):
    """More people have a place already."""

    slug = "capacity-too-small"
    field = "capacity"
    message = _l("Davantage d’élèves ont déjà une place.")


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


def create(sheet: Sheet, *, by: User) -> Formation:
    """Write a new formation. Raises ``ProgrammeMissing``."""
    now = clock.now()
    formation = Formation(
        slug=slugs.free(Formation.slug, sheet.title, "formation"),
        duration_minutes=sheet.unit_minutes,
        position=(db.session.scalar(select(func.max(Formation.position))) or 0) + 1,
        created_at=now,
    )
    _write(formation, sheet, now)
    audit.record("formation.created", "formation", formation.id, actor=by)
    return formation


def change(formation_id: int, sheet: Sheet, *, by: User) -> Formation:
    """Save the texts, the programme and the state. Raises ``ProgrammeMissing``, ``CapacityTooSmall``."""
    formation = get(formation_id)
    taken = enrollments.taken(formation_id)
    if sheet.capacity is not None and sheet.capacity < taken:
        raise CapacityTooSmall(_l("%(count)s élèves ont déjà une place.", count=taken))
    _write(formation, sheet, clock.now())
    audit.record("formation.changed", "formation", formation.id, actor=by, changes=("texts", "programme", "status"))
    return formation


def progress_of(user_id: int, at: datetime | None = None) -> list[Progress]:
    """All of one's own formations with their progress, living ones first."""
    now = at or clock.now()
    return [progress(enrollment, now) for enrollment in enrollments.of_user(user_id)]


def progress(enrollment: UserFormationEnrollment, now: datetime) -> Progress:
    """Progress of one place: sessions from the enrolment to its end, presence, what comes next."""
    query = select(AdminFormationSession).where(
        AdminFormationSession.formation_id == enrollment.formation_id,
        AdminFormationSession.status != SessionStatus.CANCELLED,
        AdminFormationSession.end_at >= enrollment.enrolled_at,
    )
    if enrollment.ended_at is not None:
        # What a later group is given is not this person's.
        query = query.where(AdminFormationSession.start_at <= enrollment.ended_at)
    sessions = list(db.session.scalars(query.order_by(AdminFormationSession.start_at)))
    seen = attendance.of_user(enrollment.user_id, [session.id for session in sessions])
    attended = sum(row.status in attendance.PRESENT for row in seen.values())
    coming = [session for session in sessions if session.end_at > now]
    following = enrollment.status is EnrollmentStatus.ACTIVE and coming
    return Progress(enrollment, sessions, attended, len(sessions) - len(coming), coming[0] if following else None)


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


def _write(formation: Formation, sheet: Sheet, now: datetime) -> None:
    titles = [title.strip()[:160] for title in sheet.units if title.strip()]
    if not titles:
        raise ProgrammeMissing
    for name in ("title", "summary", "trainer_name", "objectives", "audience", "prerequisites", "access_delay"):
        setattr(formation, name, getattr(sheet, name).strip())
    formation.accessibility = sheet.accessibility.strip()
    formation.level, formation.status, formation.capacity = sheet.level, sheet.status, sheet.capacity
    formation.programme = "\n".join(titles)
    formation.duration_minutes = sheet.unit_minutes * len(titles)
    formation.updated_at = now
    db.session.add(formation)
    db.session.flush()
    _write_units(formation, titles, sheet.unit_minutes)


def _write_units(formation: Formation, titles: list[str], minutes: int) -> None:
    """A title that stays keeps its unit, wherever it moves: the dated sessions of the past refer to it."""
    left = {unit.title: unit for unit in formation.units}
    kept = [left.pop(title, None) for title in titles]
    for unit in left.values():
        db.session.delete(unit)
    # Out of the way first: two units may swap their places, and a place is unique.
    for number, unit in enumerate(unit for unit in kept if unit):
        unit.position = -1 - number
    db.session.flush()
    for position, (title, known) in enumerate(zip(titles, kept, strict=True), start=1):
        unit = known or FormationSession(formation_id=formation.id, title=title)
        db.session.add(unit)
        unit.position, unit.duration_minutes = position, minutes
    db.session.flush()
    db.session.expire(formation, ["units"])
