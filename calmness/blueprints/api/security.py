"""Security of the caller's own account: password, second factor, address. What changes it wants a proof of identity."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length
from flask import request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from calmness import clock
from calmness.access import current_account, public, requires, requires_fresh, without_second_factor
from calmness.blueprints.api import bp
from calmness.blueprints.api.auth import StatusOut, TokenIn
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db, limiter
from calmness.network import network_of
from calmness.permissions import Permission
from calmness.services.account import (
    accounts,
    email_changes,
    one_time_codes,
    passkeys,
    second_factor,
    security_score,
    step_up,
)
from calmness.services.billing import purchases


class ProtectionOut(Schema):
    """One thing that protects an account, what it is worth, and whether it is done."""

    key = String(required=True)
    label = String(required=True)
    why = String(required=True)
    points = Integer(required=True)
    earned = Boolean(required=True)


class SecurityOut(Schema):
    """Where the account stands: share of the points, the open step worth most, and whether it may buy."""

    percent = Integer(required=True)
    next = String(required=True, allow_none=True)
    steps = List(Nested(ProtectionOut), required=True)
    email_verified = Boolean(required=True)
    may_buy = Boolean(required=True)


class PasswordIn(ClosedSchema):
    """The password of today and the next one."""

    current = String(required=True, validate=Length(max=256))
    password = String(required=True, validate=Length(max=256))


class SecondFactorOut(Schema):
    """What a login asks for beside the password."""

    app = Boolean(required=True)
    passkeys = Integer(required=True)
    recovery_codes_left = Integer(required=True)
    required = Boolean(required=True)


class SecretOut(Schema):
    """The key of an authenticator app, and the address that a QR code says; it counts after its first right code."""

    secret = String(required=True)
    uri = String(required=True)


class CodeIn(ClosedSchema):
    """A code of the app."""

    otp = String(required=True, validate=Length(max=40))


class RecoveryCodesOut(Schema):
    """Recovery codes, shown this once."""

    recovery_codes = List(String(), required=True)


class EmailChangeIn(ClosedSchema):
    """The new address."""

    email = String(required=True, validate=Length(max=254))


class EmailChangeOut(Schema):
    """A change of address and what it waits for; all of it null without one."""

    email = String(required=True, allow_none=True)
    old_confirmed = Boolean(required=True, allow_none=True)
    new_confirmed = Boolean(required=True, allow_none=True)
    expires_at = String(required=True, allow_none=True)


@bp.get("/me/security")
@bp.output(SecurityOut)
@requires(Permission.OWN_SPACE)
def api_security() -> ResponseReturnValue:
    """How well the account is protected, and the next step."""
    user = current_account()
    score = security_score.of(user)
    return {
        "percent": score.percent,
        "next": score.next.key if score.next else None,
        "steps": [
            {"key": step.key, "label": step.label, "why": step.why, "points": step.points, "earned": step.earned}
            for step in score.steps
        ],
        "email_verified": user.email_verified_at is not None,
        "may_buy": purchases.may_buy(user),
    }


@bp.put("/me/password")
@bp.input(PasswordIn, arg_name="given")
@bp.output({}, status_code=204)
@limiter.limit("10 per hour")
@requires(Permission.OWN_SPACE)
def api_change_password(given: dict[str, Any]) -> ResponseReturnValue:
    """Change the password: every other session, link and personal token ends."""
    keep = current_user.auth_session.id
    try:
        accounts.change_password(current_account(), given["current"], given["password"], keep_session=keep)
    except accounts.WrongCredentials as error:
        # The session stays good, so this is no 401.
        raise step_up.WrongPassword(field="current") from error
    db.session.commit()
    return "", 204


@bp.post("/me/email-verification")
@bp.output(StatusOut, status_code=202)
@limiter.limit("5 per hour")
@requires(Permission.OWN_SPACE)
def api_resend_verification() -> ResponseReturnValue:
    """Send the link that confirms the address once more; nothing is sent when it is confirmed."""
    accounts.send_verification(current_account())
    db.session.commit()
    return {"status": "verified" if current_account().email_verified_at else "verification_sent"}, 202


@bp.get("/me/second-factor")
@bp.output(SecondFactorOut)
@requires(Permission.OWN_SPACE)
@without_second_factor
def api_second_factor() -> ResponseReturnValue:
    """What is on."""
    user = current_account()
    return {
        "app": second_factor.has_app(user.id),
        "passkeys": passkeys.count_of(user.id),
        "recovery_codes_left": second_factor.recovery_codes_left(user.id),
        "required": second_factor.is_required(user),
    }


@bp.post("/me/second-factor")
@bp.output(SecretOut, status_code=201)
@limiter.limit("20 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
@requires_fresh
def api_begin_second_factor() -> ResponseReturnValue:
    """Make a key for an app; an earlier one without its code ends."""
    user = current_account()
    second_factor.begin(user)
    secret = second_factor.pending_secret(user) or ""
    db.session.commit()
    return {"secret": secret, "uri": one_time_codes.app_address(secret, user.email)}, 201


@bp.post("/me/second-factor/confirmation")
@bp.input(CodeIn, arg_name="given")
@bp.output(RecoveryCodesOut, status_code=201)
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
@requires_fresh
def api_confirm_second_factor(given: dict[str, Any]) -> ResponseReturnValue:
    """Take the app's first code: from now on a login asks for one."""
    try:
        codes = second_factor.confirm(current_account(), given["otp"], network_of(request.remote_addr))
    except second_factor.WrongCode as error:
        # The session stays good, so this is no 401.
        raise step_up.RefusedCode from error
    current_user.auth_session.mfa_at = clock.now()
    db.session.commit()
    return {"recovery_codes": codes}, 201


