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

CHANNEL_NAMES = {Channel.TELEGRAM: "Telegram", Channel.DISCORD: "Discord", Channel.WHATSAPP: "WhatsApp"}
PROFILE = "/espace/profil"


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
    """Close a way that the provider says is dead (bot blocked, number gone, messages closed); its owner is told."""
    owners = db.session.scalars(
        update(ChannelIdentity)
        .where(
            ChannelIdentity.channel == channel,
            ChannelIdentity.external_id == address,
            ChannelIdentity.disabled_at.is_(None),
        )
        .values(disabled_at=clock.now())
        .returning(ChannelIdentity.user_id)
    ).all()
    for user_id in filter(None, owners):
        name = CHANNEL_NAMES.get(channel, channel.value)
        notifications.notify(
            user_id,
            NoticeKind.SECURITY,
            f"{channel.value}-dead:{user_id}:{secrets.token_hex(6)}",
            title=str(_l("%(channel)s ne vous atteint plus", channel=name)),
            body=str(
                _l(
                    "Le service refuse nos messages\u00a0: numéro fermé, robot bloqué ou messages privés désactivés. "
                    "Le canal est délié\u202f; reliez-le de nouveau depuis votre profil."
                )
            ),
            url=PROFILE,
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
    return tie(db.session.get_one(User, user_id), Channel.TELEGRAM, chat_id, display_name)


def tie(user: User, channel: Channel, external_id: str, display_name: str) -> User:
    """Tie an address that its owner has proved to an account, tell the person, and say hello there.

    An address serves one account: it moves if it was another's, who is told. A new one takes an older one's place.
    """
    now = clock.now()
    before = db.session.scalar(
        select(ChannelIdentity.user_id).where(
            ChannelIdentity.channel == channel,
            ChannelIdentity.account == "",
            ChannelIdentity.external_id == external_id,
            ChannelIdentity.disabled_at.is_(None),
        )
    )
    db.session.execute(
        update(ChannelIdentity)
        .where(
            ChannelIdentity.user_id == user.id,
            ChannelIdentity.channel == channel,
            ChannelIdentity.external_id != external_id,
            ChannelIdentity.disabled_at.is_(None),
        )
        .values(disabled_at=now)
    )
    row = {
        "channel": channel,
        "account": "",
        "external_id": external_id,
        "user_id": user.id,
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
    audit.record("account.channel_linked", "user", user.id, actor=user, changes=(channel.value,))
    if before is not None and before != user.id:
        _tell_former_owner(before, channel)
    name = CHANNEL_NAMES[channel]
    key = f"{channel.value}-linked:{user.id}:{secrets.token_hex(6)}"
    title = str(_l("%(channel)s est relié à votre compte", channel=name))
    body = str(
        _l(
            "Vos rappels de séance arriveront aussi sur %(channel)s. Vous pouvez délier ce canal depuis votre profil.",
            channel=name,
        )
    )
    notifications.notify(user.id, NoticeKind.SECURITY, key, title=title, body=body, url=PROFILE)
    delivery.deliver(
        notifications.GENERIC_MESSAGE,
        f"{key}:hello",
        channel=channel,
        user_id=user.id,
        address=external_id,
        params={"title": title, "body": body, "url": PROFILE},
    )
    return user


def _tell_former_owner(user_id: int, channel: Channel) -> None:
    """Whoever had the address before hears nothing there any longer."""
    name = CHANNEL_NAMES[channel]
    notifications.notify(
        user_id,
        NoticeKind.SECURITY,
        f"{channel.value}-moved:{user_id}:{secrets.token_hex(6)}",
        title=str(_l("%(channel)s n’est plus relié à votre compte", channel=name)),
        body=str(_l("Cette adresse vient d’être reliée à un autre compte, qui a prouvé qu’elle est à lui.")),
        url=PROFILE,
    )


def unlink(user: User, identity_id: int) -> None:
    """Close one of one's own ways. Raises ``NotFound``."""
    identity = db.session.scalar(
        select(ChannelIdentity).where(ChannelIdentity.id == identity_id, ChannelIdentity.user_id == user.id)
    )
    if identity is None:
        raise NotFound
    identity.disabled_at = identity.disabled_at or clock.now()
    audit.record("account.channel_unlinked", "user", user.id, actor=user, changes=(identity.channel.value,))
