"""The second factor of a person: codes of an app, and recovery codes for the day when the phone is gone.

A code works once: the time step last used is raised by one conditional update, a recovery code is spent by another.
"""

import re
import secrets
from enum import StrEnum

import structlog
from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import Update, delete, func, select, update

from calmness import clock
from calmness.errors import Conflict, DomainError, TooManyAttempts
from calmness.extensions import db
from calmness.models.account import AuthSession, FactorRemoval, Passkey, RecoveryCode, RemovalEnd, TotpSecret, User
from calmness.models.dialect import upsert
from calmness.permissions import STAFF_ROLES
from calmness.services import login_limits, one_time_codes, sealing, security_notices, sessions
from calmness.services.security_notices import SecurityEvent

log = structlog.get_logger(__name__)

RECOVERY_CODES = 10
FEW_LEFT = 3
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_HALF = 5
_NOT_OF_A_CODE = re.compile(r"[\s-]+")


class Proof(StrEnum):
    """With what a person passed the second step."""

    APP = "app"
    RECOVERY_CODE = "recovery_code"


class SecondFactorRequired(DomainError):
    """The password is right and does not suffice: send ``otp`` too."""

    status = 401
    slug = "second-factor-required"
    field = "otp"
    message = _l("Ce compte demande aussi le code à six chiffres de votre application.")


class WrongCode(DomainError):
    """Not a code of this moment, or one that has been used; which is not said."""

    status = 401
    slug = "wrong-second-factor"
    field = "otp"
    message = _l(
        "Ce code ne convient pas\u202f: il change toutes les 30\u00a0secondes et ne sert qu’une fois. "
        "Vérifiez aussi l’heure de votre téléphone."
    )


class AlreadyOn(Conflict):
    """Switch the old one off before setting a new one up."""

    slug = "second-factor-on"
    message = _l("La double authentification est déjà active.")


class NotOn(Conflict):
    """There is nothing to switch off or to renew."""

    slug = "second-factor-off"
    message = _l("La double authentification n’est pas active.")


class SecondFactorMissing(DomainError):
    """The role asks for a second factor: set one up, or log in with it, before anything else."""

    status = 403
    slug = "second-factor-missing"
    message = _l("Votre rôle demande la double authentification\u202f: activez-la, puis reconnectez-vous.")


class RequiredByRole(Conflict):
    """The school's team keeps a second factor."""

    slug = "second-factor-required-by-role"
    message = _l("Votre rôle demande la double authentification\u202f: elle ne peut pas être désactivée.")


def is_on(user_id: int) -> bool:
    """Whether logging in asks a person for more than the password."""
    return has_app(user_id) or _has_passkey(user_id)


def has_app(user_id: int) -> bool:
    """Whether an app makes codes for a person."""
    return _secret_of(user_id, confirmed=True) is not None


def is_required(user: User) -> bool:
    """Whether the role may not do without one here."""
    return bool(current_app.config["STAFF_SECOND_FACTOR"]) and user.role in STAFF_ROLES


def is_lacking(user: User, auth_session: AuthSession | None) -> bool:
    """Whether a role asks for more than a session has proved. A personal token (None) hangs on its owner's factor."""
    if not is_required(user):
        return False
    return not is_on(user.id) if auth_session is None else auth_session.mfa_at is None


def pending_secret(user: User) -> str | None:
    """Secret that waits for its first code, to be shown to its owner; None without one."""
    row = _secret_of(user.id, confirmed=False)
    return _opened(user.id, row.secret_encrypted) if row else None


def begin(user: User) -> None:
    """Make a secret for an app; it counts after its first right code. An earlier unconfirmed one ends.

    Raises ``AlreadyOn``.
    """
    if has_app(user.id):
        raise AlreadyOn
    row = {
        "user_id": user.id,
        "secret_encrypted": sealing.seal(one_time_codes.new_secret(), _place(user.id)),
        "created_at": clock.now(),
        "confirmed_at": None,
        "last_step": 0,
    }
    columns = ["secret_encrypted", "created_at", "last_step"]
    waiting = TotpSecret.confirmed_at.is_(None)
    upsert(db.session(), TotpSecret, [row], key=["user_id"], update_columns=columns, only_if=waiting)


