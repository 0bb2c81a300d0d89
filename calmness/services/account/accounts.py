"""Accounts: register, confirm the address, log in, recover, change, and what staff may do to them.

Register and forgotten password answer the same for known and unknown addresses: only the mail differs.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from calmness import clock
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import Channel, Consent, EmailChange, FactorRemoval, RemovalEnd, Role, TokenPurpose, User
from calmness.models.delivery import Delivery
from calmness.services import audit, delivery, notifications
from calmness.services.account import api_tokens, login_limits, passwords, security_notices, sessions, tokens
from calmness.services.account.names import MalformedEmail, NameMissing, email_key, own_name
from calmness.services.account.preferences import NoticeKind
from calmness.services.account.security_notices import SecurityEvent

TERMS_VERSION = "2026-11"
RECOVER_TASK = "account.recover"
CLOSED_MAIL = "account.closed"
LINKS_PER_HOUR = 5


class WrongCredentials(DomainError):
    """Address or password is wrong; which one is not said."""

    status = 401
    slug = "wrong-credentials"
    message = _l("L’adresse ou le mot de passe ne correspond pas.")


class OwnAccount(Conflict):
    """An administrator does not close the own account or lower the own role by a slip."""

    slug = "own-account"
    message = _l("C’est votre propre compte\u00a0: demandez à un autre administrateur.")


class LastAdmin(Conflict):
    """The school must keep an administrator."""

    slug = "last-admin"
    message = _l("C’est le dernier compte administrateur\u00a0: nommez-en un autre d’abord.")


@dataclass(frozen=True)
class Registration:
    """What a future student fills in."""

    email: str
    password: str
    first_name: str
    last_name: str


def register(registration: Registration) -> None:
    """Create the account and send the link; for an address that has one, send a reminder of it instead.

    Raises ``MalformedEmail``, ``NameMissing``, ``WeakPassword``: all of them before the address is looked up.
    """
    key = email_key(registration.email)
    names = own_name(registration.first_name, "first_name"), own_name(registration.last_name, "last_name")
    if not all(names):
        raise NameMissing(field="last_name" if names[0] else "first_name")
    passwords.check_strength(registration.password, (registration.email, *names))
    hashed = passwords.hash_password(registration.password)
    try:
        # Not looked up before: a known address costs as many statements as an unknown one.
        with db.session.begin_nested():
            user = _insert(registration.email.strip(), key, hashed, names)
    except IntegrityError:
        _remind(registration.email)
    else:
        send_verification(user)


def send_verification(user: User) -> None:
    """Send a fresh link that confirms the address."""
    if user.email_verified_at is not None:
        return
    _send_link(user, "account.verify_email", TokenPurpose.VERIFY_EMAIL)


def verify_email(token: str) -> User:
    """Confirm the address of the link's owner; a second click finds it confirmed. Raises ``TokenRefused``."""
    try:
        user_id, _target = tokens.consume(token, TokenPurpose.VERIFY_EMAIL)
    except tokens.TokenRefused:
        confirmed = owner_confirmed_by(token)
        if confirmed is None:
            raise
        return confirmed
    user = db.session.get_one(User, user_id)
    user.email_verified_at = user.email_verified_at or clock.now()
    db.session.flush()
    return user


def owner_confirmed_by(token: str) -> User | None:
    """Account of a link that has done its work; None when the link is unknown or its address still unconfirmed."""
    user_id = tokens.past_owner_of(token, TokenPurpose.VERIFY_EMAIL)
    user = db.session.get(User, user_id) if user_id else None
    return user if user and user.email_verified_at else None


def find_by_email(email: str) -> User | None:
    """Account of an address; None also for a malformed one."""
    try:
        key = email_key(email)
    except MalformedEmail:
        return None
    return db.session.scalar(select(User).where(User.email_key == key, User.deleted_at.is_(None)))


def check_credentials(email: str, password: str, network: str) -> User:
    """The account whose address and password these are. Raises ``WrongCredentials``, ``TooManyAttempts``.

    The try is committed before the password is looked at: it counts whatever happens next, also when many come at
    once, and no lock is held during the hash.
    """
    try:
        key, user = email_key(email), find_by_email(email)
    except MalformedEmail:
        key, user = email.strip().casefold(), None
    attempt = login_limits.begin(key, network)
    hashed = user.password_hash if user and not user.disabled_at else None
    if not passwords.matches(password, hashed) or user is None or hashed is None:
        login_limits.tell_owner(email, key)
        db.session.commit()
        raise WrongCredentials
    stronger = passwords.hash_password(password) if passwords.needs_rehash(hashed) else None
    if user.password_hash != hashed or user.disabled_at:
        # Changed or closed during the hash: the old password must not open a session any more.
        raise WrongCredentials
    login_limits.succeed(attempt)
    if stronger:
        user.password_hash = stronger
    return user


