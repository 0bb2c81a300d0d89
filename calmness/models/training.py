"""Formations and their life: programme, recurring programming, dated sessions, reminders, presence.

Two seed names overlap. Here a ``FormationSession`` is a unit of the programme ("séance 4 : lire le carnet
d'ordres"), the same for every cohort; an ``AdminFormationSession`` is that unit given on a date, with a meeting
link, made by a ``FormationSchedule`` or by hand. See ``docs/decisions/0003-two-kinds-of-session.md``.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.account import User
from calmness.models.types import BigKey, JsonType, UtcDateTime, text_enum


class Level(StrEnum):
    """Whom a formation is for."""

    BEGINNER = "debutant"
    INTERMEDIATE = "intermediaire"
    ADVANCED = "avance"


class FormationStatus(StrEnum):
    """Whether the public sees the formation."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class EnrollmentStatus(StrEnum):
    """Where a student stands with a formation."""

    ACTIVE = "active"
    COMPLETED = "completed"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class HolidayPolicy(StrEnum):
    """What happens to an occurrence that falls on a French public holiday."""

    KEEP = "keep"
    SKIP = "skip"
    SHIFT = "shift"


class ScheduleStatus(StrEnum):
    """Whether a programming still makes sessions."""

    ACTIVE = "active"
    ENDED = "ended"


