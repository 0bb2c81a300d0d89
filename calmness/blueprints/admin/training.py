"""Formations, programming, sessions and presence, for the staff."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.admin.training_forms import FormationForm, MoveForm, ProgrammingForm
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.training import AttendanceStatus, FormationStatus
from calmness.permissions import Permission
from calmness.recurrence import Occurrence
from calmness.services import attendance, delivery, enrollments, reminders
from calmness.services import formations as rules
from calmness.services import schedules as calendar

bp = Blueprint("admin_training", __name__, url_prefix="/admin")
AHEAD = timedelta(days=30)


@bp.get("/formations")
@requires(Permission.MANAGE_FORMATIONS)
def formations() -> ResponseReturnValue:
    """All formations."""
    counts = enrollments.counts_by_formation()
    return render_template("admin/training/formations.html", formations=rules.every(), counts=counts)


@bp.get("/formations/<int:formation_id>")
@requires(Permission.MANAGE_FORMATIONS)
def formation(formation_id: int) -> ResponseReturnValue:
    """One formation's form."""
    found = rules.get(formation_id)
    return render_template(
        "admin/training/formation.html",
        formation=found,
        form=FormationForm(obj=found, data={"status": found.status.value, "level": found.level.value}),
    )


@bp.post("/formations/<int:formation_id>")
@requires(Permission.MANAGE_FORMATIONS)
def update_formation(formation_id: int) -> ResponseReturnValue:
    """Save."""
    form = FormationForm()
    if not form.validate_on_submit():
        return render_template("admin/training/formation.html", formation=rules.get(formation_id), form=form), 422
    values = {name: value or "" for name, value in form.data.items() if name not in {"csrf_token", "status"}}
    rules.change(formation_id, values, FormationStatus(form.status.data), by=current_account())
    db.session.commit()
    flash(_("La formation est enregistrée."), "success")
    return redirect(url_for("admin_training.formations"))


@bp.get("/programmation")
@requires(Permission.MANAGE_FORMATIONS)
def schedules() -> ResponseReturnValue:
    """What is on the calendar, and the form that adds to it."""
    return _programming_page(ProgrammingForm()), 200


@bp.post("/programmation")
@requires(Permission.MANAGE_FORMATIONS)
def create_programming() -> ResponseReturnValue:
    """Look at the dates first, then save."""
    form = ProgrammingForm()
    if not form.validate_on_submit():
        return _programming_page(form), 422
    try:
        if "preview" in request.form:
            return _programming_page(form, dates=calendar.look_ahead(form.programming())), 200
        schedule = calendar.program(form.programming(), by=current_account())
    except DomainError as error:
        db.session.rollback()
        form[error.field or "starts_on"].errors = [error.message]
        return _programming_page(form), 422
    db.session.commit()
    flash(
        _("Programmation enregistrée : %(count)s séances au calendrier.", count=len(calendar.of_schedule(schedule.id))),
        "success",
    )
    return redirect(url_for("admin_training.schedules"))


@bp.get("/seances/<int:session_id>")
@requires(Permission.RECORD_ATTENDANCE)
def session(session_id: int) -> ResponseReturnValue:
    """One session: presence, reminders, changes."""
    return _session_page(session_id, MoveForm()), 200


@bp.post("/seances/<int:session_id>/deplacement")
@requires(Permission.MANAGE_FORMATIONS)
def create_move(session_id: int) -> ResponseReturnValue:
    """Move the session."""
    form = MoveForm()
    if not form.validate_on_submit():
        return _session_page(session_id, form), 422
    try:
        calendar.move(session_id, form.starts_local(), form.duration_minutes.data, by=current_account())
    except DomainError as error:
        db.session.rollback()
        form.starts_on.errors = [error.message]
        return _session_page(session_id, form), error.status
    db.session.commit()
    flash(_("Séance déplacée ; les élèves sont prévenus."), "success")
    return redirect(url_for("admin_training.session", session_id=session_id))


@bp.post("/seances/<int:session_id>/annulation")
@requires(Permission.MANAGE_FORMATIONS)
def create_cancellation(session_id: int) -> ResponseReturnValue:
    """Cancel the session."""
    calendar.cancel(session_id, request.form.get("reason", ""), by=current_account())
    db.session.commit()
    flash(_("Séance annulée ; les élèves sont prévenus."), "success")
    return redirect(url_for("admin_training.session", session_id=session_id))


@bp.post("/seances/<int:session_id>/presences")
@requires(Permission.RECORD_ATTENDANCE)
def create_attendance(session_id: int) -> ResponseReturnValue:
    """Save the presences of the grid that differ from what is known."""
    found = calendar.get(session_id)
    for row in attendance.grid(found):
        wanted = request.form.get(f"user-{row.user.id}", "")
        known = row.attendance.status.value if row.attendance else ""
        if wanted in set(AttendanceStatus) and wanted != known:
            attendance.mark(session_id, row.user.id, AttendanceStatus(wanted), by=current_account())
    db.session.commit()
    flash(_("Présences enregistrées."), "success")
    return redirect(url_for("admin_training.session", session_id=session_id))


def _programming_page(form: ProgrammingForm, dates: list[Occurrence] | None = None) -> str:
    now = clock.now()
    form.formation_id.choices = [(found.id, found.title) for found in rules.every()]
    return render_template(
        "admin/training/programming.html",
        form=form,
        dates=dates,
        sessions=calendar.between(now - timedelta(hours=3), now + AHEAD),
        schedules=calendar.every(),
        now=now,
    )


def _session_page(session_id: int, form: MoveForm) -> str:
    found = calendar.get(session_id)
    notices = reminders.of_session(session_id)
    states = delivery.states_of_notices([notice.id for notice in notices])
    return render_template(
        "admin/training/session.html",
        session=found,
        form=form,
        grid=attendance.grid(found),
        notices=notices,
        states=states,
        statuses=AttendanceStatus,
        now=clock.now(),
        present=attendance.PRESENT,
    )
