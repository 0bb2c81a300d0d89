"""The days between the wish to be erased and the erasure: who logs in again has changed one's mind."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, select, update

from calmness.extensions import db
from calmness.models.account import AuthSession, Channel, User
from calmness.models.privacy import AccountDeletion
from calmness.services import audit, delivery, notifications
from calmness.services.account.preferences import NoticeKind

CANCELLED_MAIL = "privacy.deletion_cancelled"


def is_open() -> ColumnElement[bool]:
    """Condition of a wish that neither was cancelled nor has begun to be carried out."""
    return and_(AccountDeletion.cancelled_at.is_(None), AccountDeletion.started_at.is_(None))


def of_user(user_id: int) -> AccountDeletion | None:
    """A person's open wish."""
    return db.session.scalar(select(AccountDeletion).where(AccountDeletion.user_id == user_id, is_open()))


def end(user: User, at: datetime) -> bool:
    """Cancel the wish of a person who came back. False when there was none, or too late."""
    ended = db.session.scalar(
        update(AccountDeletion)
        .where(AccountDeletion.user_id == user.id, is_open())
        .values(cancelled_at=at)
        .returning(AccountDeletion.id),
        execution_options={"synchronize_session": False},
    )
    if ended is None:
        return False
    audit.record("privacy.deletion_cancelled", "user", user.id, actor=user)
    notifications.notify(
        user.id,
        NoticeKind.SECURITY,
        f"deletion-cancelled:{ended}",
        title=str(_l("Suppression de votre compte annulée")),
        body=str(_l("Vous vous êtes reconnecté\u00a0: rien n’a été effacé.")),
        url="/espace/compte/donnees",
        message_kind=None,
    )
    # Also to an address that was never confirmed: the wish was mailed there too.
    delivery.deliver(
        CANCELLED_MAIL, f"deletion:{ended}:cancelled", channel=Channel.EMAIL, user_id=user.id, address=user.email
    )
    return True


def ended_by(auth_session: AuthSession) -> bool:
    """Whether opening this session cancelled a wish, for the page that comes next."""
    found = select(AccountDeletion.id).where(
        AccountDeletion.user_id == auth_session.user_id, AccountDeletion.cancelled_at == auth_session.created_at
    )
    return db.session.scalar(found.limit(1)) is not None