def ask_for_recovery(email: str) -> None:
    """Have a link sent to the address if it has an account.

    The address is looked up by the worker: known or not, this request does the same and takes as long.
    """
    delivery.enqueue(RECOVER_TASK, f"recover:{secrets.token_hex(12)}", {"email": email.strip()[:254]})


def send_recovery(email: str) -> None:
    """Send a link that sets a new password, if the address has an account; a few an hour, so that nobody is flooded."""
    user = find_by_email(email)
    if user is None or user.disabled_at:
        return
    sent = db.session.scalar(
        select(func.count())
        .select_from(Delivery)
        .where(
            Delivery.user_id == user.id,
            Delivery.kind == "account.reset_password",
            Delivery.created_at > clock.now() - timedelta(hours=1),
        )
    )
    if (sent or 0) < LINKS_PER_HOUR:
        _send_link(user, "account.reset_password", TokenPurpose.RESET_PASSWORD)


def reset_password(token: str, password: str) -> User:
    """Set a new password by a link; ends every session and every other link. Raises ``TokenRefused``, ``WeakPassword``.

    A password that is too weak leaves the link as it is.
    """
    owner_id = tokens.owner_of(token, TokenPurpose.RESET_PASSWORD)
    if owner_id is None:
        raise tokens.TokenRefused
    owner = db.session.get_one(User, owner_id)
    passwords.check_strength(password, (owner.email, owner.first_name, owner.last_name))
    hashed = passwords.hash_password(password)
    user_id, _target = tokens.consume(token, TokenPurpose.RESET_PASSWORD)
    user = db.session.get_one(User, user_id)
    user.password_hash = hashed
    # Who reads the mail owns the address.
    user.email_verified_at = user.email_verified_at or clock.now()
    _end_links(user)
    sessions.revoke_all(user.id, "password_reset")
    api_tokens.revoke_all(user.id)
    _tell_of_new_password(user)
    audit.record("account.password_reset", "user", user.id, actor=user, changes=("password_hash",))
    return user


def change_password(user: User, current: str, new: str, *, keep_session: str) -> None:
    """Change one's own password; ends all other sessions and links. Raises ``WrongCredentials``, ``WeakPassword``."""
    if not passwords.matches(current, user.password_hash):
        raise WrongCredentials(_l("Le mot de passe actuel ne correspond pas."), field="current")
    passwords.check_strength(new, (user.email, user.first_name, user.last_name))
    user.password_hash = passwords.hash_password(new)
    _end_links(user)
    sessions.revoke_all(user.id, "password_changed", keep=keep_session)
    api_tokens.revoke_all(user.id)
    _tell_of_new_password(user)
    audit.record("account.password_changed", "user", user.id, actor=user, changes=("password_hash",))


def record_consent(
    user_id: int,
    purpose: str,
    *,
    given: bool,
    source: str,
    version: str = TERMS_VERSION,
    at: datetime | None = None,
) -> None:
    """Append the proof of a yes or of a no."""
    moment = at or clock.now()
    db.session.add(
        Consent(user_id=user_id, purpose=purpose, text_version=version, given=given, at=moment, source=source)
    )


