"""Tokens for clients: log in, refresh, log out; and registration."""

from typing import Any
from urllib.parse import urlsplit

from apiflask import Schema
from apiflask.fields import Boolean, Integer, String
from apiflask.validators import Length, OneOf
from flask import Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_jwt_extended import get_jwt, unset_refresh_cookies, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_login import current_user
from jwt import PyJWTError
from marshmallow import ValidationError, validates_schema

from calmness import network
from calmness.access import NotAuthenticated, current_account, public, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.auth.device import keep_refresh_cookie, open_session_here
from calmness.error_handlers import problem
from calmness.errors import Forbidden
from calmness.extensions import db, limiter
from calmness.models.account import SessionKind, User
from calmness.permissions import Permission
from calmness.services.account import accounts, jwt_tokens, known_devices, second_factor, sessions, step_up


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
    """Address and password, a code where a second factor is on; ``refresh`` says where the refresh token goes."""

    email = String(required=True, validate=Length(max=254))
    password = String(required=True, validate=Length(max=256))
    otp = String(validate=Length(max=40))
    refresh = String(load_default="cookie", validate=OneOf(["cookie", "body"]))


class ConfirmationIn(ClosedSchema):
    """The password once more, or a code of the second factor."""

    password = String(validate=Length(max=256))
    otp = String(validate=Length(max=40))

    @validates_schema
    def one_of_both(self, data: dict[str, Any], **_options: Any) -> None:
        """Not none of them, and not both."""
        if len(data.keys() & {"password", "otp"}) != 1:
            raise ValidationError({"password": ["Give password or otp."]})


class RefreshIn(ClosedSchema):
    """A refresh token in the body, for clients without cookies; browsers send none."""

    refresh_token = String(validate=Length(max=2000))


class ForgottenIn(ClosedSchema):
    """The address that gets a link."""

    email = String(required=True, validate=Length(max=254))


class ResetIn(ClosedSchema):
    """A token from a mail, and the new password."""

    token = String(required=True, validate=Length(max=200))
    password = String(required=True, validate=Length(max=256))


class StatusOut(Schema):
    """What was done."""

    status = String(required=True)


class TokenOut(Schema):
    """What opens the API."""

    access_token = String(required=True)
    expires_in = Integer(required=True)
    refresh_token = String()


@bp.post("/auth/register")
@bp.input(RegisterIn, arg_name="wanted")
@bp.output(StatusOut, status_code=202)
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
@bp.output(StatusOut)
@limiter.limit("60 per hour")
@public
def api_verify_email(given: dict[str, Any]) -> ResponseReturnValue:
    """Confirm an address."""
    accounts.verify_email(given["token"])
    db.session.commit()
    return {"status": "verified"}


@bp.post("/auth/login")
@bp.input(LoginIn, arg_name="given")
@bp.output(TokenOut)
@limiter.limit("60 per hour")
@public
def api_login(given: dict[str, Any]) -> ResponseReturnValue:
    """Open a session; give its access token, and its refresh token as asked."""
    origin = network.network_of(request.remote_addr)
    user = accounts.check_credentials(given["email"], given["password"], origin)
    with_factor = second_factor.is_on(user.id)
    if with_factor:
        if not given.get("otp"):
            raise second_factor.SecondFactorRequired
        second_factor.check(user, given["otp"], origin)
    return open_session(user, second_factor=with_factor, in_body=given["refresh"] == "body")


@bp.post("/auth/refresh")
@bp.input(RefreshIn, arg_name="given")
@bp.output(TokenOut)
@limiter.limit("120 per minute")
@public
def api_refresh(given: dict[str, Any]) -> ResponseReturnValue:
    """Rotate a refresh token, from the cookie (with its CSRF header) or from the body, never from both."""
    in_body = "refresh_token" in given
    if not in_body:
        _refuse_other_sites()
    try:
        verify_jwt_in_request(refresh=True, locations=["json"] if in_body else ["cookies"])
        claims = get_jwt()
        rotation = jwt_tokens.rotate(claims["jti"], str(claims.get("sid", "")))
    except JWTExtendedException as error:
        # Also a missing CSRF header: the cookie may be good, so it stays.
        raise NotAuthenticated from error
    except PyJWTError:
        return _session_over(jwt_tokens.SessionRevoked())
    except jwt_tokens.SessionRevoked as error:
        # The revocation of the family must outlive the error.
        db.session.commit()
        return _session_over(error)
    db.session.commit()
    return _tokens(rotation, in_body=in_body)


