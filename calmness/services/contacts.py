"""Addresses of a person on the channels: verified ones only."""

import secrets

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from calmness import clock
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.models.account import Channel, ChannelIdentity, TokenPurpose, User
from calmness.models.dialect import upsert
from calmness.services import audit, delivery, notifications, tokens
from calmness.services.preferences import NoticeKind


def address_of(user_id: int | None, channel: Channel) -> str | None:
    """Where to write to a person on a channel; None when there is no way."""
    if user_id is None:
        return None
    if channel is Channel.EMAIL:
        return db.session.scalar(select(User.email).where(User.id == user_id, User.deleted_at.is_(None)))
    return db.session.scalar(
        select(ChannelIdentity.external_id)
        .where(
            ChannelIdentity.user_id == user_id,
            ChannelIdentity.channel == channel,
            ChannelIdentity.verified_at.is_not(None),
            ChannelIdentity.disabled_at.is_(None),
        )
        .order_by(ChannelIdentity.verified_at.desc())
        .limit(1)
    )


def disable(channel: Channel, address: str) -> None:
    """Close a way that the provider says is dead (bot blocked, number gone)."""
    db.session.execute(
        update(ChannelIdentity)
        .where(ChannelIdentity.channel == channel, ChannelIdentity.external_id == address)
        .values(disabled_at=clock.now())
    )


def identities_of(user_id: int) -> list[ChannelIdentity]:
    """Ways out to a person beside mail, newest first."""
    return list(
        db.session.scalars(
            select(ChannelIdentity)
            .where(ChannelIdentity.user_id == user_id, ChannelIdentity.disabled_at.is_(None))
            .order_by(ChannelIdentity.id.desc())
        )
    )


def telegram_link_token(user_id: int) -> str:
    """Token for the deep link of the bot: one use, ten minutes, 43 of the 64 characters that Telegram allows."""
    return tokens.issue(user_id, TokenPurpose.LINK_TELEGRAM)


def link_telegram(token: str, chat_id: str, display_name: str) -> User:
    """Tie a chat to the account of the token. The chat moves if it was another's. Raises ``TokenRefused``."""
    user_id, _target = tokens.consume(token, TokenPurpose.LINK_TELEGRAM)
    now = clock.now()
    row = {
        "channel": Channel.TELEGRAM,
        "account": "",
        "external_id": chat_id,
        "user_id": user_id,
        "display_name": display_name[:200],
        "created_at": now,
        "verified_at": now,
        "disabled_at": None,
    }
    upsert(
        db.session(),
        ChannelIdentity,
        [row],
        key=["channel", "account", "external_id"],
        update_columns=["user_id", "display_name", "verified_at", "disabled_at"],
    )
    user = db.session.get_one(User, user_id)
    audit.record("account.channel_linked", "user", user.id, actor=user, changes=(Channel.TELEGRAM.value,))
    key = f"telegram-linked:{user.id}:{secrets.token_hex(6)}"
    title = str(_l("Telegram est relié à votre compte"))
    body = str(
        _l("Vos rappels de séance arriveront dans cette conversation. Vous pouvez la délier depuis votre profil.")
    )
    notifications.notify(user.id, NoticeKind.SECURITY, key, title=title, body=body, url="/espace/profil")
    delivery.deliver(
        notifications.GENERIC_MESSAGE,
        f"{key}:hello",
        channel=Channel.TELEGRAM,
        user_id=user.id,
        address=chat_id,
        params={"title": title, "body": body, "url": "/espace/profil"},
    )
    return user


def unlink(user: User, identity_id: int) -> None:
    """Close one of one's own ways. Raises ``NotFound``."""
    identity = db.session.scalar(
        select(ChannelIdentity).where(ChannelIdentity.id == identity_id, ChannelIdentity.user_id == user.id)
    )
    if identity is None:
        raise NotFound
    identity.disabled_at = identity.disabled_at or clock.now()
    audit.record("account.channel_unlinked", "user", user.id, actor=user, changes=(identity.channel.value,))
