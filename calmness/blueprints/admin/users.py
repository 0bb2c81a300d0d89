"""People: search, roles, closing an account."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from calmness.access import current_account, requires, requires_fresh
from calmness.errors import Conflict, Text
from calmness.extensions import db
from calmness.models.account import Role
from calmness.paging import page_number
from calmness.permissions import Permission
from calmness.services import accounts, factor_removals, grace, second_factor, sessions

bp = Blueprint("admin_account", __name__, url_prefix="/admin/utilisateurs")
PAGE = 50
ROLE_LABELS = {Role.STUDENT: _l("Élève"), Role.AGENT: _l("Agent"), Role.ADMIN: _l("Administrateur")}


@bp.get("")
@requires(Permission.MANAGE_USERS)
def users() -> ResponseReturnValue:
    """All accounts."""
    text, page = request.args.get("q", "").strip()[:100], page_number()
    role = request.args.get("role", type=Role) if request.args.get("role") in set(Role) else None
    rows, total = accounts.search(text, role, limit=PAGE, offset=(page - 1) * PAGE)
    if not rows and total:
        return redirect(url_for("admin_account.users", q=text, role=role, page=-(-total // PAGE)))
    return render_template(
        "admin/users/index.html", rows=rows, total=total, page=page, size=PAGE, q=text, role=role, labels=ROLE_LABELS
    )


@bp.get("/<int:user_id>")
@requires(Permission.MANAGE_USERS)
def user(user_id: int) -> ResponseReturnValue:
    """One account."""
    return _page(user_id)


@bp.post("/<int:user_id>/role")
@requires(Permission.MANAGE_USERS)
@requires_fresh
def create_role(user_id: int) -> ResponseReturnValue:
    """Give another role."""
    wanted = request.form.get("role", type=Role)
    if wanted is None:
        abort(400)
    try:
        accounts.change_role(user_id, wanted, by=current_account())
    except (accounts.LastAdmin, accounts.OwnAccount) as error:
        db.session.rollback()
        flash(str(error.message), "error")
    else:
        db.session.commit()
        flash(_("Le rôle est changé\u202f; ses sessions ouvertes sont fermées."), "success")
    return redirect(url_for("admin_account.user", user_id=user_id))


@bp.post("/<int:user_id>/fermeture")
@requires(Permission.MANAGE_USERS)
@requires_fresh
def create_closure(user_id: int) -> ResponseReturnValue:
    """Close or reopen the account."""
    try:
        accounts.set_disabled(user_id, request.form.get("disabled") == "1", by=current_account())
    except (accounts.LastAdmin, accounts.OwnAccount) as error:
        db.session.rollback()
        flash(str(error.message), "error")
    else:
        db.session.commit()
        flash(_("L’état du compte est enregistré."), "success")
    return redirect(url_for("admin_account.user", user_id=user_id))


@bp.post("/<int:user_id>/sessions/fin")
@requires(Permission.MANAGE_USERS)
@requires_fresh
def end_sessions(user_id: int) -> ResponseReturnValue:
    """End all sessions of the account at once."""
    person = accounts.get(user_id)
    sessions.revoke_all_of(person, by=current_account())
    db.session.commit()
    flash(_("Les sessions de cette personne sont fermées."), "success")
    return redirect(url_for("admin_account.user", user_id=user_id))


@bp.post("/<int:user_id>/double-authentification/fin")
@requires(Permission.MANAGE_USERS)
@requires_fresh
def ask_factor_removal(user_id: int) -> ResponseReturnValue:
    """Have the second factor of somebody who lost it taken away in a day; the person is told and can say no."""
    reason = request.form.get("reason", "")
    try:
        factor_removals.ask(user_id, reason, by=current_account())
    except factor_removals.ReasonMissing as error:
        db.session.rollback()
        return _page(user_id, reason=reason, reason_error=error.message), error.status
    except Conflict as error:
        db.session.rollback()
        flash(str(error.message), "warning")
    else:
        db.session.commit()
        flash(_("Le retrait aura lieu dans 24\u00a0heures\u202f; cette personne vient d’en être avertie."), "success")
    return redirect(url_for("admin_account.user", user_id=user_id))


@bp.post("/<int:user_id>/double-authentification/fin/sans-attendre")
@requires(Permission.MANAGE_USERS)
@requires_fresh
def carry_out_factor_removal(user_id: int) -> ResponseReturnValue:
    """A second administrator shortens the day."""
    try:
        factor_removals.carry_out_now(user_id, by=current_account())
    except Conflict as error:
        db.session.rollback()
        flash(str(error.message), "warning")
    else:
        db.session.commit()
        flash(_("La double authentification est retirée\u202f; cette personne en est avertie par e-mail."), "success")
    return redirect(url_for("admin_account.user", user_id=user_id))


@bp.post("/<int:user_id>/double-authentification/fin/abandon")
@requires(Permission.MANAGE_USERS)
def withdraw_factor_removal(user_id: int) -> ResponseReturnValue:
    """Call the removal off."""
    factor_removals.withdraw(user_id, by=current_account())
    db.session.commit()
    flash(_("Le retrait est abandonné."), "success")
    return redirect(url_for("admin_account.user", user_id=user_id))


def _page(user_id: int, *, reason: str = "", reason_error: Text | None = None) -> str:
    person = accounts.get(user_id)
    removal = factor_removals.pending_of(person.id)
    return render_template(
        "admin/users/show.html",
        person=person,
        labels=ROLE_LABELS,
        devices=sessions.living_of(person.id),
        factor_on=second_factor.is_on(person.id),
        removal=removal,
        may_shorten=removal is not None and removal.asked_by not in {None, current_account().id},
        reason=reason,
        reason_error=reason_error,
        deletion=grace.of_user(person.id),
    )
