"""An answer to somebody who has left: told once for a batch of messages, never while the person reads along."""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import Channel
from calmness.models.support import ChatMessage, ChatRead, ChatRoom
from calmness.services import delivery, notifications
from calmness.services.account.preferences import NoticeKind
from calmness.services.support import chat_presence
from calmness.services.support.chat_rooms import Side
from calmness.services.support.chat_unread import FROM_STAFF

MAIL = "support.answer_waiting"
PATH = "/support"


def tell(room_id: int) -> bool:
    """Tell the owner of a room of the answers not read yet. False when there is nothing to tell, or it was told.

    All answers since the last one read are one batch: the first of them names the notice, so it is told once.
    """
    room = db.session.get(ChatRoom, room_id)
    if room is None:
        return False
    waiting = unread_answers(room)
    here = chat_presence.in_room(room.public_id)
    if not waiting or (here is not None and here.owner):
        return False
    key = f"support:{room.id}:{waiting[0].seq}"
    if room.user_id is not None:
        return notifications.notify(
            room.user_id,
            NoticeKind.SUPPORT,
            key,
            title=_("Le support vous a répondu"),
            body=waiting[0].body[:200],
            url=PATH,
        )
    if not room.visitor_email:
        return False
    params = {"room_id": room.id}
    return delivery.deliver(MAIL, key, channel=Channel.EMAIL, address=room.visitor_email, params=params)


def unread_answers(room: ChatRoom) -> Sequence[ChatMessage]:
    """Answers that the owner has not read, oldest first."""
    seen = select(ChatRead.read_seq).where(ChatRead.room_id == room.id, ChatRead.reader == Side.OWNER.value)
    read_seq = db.session.scalar(seen) or 0
    return db.session.scalars(
        select(ChatMessage)
        .where(ChatMessage.room_id == room.id, ChatMessage.seq > read_seq, ChatMessage.sender_kind.in_(FROM_STAFF))
        .order_by(ChatMessage.seq)
    ).all()
