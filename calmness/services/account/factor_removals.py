"""A second factor whose owner has neither phone nor codes left: taken away after a day in which the owner can say no.

Two ways in: an administrator who has made sure who asks, or the person, with the password and the mailbox. Either way
every mailbox and channel of the account is told at once, with a link that stops it, and the day counts from when that
message left. Nobody shortens it alone: only a second administrator does.
"""

from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, String, cast, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from calmness import clock
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import Channel, FactorRemoval, RemovalEnd, TokenPurpose, User
from calmness.models.delivery import Delivery, DeliveryState
from calmness.services import audit, delivery, notifications
from calmness.services.account import accounts, contacts, names, second_factor, sessions, tokens
from calmness.services.account.preferences import NoticeKind

NOTICE = timedelta(hours=24)
PORTION = 50
LINK_MESSAGE, WARNING_MESSAGE = "account.lost_factor", "account.factor_removal"
LINKS_EVERY_SECONDS = 600


class AlreadyWaiting(Conflict):
    """One wish at a time."""

    slug = "factor-removal-waiting"
    message = _l("Le retrait est déjà demandé\u00a0: il aura lieu un jour après le message qui l’annonce.")


class ReasonMissing(DomainError):
    """How was it made sure who asks? Somebody will want to know."""

    slug = "reason-missing"
    field = "reason"
    message = _l("Écrivez en une phrase comment vous avez vérifié qui demande.")


class SecondAdminNeeded(Conflict):
    """Who asked does not also shorten the day."""

    slug = "second-admin-needed"
    message = _l("Un autre administrateur que celui qui a demandé le retrait peut abréger le délai.")


def pending_of(user_id: int) -> FactorRemoval | None:
    """The wish that waits for its day; None without one."""
    return db.session.scalar(
        select(FactorRemoval).where(FactorRemoval.user_id == user_id, FactorRemoval.ended_at.is_(None))
    )


def send_link(user: User) -> None:
    """Write to the person whose password was right: the mailbox must say yes too. Raises ``NotOn``, ``RequiredByRole``.

    One message in ten minutes. Members of the team, who need a factor, ask another administrator.
    """
    if not second_factor.is_on(user.id):
        raise second_factor.NotOn
    if second_factor.is_required(user):
        raise second_factor.RequiredByRole
    turn = int(clock.now().timestamp()) // LINKS_EVERY_SECONDS
    delivery.deliver(
        LINK_MESSAGE,
        f"{LINK_MESSAGE}:{user.id}:{turn}",
        channel=Channel.EMAIL,
        user_id=user.id,
        address=user.email,
        expires_at=clock.now() + tokens.LIFETIMES[TokenPurpose.LOST_FACTOR],
    )


def ask_by_link(token: str) -> FactorRemoval:
    """The mailbox says yes. Raises ``TokenRefused``, ``NotOn``, ``AlreadyWaiting``."""
    user_id, _target = tokens.consume(token, TokenPurpose.LOST_FACTOR)
    user = db.session.get_one(User, user_id)
    if user.disabled_at or user.deleted_at or second_factor.is_required(user):
        raise tokens.TokenRefused
    return _ask(user, by=None, reason="")


def ask(user_id: int, reason: str, *, by: User) -> FactorRemoval:
    """An administrator asks for somebody. Raises ``NotFound``, ``NotOn``, ``AlreadyWaiting``, ``ReasonMissing``."""
    user = accounts.get(user_id)
    if user.id == by.id:
        raise accounts.OwnAccount
    told = names.clean_text(reason)[:300]
    if len(told) < len("vu au siège"):
        raise ReasonMissing
    return _ask(user, by=by, reason=told)


def warned_at_once(removal_id: int) -> FactorRemoval | None:
    """The wish behind a warning that leaves now: its day begins here. None when it has ended."""
    removal = db.session.get(FactorRemoval, removal_id)
    if removal is None or removal.ended_at:
        return None
    removal.due_at = max(removal.due_at, clock.now() + NOTICE)
    return removal


def stop(token: str) -> None:
    """«Ce n’était pas moi»: the factor stays, and whoever knows the password is thrown out. Raises ``TokenRefused``."""
    user_id, removal_id = tokens.consume(token, TokenPurpose.KEEP_FACTOR)
    user = db.session.get_one(User, user_id)
    if not _end(FactorRemoval.id == int(removal_id or 0), RemovalEnd.STOPPED):
        raise tokens.TokenRefused
    sessions.revoke_all(user.id, "factor_kept")
    audit.record("second_factor.removal_stopped", "user", user.id, actor=user)


