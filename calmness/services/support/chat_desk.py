"""The team's desk: the list of conversations, who is in charge, labels, notes, ready answers, the client's card."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import aliased, joinedload

from calmness import clock
from calmness.errors import Conflict, Forbidden, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Payment
from calmness.models.support import CannedAnswer, ChatMessage, ChatNote, ChatRoom, RoomStatus, SenderKind
from calmness.models.training import UserFormationEnrollment
from calmness.permissions import STAFF_ROLES, Permission, may
from calmness.services import audit
from calmness.services.support import chat_messages, chat_news, chat_rooms, chat_unread
from calmness.services.support.chat_rooms import Person, Side
from calmness.services.support.chat_unread import FROM_OWNER

MAX_LABELS = 8
MAX_LABEL_LENGTH = 30
LIST_LIMIT = 60


class Tab(StrEnum):
    """Parts of the list."""

    OPEN = "ouvertes"
    MINE = "miennes"
    CLOSED = "fermees"


class TakenMeanwhile(Conflict):
    """A colleague changed the conversation since this page showed it."""

    slug = "room-changed"

    def __init__(self, room: ChatRoom) -> None:
        who = room.assigned_to.first_name if room.assigned_to else None
        super().__init__(
            _l("%(name)s a pris cette conversation entre-temps.", name=who)
            if who
            else _l("Cette conversation a changé entre-temps. Voici son état.")
        )


class BadLabel(Conflict):
    """Too many labels, or too long ones."""

    status = 422
    slug = "invalid-label"
    message = _l("Huit étiquettes au plus, de trente caractères chacune.")


@dataclass(frozen=True)
class Line:
    """A conversation in the list."""

    room: ChatRoom
    name: str
    last: ChatMessage | None
    unread: int
    waiting_since: datetime | None


@dataclass(frozen=True)
class Card:
    """What the team knows of the client beside the conversation."""

    user: User
    payments: list[Payment]
    enrollments: list[UserFormationEnrollment]


def lines(person: Person, tab: Tab, search: str = "") -> list[Line]:
    """Conversations of a tab: those that wait longest first, closed ones newest first."""
    if not person.is_staff:
        raise Forbidden
    wanted = _listed(person, tab, search.strip())
    rooms = list(db.session.scalars(wanted.limit(LIST_LIMIT)))
    ids = [room.id for room in rooms]
    unread, last, waiting = chat_unread.unread_by_room(ids), _last_messages(ids), _waiting(ids)
    shown = [
        Line(room, chat_rooms.name_of(room), last.get(room.id), unread.get(room.id, 0), waiting.get(room.id))
        for room in rooms
    ]
    if tab is Tab.CLOSED:
        return shown
    # Who waits longest comes first; the others keep the order of their last message.
    return sorted(shown, key=lambda line: (line.waiting_since is None, line.waiting_since or clock.now()))


def counts(person: Person) -> dict[Tab, int]:
    """How many conversations each tab holds."""
    return {
        tab: db.session.scalar(select(func.count()).select_from(ChatRoom).where(*_conditions(person, tab))) or 0
        for tab in Tab
    }


def assign(person: Person, public_id: str, *, to_user_id: int | None, seen_version: int) -> ChatRoom:
    """Put somebody in charge, or nobody. Raises ``TakenMeanwhile`` when a colleague was faster."""
    room = chat_rooms.enter_as_staff(person, public_id)
    if to_user_id is not None:
        colleague = db.session.get(User, to_user_id)
        if colleague is None or not may(colleague, Permission.ANSWER_SUPPORT):
            raise NotFound
    return _changed(person, room, seen_version, "support.room_assigned", assigned_to_id=to_user_id)


def label(person: Person, public_id: str, *, labels: list[str], seen_version: int) -> ChatRoom:
    """Set the labels of a conversation. Raises ``BadLabel``, ``TakenMeanwhile``."""
    room = chat_rooms.enter_as_staff(person, public_id)
    wanted = list(dict.fromkeys(tidy for text in labels if (tidy := " ".join(text.split()))))
    if len(wanted) > MAX_LABELS or any(len(text) > MAX_LABEL_LENGTH for text in wanted):
        raise BadLabel(field="labels")
    return _changed(person, room, seen_version, "support.room_labelled", labels=wanted)


def close(person: Person, public_id: str, *, seen_version: int) -> ChatRoom:
    """End a conversation; what it held counts as read. Its owner may take it up again for a week by writing."""
    room = chat_rooms.enter_as_staff(person, public_id, lock=True)
    if room.status is RoomStatus.CLOSED:
        return room
    chat_unread.advance(room, Side.STAFF, room.last_seq)
    return _changed(person, room, seen_version, "support.room_closed", status=RoomStatus.CLOSED, closed_at=clock.now())


def add_note(person: Person, public_id: str, body: str) -> ChatNote:
    """Note among the team. It has no number of its room, so the owner's side can't even see a gap."""
    room = chat_rooms.enter_as_staff(person, public_id)
    note = ChatNote(room_id=room.id, author_id=person.user_id, body=chat_messages.cleaned(body), written_at=clock.now())
    db.session.add(note)
    db.session.flush()
    chat_news.note_written(room, note, person)
    return note


def notes_of(room: ChatRoom) -> list[ChatNote]:
    """Notes on a room, oldest first."""
    return list(
        db.session.scalars(
            select(ChatNote)
            .where(ChatNote.room_id == room.id)
            .options(joinedload(ChatNote.author))
            .order_by(ChatNote.id)
            .limit(200)
        )
    )


def canned_answers() -> list[CannedAnswer]:
    """Answers that agents insert by their shortcut."""
    return list(db.session.scalars(select(CannedAnswer).order_by(CannedAnswer.shortcut)))


def colleagues() -> list[User]:
    """People who may be put in charge."""
    return list(
        db.session.scalars(
            select(User)
            .where(User.role.in_(STAFF_ROLES), User.disabled_at.is_(None), User.deleted_at.is_(None))
            .order_by(User.first_name)
        )
    )


def card_of(room: ChatRoom) -> Card | None:
    """The client's card; None for a visitor, of whom nothing is known."""
    if room.user is None:
        return None
    payments = db.session.scalars(
        select(Payment).where(Payment.user_id == room.user_id).order_by(Payment.created_at.desc()).limit(5)
    )
    enrollments = db.session.scalars(
        select(UserFormationEnrollment)
        .where(UserFormationEnrollment.user_id == room.user_id)
        .options(joinedload(UserFormationEnrollment.formation))
        .order_by(UserFormationEnrollment.id.desc())
        .limit(5)
    )
    return Card(room.user, list(payments), list(enrollments))


