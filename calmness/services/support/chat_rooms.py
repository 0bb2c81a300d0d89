"""Conversations: whose they are, who may enter them, who of the team looks after them."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, false, or_, select, update

from calmness import clock
from calmness.errors import Conflict, Forbidden, NotFound
from calmness.extensions import db
from calmness.models.account import Channel, User
from calmness.models.dialect import insert_once
from calmness.models.support import ChatRoom, RoomStatus
from calmness.permissions import Permission, may
from calmness.services.account import names

REOPEN_WITHIN = timedelta(days=7)


class Side(StrEnum):
    """The two sides of a conversation; also the name under which each keeps its read mark."""

    OWNER = "owner"
    STAFF = "staff"


@dataclass(frozen=True)
class Person:
    """Who knocks: an account, an anonymous browser, or an account in a browser that wrote before it logged in."""

    user: User | None = None
    visitor_hash: str | None = None

    @property
    def user_id(self) -> int | None:
        """Number of the account."""
        return self.user.id if self.user else None

    @property
    def is_staff(self) -> bool:
        """Whether the person may answer others."""
        return self.user is not None and may(self.user, Permission.ANSWER_SUPPORT)

    @property
    def is_known(self) -> bool:
        """Whether the person can have a conversation at all."""
        return self.user is not None or self.visitor_hash is not None


class RoomClosed(Conflict):
    """The conversation ended too long ago to be taken up again."""

    slug = "room-closed"
    message = _l("Cette conversation est terminée. Votre message ouvre une nouvelle conversation.")


def owned_by(person: Person) -> ColumnElement[bool]:
    """Condition: the room is the person's own. A browser's cookie opens only rooms that no account has taken."""
    mine: list[ColumnElement[bool]] = []
    if person.user_id is not None:
        mine.append(ChatRoom.user_id == person.user_id)
    if person.visitor_hash is not None:
        mine.append(and_(ChatRoom.user_id.is_(None), ChatRoom.visitor_hash == person.visitor_hash))
    return or_(*mine) if mine else false()


def current_of(person: Person) -> ChatRoom | None:
    """The person's open conversation; the newest one when a visitor's was taken over beside an older one."""
    return db.session.scalar(
        select(ChatRoom)
        .where(owned_by(person), ChatRoom.status == RoomStatus.OPEN, ChatRoom.channel == Channel.SITE)
        .order_by(ChatRoom.last_message_at.desc().nulls_last(), ChatRoom.id.desc())
        .limit(1)
    )


def open_own(person: Person) -> ChatRoom:
    """The person's open conversation, made if there is none. Raises ``Forbidden`` for a browser without a cookie."""
    if not person.is_known:
        raise Forbidden
    if person.user_id is not None and person.visitor_hash is not None:
        adopt(person.user_id, person.visitor_hash)
    room = current_of(person)
    if room is not None:
        return room
    row: dict[str, Any] = {
        "public_id": str(uuid.uuid4()),
        "user_id": person.user_id,
        "visitor_hash": None if person.user_id is not None else person.visitor_hash,
        "channel": Channel.SITE,
        "status": RoomStatus.OPEN,
        "labels": [],
        "created_at": clock.now(),
    }
    # Two tabs at once: the partial unique index lets one in, both read the same row.
    insert_once(db.session(), ChatRoom, [row])
    made = current_of(person)
    if made is None:
        raise NotFound
    return made


def own_rooms(person: Person, *, limit: int = 20, offset: int = 0) -> list[ChatRoom]:
    """The person's conversations that hold something, newest first."""
    return list(
        db.session.scalars(
            select(ChatRoom)
            .where(owned_by(person), ChatRoom.last_seq > 0)
            .order_by(ChatRoom.last_message_at.desc(), ChatRoom.id.desc())
            .limit(limit)
            .offset(offset)
        )
    )


def enter(person: Person, public_id: str, *, lock: bool = False) -> tuple[ChatRoom, Side]:
    """A room and the side on which the person stands in it. Raises ``NotFound``, in the same words for a foreign
    room as for none. ``lock`` holds the room until the transaction ends.
    """
    wanted = select(ChatRoom).where(ChatRoom.public_id == public_id)
    if not person.is_staff:
        wanted = wanted.where(owned_by(person))
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    room = db.session.scalar(wanted)
    if room is None:
        raise NotFound
    return room, side_of(person, room)


def side_of(person: Person, room: ChatRoom) -> Side:
    """Somebody of the team who writes from the widget is the owner of that room, not its agent."""
    if room.user_id is not None:
        return Side.OWNER if room.user_id == person.user_id else Side.STAFF
    return Side.OWNER if room.visitor_hash == person.visitor_hash else Side.STAFF


def enter_as_staff(person: Person, public_id: str, *, lock: bool = False) -> ChatRoom:
    """A room for somebody of the team. Raises ``Forbidden`` for everybody else."""
    if not person.is_staff:
        raise Forbidden
    return enter(person, public_id, lock=lock)[0]


def adopt(user_id: int, visitor_hash: str) -> list[int]:
    """Give an account the conversations that its browser had before the log-in, once; gives their numbers."""
    return list(
        db.session.scalars(
            update(ChatRoom)
            .where(ChatRoom.visitor_hash == visitor_hash, ChatRoom.user_id.is_(None))
            .values(user_id=user_id, version=ChatRoom.version + 1)
            .returning(ChatRoom.id),
            execution_options={"synchronize_session": False},
        )
    )


def reopen(room: ChatRoom, at: datetime) -> None:
    """Take a closed conversation up again. Raises ``RoomClosed`` when it is too old or another one is open."""
    owner = Person(room.user, None if room.user_id is not None else room.visitor_hash)
    if room.closed_at is not None and (at - room.closed_at > REOPEN_WITHIN or current_of(owner) is not None):
        raise RoomClosed
    room.status, room.closed_at = RoomStatus.OPEN, None
    room.version += 1
    db.session.flush()


def introduce(room: ChatRoom, *, name: str, email: str) -> None:
    """Note how a visitor calls themselves; what is left out stays. Nothing of it is verified or joined to anything.

    Raises ``names.MalformedEmail``.
    """
    if email.strip():
        names.email_key(email)
        room.visitor_email = email.strip()[:320]
    room.visitor_name = names.clean_name(name) or room.visitor_name
    db.session.flush()


def name_of(room: ChatRoom) -> str:
    """How the team calls the owner of a room."""
    if room.user is not None:
        return room.user.full_name
    return room.visitor_name or _("Visiteur %(tag)s", tag=room.public_id[:4].upper())


def email_of(room: ChatRoom) -> str:
    """Address of the owner; of a visitor it is only what was typed."""
    return room.user.email if room.user is not None else room.visitor_email
