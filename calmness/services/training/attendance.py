"""Presence: joining through the site's own link in its window, evidence chained by hash, the staff's grid."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from calmness import clock
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.dialect import insert_once
from calmness.models.training import (
    AdminFormationSession,
    AdminSessionAttendance,
    AttendanceEvidence,
    AttendanceSource,
    AttendanceStatus,
    EnrollmentStatus,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services import audit, chain

CHAIN = "attendance"
OPENS_BEFORE = timedelta(minutes=15)
LATE_AFTER = timedelta(minutes=10)
VISIBLE = (EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.SUSPENDED)
PRESENT = (AttendanceStatus.PRESENT, AttendanceStatus.LATE)


class DoorClosed(DomainError):
    """The join link works from a quarter of an hour before the start until the end."""

    status = 409
    slug = "door-closed"
    message = _l("La séance n’est pas ouverte en ce moment.")


class DoorNotOpenYet(DoorClosed):
    """Too early."""

    slug = "door-not-open-yet"
    message = _l("C’est un peu tôt\u00a0: la salle ouvre un quart d’heure avant le début.")


class SessionOver(DoorClosed):
    """Too late."""

    slug = "session-over"
    message = _l("Cette séance est terminée\u00a0: la salle est fermée.")


class SessionCancelled(DoorClosed):
    """It does not take place."""

    slug = "session-cancelled"
    message = _l("Cette séance est annulée\u00a0: la salle n’ouvrira pas.")


class PlaceSuspended(DoorClosed):
    """A suspended place opens no door."""

    slug = "place-suspended"
    message = _l("Votre inscription est suspendue\u00a0: écrivez-nous pour la reprendre.")


class NotYetHeld(DomainError):
    """Nobody was present at what has not begun; an excuse may come before."""

    status = 409
    slug = "session-not-yet-held"
    message = _l("La séance n’a pas commencé\u00a0: seule une absence excusée se note d’avance.")


class NotExpected(DomainError):
    """A presence is of somebody who has a place."""

    slug = "not-expected-at-session"
    field = "user_id"
    message = _l("Cette personne n’est pas attendue à cette séance.")


@dataclass(frozen=True)
class GridRow:
    """A line of the staff's presence grid."""

    user: User
    attendance: AdminSessionAttendance | None


