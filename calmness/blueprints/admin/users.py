"""People: search, roles, closing an account."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from calmness.access import current_account, requires, requires_fresh
from calmness.extensions import db
from calmness.models.account import Role
from calmness.paging import page_number
from calmness.permissions import Permission
from calmness.services import accounts, second_factor, sessions

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
    person = accounts.get(user_id)
    return render_template(
        "admin/users/show.html",
        person=person,
        labels=ROLE_LABELS,
        devices=sessions.living_of(person.id),
        factor_on=second_factor.is_on(person.id),
    )


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
def reset_second_factor(user_id: int) -> ResponseReturnValue:
    """Take the second factor of somebody who lost it away; the person is told by mail."""
    try:
        second_factor.reset(accounts.get(user_id), by=current_account())
    except second_factor.NotOn as error:
        db.session.rollback()
        flash(str(error.message), "warning")
    else:
        db.session.commit()
        flash(_("La double authentification est retirée\u202f; cette personne en est avertie par e-mail."), "success")
    return redirect(url_for("admin_account.user", user_id=user_id))
