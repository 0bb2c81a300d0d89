"""A student's formations, agenda and sessions."""

from datetime import timedelta
from itertools import groupby

from flask import Blueprint, Response, redirect, render_template
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import current_account, requires, writes
from calmness.extensions import db
from calmness.permissions import Permission
from calmness.presentation import local
from calmness.services import attendance, enrollments
from calmness.services import formations as rules

bp = Blueprint("training", __name__, url_prefix="/espace")
AGENDA = timedelta(days=60)


@bp.get("/formations")
@requires(Permission.OWN_SPACE)
def formations() -> ResponseReturnValue:
    """All of one's own formations."""
    return render_template("training/formations.html", rows=rules.progress_of(current_account().id))


@bp.get("/formations/<slug>")
@requires(Permission.OWN_SPACE)
def formation(slug: str) -> ResponseReturnValue:
    """One formation: programme, sessions, presence."""
    user_id = current_account().id
    row = rules.progress(enrollments.own(user_id, slug), clock.now())
    seen = attendance.of_user(user_id, [session.id for session in row.sessions])
    return render_template(
        "training/formation.html", row=row, formation=row.enrollment.formation, seen=seen, now=clock.now()
    )


@bp.get("/agenda")
@requires(Permission.OWN_SPACE)
def agenda() -> ResponseReturnValue:
    """The coming weeks, by month."""
    now = clock.now()
    sessions = rules.agenda(current_account().id, now, now + AGENDA)
    months = groupby(sessions, key=lambda session: local(session.start_at).date().replace(day=1))
    return render_template("training/agenda.html", months=[(first, list(rows)) for first, rows in months], now=now)


@bp.get("/seances/<int:session_id>")
@requires(Permission.OWN_SPACE)
def session(session_id: int) -> ResponseReturnValue:
    """One session with its door."""
    return _session_page(session_id)


@bp.get("/seances/<int:session_id>/rejoindre")
@requires(Permission.OWN_SPACE)
@writes
def join(session_id: int) -> ResponseReturnValue:
    """Record the presence and lead to the meeting; outside of the window, say when the door opens."""
    try:
        url = attendance.join(current_account().id, session_id)
    except attendance.DoorClosed as error:
        db.session.rollback()
        return _session_page(session_id, refusal=error), 409
    db.session.commit()
    response: Response = redirect(url)  # type: ignore[assignment]
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _session_page(session_id: int, refusal: attendance.DoorClosed | None = None) -> str:
    now = clock.now()
    found, enrollment = attendance.own_session(current_account().id, session_id)
    mine = attendance.of_user(enrollment.user_id, [found.id]).get(found.id)
    return render_template(
        "training/session.html",
        session=found,
        mine=mine,
        refusal=refusal.message if refusal else None,
        now=now,
    )