def confirm(user: User, code: str, network: str) -> list[str]:
    """Take the first code of an app: from now on the second factor is on. Gives recovery codes, shown this once.

    Raises ``AlreadyOn``, ``NotOn`` without a secret, ``WrongCode``, ``TooManyAttempts``.
    """
    if has_app(user.id):
        raise AlreadyOn
    row = _secret_of(user.id, confirmed=False)
    if row is None:
        raise NotOn
    sealed = row.secret_encrypted
    attempt = _begin_attempt(user, network)
    if not _claim(user.id, sealed, _NOT_OF_A_CODE.sub("", code), confirmed=False):
        raise WrongCode
    login_limits.succeed(attempt)
    codes = _new_recovery_codes(user)
    security_notices.tell(user, SecurityEvent.SECOND_FACTOR_ON)
    return codes


def check(user: User, code: str, network: str) -> Proof:
    """Take a code of the app or a recovery code, each once. Raises ``NotOn``, ``WrongCode``, ``TooManyAttempts``.

    The try is committed as failed before the code is looked at, as for passwords.
    """
    if not is_on(user.id):
        raise NotOn
    row = _secret_of(user.id, confirmed=True)
    sealed, text = row.secret_encrypted if row else "", _NOT_OF_A_CODE.sub("", code)
    attempt = _begin_attempt(user, network)
    proof = Proof.APP if len(text) == one_time_codes.DIGITS and text.isdecimal() else Proof.RECOVERY_CODE
    if proof is Proof.APP:
        right = bool(sealed) and _claim(user.id, sealed, text, confirmed=True)
    else:
        right = _spend(user.id, text)
    if not right:
        _tell_of_guesses(user)
        raise WrongCode
    login_limits.succeed(attempt)
    found_again(user.id)
    if proof is Proof.RECOVERY_CODE:
        security_notices.tell(user, SecurityEvent.RECOVERY_CODE_USED, left=recovery_codes_left(user.id))
    return proof


def renew_recovery_codes(user: User) -> list[str]:
    """Ten new recovery codes, shown this once; the old ones end. Raises ``NotOn``."""
    if not is_on(user.id):
        raise NotOn
    codes = _new_recovery_codes(user)
    security_notices.tell(user, SecurityEvent.RECOVERY_CODES_RENEWED)
    return codes


def recovery_codes_left(user_id: int) -> int:
    """How many recovery codes a person has not used."""
    unused = (RecoveryCode.user_id == user_id) & RecoveryCode.used_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(RecoveryCode).where(unused)) or 0


def first_recovery_codes(user: User) -> list[str]:
    """Ten recovery codes beside a person's first factor, shown this once."""
    return _new_recovery_codes(user)


def turn_off(user: User) -> None:
    """The app's codes end. Raises ``NotOn``, ``RequiredByRole``."""
    if not has_app(user.id):
        raise NotOn
    keep_one(user, without_app=True)
    db.session.execute(delete(TotpSecret).where(TotpSecret.user_id == user.id))
    forget_codes_without_factor(user.id)
    security_notices.tell(user, SecurityEvent.SECOND_FACTOR_OFF)


def keep_one(user: User, *, without_app: bool = False, without_passkey: int | None = None) -> None:
    """Refuse what would leave a member of the team without any factor. Raises ``RequiredByRole``."""
    left = (has_app(user.id) and not without_app) or _has_passkey(user.id, other_than=without_passkey)
    if is_required(user) and not left:
        raise RequiredByRole


def forget_codes_without_factor(user_id: int) -> None:
    """Recovery codes replace a factor: with the last one they end."""
    if not is_on(user_id):
        db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def found_again(user_id: int) -> None:
    """Whoever uses the factor has not lost it: a wish to take it away ends."""
    _end_removal(user_id, RemovalEnd.FOUND_AGAIN)


def reset(user: User, *, by: User | None) -> None:
    """Take the second factor of somebody who lost phone and codes away; ``by`` is None for an operator.

    Open sessions end: whoever asked in that person's name must not sit in one. Raises ``NotOn``.
    """
    _remove(user)
    _end_removal(user.id, RemovalEnd.REMOVED)
    sessions.revoke_all(user.id, "factor_reset")
    security_notices.tell(user, SecurityEvent.SECOND_FACTOR_RESET, by=by, own=False)


