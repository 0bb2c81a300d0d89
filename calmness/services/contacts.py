"""Addresses of a person on the channels: verified ones only."""

from sqlalchemy import select, update

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Channel, ChannelIdentity, User


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
