"""Work of the private Telegram channel. No transaction is open while Telegram answers."""

from typing import Any

from flask import current_app

from calmness.channels.telegram import TelegramSettings
from calmness.channels.telegram_group import TelegramGroup
from calmness.extensions import db
from calmness.jobs.handlers import periodic, task
from calmness.models.sale import ChannelPass, ChannelPassState
from calmness.services.billing import channel_access


@periodic("billing.channel_access", every_seconds=120)
def reconcile() -> None:
    """Write who must be let in and who must leave; nothing without a channel."""
    if _group() is not None:
        channel_access.reconcile()
        db.session.commit()


@task(channel_access.INVITE)
def invite(payload: dict[str, Any]) -> None:
    """Make the invitation and give it. A link made twice by a crash is told to nobody, or closed again."""
    group, stay = _group(), db.session.get(ChannelPass, payload["pass_id"])
    if group is None or stay is None or stay.state is not ChannelPassState.WANTED:
        return
    pass_id = stay.id
    db.session.commit()
    link = group.invite(f"sejour {pass_id}")
    if not channel_access.invited(pass_id, link):
        db.session.rollback()
        group.revoke(link)
        return
    db.session.commit()


@task(channel_access.REMOVE)
def remove(payload: dict[str, Any]) -> None:
    """Close the invitation and take the person out. Both calls may be repeated."""
    group, stay = _group(), db.session.get(ChannelPass, payload["pass_id"])
    if group is None or stay is None or stay.state is not ChannelPassState.LEAVING:
        return
    pass_id, link, person = stay.id, stay.invite_link, channel_access.telegram_user(stay)
    db.session.commit()
    if link:
        group.revoke(link)
    if person:
        group.remove(person)
    channel_access.gone(pass_id)
    db.session.commit()


def _group() -> TelegramGroup | None:
    config = current_app.config
    if not (config["TELEGRAM_BOT_TOKEN"] and config["TELEGRAM_SIGNALS_CHAT"]):
        return None
    settings = TelegramSettings(config["TELEGRAM_BOT_TOKEN"], config["TELEGRAM_API_URL"])
    return TelegramGroup(settings, config["TELEGRAM_SIGNALS_CHAT"])
