"""Accounts: register, confirm the address, log in, recover, change, and what staff may do to them.

Register and forgotten password answer the same for known and unknown addresses: only the mail differs.
"""

import secrets
import unicodedata
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError

from calmness import clock
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import Channel, Consent, Role, TokenPurpose, User
from calmness.services import audit, delivery, login_limits, passwords, sessions, tokens

TERMS_VERSION = "2026-11"


class WrongCredentials(DomainError):
    """Address or password is wrong; which one is not said."""

    status = 401
    slug = "wrong-credentials"
    message = _l("L’adresse ou le mot de passe ne correspond pas.")


class MalformedEmail(DomainError):
    """Not an address that mail could reach."""

    slug = "malformed-email"
    field = "email"
    message = _l("Entrez une adresse e-mail complète, par exemple camille@exemple.fr.")


class LastAdmin(Conflict):
    """The school must keep an administrator."""

    slug = "last-admin"
    message = _l("C’est le dernier compte administrateur : nommez-en un autre d’abord.")


@dataclass(frozen=True)
class Registration:
    """What a future student fills in."""

    email: str
    password: str
    first_name: str
    last_name: str


def email_key(email: str) -> str:
    """The address folded: compatibility letters, case and international domains compare equal.

    Raises ``MalformedEmail``.
    """
    text = unicodedata.normalize("NFKC", email.strip())
    local, separator, domain = text.rpartition("@")
    if not separator or not local or "." not in domain or len(text) > 254 or any(c.isspace() for c in text):
        raise MalformedEmail
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise MalformedEmail from error
    return f"{local.casefold()}@{domain.lower()}"


def clean_name(name: str) -> str:
    """A name without control or direction characters, single spaces; letters of any language stay."""
    kept = "".join(c if not unicodedata.category(c).startswith("C") else " " for c in name)
    return " ".join(kept.split())[:100]


def register(registration: Registration) -> None:
    """Create the account and send the link; for an address that has one, send a reminder of it instead."""
    key = email_key(registration.email)
    names = clean_name(registration.first_name), clean_name(registration.last_name)
    passwords.check_strength(registration.password, (registration.email, *names))
    hashed = passwords.hash_password(registration.password)
    existing = find_by_email(registration.email)
    if existing is None:
        try:
            with db.session.begin_nested():
                user = _insert(registration.email.strip(), key, hashed, names)
        except IntegrityError:
            existing = find_by_email(registration.email)
        else:
            send_verification(user)
            return
    if existing is not None:
        day = clock.paris_today().isoformat()
        delivery.deliver(
            "account.already_registered",
            f"already-registered:{existing.id}:{day}",
            channel=Channel.EMAIL,
            user_id=existing.id,
        )


def send_verification(user: User) -> None:
    """Send a fresh link that confirms the address."""
    if user.email_verified_at is not None:
        return
    _send_link(user, "account.verify_email", TokenPurpose.VERIFY_EMAIL)


def verify_email(token: str) -> User:
    """Confirm the address of the link's owner. Raises ``TokenRefused``."""
    user_id, _target = tokens.consume(token, TokenPurpose.VERIFY_EMAIL)
    user = db.session.get_one(User, user_id)
    user.email_verified_at = user.email_verified_at or clock.now()
    db.session.flush()
    return user


def find_by_email(email: str) -> User | None:
    """Account of an address; None also for a malformed one."""
    try:
        key = email_key(email)
    except MalformedEmail:
        return None
    return db.session.scalar(select(User).where(User.email_key == key, User.deleted_at.is_(None)))


def check_credentials(email: str, password: str, network: str) -> User:
    """The account whose address and password these are. Raises ``WrongCredentials``, ``TooManyAttempts``.

    The try is recorded also when it fails: the caller commits in both cases.
    """
    try:
        key = email_key(email)
    except MalformedEmail:
        key = email.strip().casefold()
    login_limits.check(key, network)
    user = db.session.scalar(select(User).where(User.email_key == key, User.deleted_at.is_(None)))
    right = passwords.matches(password, user.password_hash if user and not user.disabled_at else None)
    login_limits.note(key, network, succeeded=right)
    if user is None or not right:
        raise WrongCredentials
    if passwords.needs_rehash(user.password_hash):
        user.password_hash = passwords.hash_password(password)
    return user


def forgot_password(email: str) -> None:
    """Send a link that sets a new password, if the address has an account."""
    user = find_by_email(email)
    if user is None or user.disabled_at:
        return
    _send_link(user, "account.reset_password", TokenPurpose.RESET_PASSWORD)


def reset_password(token: str, password: str) -> User:
    """Set a new password by a link; ends every session. Raises ``TokenRefused``, ``WeakPassword``."""
    passwords.check_strength(password, ())
    hashed = passwords.hash_password(password)
    user_id, _target = tokens.consume(token, TokenPurpose.RESET_PASSWORD)
    user = db.session.get_one(User, user_id)
    user.password_hash = hashed
    # Who reads the mail owns the address.
    user.email_verified_at = user.email_verified_at or clock.now()
    sessions.revoke_all(user.id, "password_reset")
    _tell_of_change(user, "password_changed")
    audit.record("account.password_reset", "user", user.id, actor=user, changes=("password_hash",))
    return user