def own_session(user_id: int, session_id: int) -> tuple[AdminFormationSession, UserFormationEnrollment]:
    """A session of a formation that the person follows or followed. Raises ``NotFound``."""
    row = db.session.execute(
        select(AdminFormationSession, UserFormationEnrollment)
        .join(UserFormationEnrollment, UserFormationEnrollment.formation_id == AdminFormationSession.formation_id)
        .where(
            AdminFormationSession.id == session_id,
            UserFormationEnrollment.user_id == user_id,
            UserFormationEnrollment.status.in_(VISIBLE),
        )
        # A place that opens the door comes before one that is over.
        .order_by(UserFormationEnrollment.status != EnrollmentStatus.ACTIVE, UserFormationEnrollment.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def is_open(session: AdminFormationSession, at: datetime) -> bool:
    """Whether the join link works at an instant."""
    return session.status is SessionStatus.SCHEDULED and session.start_at - OPENS_BEFORE <= at <= session.end_at


def has_opened(session: AdminFormationSession, at: datetime) -> bool:
    """Whether somebody can have been present by an instant."""
    return session.status is not SessionStatus.CANCELLED and session.start_at - OPENS_BEFORE <= at


def join(user_id: int, session_id: int, at: datetime | None = None) -> str:
    """Record the presence and give the meeting's address. Raises ``DoorClosed``, ``NotFound``."""
    now = at or clock.now()
    session, enrollment = own_session(user_id, session_id)
    if enrollment.status is EnrollmentStatus.SUSPENDED:
        raise PlaceSuspended
    if enrollment.status is not EnrollmentStatus.ACTIVE or not is_open(session, now):
        raise _refusal(session, now)
    late = now > session.start_at + LATE_AFTER
    first = {
        "session_id": session.id,
        "user_id": user_id,
        "enrollment_id": enrollment.id,
        "status": AttendanceStatus.LATE if late else AttendanceStatus.PRESENT,
        "source": AttendanceSource.JOIN_LINK,
        "first_joined_at": now,
        "last_joined_at": now,
        "note": "",
        "recorded_at": now,
    }
    if insert_once(db.session(), AdminSessionAttendance, [first]) == 0:
        attendance = _row(session.id, user_id)
        attendance.last_joined_at = now
        attendance.first_joined_at = attendance.first_joined_at or now
        if attendance.status not in PRESENT:
            attendance.status, attendance.source = first["status"], AttendanceSource.JOIN_LINK  # type: ignore[assignment]
    add_evidence(session.id, user_id, AttendanceSource.JOIN_LINK, now)
    return session.meeting_url


def mark(session_id: int, user_id: int, status: AttendanceStatus, *, by: User, at: datetime | None = None) -> None:
    """The staff's own word on a presence. Raises ``NotYetHeld``, ``NotFound``."""
    now = at or clock.now()
    session = db.session.get(AdminFormationSession, session_id)
    if session is None:
        raise NotFound
    if status is not AttendanceStatus.EXCUSED and not has_opened(session, now):
        raise NotYetHeld
    values = {
        "session_id": session_id,
        "user_id": user_id,
        "enrollment_id": _enrollment_id(session, user_id),
        "status": status,
        "source": AttendanceSource.MANUAL,
        "note": "",
        "recorded_at": now,
        "recorded_by_id": by.id,
    }
    if insert_once(db.session(), AdminSessionAttendance, [values]) == 0:
        attendance = _row(session_id, user_id)
        attendance.status, attendance.source = status, AttendanceSource.MANUAL
        attendance.recorded_at, attendance.recorded_by_id = now, by.id
    add_evidence(session_id, user_id, AttendanceSource.MANUAL, now)
    audit.record("attendance.marked", "admin_formation_session", session_id, actor=by, changes=("status",))


def add_evidence(session_id: int, user_id: int, source: AttendanceSource, at: datetime) -> None:
    """Append a link to the chain of evidence."""
    content: dict[str, Any] = {"session_id": session_id, "user_id": user_id, "source": source.value, "at": at}
    seq, prev_hash, link = chain.append(CHAIN, content)
    db.session.add(AttendanceEvidence(seq=seq, prev_hash=prev_hash, hash=link, **content | {"source": source}))
    db.session.flush()


def grid(session: AdminFormationSession) -> list[GridRow]:
    """Everybody expected at a session with what is known of the presence, by name.

    Expected is who had a place when it ended; who has a presence is shown in any case.
    """
    here = UserFormationEnrollment.status.in_(VISIBLE)
    in_time = (UserFormationEnrollment.enrolled_at <= session.end_at) & (
        UserFormationEnrollment.ended_at.is_(None) | (UserFormationEnrollment.ended_at >= session.start_at)
    )
    rows = db.session.execute(
        select(User, AdminSessionAttendance)
        .join(UserFormationEnrollment, UserFormationEnrollment.user_id == User.id)
        .outerjoin(
            AdminSessionAttendance,
            (AdminSessionAttendance.user_id == User.id) & (AdminSessionAttendance.session_id == session.id),
        )
        .where(
            UserFormationEnrollment.formation_id == session.formation_id,
            (here & in_time) | AdminSessionAttendance.id.is_not(None),
        )
        .order_by(func.lower(User.last_name), func.lower(User.first_name), User.id)
    )
    # A person who took the formation twice stands in the grid once.
    return [GridRow(user, attendance) for user, attendance in dict(rows.all()).items()]


def counts(session_ids: list[int]) -> dict[int, int]:
    """How many were at each session."""
    rows = db.session.execute(
        select(AdminSessionAttendance.session_id, func.count())
        .where(AdminSessionAttendance.session_id.in_(session_ids), AdminSessionAttendance.status.in_(PRESENT))
        .group_by(AdminSessionAttendance.session_id)
    )
    return dict(rows.all())


def of_user(user_id: int, session_ids: list[int]) -> dict[int, AdminSessionAttendance]:
    """A person's own presences at some sessions, by session."""
    rows = db.session.scalars(
        select(AdminSessionAttendance).where(
            AdminSessionAttendance.user_id == user_id, AdminSessionAttendance.session_id.in_(session_ids)
        )
    )
    return {row.session_id: row for row in rows}


def first_broken() -> int | None:
    """Place of the first link whose hash is wrong; None when the chain is whole."""
    expected_prev, expected_seq = chain.GENESIS, 1
    for link in db.session.scalars(select(AttendanceEvidence).order_by(AttendanceEvidence.seq)):
        content = {"session_id": link.session_id, "user_id": link.user_id, "source": link.source.value, "at": link.at}
        if (
            link.seq != expected_seq
            or link.prev_hash != expected_prev
            or link.hash != chain.link_hash(CHAIN, expected_seq, expected_prev, content)
        ):
            return expected_seq
        expected_prev, expected_seq = link.hash, expected_seq + 1
    return None


def _refusal(session: AdminFormationSession, now: datetime) -> DoorClosed:
    if session.status is SessionStatus.CANCELLED:
        return SessionCancelled()
    if now > session.end_at:
        return SessionOver()
    return DoorNotOpenYet() if now < session.start_at - OPENS_BEFORE else DoorClosed()


def _enrollment_id(session: AdminFormationSession, user_id: int) -> int | None:
    return db.session.scalar(
        select(UserFormationEnrollment.id)
        .where(
            UserFormationEnrollment.user_id == user_id,
            UserFormationEnrollment.formation_id == session.formation_id,
            UserFormationEnrollment.status.in_(VISIBLE),
        )
        .order_by(UserFormationEnrollment.id.desc())
        .limit(1)
    )


def _row(session_id: int, user_id: int) -> AdminSessionAttendance:
    return db.session.scalars(
        select(AdminSessionAttendance).filter_by(session_id=session_id, user_id=user_id).with_for_update()
    ).one()
