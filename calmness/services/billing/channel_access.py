"""Who may be in the private Telegram channel: everybody with a running subscription to the signals, nobody else.

The difference between who should be in and who is becomes rows and work, counted anew each time: downtime delays it
and nothing more. A renewal prolongs the stay; a person has one stay at a time (a constraint of the database).
"""

from datetime import datetime

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Channel, ChannelIdentity, User
from calmness.models.billing import Subscription, SubscriptionStatus
from calmness.models.catalogue import OfferKind
from calmness.models.dialect import insert_once
from calmness.models.sale import ChannelPass, ChannelPassState
from calmness.services import delivery, notifications
from calmness.services.account.preferences import NoticeKind

INVITE = "billing.channel_invite"
REMOVE = "billing.channel_remove"
INSIDE = (ChannelPassState.WANTED, ChannelPassState.INVITED, ChannelPassState.JOINED)


def reconcile(at: datetime | None = None) -> tuple[int, int]:
    """Write what must happen now. Gives how many get in and how many must leave. Harmless to repeat."""
    now = at or clock.now()
    entitled = set(
        db.session.scalars(
            select(Subscription.user_id)
            .join(User, User.id == Subscription.user_id)
            .where(
                Subscription.kind == OfferKind.SIGNALS.value,
                Subscription.status == SubscriptionStatus.ACTIVE,
                Subscription.starts_at <= now,
                Subscription.ends_at > now,
                User.disabled_at.is_(None),
                User.deleted_at.is_(None),
            )
            .distinct()
        )
    )
    open_passes = list(db.session.scalars(select(ChannelPass).where(ChannelPass.state != ChannelPassState.GONE)))
    holders = {one.user_id for one in open_passes}
    rows = [
        {"user_id": user_id, "state": ChannelPassState.WANTED, "created_at": now}
        for user_id in sorted(entitled - holders)
    ]
    let_in = insert_once(db.session(), ChannelPass, rows)
    left = 0
    for one in open_passes:
        if one.state in INSIDE and one.user_id not in entitled:
            one.state = ChannelPassState.LEAVING
            left += 1
    db.session.flush()
    # A new key each day: what Telegram refused for hours is tried again, not forgotten.
    for state, kind in ((ChannelPassState.WANTED, INVITE), (ChannelPassState.LEAVING, REMOVE)):
        for pass_id in db.session.scalars(select(ChannelPass.id).where(ChannelPass.state == state)):
            delivery.enqueue(kind, f"{kind}:{pass_id}:{now:%Y%m%d}", {"pass_id": pass_id})
    return let_in, left


def locked(pass_id: int) -> ChannelPass | None:
    """A stay, held until the transaction ends."""
    return db.session.scalar(
        select(ChannelPass).where(ChannelPass.id == pass_id).with_for_update().execution_options(populate_existing=True)
    )


def invited(pass_id: int, link: str, at: datetime | None = None) -> bool:
    """Record the invitation and give it to the person. False when the stay has ended or had one meanwhile: the link
    must be closed.
    """
    stay = locked(pass_id)
    if stay is None or stay.state is not ChannelPassState.WANTED:
        return False
    stay.state, stay.invite_link, stay.invited_at = ChannelPassState.INVITED, link, at or clock.now()
    with force_locale(stay.user.locale):
        notifications.notify(
            stay.user_id,
            NoticeKind.PAYMENT,
            f"channel-pass:{stay.id}:invited",
            title=_("Votre invitation au canal privé"),
            body=_("Ce lien ne sert qu’une fois et n’est que pour vous\u00a0: %(link)s", link=link),
            url="/espace/paiements",
        )
    return True


def joined(link: str, telegram_user_id: str, at: datetime | None = None) -> bool:
    """Somebody came in by an invitation: from now on we know whom to take out."""
    stay = db.session.scalar(select(ChannelPass).where(ChannelPass.invite_link == link).with_for_update())
    if stay is None:
        return False
    stay.telegram_user_id = telegram_user_id
    if stay.state is ChannelPassState.INVITED:
        stay.state, stay.joined_at = ChannelPassState.JOINED, at or clock.now()
    db.session.flush()
    return True


def gone(pass_id: int, at: datetime | None = None) -> bool:
    """Record that a person is out."""
    stay = locked(pass_id)
    if stay is None or stay.state is not ChannelPassState.LEAVING:
        return False
    stay.state, stay.gone_at = ChannelPassState.GONE, at or clock.now()
    db.session.flush()
    return True


def telegram_user(stay: ChannelPass) -> str | None:
    """Telegram's number of the person: who came in by the link, else the chat that the person tied to the account."""
    if stay.telegram_user_id:
        return stay.telegram_user_id
    found = db.session.scalar(
        select(ChannelIdentity.external_id).where(
            ChannelIdentity.user_id == stay.user_id, ChannelIdentity.channel == Channel.TELEGRAM
        )
    )
    return found if found and found.isdigit() else None


def invitation_of(user_id: int) -> str | None:
    """The link that a person has not used yet."""
    return db.session.scalar(
        select(ChannelPass.invite_link).where(
            ChannelPass.user_id == user_id, ChannelPass.state == ChannelPassState.INVITED
        )
    )