@bp.post("/me/second-factor/recovery-codes")
@bp.output(RecoveryCodesOut, status_code=201)
@limiter.limit("10 per hour")
@requires(Permission.OWN_SPACE)
@requires_fresh
def api_renew_recovery_codes() -> ResponseReturnValue:
    """Ten new recovery codes in the place of the old ones."""
    codes = second_factor.renew_recovery_codes(current_account())
    db.session.commit()
    return {"recovery_codes": codes}, 201


@bp.delete("/me/second-factor")
@bp.output({}, status_code=204)
@limiter.limit("10 per hour")
@requires(Permission.OWN_SPACE)
@requires_fresh
def api_end_second_factor() -> ResponseReturnValue:
    """Switch the app's codes off."""
    second_factor.turn_off(current_account())
    db.session.commit()
    return "", 204


@bp.get("/me/email-change")
@bp.output(EmailChangeOut)
@requires(Permission.OWN_SPACE)
def api_email_change() -> ResponseReturnValue:
    """The change that waits for its two mailboxes."""
    return _change()


@bp.post("/me/email-change")
@bp.input(EmailChangeIn, arg_name="given")
@bp.output(EmailChangeOut, status_code=202)
@limiter.limit("10 per hour")
@requires(Permission.OWN_SPACE)
@requires_fresh
def api_request_email_change(given: dict[str, Any]) -> ResponseReturnValue:
    """Write to both mailboxes; the answer is the same whether the address has an account or not."""
    email_changes.request(current_account(), given["email"], session_id=current_user.auth_session.id)
    db.session.commit()
    return _change(), 202


@bp.delete("/me/email-change")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_cancel_email_change() -> ResponseReturnValue:
    """Call the change off."""
    email_changes.cancel(current_account())
    db.session.commit()
    return "", 204


@bp.post("/auth/email-change")
@bp.input(TokenIn, arg_name="given")
@bp.output(StatusOut)
@limiter.limit("60 per hour")
@public
def api_confirm_email_change(given: dict[str, Any]) -> ResponseReturnValue:
    """Take the yes of one of the two mailboxes by its link's token: `changed` after the second one."""
    try:
        changed = email_changes.confirm(given["token"])
    except email_changes.AddressTaken:
        # The change has ended, although the answer is an error.
        db.session.commit()
        raise
    db.session.commit()
    return {"status": "changed" if changed else "confirmed"}


def _change() -> dict[str, Any]:
    change = email_changes.pending_of(current_account().id)
    if change is None:
        return dict.fromkeys(("email", "old_confirmed", "new_confirmed", "expires_at"))
    return {
        "email": change.new_email,
        "old_confirmed": change.released_at is not None,
        "new_confirmed": change.confirmed_at is not None,
        "expires_at": instant(change.expires_at),
    }
