"""Tokens for clients: log in, refresh, log out; and registration."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, String
from apiflask.validators import Length, OneOf
from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_jwt_extended import (
    get_jwt,
    set_refresh_cookies,
    unset_refresh_cookies,
    verify_jwt_in_request,
)
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_login import current_user
from jwt import PyJWTError
from marshmallow import RAISE

from calmness import network
from calmness.access import NotAuthenticated, current_account, public, requires
from calmness.blueprints.api import bp
from calmness.blueprints.auth.device import device_label
from calmness.errors import TooManyAttempts
from calmness.extensions import db, limiter
from calmness.models.account import SessionKind
from calmness.permissions import Permission
from calmness.services import accounts, jwt_tokens, sessions

EXPIRES_IN = 600


class ClosedSchema(Schema):
    """Input that refuses fields it does not know: nobody gets a role by naming it."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE


class RegisterIn(ClosedSchema):
    """A new account."""

    email = String(required=True, validate=Length(max=254))
    password = String(required=True, validate=Length(max=256))
    first_name = String(required=True, validate=Length(min=1, max=100))
    last_name = String(required=True, validate=Length(min=1, max=100))
    accept_terms = Boolean(required=True, validate=OneOf([True]))
    adult = Boolean(required=True, validate=OneOf([True]))


class TokenIn(ClosedSchema):
    """A token from a mail."""

    token = String(required=True, validate=Length(max=200))


class LoginIn(ClosedSchema):
    """Address and password; ``refresh`` says where the refresh token goes."""

    email = String(required=True, validate=Length(max=254))
    password = String(required=True, validate=Length(max=256))
    otp = String(validate=Length(max=12))
    refresh = String(load_default="cookie", validate=OneOf(["cookie", "body"]))


class RefreshIn(ClosedSchema):
    """A refresh token in the body, for clients without cookies."""

    refresh_token = String(validate=Length(max=2000))


class TokenOut(Schema):
    """What opens the API."""

    access_token = String(required=True)
    expires_in = Integer(required=True)
    refresh_token = String()


@bp.post("/auth/register")
@bp.input(RegisterIn, arg_name="wanted")
@limiter.limit("20 per hour")
@public
def api_register(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Create an account; the answer is the same when the address has one."""
    accounts.register(
        accounts.Registration(wanted["email"], wanted["password"], wanted["first_name"], wanted["last_name"])
    )
    db.session.commit()
    return {"status": "verification_sent"}, 202


@bp.post("/auth/verify-email")
@bp.input(TokenIn, arg_name="given")
@public
def api_verify_email(given: dict[str, Any]) -> ResponseReturnValue:
    """Confirm an address."""
    accounts.verify_email(given["token"])
    db.session.commit()
    return {"status": "verified"}


@bp.post("/auth/login")
@bp.input(LoginIn, arg_name="given")
@limiter.limit("60 per hour")
@public
def api_login(given: dict[str, Any]) -> ResponseReturnValue:
    """Open a session; give its access token, and its refresh token as asked."""
    try:
        user = accounts.check_credentials(given["email"], given["password"], network.network_of(request.remote_addr))
    except (accounts.WrongCredentials, TooManyAttempts):
        db.session.commit()
        raise
    auth_session, _secret = sessions.open_session(
        user,
        kind=SessionKind.API,
        persistent=True,
        ip_truncated=network.truncated(request.remote_addr),
        device_label=device_label(),
    )
    access, refresh = jwt_tokens.issue_access(auth_session), jwt_tokens.issue_refresh(auth_session)
    db.session.commit()
    return _tokens(access, refresh, in_body=given["refresh"] == "body")


@bp.post("/auth/refresh")
@public
def api_refresh() -> ResponseReturnValue:
    """Rotate a refresh token, from the cookie (with its CSRF header) or from the body, never from both."""
    given = request.get_json(silent=True)
    in_body = isinstance(given, dict) and "refresh_token" in given
    try:
        verify_jwt_in_request(refresh=True, locations=["json"] if in_body else ["cookies"])
    except (JWTExtendedException, PyJWTError) as error:
        raise NotAuthenticated from error
    claims = get_jwt()
    try:
        rotation = jwt_tokens.rotate(claims["jti"], claims.get("sid", ""))
    except jwt_tokens.SessionRevoked:
        # The revocation of the family must outlive the error.
        db.session.commit()
        raise
    db.session.commit()
    return _tokens(rotation.access, rotation.refresh, in_body=in_body)


@bp.post("/auth/logout")
@requires(Permission.OWN_SPACE)
def api_logout() -> ResponseReturnValue:
    """End this session everywhere."""
    sessions.revoke(current_user.auth_session.id, "log_out")
    db.session.commit()
    response = Response(status=204)
    unset_refresh_cookies(response)
    return response


@bp.post("/auth/logout-all")
@requires(Permission.OWN_SPACE)
def api_logout_all() -> ResponseReturnValue:
    """End all of one's own sessions."""
    sessions.revoke_all(current_account().id, "log_out_all")
    db.session.commit()
    response = Response(status=204)
    unset_refresh_cookies(response)
    return response


@bp.post("/auth/password/forgot")
@limiter.limit("10 per hour")
@public
def api_forgot_password() -> ResponseReturnValue:
    """Send a link if the address has an account."""
    given = request.get_json(silent=True) or {}
    accounts.forgot_password(str(given.get("email", "")))
    db.session.commit()
    return {"status": "sent"}, 202


@bp.post("/auth/password/reset")
@public
def api_reset_password() -> ResponseReturnValue:
    """Set a new password by a link's token."""
    given = request.get_json(silent=True) or {}
    accounts.reset_password(str(given.get("token", "")), str(given.get("password", "")))
    db.session.commit()
    return {"status": "changed"}


def _tokens(access: str, refresh: str | None, *, in_body: bool) -> Response:
    body: dict[str, Any] = {"access_token": access, "expires_in": EXPIRES_IN}
    if in_body and refresh:
        body["refresh_token"] = refresh
    response = jsonify(body)
    if refresh and not in_body:
        set_refresh_cookies(response, refresh)
    return response
