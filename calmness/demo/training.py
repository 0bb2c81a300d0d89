"""Sixty sessions: past ones with their presences, coming ones programmed by the rules, one that starts soon."""

import random
from datetime import datetime, timedelta

from sqlalchemy import insert, select

from calmness.clock import PARIS
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.training import (
    AdminFormationSession,
    AdminSessionAttendance,
    AttendanceSource,
    AttendanceStatus,
    Formation,
    HolidayPolicy,
    MeetingProvider,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services import reminders, schedules
from calmness.services.schedules import Programming

PAST = 34
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LINKS = ("https://us02web.zoom.us/j/81234567890", "https://meet.google.com/abc-defg-hij")


def program(now: datetime, admin: User) -> None:
    """Past sessions as they were; coming ones by weekly programmings."""
    formations = list(db.session.scalars(select(Formation).order_by(Formation.id)))
    for number in range(PAST):
        formation = formations[number % len(formations)]
        day = now - timedelta(days=390 * (PAST - number) / PAST)
        start = day.astimezone(PARIS).replace(hour=19, minute=0, second=0, microsecond=0).astimezone(now.tzinfo)
        unit = formation.units[(number // len(formations)) % len(formation.units)]
        db.session.add(_session(formation, unit.id, unit.title, start, unit.duration_minutes, SessionStatus.FINISHED))
    soon = next(formation for formation in formations if formation.slug == "lire-le-carnet-d-ordres")
    unit = soon.units[3]
    start = (now + timedelta(minutes=42)).replace(second=0, microsecond=0)
    db.session.add(_session(soon, unit.id, unit.title, start, unit.duration_minutes, SessionStatus.SCHEDULED))
    db.session.flush()
    for number, formation in enumerate(formations[:6]):
        first = (now.astimezone(PARIS) + timedelta(days=2 + number)).replace(tzinfo=None)
        schedules.program(
            Programming(
                formation_id=formation.id,
                starts_local=first.replace(hour=19, minute=0, second=0, microsecond=0),
                weekdays=(DAYS[first.weekday()],),
                count=min(len(formation.units), 5),
                duration_minutes=formation.units[0].duration_minutes,
                holiday_policy=HolidayPolicy.SKIP,
                meeting_url=LINKS[number % 2],
                trainer_name=formation.trainer_name,
            ),
            by=admin,
        )


def attend(rng: random.Random, now: datetime) -> None:
    """Who came to the past sessions, among those enrolled by then; reminders of what comes."""
    rows = []
    for session in db.session.scalars(select(AdminFormationSession).where(AdminFormationSession.end_at < now)).all():
        enrolled = db.session.scalars(
            select(UserFormationEnrollment).where(
                UserFormationEnrollment.formation_id == session.formation_id,
                UserFormationEnrollment.enrolled_at < session.start_at,
            )
        )
        for enrollment in enrolled:
            status = rng.choices(
                (AttendanceStatus.PRESENT, AttendanceStatus.LATE, AttendanceStatus.ABSENT, AttendanceStatus.EXCUSED),
                weights=(70, 9, 17, 4),
            )[0]
            came = status in (AttendanceStatus.PRESENT, AttendanceStatus.LATE)
            at = session.start_at + timedelta(
                minutes=rng.randrange(-8, 9) if status is AttendanceStatus.PRESENT else 14
            )
            rows.append(
                {
                    "session_id": session.id,
                    "user_id": enrollment.user_id,
                    "enrollment_id": enrollment.id,
                    "status": status,
                    "source": AttendanceSource.JOIN_LINK if came else AttendanceSource.MANUAL,
                    "first_joined_at": at if came else None,
                    "last_joined_at": at if came else None,
                    "minutes": rng.randrange(60, 120) if came else None,
                    "note": "",
                    "recorded_at": session.end_at,
                }
            )
    if rows:
        db.session.execute(insert(AdminSessionAttendance), rows)
    reminders.plan_all(now)


def _session(
    formation: Formation, unit_id: int, title: str, start: datetime, minutes: int, status: SessionStatus
) -> AdminFormationSession:
    return AdminFormationSession(
        formation_id=formation.id,
        unit_id=unit_id,
        title=title,
        start_at=start,
        end_at=start + timedelta(minutes=minutes),
        meeting_provider=MeetingProvider.ZOOM,
        meeting_url=LINKS[0],
        trainer_name=formation.trainer_name,
        status=status,
        created_at=start - timedelta(days=30),
    )
