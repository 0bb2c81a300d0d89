"""Confirm it's you: a sensitive act needs a proof of identity that is a few minutes old at most (ASVS 5, 7.5.3)."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import AuthSession, User
from calmness.services import audit
from calmness.services.account import accounts, second_factor

FRESH_FOR = timedelta(minutes=10)


class StepUpRequired(DomainError):
    """The session is good, but its last proof of identity is too old for this act."""

    status = 403
    slug = "step-up-required"
    message = _l("Confirmez votre identité pour continuer.")


class WrongPassword(DomainError):
    """Not the password of this session's account. The session stays good, so this is no 401."""

    slug = "wrong-password"
    field = "password"
    message = _l("Ce mot de passe ne correspond pas.")


class RefusedCode(DomainError):
    """Not a code of this session's account. The session stays good, so this is no 401."""

    slug = "wrong-code"
    field = "otp"
    message = second_factor.WrongCode.message


def is_fresh(auth_session: AuthSession, at: datetime) -> bool:
    """Whether the person of a session proved within the last ten minutes who they are."""
    return auth_session.fresh_at is not None and at - auth_session.fresh_at <= FRESH_FOR


def confirm_by_code(user: User, auth_session: AuthSession, code: str, network: str) -> None:
    """Take a code of the second factor as proof. Raises ``NotOn``, ``RefusedCode``, ``TooManyAttempts``."""
    try:
        second_factor.check(user, code, network)
    except second_factor.WrongCode as error:
        raise RefusedCode from error
    auth_session.mfa_at = clock.now()
    _note(user, auth_session)


def note_passkey(user: User, auth_session: AuthSession) -> None:
    """A key of the person has just signed."""
    auth_session.mfa_at = clock.now()
    _note(user, auth_session)


def confirm(user: User, auth_session: AuthSession, password: str, network: str) -> None:
    """Take the password as proof; guesses count as those at the login.

    Raises ``WrongPassword``, ``TooManyAttempts``.
    """
    try:
        accounts.check_credentials(user.email, password, network)
    except accounts.WrongCredentials as error:
        raise WrongPassword from error
    _note(user, auth_session)


def _note(user: User, auth_session: AuthSession) -> None:
    auth_session.fresh_at = clock.now()
    audit.record("session.confirmed", "auth_session", auth_session.id, actor=user)
    db.session.flush()
