"""What a course needs: a formation with its programme, people enrolled in it, dates on the calendar."""

from datetime import datetime, timedelta
from typing import Any

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Channel, ChannelIdentity, User
from calmness.models.training import (
    AdminFormationSession,
    Formation,
    FormationSchedule,
    FormationSession,
    FormationStatus,
    HolidayPolicy,
    Level,
    MeetingProvider,
    SessionStatus,
)
from calmness.services.training import enrollments, reminders, schedules
from calmness.services.training.schedules import Programming
from tests import factories

LINK = "https://us02web.zoom.us/j/81234567890?pwd=canary-of-the-room"
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def formation(units: int = 4, **values: Any) -> Formation:
    """A published formation with its programme."""
    now = clock.now()
    row = Formation(
        **{
            "slug": "lire-les-marches",
            "title": "Lire les marchés",
            "summary": "Quatre semaines pour lire un graphique sans se mentir.",
            "level": Level.BEGINNER,
            "trainer_name": "Inès Caron",
            "duration_minutes": max(units, 1) * 120,
            "status": FormationStatus.PUBLISHED,
            "created_at": now,
            "updated_at": now,
            "units": [
                FormationSession(position=place, title=f"Unité {place}", duration_minutes=120)
                for place in range(1, units + 1)
            ],
            **values,
        }
    )
    db.session.add(row)
    db.session.flush()
    return row


def enrolled(course: Formation, at: datetime | None = None, **values: Any) -> User:
    """A student with a place and the reminders that go with it."""
    user, now = factories.student(**values), at or clock.now()
    place = enrollments.enroll(user.id, course.id, None, now)
    reminders.plan_for_enrollment(place, now)
    return user


def on_telegram(user: User, chat: str = "4242") -> User:
    """The same person, with a verified Telegram chat."""
    now = clock.now()
    db.session.add(
        ChannelIdentity(
            user_id=user.id, channel=Channel.TELEGRAM, account="", external_id=chat, created_at=now, verified_at=now
        )
    )
    db.session.flush()
    return user


def wall(text: str) -> datetime:
    """A wall time, such as ``2026-11-27 20:00``: the zone is the series' own."""
    return datetime.fromisoformat(text)


def programming(course: Formation, starts_local: datetime, count: int = 4, **values: Any) -> Programming:
    """A weekly series on the weekday of its first date."""
    return Programming(
        **{
            "formation_id": course.id,
            "starts_local": starts_local,
            "weekdays": (WEEKDAYS[starts_local.weekday()],),
            "count": count,
            "duration_minutes": 120,
            "holiday_policy": HolidayPolicy.KEEP,
            "meeting_url": LINK,
            "trainer_name": "Inès Caron",
            **values,
        }
    )


def programmed(course: Formation, starts_local: datetime, count: int = 4, **values: Any) -> FormationSchedule:
    """A series on the calendar."""
    return schedules.program(programming(course, starts_local, count, **values), by=None)


def session_of(course: Formation, start_at: datetime, **values: Any) -> AdminFormationSession:
    """One dated session."""
    row = AdminFormationSession(
        **{
            "formation_id": course.id,
            "title": "Lire un carnet d’ordres",
            "start_at": start_at,
            "end_at": start_at + timedelta(hours=2),
            "meeting_provider": MeetingProvider.ZOOM,
            "meeting_url": LINK,
            "trainer_name": "Inès Caron",
            "status": SessionStatus.SCHEDULED,
            "created_at": start_at - timedelta(days=30),
            **values,
        }
    )
    db.session.add(row)
    db.session.flush()
    return row