def _changed(person: Person, room: ChatRoom, seen_version: int, action: str, **values: Any) -> ChatRoom:
    done = db.session.execute(
        update(ChatRoom)
        .where(ChatRoom.id == room.id, ChatRoom.version == seen_version)
        .values(**values, version=ChatRoom.version + 1),
        execution_options={"synchronize_session": False},
    )
    db.session.refresh(room)
    if done.rowcount == 0:  # type: ignore[attr-defined]
        raise TakenMeanwhile(room)
    audit.record(action, "chat_room", room.id, actor=person.user, changes=sorted(values))
    chat_news.room_changed(room)
    return room


def _conditions(person: Person, tab: Tab) -> list[ColumnElement[bool]]:
    status = RoomStatus.CLOSED if tab is Tab.CLOSED else RoomStatus.OPEN
    conditions = [ChatRoom.status == status, ChatRoom.last_seq > 0]
    if tab is Tab.MINE:
        conditions.append(ChatRoom.assigned_to_id == person.user_id)
    return conditions


def _listed(person: Person, tab: Tab, search: str) -> Select[ChatRoom]:
    wanted = (
        select(ChatRoom)
        .where(*_conditions(person, tab))
        .options(joinedload(ChatRoom.user), joinedload(ChatRoom.assigned_to))
        .order_by(ChatRoom.last_message_at.desc())
    )
    if not search:
        return wanted
    owner = aliased(User)
    pattern = "%" + search.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    names = owner.first_name + " " + owner.last_name
    texts = (names, owner.email, ChatRoom.visitor_name, ChatRoom.visitor_email)
    said = select(ChatMessage.id).where(
        and_(ChatMessage.room_id == ChatRoom.id, ChatMessage.body.ilike(pattern, escape="\\"))
    )
    return wanted.outerjoin(owner, owner.id == ChatRoom.user_id).where(
        or_(*(text.ilike(pattern, escape="\\") for text in texts), said.exists())
    )


def _last_messages(room_ids: list[int]) -> dict[int, ChatMessage]:
    rows = db.session.scalars(
        select(ChatMessage)
        .join(ChatRoom, (ChatRoom.id == ChatMessage.room_id) & (ChatRoom.last_seq == ChatMessage.seq))
        .where(ChatRoom.id.in_(room_ids))
        .options(joinedload(ChatMessage.sender))
    )
    return {message.room_id: message for message in rows}


def _waiting(room_ids: list[int]) -> dict[int, datetime]:
    answer = aliased(ChatMessage)
    answered = (
        select(func.coalesce(func.max(answer.seq), 0))
        .where(answer.room_id == ChatMessage.room_id, answer.sender_kind == SenderKind.AGENT)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(ChatMessage.room_id, func.min(ChatMessage.sent_at))
        .where(
            ChatMessage.room_id.in_(room_ids),
            ChatMessage.sender_kind.in_(FROM_OWNER),
            ChatMessage.seq > answered,
        )
        .group_by(ChatMessage.room_id)
    )
    return dict(rows.all())
