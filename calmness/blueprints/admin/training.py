"""Formations, programming, sessions and presence, for the staff."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms.fields.choices import SelectChoice

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.admin.training_forms import CancelForm, FormationForm, MoveForm, ProgrammingForm
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.training import AttendanceStatus, Formation, SessionStatus
from calmness.permissions import Permission
from calmness.recurrence import Occurrence
from calmness.services import delivery
from calmness.services.training import attendance, enrollments, reminders
from calmness.services.training import formations as rules
from calmness.services.training import schedules as calendar

bp = Blueprint("admin_training", __name__, url_prefix="/admin")
AHEAD = timedelta(days=30)
WEEK = timedelta(days=7)
RUNNING = timedelta(hours=3)
"""A session that began less than this ago stands with those to come."""


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
    return _formation_page(_filled(rules.get(formation_id)), formation_id)


@bp.post("/formations/<int:formation_id>")
@requires(Permission.MANAGE_FORMATIONS)
def update_formation(formation_id: int) -> ResponseReturnValue:
    """Save."""
    form = FormationForm()
    if form.validate_on_submit():
        try:
            rules.change(formation_id, form.sheet(), by=current_account())
        except DomainError as error:
            db.session.rollback()
            _put(form, error, "title")
        else:
            db.session.commit()
            flash(_("La formation est enregistrée."), "success")
            return redirect(url_for("admin_training.formations"))
    return _formation_page(form, formation_id), 422


@bp.get("/formations/nouvelle")
@requires(Permission.MANAGE_FORMATIONS)
def new_formation() -> ResponseReturnValue:
    """Form of a formation that does not exist yet."""
    return _formation_page(FormationForm())


@bp.post("/formations/nouvelle")
@requires(Permission.MANAGE_FORMATIONS)
def create_formation() -> ResponseReturnValue:
    """Write it in the catalogue."""
    form = FormationForm()
    if form.validate_on_submit():
        try:
            rules.create(form.sheet(), by=current_account())
        except DomainError as error:
            db.session.rollback()
            _put(form, error, "title")
        else:
            db.session.commit()
            flash(_("La formation est créée. Une offre la mettra en vente."), "success")
            return redirect(url_for("admin_training.formations"))
    return _formation_page(form), 422


@bp.get("/programmation")
@requires(Permission.MANAGE_FORMATIONS)
def schedules() -> ResponseReturnValue:
    """What is on the calendar, and the form that adds to it."""
    return _programming_page(_with_formations(ProgrammingForm())), 200


@bp.post("/programmation")
@requires(Permission.MANAGE_FORMATIONS)
def create_programming() -> ResponseReturnValue:
    """Look at the dates first, then save."""
    form = _with_formations(ProgrammingForm())
    if not form.validate_on_submit():
        return _programming_page(form), 422
    try:
        if "preview" in request.form:
            return _programming_page(form, dates=calendar.look_ahead(form.programming())), 200
        schedule = calendar.program(form.programming(), by=current_account())
    except DomainError as error:
        db.session.rollback()
        _put(form, error, "starts_on")
        return _programming_page(form), 422
    db.session.commit()
    flash(
        _(
            "Programmation enregistrée\u00a0: %(count)s séances au calendrier.",
            count=len(calendar.of_schedule(schedule.id)),
        ),
        "success",
    )
    return redirect(url_for("admin_training.schedules"))


@bp.get("/programmation/<int:schedule_id>/arret")
@requires(Permission.MANAGE_FORMATIONS)
def stop_programming(schedule_id: int) -> ResponseReturnValue:
    """Ask why, before a series stops."""
    return _stop_page(schedule_id, CancelForm())


@bp.post("/programmation/<int:schedule_id>/arret")
@requires(Permission.MANAGE_FORMATIONS)
def create_stop(schedule_id: int) -> ResponseReturnValue:
    """Cancel what is to come of a series."""
    form = CancelForm()
    if not form.validate_on_submit():
        return _stop_page(schedule_id, form), 422
    count = calendar.stop(schedule_id, form.reason.data, by=current_account())
    db.session.commit()
    flash(
        ngettext(
            "Série arrêtée\u00a0: %(num)s séance annulée, les élèves sont prévenus.",
            "Série arrêtée\u00a0: %(num)s séances annulées, les élèves sont prévenus.",
            count,
        ),
        "success",
    )
    return redirect(url_for("admin_training.schedules"))


@bp.get("/seances")
@requires(Permission.RECORD_ATTENDANCE)
def sessions() -> ResponseReturnValue:
    """Sessions around today, to record who was there."""
    now = clock.now()
    coming = calendar.between(now - RUNNING, now + WEEK)
    past = calendar.between(now - AHEAD, now - RUNNING)[::-1]
    counts = attendance.counts([row.id for row in (*coming, *past)])
    return render_template("admin/training/sessions.html", coming=coming, past=past, counts=counts, now=now)


@bp.get("/seances/<int:session_id>")
@requires(Permission.RECORD_ATTENDANCE)
def session(session_id: int) -> ResponseReturnValue:
    """One session: presence, reminders, changes."""
    return _session_page(session_id)


@bp.post("/seances/<int:session_id>/deplacement")
@requires(Permission.MANAGE_FORMATIONS)
def create_move(session_id: int) -> ResponseReturnValue:
    """Move the session."""
    form = MoveForm()
    if not form.validate_on_submit():
        return _session_page(session_id, move=form), 422
    try:
        calendar.move(session_id, form.starts_local(), form.duration_minutes.data, by=current_account())
    except DomainError as error:
        db.session.rollback()
        _put(form, error, "starts_on")
        return _session_page(session_id, move=form), error.status
    db.session.commit()
    flash(_("Séance déplacée\u202f; les élèves sont prévenus."), "success")
    return redirect(url_for("admin_training.session", session_id=session_id))


@bp.post("/seances/<int:session_id>/annulation")
@requires(Permission.MANAGE_FORMATIONS)
def create_cancellation(session_id: int) -> ResponseReturnValue:
    """Cancel the session."""
    form = CancelForm()
    if not form.validate_on_submit():
        return _session_page(session_id, cancel=form), 422
    try:
        calendar.cancel(session_id, form.reason.data, by=current_account())
    except DomainError as error:
        db.session.rollback()
        _put(form, error, "reason")
        return _session_page(session_id, cancel=form), error.status
    db.session.commit()
    flash(_("Séance annulée\u202f; les élèves sont prévenus."), "success")
    return redirect(url_for("admin_training.session", session_id=session_id))


@bp.post("/seances/<int:session_id>/presences")
@requires(Permission.RECORD_ATTENDANCE)
def create_attendance(session_id: int) -> ResponseReturnValue:
    """Save the presences of the grid that differ from what is known."""
    everybody = request.form.get("everybody", "")
    for row in attendance.grid(calendar.get(session_id)):
        known = row.attendance.status.value if row.attendance else ""
        wanted = request.form.get(f"user-{row.user.id}", known) or everybody
        if wanted in set(AttendanceStatus) and wanted != known:
            attendance.mark(session_id, row.user.id, AttendanceStatus(wanted), by=current_account())
    db.session.commit()
    flash(_("Présences enregistrées."), "success")
    return redirect(url_for("admin_training.session", session_id=session_id))


def _put(form: FlaskForm, error: DomainError, otherwise: str) -> None:
    """Show a refusal at its field."""
    form[error.field if error.field in form else otherwise].errors = [error.message]


def _filled(formation: Formation) -> FormationForm:
    units = formation.units
    values = {
        "status": formation.status.value,
        "level": formation.level.value,
        "programme": "\n".join(unit.title for unit in units),
        "unit_minutes": units[0].duration_minutes if units else None,
    }
    return FormationForm(obj=formation, data=values)


def _formation_page(form: FormationForm, formation_id: int | None = None) -> str:
    found = rules.get(formation_id) if formation_id else None
    return render_template("admin/training/formation.html", formation=found, form=form)


def _with_formations(form: ProgrammingForm) -> ProgrammingForm:
    form.formation_id.choices = [SelectChoice(found.id, found.title) for found in rules.every()]
    return form


def _stop_page(schedule_id: int, form: CancelForm) -> str:
    found = calendar.schedule(schedule_id)
    return render_template("admin/training/stop.html", schedule=found, form=form)


def _programming_page(form: ProgrammingForm, dates: list[Occurrence] | None = None) -> str:
    now = clock.now()
    return render_template(
        "admin/training/programming.html",
        form=form,
        dates=dates,
        sessions=calendar.between(now - RUNNING, now + AHEAD),
        schedules=calendar.active(),
        now=now,
    )


def _session_page(session_id: int, *, move: MoveForm | None = None, cancel: CancelForm | None = None) -> str:
    found, now = calendar.get(session_id), clock.now()
    notices = reminders.of_session(session_id)
    start = found.start_at.astimezone(ZoneInfo(found.time_zone))
    minutes = int((found.end_at - found.start_at).total_seconds() // 60)
    known = {"starts_on": start.date(), "starts_time": start.time(), "duration_minutes": minutes}
    return render_template(
        "admin/training/session.html",
        session=found,
        move=move or MoveForm(formdata=None, data=known),
        cancel=cancel or CancelForm(formdata=None),
        grid=attendance.grid(found),
        notices=notices,
        states=delivery.states_of_notices([notice.id for notice in notices]),
        statuses=AttendanceStatus if attendance.has_opened(found, now) else [AttendanceStatus.EXCUSED],
        changeable=found.start_at > now and found.status is SessionStatus.SCHEDULED,
        present=attendance.PRESENT,
    )