def withdraw(user_id: int, *, by: User) -> None:
    """An administrator calls the wish off. Raises ``NotFound``."""
    if not _end(FactorRemoval.user_id == user_id, RemovalEnd.WITHDRAWN):
        raise NotFound
    tokens.end_all(user_id, TokenPurpose.KEEP_FACTOR)
    audit.record("second_factor.removal_withdrawn", "user", user_id, actor=by)


def carry_out_now(user_id: int, *, by: User) -> None:
    """A second administrator has made sure as well. Raises ``NotFound``, ``OwnAccount``, ``SecondAdminNeeded``."""
    removal = pending_of(user_id)
    if removal is None:
        raise NotFound
    if user_id == by.id:
        raise accounts.OwnAccount
    if removal.asked_by is None or removal.asked_by == by.id:
        raise SecondAdminNeeded
    _carry_out(removal, by=by)


def due() -> list[int]:
    """Wishes whose day is over since their warning reached the mail server."""
    warned = (
        select(Delivery.id)
        .where(
            Delivery.key == _key_of(FactorRemoval.id),
            Delivery.state == DeliveryState.SENT,
            Delivery.sent_at <= clock.now() - NOTICE,
        )
        .exists()
    )
    over = FactorRemoval.ended_at.is_(None) & (FactorRemoval.due_at <= clock.now())
    query = select(FactorRemoval.id).where(over, warned).order_by(FactorRemoval.id).limit(PORTION)
    return list(db.session.scalars(query))


def carry_out(removal_id: int) -> None:
    """Take the factor away, once. Nothing happens when the owner has said no in the meantime."""
    removal = db.session.get(FactorRemoval, removal_id, populate_existing=True)
    if removal is not None and removal.ended_at is None:
        _carry_out(removal, by=db.session.get(User, removal.asked_by) if removal.asked_by else None)


def _ask(user: User, *, by: User | None, reason: str) -> FactorRemoval:
    if not second_factor.is_on(user.id):
        raise second_factor.NotOn
    now = clock.now()
    removal = FactorRemoval(
        user_id=user.id, asked_by=by.id if by else None, reason=reason, created_at=now, due_at=now + NOTICE
    )
    try:
        with db.session.begin_nested():
            db.session.add(removal)
            db.session.flush()
    except IntegrityError as error:
        raise AlreadyWaiting from error
    audit.record("second_factor.removal_asked", "user", user.id, actor=by or user)
    _warn(user, removal)
    return removal


def _warn(user: User, removal: FactorRemoval) -> None:
    """By mail with the link that stops it, on the site, and on every linked channel, whatever the person chose."""
    key = f"{WARNING_MESSAGE}:{removal.id}"
    title = str(_l("Votre double authentification va être retirée"))
    body = str(
        _l(
            "Le retrait a été demandé parce que votre téléphone et vos codes seraient perdus. Il aura lieu dans "
            "24\u00a0heures. Si ce n’était pas vous, arrêtez-le par le lien reçu par e-mail."
        )
    )
    notifications.notify(
        user.id, NoticeKind.SECURITY, key, title=title, body=body, url="/espace/compte", message_kind=None
    )
    delivery.deliver(
        WARNING_MESSAGE,
        _key(removal.id),
        channel=Channel.EMAIL,
        user_id=user.id,
        address=user.email,
        params={"removal_id": removal.id},
    )
    for identity in contacts.identities_of(user.id):
        delivery.deliver(
            notifications.GENERIC_MESSAGE,
            f"{key}:{identity.channel.value}:{identity.id}",
            channel=identity.channel,
            user_id=user.id,
            address=identity.external_id,
            params={"title": title, "body": body, "url": "/espace/compte"},
        )


def _carry_out(removal: FactorRemoval, *, by: User | None) -> None:
    user = db.session.get_one(User, removal.user_id)
    if not _end(FactorRemoval.id == removal.id, RemovalEnd.REMOVED):
        return
    tokens.end_all(user.id, TokenPurpose.KEEP_FACTOR)
    if second_factor.is_on(user.id) and not user.deleted_at:
        second_factor.reset(user, by=by)


def _end(condition: object, outcome: RemovalEnd) -> bool:
    ended = db.session.execute(
        update(FactorRemoval)
        .where(condition, FactorRemoval.ended_at.is_(None))  # type: ignore[arg-type]
        .values(ended_at=clock.now(), outcome=outcome)
    )
    return bool(ended.rowcount)  # type: ignore[attr-defined]


def _key(removal_id: int) -> str:
    return f"{WARNING_MESSAGE}:{removal_id}:mail"


def _key_of(column: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[str]:
    """The same key in a statement."""
    return literal(f"{WARNING_MESSAGE}:") + cast(column, String) + literal(":mail")
