"""Formations: the public catalogue, one's own places, sessions and presence."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import current_account, public, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.once import once
from calmness.blueprints.api.serialisers import amount, instant
from calmness.blueprints.training import AGENDA
from calmness.errors import NotFound
from calmness.models.training import AdminFormationSession, AdminSessionAttendance, Formation
from calmness.permissions import Permission
from calmness.services.billing import catalogue
from calmness.services.training import attendance, enrollments, formations
from calmness.services.training.formations import Progress


class FormationOut(Schema):
    """A formation of the public catalogue."""

    id = Integer(required=True)
    slug = String(required=True)
    title = String(required=True)
    summary = String(required=True)
    level = String(required=True)
    trainer = String(required=True)
    duration_minutes = Integer(required=True)
    programme = List(String(), required=True)
    offer = String(required=True, allow_none=True)
    price = Nested(AmountOut, required=True, allow_none=True)
    full = Boolean(required=True)


class FormationsOut(Schema):
    """The public catalogue."""

    items = List(Nested(FormationOut), required=True)
    next = String(required=True, allow_none=True)


class SessionOut(Schema):
    """A dated session; ``presence`` is the caller's own."""

    id = Integer(required=True)
    formation_id = Integer(required=True)
    title = String(required=True)
    start_at = Instant(required=True)
    end_at = Instant(required=True)
    time_zone = String(required=True)
    trainer = String(required=True)
    provider = String(required=True)
    status = String(required=True)
    cancel_reason = String(required=True, allow_none=True)
    open = Boolean(required=True)
    presence = String(required=True, allow_none=True)


class SessionsOut(Schema):
    """Sessions in order of their dates."""

    items = List(Nested(SessionOut), required=True)
    next = String(required=True, allow_none=True)


class PlaceOut(Schema):
    """One's own place in a formation, and how far one is."""

    formation_id = Integer(required=True)
    slug = String(required=True)
    title = String(required=True)
    status = String(required=True)
    enrolled_at = Instant(required=True)
    ended_at = Instant(required=True, allow_none=True)
    sessions_planned = Integer(required=True)
    sessions_held = Integer(required=True)
    sessions_attended = Integer(required=True)
    next_session = Nested(SessionOut, required=True, allow_none=True)


class PlacesOut(Schema):
    """One's own places."""

    items = List(Nested(PlaceOut), required=True)
    next = String(required=True, allow_none=True)


class CheckInOut(Schema):
    """A presence that was recorded, and where the session takes place."""

    session_id = Integer(required=True)
    presence = String(required=True)
    first_joined_at = Instant(required=True, allow_none=True)
    meeting_url = String(required=True)


@bp.get("/formations")
@bp.output(FormationsOut)
@public
def api_formations() -> ResponseReturnValue:
    """Published formations with the offer that sells them today."""
    full = enrollments.full_formation_ids()
    return {"items": [_formation(row, full=row.id in full) for row in formations.published()], "next": None}


@bp.get("/me/formations")
@bp.output(PlacesOut)
@requires(Permission.OWN_SPACE)
def api_my_formations() -> ResponseReturnValue:
    """One's own formations with the progress, newest first."""
    return {"items": [_place(row) for row in formations.progress_of(current_account().id)], "next": None}


@bp.get("/me/formations/<int:formation_id>/sessions")
@bp.output(SessionsOut)
@requires(Permission.OWN_SPACE)
def api_my_sessions(formation_id: int) -> ResponseReturnValue:
    """Sessions of one of one's own formations."""
    user_id = current_account().id
    found = next(
        (row for row in formations.progress_of(user_id) if row.enrollment.formation_id == formation_id),
        None,
    )
    if found is None:
        raise NotFound
    seen = attendance.of_user(user_id, [session.id for session in found.sessions])
    return {"items": [session_of(row, seen.get(row.id)) for row in found.sessions], "next": None}


@bp.get("/me/agenda")
@bp.output(SessionsOut)
@requires(Permission.OWN_SPACE)
def api_agenda() -> ResponseReturnValue:
    """Own sessions of the coming sixty days, in order; cancelled ones too."""
    user_id, now = current_account().id, clock.now()
    rows = formations.agenda(user_id, now, now + AGENDA)
    seen = attendance.of_user(user_id, [row.id for row in rows])
    return {"items": [session_of(row, seen.get(row.id)) for row in rows], "next": None}


@bp.get("/me/sessions/<int:session_id>")
@bp.output(SessionOut)
@requires(Permission.OWN_SPACE)
def api_my_session(session_id: int) -> ResponseReturnValue:
    """One session of an own formation."""
    found, place = attendance.own_session(current_account().id, session_id)
    return session_of(found, attendance.of_user(place.user_id, [found.id]).get(found.id))


@bp.post("/me/sessions/<int:session_id>/check-in")
@once
@bp.output(CheckInOut)
@requires(Permission.OWN_SPACE)
def api_check_in(session_id: int) -> ResponseReturnValue:
    """Enter a session: records the presence, from a quarter of an hour before its start until its end."""
    user_id = current_account().id
    url = attendance.join(user_id, session_id)
    mine = attendance.of_user(user_id, [session_id])[session_id]
    return {
        "session_id": session_id,
        "presence": mine.status.value,
        "first_joined_at": instant(mine.first_joined_at),
        "meeting_url": url,
    }


def session_of(session: AdminFormationSession, mine: AdminSessionAttendance | None = None) -> dict[str, Any]:
    """A session as the API writes it. The meeting's address is given at check-in only."""
    return {
        "id": session.id,
        "formation_id": session.formation_id,
        "title": session.title,
        "start_at": instant(session.start_at),
        "end_at": instant(session.end_at),
        "time_zone": session.time_zone,
        "trainer": session.trainer_name,
        "provider": session.meeting_provider.value,
        "status": session.status.value,
        "cancel_reason": session.cancel_reason,
        "open": attendance.is_open(session, clock.now()),
        "presence": mine.status.value if mine else None,
    }


def _formation(formation: Formation, *, full: bool) -> dict[str, Any]:
    offer = catalogue.of_formation(formation.id)
    return {
        "id": formation.id,
        "slug": formation.slug,
        "title": formation.title,
        "summary": formation.summary,
        "level": formation.level.value,
        "trainer": formation.trainer_name,
        "duration_minutes": formation.duration_minutes,
        "programme": [unit.title for unit in formation.units],
        "offer": offer.slug if offer else None,
        "price": amount(offer.price_cents, offer.currency) if offer else None,
        "full": full,
    }


def _place(row: Progress) -> dict[str, Any]:
    formation = row.enrollment.formation
    return {
        "formation_id": formation.id,
        "slug": formation.slug,
        "title": formation.title,
        "status": row.enrollment.status.value,
        "enrolled_at": instant(row.enrollment.enrolled_at),
        "ended_at": instant(row.enrollment.ended_at),
        "sessions_planned": row.planned,
        "sessions_held": row.held,
        "sessions_attended": row.attended,
        "next_session": session_of(row.next_session) if row.next_session else None,
    }