def reseal_all() -> int:
    """Seal every secret with the first key, so that older ones may be dropped. Gives how many changed.

    Raises ``Unreadable`` at the first that no key opens. Recovery codes hang on their key: see ``flask keys reseal``.
    """
    changed = 0
    for row in db.session.scalars(select(TotpSecret).order_by(TotpSecret.user_id)):
        if not sealing.is_current(row.secret_encrypted):
            place = _place(row.user_id)
            row.secret_encrypted = sealing.seal(sealing.unseal(row.secret_encrypted, place), place)
            changed += 1
    db.session.flush()
    return changed


def _remove(user: User) -> None:
    if not is_on(user.id):
        raise NotOn
    for model in (TotpSecret, RecoveryCode, Passkey):
        db.session.execute(delete(model).where(model.user_id == user.id))


def _end_removal(user_id: int, outcome: RemovalEnd) -> None:
    waiting = (FactorRemoval.user_id == user_id) & FactorRemoval.ended_at.is_(None)
    db.session.execute(update(FactorRemoval).where(waiting).values(ended_at=clock.now(), outcome=outcome))


def _has_passkey(user_id: int, other_than: int | None = None) -> bool:
    mine = (Passkey.user_id == user_id) & (Passkey.id != (other_than or 0))
    return db.session.scalar(select(Passkey.id).where(mine).limit(1)) is not None


def _secret_of(user_id: int, *, confirmed: bool) -> TotpSecret | None:
    row = db.session.get(TotpSecret, user_id, populate_existing=True)
    return row if row and (row.confirmed_at is not None) is confirmed else None


def _begin_attempt(user: User, network: str) -> int:
    try:
        attempt = login_limits.begin(_bucket(user.id), network)
    except TooManyAttempts as error:
        minutes = -(-error.retry_after // 60)
        raise TooManyAttempts(
            error.retry_after,
            _l("Trop d’essais en peu de temps. Recommencez dans %(minutes)s\u00a0min.", minutes=minutes),
        ) from error
    db.session.commit()
    return attempt


def _opened(user_id: int, sealed: str) -> str | None:
    try:
        return sealing.unseal(sealed, _place(user_id))
    except sealing.Unreadable:
        # The operator dropped a key too early: recovery codes may still work, and the log says what happened.
        log.exception("second_factor_unreadable", user_id=user_id)
        return None


def _claim(user_id: int, sealed: str, code: str, *, confirmed: bool) -> bool:
    """Use up the time step of a right code. Of two that present the same code at once, one update finds the row."""
    secret = _opened(user_id, sealed)
    now = clock.now()
    step = one_time_codes.step_of(secret, code, now) if secret else None
    if step is None:
        return False
    state = TotpSecret.confirmed_at.is_not(None) if confirmed else TotpSecret.confirmed_at.is_(None)
    same = (TotpSecret.user_id == user_id) & (TotpSecret.secret_encrypted == sealed) & (TotpSecret.last_step < step)
    values = {"last_step": step} if confirmed else {"last_step": step, "confirmed_at": now}
    return _changed(update(TotpSecret).where(same, state).values(**values))


def _spend(user_id: int, text: str) -> bool:
    hashes = sealing.fingerprints(text.upper(), _place(user_id))
    unused = (RecoveryCode.user_id == user_id) & RecoveryCode.used_at.is_(None)
    spent = update(RecoveryCode).where(unused, RecoveryCode.code_hash.in_(hashes)).values(used_at=clock.now())
    return _changed(spent)


def _changed(statement: Update) -> bool:
    done = db.session.execute(statement, execution_options={"synchronize_session": False})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def _new_recovery_codes(user: User) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(2 * _HALF)) for _ in range(RECOVERY_CODES)]
    now, place = clock.now(), _place(user.id)
    db.session.add_all(
        RecoveryCode(code_hash=sealing.fingerprints(code, place)[0], user_id=user.id, created_at=now) for code in codes
    )
    db.session.flush()
    return [f"{code[:_HALF]}-{code[_HALF:]}" for code in codes]


def _tell_of_guesses(user: User) -> None:
    # Committed although the answer is an error: whoever comes here knows the password.
    if login_limits.failures_of(_bucket(user.id)) >= login_limits.PER_ACCOUNT_AND_NETWORK:
        security_notices.tell(user, SecurityEvent.CODES_GUESSED)
        db.session.commit()


def _bucket(user_id: int) -> str:
    return f"second-factor:{user_id}"


def _place(user_id: int) -> str:
    return f"totp:{user_id}"