def search(text: str, role: Role | None, *, limit: int, offset: int) -> tuple[list[User], int]:
    """Accounts for the staff: by name or address, newest first, with their total."""
    query = select(User).where(User.deleted_at.is_(None))
    if role:
        query = query.where(User.role == role)
    for word in text.split()[:6]:
        # SQLite folds the case of ASCII letters only: É is looked for as typed, small and capital.
        spellings = {word, word.casefold(), word.capitalize(), word.upper()}
        query = query.where(
            or_(
                *(
                    column.icontains(spelling, autoescape=True)
                    for spelling in spellings
                    for column in (User.email_key, User.first_name, User.last_name)
                )
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


def change_role(user_id: int, role: Role, *, by: User | None) -> User:
    """Give another role; its sessions end, so that the change holds at once. ``by`` is None for an operator.

    Raises ``NotFound``, ``LastAdmin``, ``OwnAccount``.
    """
    user = get(user_id)
    if user.role is role:
        return user
    if user.role is Role.ADMIN:
        _keep_an_admin(user)
        _not_oneself(user, by)
    user.role = role
    sessions.revoke_all(user.id, "role_changed")
    audit.record("user.role_changed", "user", user.id, actor=by, changes=("role",))
    notifications.notify(
        user.id,
        NoticeKind.SECURITY,
        f"role-changed:{user.id}:{secrets.token_hex(6)}",
        title=str(_l("Les droits de votre compte ont changé")),
        body=str(_l("Reconnectez-vous pour les utiliser. Si ce changement vous surprend, écrivez au support.")),
        url="/espace/compte",
    )
    return user


def set_disabled(user_id: int, disabled: bool, *, by: User | None) -> User:
    """Close or reopen an account; closing ends its sessions and links. ``by`` is None for an operator.

    Raises ``NotFound``, ``LastAdmin``, ``OwnAccount``.
    """
    user = get(user_id)
    if disabled is (user.disabled_at is not None):
        return user
    if disabled:
        if user.role is Role.ADMIN:
            _keep_an_admin(user)
        _not_oneself(user, by)
    user.disabled_at = clock.now() if disabled else None
    if disabled:
        _end_links(user)
        tokens.end_all(user.id, *TokenPurpose)
        sessions.revoke_all(user.id, "disabled")
        key = f"closed:{user.id}:{secrets.token_hex(6)}"
        delivery.deliver(CLOSED_MAIL, key, channel=Channel.EMAIL, user_id=user.id, address=user.email)
    else:
        security_notices.notify_of(user, SecurityEvent.REOPENED)
    audit.record("user.disabled" if disabled else "user.enabled", "user", user.id, actor=by, changes=("disabled_at",))
    return user


def create(email: str, password: str, names: tuple[str, str], role: Role) -> User:
    """An account made by an operator, its address taken as confirmed.

    Raises ``Conflict`` when it exists, ``MalformedEmail``, ``NameMissing``, ``WeakPassword``.
    """
    key, names = email_key(email), (own_name(names[0], "first_name"), own_name(names[1], "last_name"))
    if not all(names):
        raise NameMissing
    passwords.check_strength(password, (email, *names))
    hashed = passwords.hash_password(password)
    if db.session.scalar(select(User.id).where(User.email_key == key)):
        raise Conflict(_l("Un compte existe déjà pour cette adresse."))
    user = _insert(email.strip(), key, hashed, names)
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


def _remind(email: str) -> None:
    """Tell the owner of an address that somebody registers it again, once a day; who is closed out gets no mail."""
    existing = find_by_email(email)
    if existing is not None:
        delivery.deliver(
            "account.already_registered",
            f"already-registered:{existing.id}:{clock.paris_today().isoformat()}",
            channel=Channel.EMAIL,
            user_id=existing.id,
        )


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


def _end_links(user: User) -> None:
    # A change of address that somebody else began must not outlive the password that let them in.
    tokens.end_all(
        user.id,
        TokenPurpose.RESET_PASSWORD,
        TokenPurpose.CHANGE_EMAIL,
        TokenPurpose.RELEASE_EMAIL,
        TokenPurpose.LOST_FACTOR,
        TokenPurpose.KEEP_FACTOR,
    )
    # Nor a wish to take the second factor away.
    waiting = (FactorRemoval.user_id == user.id) & FactorRemoval.ended_at.is_(None)
    db.session.execute(update(FactorRemoval).where(waiting).values(ended_at=clock.now(), outcome=RemovalEnd.WITHDRAWN))
    db.session.execute(delete(EmailChange).where(EmailChange.user_id == user.id))


def _not_oneself(user: User, by: User | None) -> None:
    if by is not None and by.id == user.id:
        raise OwnAccount


def _tell_of_new_password(user: User) -> None:
    notifications.notify(
        user.id,
        NoticeKind.SECURITY,
        f"password-changed:{user.id}:{secrets.token_hex(6)}",
        title=str(_l("Votre mot de passe a été changé")),
        body=str(_l("Vos autres appareils ont été déconnectés.")),
        url="/espace/compte",
        message_kind="account.password_changed",
    )