@bp.post("/auth/confirmation")
@bp.input(ConfirmationIn, arg_name="given")
@bp.output(StatusOut)
@limiter.limit("60 per hour")
@requires(Permission.OWN_SPACE)
def api_confirm(given: dict[str, Any]) -> ResponseReturnValue:
    """Prove again who you are; sensitive acts of this session pass for ten minutes."""
    user, device, origin = current_account(), current_user.auth_session, network.network_of(request.remote_addr)
    if "otp" in given:
        step_up.confirm_by_code(user, device, given["otp"], origin)
    else:
        step_up.confirm(user, device, given["password"], origin)
    db.session.commit()
    return {"status": "confirmed"}


@bp.post("/auth/logout")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_logout() -> ResponseReturnValue:
    """End this session everywhere."""
    sessions.revoke(current_user.auth_session.id, "log_out")
    db.session.commit()
    return _emptied()


@bp.post("/auth/logout-all")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_logout_all() -> ResponseReturnValue:
    """End all of one's own sessions."""
    sessions.revoke_all(current_account().id, "log_out_all")
    db.session.commit()
    return _emptied()


@bp.post("/auth/password/forgot")
@bp.input(ForgottenIn, arg_name="given")
@bp.output(StatusOut, status_code=202)
@limiter.limit("10 per hour")
@public
def api_forgot_password(given: dict[str, Any]) -> ResponseReturnValue:
    """Send a link if the address has an account."""
    accounts.ask_for_recovery(given["email"])
    db.session.commit()
    return {"status": "sent"}, 202


@bp.post("/auth/password/reset")
@bp.input(ResetIn, arg_name="given")
@bp.output(StatusOut)
@limiter.limit("20 per hour")
@public
def api_reset_password(given: dict[str, Any]) -> ResponseReturnValue:
    """Set a new password by a link's token; every session ends."""
    accounts.reset_password(given["token"], given["password"])
    db.session.commit()
    return {"status": "changed"}


def open_session(user: User, *, second_factor: bool, in_body: bool) -> Response:
    """A program's session of a person who has proved who it is, and its tokens. Commits."""
    auth_session, _secret = open_session_here(user, kind=SessionKind.API, persistent=True, second_factor=second_factor)
    known_devices.tell_if_new(user, auth_session)
    access, refresh = jwt_tokens.issue_access(auth_session), jwt_tokens.issue_refresh(auth_session)
    db.session.commit()
    return _tokens(jwt_tokens.Rotation(access, refresh, auth_session), in_body=in_body)


def _tokens(rotation: jwt_tokens.Rotation, *, in_body: bool) -> Response:
    lifetime = current_app.config["JWT_ACCESS_TOKEN_EXPIRES"]
    body: dict[str, Any] = {"access_token": rotation.access, "expires_in": int(lifetime.total_seconds())}
    if in_body and rotation.refresh:
        body["refresh_token"] = rotation.refresh
    response = jsonify(body)
    if rotation.refresh and not in_body:
        keep_refresh_cookie(response, rotation.refresh, rotation.auth_session)
    return response


def _refuse_other_sites() -> None:
    """A cookie is only taken from our own pages. Raises ``Forbidden``."""
    origin = request.headers.get("Origin")
    foreign = origin is not None and urlsplit(origin).netloc != urlsplit(request.host_url).netloc
    if foreign or request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        raise Forbidden


def _session_over(error: jwt_tokens.SessionRevoked) -> Response:
    response = problem(error.status, error.slug, str(error.message))
    unset_refresh_cookies(response)
    return response


def _emptied() -> Response:
    response = Response(status=204)
    unset_refresh_cookies(response)
    return response
