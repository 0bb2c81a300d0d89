"""What providers send: kept once by its id, then worked."""

from typing import Any

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Channel
from calmness.models.dialect import insert_once
from calmness.models.support import InboundEvent
from calmness.services.account import contacts, names
from calmness.services.account.tokens import TokenRefused
from calmness.services.billing import channel_access

START = "/start "


def take_telegram(update: dict[str, Any]) -> bool:
    """Take an update of the bot. False when it was taken before.

    ``/start <token>`` in a private chat ties the chat to the token's account; who comes into the private channel by an
    invitation is noted (``chat_member``).
    """
    now = clock.now()
    row = {
        "channel": Channel.TELEGRAM,
        "account": "",
        "external_event_id": str(update["update_id"]),
        "raw": {"update_id": update["update_id"]},
        "received_at": now,
        "processed_at": now,
    }
    if insert_once(db.session(), InboundEvent, [row]) == 0:
        return False
    _note_member(update.get("chat_member"))
    message = update.get("message")
    if not isinstance(message, dict):
        return True
    chat, text = message.get("chat"), str(message.get("text") or "")
    if not isinstance(chat, dict):
        return True
    if chat.get("type") == "private" and text.startswith(START):
        name = names.clean_name(" ".join(str(chat.get(part) or "") for part in ("first_name", "last_name")))
        try:
            contacts.link_telegram(text.removeprefix(START).strip(), str(chat.get("id")), name)
        except TokenRefused:
            return True
    return True


def _note_member(change: object) -> None:
    if not isinstance(change, dict):
        return
    link, member = change.get("invite_link"), change.get("new_chat_member")
    if isinstance(link, dict) and isinstance(member, dict) and member.get("status") in {"member", "restricted"}:
        user = member.get("user")
        if isinstance(user, dict) and isinstance(user.get("id"), int):
            channel_access.joined(str(link.get("invite_link")), str(user["id"]))
