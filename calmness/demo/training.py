"""Sixty sessions in weekly groups: some over, with their presences, one under way, others to come."""

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, or_, select

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
    UserFormationEnrollment,
)
from calmness.services.training import reminders, schedules
from calmness.services.training.schedules import Programming

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LINKS = ("https://us02web.zoom.us/j/81234567890", "https://meet.google.com/abc-defg-hij")
BEGUN = (
    (300, "premiers-pas"),
    (200, "gestion-du-risque"),
    (150, "price-action"),
    (80, "premiers-pas"),
    (24, "gestion-du-risque"),
)
"""Groups that are over or, the last, half way: days since their first session."""
COMING = ("premiers-pas", "psychologie", "backtest")
SOON = "lire-le-carnet-d-ordres"
"""The group whose fourth session starts in less than an hour."""


def program(now: datetime, admin: User) -> None:
    """Weekly series of each group: past, under way, to come; all made by the rules."""
    by_slug = {formation.slug: formation for formation in db.session.scalars(select(Formation))}
    today = now.astimezone(PARIS).replace(tzinfo=None)
    for number, (days, slug) in enumerate(BEGUN):
        _series(by_slug[slug], _evening(today - timedelta(days=days)), LINKS[number % 2], admin)
    soon = today.replace(second=0, microsecond=0) + timedelta(minutes=45 - today.minute % 5)
    _series(by_slug[SOON], soon - timedelta(days=21), LINKS[0], admin)
    for number, slug in enumerate(COMING):
        _series(by_slug[slug], _evening(today + timedelta(days=2 + number)), LINKS[number % 2], admin)
    schedules.extend_all(now)
    schedules.finish_past(now)


def _evening(day: datetime) -> datetime:
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day.replace(hour=19, minute=0, second=0, microsecond=0)


def _series(formation: Formation, first: datetime, link: str, admin: User) -> None:
    known = first.replace(tzinfo=PARIS).astimezone(UTC) - timedelta(days=1)
    schedules.program(
        Programming(
            formation_id=formation.id,
            starts_local=first,
            weekdays=(DAYS[first.weekday()],),
            count=min(len(formation.units), 10) if formation.slug != "backtest" else 5,
            duration_minutes=formation.units[0].duration_minutes,
            holiday_policy=HolidayPolicy.KEEP,
            meeting_url=link,
            trainer_name=formation.trainer_name,
        ),
        by=admin,
        at=known,
    )


def attend(rng: random.Random, now: datetime) -> None:
    """Who came to the past sessions, among those enrolled by then; reminders of what comes."""
    rows = []
    for session in db.session.scalars(select(AdminFormationSession).where(AdminFormationSession.end_at < now)).all():
        enrolled = db.session.scalars(
            select(UserFormationEnrollment).where(
                UserFormationEnrollment.formation_id == session.formation_id,
                UserFormationEnrollment.enrolled_at < session.start_at,
                or_(UserFormationEnrollment.ended_at.is_(None), UserFormationEnrollment.ended_at >= session.start_at),
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
