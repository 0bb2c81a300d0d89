"""Change of address: it counts once both mailboxes, the old and the new, have said yes.

Asking looks no address up: whether one has an account already is seen by the worker, and told to that mailbox alone.
"""

import secrets
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from calmness import clock
from calmness.errors import Conflict, DomainError, TooManyAttempts
from calmness.extensions import db
from calmness.models.account import Channel, EmailChange, TokenPurpose, User
from calmness.models.audit import AuditEntry
from calmness.models.dialect import upsert
from calmness.services import audit, delivery
from calmness.services.account import accounts, names, security_notices, sessions, tokens
from calmness.services.account.security_notices import SecurityEvent

LIFETIME = timedelta(hours=2)
PURPOSES = (TokenPurpose.RELEASE_EMAIL, TokenPurpose.CHANGE_EMAIL)
"""Links to the old mailbox, and to the new."""

TO_OLD, TO_NEW, TOLD_OLD = "account.release_email", "account.confirm_new_email", "account.email_changed"


class SameAddress(DomainError):
    """There is nothing to change."""

    slug = "same-address"
    field = "email"
    message = _l("C’est déjà votre adresse.")


class AddressTaken(Conflict):
    """Somebody else registered the address before both mailboxes had said yes. Commit before answering."""

    slug = "address-taken"
    message = _l("Cette adresse sert entre-temps à un autre compte\u202f: le vôtre garde la sienne.")


def pending_of(user_id: int) -> EmailChange | None:
    """The change that waits for its clicks; None without one, or when its time is over."""
    return db.session.scalar(
        select(EmailChange).where(EmailChange.user_id == user_id, EmailChange.expires_at > clock.now())
    )


def find(reference: str) -> EmailChange | None:
    """A waiting change by its reference."""
    return db.session.scalar(
        select(EmailChange).where(EmailChange.reference == reference, EmailChange.expires_at > clock.now())
    )


def request(user: User, email: str, *, session_id: str) -> None:
    """Write to both mailboxes; an earlier change of the person ends. An address never confirmed is not asked.

    Raises ``MalformedEmail``, ``SameAddress``, ``TooManyAttempts``.
    """
    key = names.email_key(email)
    if key == user.email_key:
        raise SameAddress
    _hold(user)
    now, reference = clock.now(), secrets.token_hex(16)
    tokens.end_all(user.id, *PURPOSES)
    row = {
        "user_id": user.id,
        "reference": reference,
        "new_email": email.strip(),
        "new_email_key": key,
        "session_id": session_id,
        "created_at": now,
        "expires_at": now + LIFETIME,
        "released_at": None if user.email_verified_at else now,
        "confirmed_at": None,
    }
    upsert(db.session(), EmailChange, [row], key=["user_id"], update_columns=sorted(row.keys() - {"user_id"}))
    params: dict[str, object] = {"reference": reference}
    until = now + LIFETIME
    if user.email_verified_at:
        _write(TO_OLD, user.email, user.id, params, until)
    # Nobody knows yet whose mailbox this is: no name of ours in it, and no line in the ledger of the person.
    _write(TO_NEW, email.strip(), None, params, until)
    audit.record("email_change.requested", "user", user.id, actor=user)


def cancel(user: User) -> None:
    """End a waiting change and its links."""
    tokens.end_all(user.id, *PURPOSES)
    if _delete(user.id):
        audit.record("email_change.cancelled", "user", user.id, actor=user)


def purpose_of(token: str) -> TokenPurpose | None:
    """Which mailbox a link was sent to, if it would be taken; consumes nothing."""
    return next((purpose for purpose in PURPOSES if tokens.owner_of(token, purpose) is not None), None)


def confirm(token: str) -> bool:
    """Take the yes of a mailbox; True when that was the second and the address is changed.

    Raises ``TokenRefused``, ``AddressTaken``.
    """
    purpose = purpose_of(token)
    if purpose is None:
        raise tokens.TokenRefused
    user_id, reference = tokens.consume(token, purpose)
    # Locked: of two clicks at the same moment the second must see the first.
    change = db.session.scalar(
        select(EmailChange)
        .where(EmailChange.reference == reference, EmailChange.expires_at > clock.now())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    user = db.session.get_one(User, user_id)
    if change is None or change.user_id != user.id or user.disabled_at or user.deleted_at:
        raise tokens.TokenRefused
    if purpose is TokenPurpose.RELEASE_EMAIL:
        change.released_at = clock.now()
    else:
        change.confirmed_at = clock.now()
    db.session.flush()
    if change.released_at is None or change.confirmed_at is None:
        return False
    _finish(user, change)
    return True


def _finish(user: User, change: EmailChange) -> None:
    old, keep, new = user.email, change.session_id, (change.new_email, change.new_email_key)
    _delete(user.id)
    was_confirmed = user.email_verified_at is not None
    try:
        with db.session.begin_nested():
            user.email, user.email_key = new
            user.email_verified_at = clock.now()
            db.session.flush()
    except IntegrityError as error:
        db.session.refresh(user)
        audit.record("email_change.refused", "user", user.id, actor=user)
        raise AddressTaken from error
    tokens.end_all(user.id, TokenPurpose.RESET_PASSWORD, TokenPurpose.VERIFY_EMAIL)
    sessions.revoke_all(user.id, "email_changed", keep=keep)
    if was_confirmed:
        _write(TOLD_OLD, old, user.id, {}, None)
    security_notices.tell(user, SecurityEvent.EMAIL_CHANGED)


def _write(kind: str, address: str, user_id: int | None, params: dict[str, object], until: datetime | None) -> None:
    delivery.deliver(
        kind,
        f"{kind}:{secrets.token_hex(12)}",
        channel=Channel.EMAIL,
        user_id=user_id,
        address=address,
        params=params,
        expires_at=until,
    )


def _hold(user: User) -> None:
    """A few an hour: the form must not be a way to fill the mailbox of a stranger."""
    since = clock.now() - timedelta(hours=1)
    mine = (AuditEntry.action == "email_change.requested") & (AuditEntry.object_id == str(user.id))
    asked = db.session.scalar(select(func.count()).select_from(AuditEntry).where(mine, AuditEntry.at > since))
    if (asked or 0) >= accounts.LINKS_PER_HOUR:
        raise TooManyAttempts(3600, _l("Cinq demandes en une heure suffisent. Recommencez plus tard."))


def _delete(user_id: int) -> bool:
    gone = db.session.execute(delete(EmailChange).where(EmailChange.user_id == user_id))
    return bool(gone.rowcount)  # type: ignore[attr-defined]