def change_password(user: User, current: str, new: str, *, keep_session: str) -> None:
    """Change one's own password; ends all other sessions. Raises ``WrongCredentials``, ``WeakPassword``."""
    if not passwords.matches(current, user.password_hash):
        raise WrongCredentials(_l("Le mot de passe actuel ne correspond pas."), field="current")
    passwords.check_strength(new, (user.email, user.first_name, user.last_name))
    user.password_hash = passwords.hash_password(new)
    sessions.revoke_all(user.id, "password_changed", keep=keep_session)
    _tell_of_change(user, "password_changed")
    audit.record("account.password_changed", "user", user.id, actor=user, changes=("password_hash",))


def record_consent(user_id: int, purpose: str, *, given: bool, source: str, version: str = TERMS_VERSION) -> None:
    """Append the proof of a yes or of a no."""
    db.session.add(
        Consent(user_id=user_id, purpose=purpose, text_version=version, given=given, at=clock.now(), source=source)
    )
    db.session.flush()


def search(text: str, role: Role | None, *, limit: int, offset: int) -> tuple[list[User], int]:
    """Accounts for the staff: by name or address, newest first, with their total."""
    query = select(User).where(User.deleted_at.is_(None))
    if role:
        query = query.where(User.role == role)
    for word in text.split():
        like = f"%{word.casefold()}%"
        query = query.where(
            or_(
                User.email_key.like(like),
                func.lower(User.first_name).like(like),
                func.lower(User.last_name).like(like),
            )
        )
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db.session.scalars(query.order_by(User.created_at.desc(), User.id.desc()).limit(limit).offset(offset))
    return list(rows), total


def get(user_id: int) -> User:
    """An account. Raises ``NotFound``."""
    user = db.session.get(User, user_id)
    if user is None or user.deleted_at:
        raise NotFound
    return user


def change_role(user_id: int, role: Role, *, by: User) -> User:
    """Give another role; its sessions end, so that the change holds at once. Raises ``LastAdmin``."""
    user = get(user_id)
    if user.role is role:
        return user
    if user.role is Role.ADMIN:
        _keep_an_admin(user)
    user.role = role
    sessions.revoke_all(user.id, "role_changed")
    audit.record("user.role_changed", "user", user.id, actor=by, changes=("role",))
    return user


def set_disabled(user_id: int, disabled: bool, *, by: User) -> User:
    """Close or reopen an account. Raises ``LastAdmin``."""
    user = get(user_id)
    if disabled and user.role is Role.ADMIN:
        _keep_an_admin(user)
    user.disabled_at = clock.now() if disabled else None
    if disabled:
        sessions.revoke_all(user.id, "disabled")
    audit.record("user.disabled" if disabled else "user.enabled", "user", user.id, actor=by, changes=("disabled_at",))
    return user


def create(email: str, password: str, names: tuple[str, str], role: Role) -> User:
    """An account made by an operator, its address taken as confirmed. Raises ``Conflict`` when it exists."""
    if find_by_email(email):
        raise Conflict(_l("Un compte existe déjà pour cette adresse."))
    user = _insert(email, email_key(email), passwords.hash_password(password), names)
    user.role = role
    user.email_verified_at = clock.now()
    audit.record("user.created", "user", user.id, actor=None)
    return user


def _insert(email: str, key: str, hashed: str, names: tuple[str, str]) -> User:
    user = User(
        email=email,
        email_key=key,
        password_hash=hashed,
        first_name=names[0],
        last_name=names[1],
        role=Role.STUDENT,
        created_at=clock.now(),
    )
    db.session.add(user)
    db.session.flush()
    record_consent(user.id, "terms", given=True, source="register")
    return user


def _keep_an_admin(user: User) -> None:
    # The rows are locked: two admins who demote each other at the same moment must not both succeed.
    others = db.session.scalars(
        select(User.id)
        .where(User.role == Role.ADMIN, User.disabled_at.is_(None), User.deleted_at.is_(None))
        .with_for_update()
    ).all()
    if set(others) <= {user.id}:
        raise LastAdmin


def _send_link(user: User, kind: str, purpose: TokenPurpose) -> None:
    # The token is made when the mail leaves: the row of the ledger must not hold a secret.
    delivery.deliver(
        kind,
        f"{purpose.value}:{user.id}:{secrets.token_hex(8)}",
        channel=Channel.EMAIL,
        user_id=user.id,
        expires_at=clock.now() + tokens.LIFETIMES[purpose],
    )


def _tell_of_change(user: User, kind: str) -> None:
    delivery.deliver(
        f"account.{kind}",
        f"{kind}:{user.id}:{clock.now():%Y%m%d%H%M%S}",
        channel=Channel.EMAIL,
        user_id=user.id,
    )
