"""What an administrator does to an account; each act wants a fresh proof of identity and stands in the journal."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, String
from apiflask.validators import Length, OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires, requires_fresh
from calmness.blueprints.api import bp
from calmness.blueprints.api.admin_people import UserOut, user_json
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db
from calmness.models.account import Role
from calmness.permissions import Permission
from calmness.services.account import accounts, factor_removals, second_factor, sessions
from calmness.services.privacy import grace


class RoleIn(ClosedSchema):
    """The new role."""

    role = String(required=True, validate=OneOf([role.value for role in Role]))


class ClosureIn(ClosedSchema):
    """Closed, or open again."""

    disabled = Boolean(required=True)


class FactorRemovalIn(ClosedSchema):
    """How it was made sure who asks."""

    reason = String(required=True, validate=Length(max=300))


class FactorRemovalOut(Schema):
    """When the second factor goes, unless its owner says no."""

    due_at = Instant(required=True)


class AccountSecurityOut(Schema):
    """How an account is protected, and what is on its way: the end of a lost factor, the erasure."""

    devices = Integer(required=True)
    second_factor = Boolean(required=True)
    factor_removal_at = Instant(required=True, allow_none=True)
    factor_removal_reason = String(required=True, allow_none=True)
    deletion_at = Instant(required=True, allow_none=True)


@bp.get("/admin/users/<int:user_id>/security")
@bp.output(AccountSecurityOut)
@requires(Permission.MANAGE_USERS)
def api_account_security(user_id: int) -> ResponseReturnValue:
    """Open devices, second factor, what is on its way."""
    person = accounts.get(user_id)
    removal, deletion = factor_removals.pending_of(person.id), grace.of_user(person.id)
    return {
        "devices": len(sessions.living_of(person.id)),
        "second_factor": second_factor.is_on(person.id),
        "factor_removal_at": instant(removal.due_at) if removal else None,
        "factor_removal_reason": removal.reason if removal else None,
        "deletion_at": instant(deletion.due_at) if deletion else None,
    }


@bp.put("/admin/users/<int:user_id>/role")
@bp.input(RoleIn, arg_name="given")
@bp.output(UserOut)
@requires(Permission.MANAGE_USERS)
@requires_fresh
def api_change_role(user_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Give another role; the person's sessions end."""
    person = accounts.change_role(user_id, Role(given["role"]), by=current_account())
    db.session.commit()
    return user_json(person)


@bp.put("/admin/users/<int:user_id>/closure")
@bp.input(ClosureIn, arg_name="given")
@bp.output(UserOut)
@requires(Permission.MANAGE_USERS)
@requires_fresh
def api_close_account(user_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Close or reopen an account; closing ends its sessions and links."""
    person = accounts.set_disabled(user_id, given["disabled"], by=current_account())
    db.session.commit()
    return user_json(person)


@bp.delete("/admin/users/<int:user_id>/sessions")
@bp.output({}, status_code=204)
@requires(Permission.MANAGE_USERS)
@requires_fresh
def api_end_sessions(user_id: int) -> ResponseReturnValue:
    """End all sessions of an account at once."""
    sessions.revoke_all_of(accounts.get(user_id), by=current_account())
    db.session.commit()
    return "", 204


@bp.put("/admin/users/<int:user_id>/factor-removal")
@bp.input(FactorRemovalIn, arg_name="given")
@bp.output(FactorRemovalOut, status_code=202)
@requires(Permission.MANAGE_USERS)
@requires_fresh
def api_ask_factor_removal(user_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Have a lost second factor taken away in a day; the person is told and can say no."""
    removal = factor_removals.ask(user_id, given["reason"], by=current_account())
    db.session.commit()
    return {"due_at": instant(removal.due_at)}, 202


@bp.delete("/admin/users/<int:user_id>/factor-removal")
@bp.output({}, status_code=204)
@requires(Permission.MANAGE_USERS)
def api_withdraw_factor_removal(user_id: int) -> ResponseReturnValue:
    """Call the removal off."""
    factor_removals.withdraw(user_id, by=current_account())
    db.session.commit()
    return "", 204


@bp.post("/admin/users/<int:user_id>/factor-removal/execution")
@bp.output({}, status_code=204)
@requires(Permission.MANAGE_USERS)
@requires_fresh
def api_carry_out_factor_removal(user_id: int) -> ResponseReturnValue:
    """A second administrator shortens the day."""
    factor_removals.carry_out_now(user_id, by=current_account())
    db.session.commit()
    return "", 204