class SessionStatus(StrEnum):
    """Life of a dated session."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class MeetingProvider(StrEnum):
    """Where the session takes place."""

    ZOOM = "zoom"
    GOOGLE_MEET = "google_meet"
    TEAMS = "teams"


class NoticeKind(StrEnum):
    """Why the school writes about a session."""

    REMINDER = "reminder"
    MOVED = "moved"
    CANCELLED = "cancelled"


class AttendanceStatus(StrEnum):
    """Presence of a student at a session."""

    PRESENT = "present"
    LATE = "late"
    ABSENT = "absent"
    EXCUSED = "excused"


class AttendanceSource(StrEnum):
    """What the presence rests on."""

    JOIN_LINK = "join_link"
    CHECK_IN = "check_in"
    MANUAL = "manual"
    IMPORT = "import"


class Formation(Model):
    """A course of the catalogue, with what a future student must know before buying (C. trav. L6353-4)."""

    __table_args__ = (
        CheckConstraint("duration_minutes > 0", name="duration_positive"),
        CheckConstraint("capacity IS NULL OR capacity > 0", name="capacity_positive"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(160))
    summary: Mapped[str] = mapped_column(String(300))
    objectives: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    programme: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    level: Mapped[Level] = mapped_column(text_enum(Level, "level"))
    audience: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    prerequisites: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    access_delay: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    accessibility: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    trainer_name: Mapped[str] = mapped_column(String(100))
    duration_minutes: Mapped[int]
    capacity: Mapped[int | None]
    icon: Mapped[str] = mapped_column(String(40), default="graduation-cap", server_default="graduation-cap")
    status: Mapped[FormationStatus] = mapped_column(text_enum(FormationStatus, "status"), default=FormationStatus.DRAFT)
    position: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    units: Mapped[list["FormationSession"]] = relationship(
        back_populates="formation", order_by="FormationSession.position"
    )


class FormationSession(Model):
    """A unit of a formation's programme, in order; dated sessions refer to it."""

    __table_args__ = (
        UniqueConstraint("formation_id", "position"),
        CheckConstraint("duration_minutes > 0", name="duration_positive"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    formation_id: Mapped[int] = mapped_column(ForeignKey("formation.id", ondelete="CASCADE"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(160))
    summary: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    duration_minutes: Mapped[int]

    formation: Mapped[Formation] = relationship(back_populates="units")


class UserFormationEnrollment(Model):
    """A student's place in a formation. At most one live place a person and formation."""

    __table_args__ = (
        Index(
            "uq_user_formation_enrollment_live",
            "user_id",
            "formation_id",
            unique=True,
            sqlite_where=text("status IN ('active', 'suspended')"),
            postgresql_where=text("status IN ('active', 'suspended')"),
        ),
        Index("ix_user_formation_enrollment_formation", "formation_id", "status"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    formation_id: Mapped[int] = mapped_column(ForeignKey("formation.id", ondelete="RESTRICT"))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id", ondelete="RESTRICT"), unique=True)
    status: Mapped[EnrollmentStatus] = mapped_column(
        text_enum(EnrollmentStatus, "status"), default=EnrollmentStatus.ACTIVE
    )
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()
    formation: Mapped[Formation] = relationship()


class FormationSchedule(Model):
    """A recurring programming: wall time and zone are the truth, so 19 h 00 in Paris stays 19 h 00 all year."""

    __table_args__ = (CheckConstraint("duration_minutes > 0", name="duration_positive"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    formation_id: Mapped[int] = mapped_column(ForeignKey("formation.id", ondelete="CASCADE"), index=True)
    rrule: Mapped[str] = mapped_column(String(300))
    starts_local: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    time_zone: Mapped[str] = mapped_column(String(64), default="Europe/Paris", server_default="Europe/Paris")
    until_on: Mapped[date | None]
    duration_minutes: Mapped[int]
    holiday_policy: Mapped[HolidayPolicy] = mapped_column(
        text_enum(HolidayPolicy, "holiday_policy"), default=HolidayPolicy.SKIP
    )
    excluded: Mapped[list[Any]] = mapped_column(JsonType, default=list)
    meeting_provider: Mapped[MeetingProvider] = mapped_column(text_enum(MeetingProvider, "meeting_provider"))
    meeting_url: Mapped[str] = mapped_column(String(500))
    trainer_name: Mapped[str] = mapped_column(String(100))
    reminder_offsets: Mapped[list[Any]] = mapped_column(JsonType, default=lambda: [1440, 60, 10])
    status: Mapped[ScheduleStatus] = mapped_column(text_enum(ScheduleStatus, "status"), default=ScheduleStatus.ACTIVE)
    extended_until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    formation: Mapped[Formation] = relationship()


class AdminFormationSession(Model):
    """A unit given on a date. ``recurrence_id`` is the local start that the rule gave: it never changes.

    ``seq`` grows with each change that participants must learn of; reminders of an older ``seq`` are dead.
    """

    __table_args__ = (
        UniqueConstraint("schedule_id", "recurrence_id"),
        CheckConstraint("end_at > start_at", name="ends_after_start"),
        Index("ix_admin_formation_session_calendar", "status", "start_at"),
        Index("ix_admin_formation_session_formation", "formation_id", "start_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    formation_id: Mapped[int] = mapped_column(ForeignKey("formation.id", ondelete="RESTRICT"))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("formation_schedule.id", ondelete="SET NULL"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("formation_session.id", ondelete="SET NULL"))
    recurrence_id: Mapped[str | None] = mapped_column(String(19))
    title: Mapped[str] = mapped_column(String(200))
    start_at: Mapped[datetime] = mapped_column(UtcDateTime)
    end_at: Mapped[datetime] = mapped_column(UtcDateTime)
    time_zone: Mapped[str] = mapped_column(String(64), default="Europe/Paris", server_default="Europe/Paris")
    meeting_provider: Mapped[MeetingProvider] = mapped_column(text_enum(MeetingProvider, "meeting_provider"))
    meeting_url: Mapped[str] = mapped_column(String(500))
    trainer_name: Mapped[str] = mapped_column(String(100))
    replay_url: Mapped[str | None] = mapped_column(String(500))
    status: Mapped[SessionStatus] = mapped_column(text_enum(SessionStatus, "status"), default=SessionStatus.SCHEDULED)
    cancel_reason: Mapped[str | None] = mapped_column(String(300))
    overridden: Mapped[bool] = mapped_column(default=False, server_default=false())
    seq: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    formation: Mapped[Formation] = relationship()
    unit: Mapped[FormationSession | None] = relationship()


class AdminSessionNotification(Model):
    """A notice that the school sends about a session: one row an offset and ``seq``.

    The persons and channels are rows of ``Delivery`` that point here: what was planned, sent, refused is read there.
    """

    __table_args__ = (UniqueConstraint("session_id", "kind", "offset_minutes", "seq"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("admin_formation_session.id", ondelete="CASCADE"))
    kind: Mapped[NoticeKind] = mapped_column(text_enum(NoticeKind, "kind"))
    offset_minutes: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    seq: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    session: Mapped[AdminFormationSession] = relationship()


class AdminSessionAttendance(Model):
    """Presence of one student at one session: what the school holds true, drawn from the evidence."""

    __table_args__ = (
        UniqueConstraint("session_id", "user_id"),
        CheckConstraint("minutes IS NULL OR minutes >= 0", name="minutes_not_negative"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("admin_formation_session.id", ondelete="RESTRICT"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    enrollment_id: Mapped[int | None] = mapped_column(ForeignKey("user_formation_enrollment.id", ondelete="SET NULL"))
    status: Mapped[AttendanceStatus] = mapped_column(text_enum(AttendanceStatus, "status"))
    source: Mapped[AttendanceSource] = mapped_column(text_enum(AttendanceSource, "source"))
    first_joined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_joined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    minutes: Mapped[int | None]
    note: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    session: Mapped[AdminFormationSession] = relationship()


class AttendanceEvidence(Model):
    """What was seen of a presence, appended and chained by hash: the proof behind an attendance row."""

    __table_args__ = (Index("ix_attendance_evidence_session_user", "session_id", "user_id"),)

    seq: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    session_id: Mapped[int] = mapped_column(ForeignKey("admin_formation_session.id", ondelete="RESTRICT"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    source: Mapped[AttendanceSource] = mapped_column(text_enum(AttendanceSource, "source"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)


class Certificate(Model):
    """A certificate of completion, checked by anybody through its code."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    enrollment_id: Mapped[int] = mapped_column(
        ForeignKey("user_formation_enrollment.id", ondelete="RESTRICT"), unique=True
    )
    hours: Mapped[int]
    issued_on: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CalendarFeed(Model):
    """A person's own calendar address; only the hash of its token is kept."""

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
