"""Each message once, in one order, whoever writes and however often it is sent."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from calmness.errors import NotFound
from calmness.extensions import db
from calmness.models.support import ChatMessage, ChatRoom, RoomStatus, SenderKind
from calmness.services.support import chat_desk, chat_messages, chat_rooms, chat_unread
from calmness.services.support.chat_rooms import Person
from tests import factories

VISITOR = Person(None, "a" * 64)
OTHER = Person(None, "b" * 64)


def room_with(person: Person, *bodies: str) -> ChatRoom:
    """The person's room, with messages of the person."""
    room = chat_rooms.open_own(person)
    for number, body in enumerate(bodies):
        chat_messages.send(person, room.public_id, client_id=f"client-{number:04d}", body=body)
    return room


def test_messages_are_numbered_without_hole_in_the_order_of_their_arrival(site: Flask) -> None:
    room = room_with(VISITOR, "Bonjour", "Une question", "Merci")

    page = chat_messages.after(room, 0)

    assert [(message.seq, message.body) for message in page.messages] == [
        (1, "Bonjour"),
        (2, "Une question"),
        (3, "Merci"),
    ]
    assert (page.last_seq, page.more) == (3, False)


def test_a_message_sent_twice_is_one_message(site: Flask) -> None:
    room = room_with(VISITOR, "Bonjour")

    again = chat_messages.send(VISITOR, room.public_id, client_id="client-0000", body="Bonjour")

    assert again.seq == 1
    assert db.session.scalar(select(func.count()).select_from(ChatMessage)) == 1


def test_another_senders_equal_client_id_swallows_nothing(site: Flask) -> None:
    agent = Person(factories.agent())
    room = room_with(VISITOR, "Bonjour")

    answer = chat_messages.send(agent, room.public_id, client_id="client-0000", body="Bonjour, je regarde.")

    assert (answer.seq, answer.sender_kind) == (2, SenderKind.AGENT)


def test_a_message_sent_before_the_log_in_and_again_after_it_is_one_message(site: Flask) -> None:
    room = room_with(VISITOR, "Bonjour")
    student = factories.student()
    chat_rooms.adopt(student.id, "a" * 64)

    again = chat_messages.send(Person(student, "a" * 64), room.public_id, client_id="client-0000", body="Bonjour")

    assert again.seq == 1


def test_two_tabs_open_one_room(site: Flask) -> None:
    assert chat_rooms.open_own(VISITOR).id == chat_rooms.open_own(VISITOR).id
    assert chat_rooms.open_own(OTHER).id != chat_rooms.open_own(VISITOR).id


@pytest.mark.parametrize(
    ("body", "error"), [(" \n\t", chat_messages.EmptyMessage), ("a" * 4001, chat_messages.MessageTooLong)]
)
def test_an_unfit_message_is_refused(site: Flask, body: str, error: type[Exception]) -> None:
    room = chat_rooms.open_own(VISITOR)

    with pytest.raises(error):
        chat_messages.send(VISITOR, room.public_id, client_id="client-0000", body=body)


def test_what_no_database_takes_is_taken_out_of_a_message(site: Flask) -> None:
    assert chat_messages.cleaned("a\x00b\ud800c\r\nd") == "ab?c\nd"


def test_history_comes_in_pages_that_fit_a_frame(site: Flask) -> None:
    room = room_with(VISITOR, *("🙂" * 4000 for _ in range(8)))

    first = chat_messages.after(room, 0)
    rest = chat_messages.after(room, first.messages[-1].seq)

    assert first.more
    assert len(first.messages) < 8
    assert rest.messages[0].seq == first.messages[-1].seq + 1


def test_a_foreign_room_does_not_exist(site: Flask) -> None:
    room = room_with(VISITOR, "Bonjour")

    for stranger in (OTHER, Person(factories.student()), Person()):
        with pytest.raises(NotFound):
            chat_rooms.enter(stranger, room.public_id)


def test_unread_counts_are_exact_on_both_sides_and_never_go_back(site: Flask) -> None:
    agent = Person(factories.agent())
    room = room_with(VISITOR, "Bonjour", "Il y a quelqu’un ?")
    assert (chat_unread.unread_of_staff(), chat_unread.unread_of(VISITOR)) == (2, 0)

    chat_messages.mark_read(agent, room.public_id, 1)
    assert chat_unread.unread_of_staff() == 1
    chat_messages.mark_read(agent, room.public_id, 10**12)
    chat_messages.mark_read(agent, room.public_id, 1)
    assert chat_unread.unread_of_staff() == 0

    chat_messages.send(agent, room.public_id, client_id="answer-0001", body="Oui, bonjour.")
    assert (chat_unread.unread_of_staff(), chat_unread.unread_of(VISITOR)) == (0, 1)
    chat_messages.mark_read(VISITOR, room.public_id, 3)
    assert chat_unread.unread_of(VISITOR) == 0


def test_a_visitors_conversation_belongs_to_the_account_after_the_log_in(site: Flask) -> None:
    room = room_with(VISITOR, "Bonjour")
    student = factories.student()

    assert chat_rooms.adopt(student.id, "a" * 64) == [room.id]
    assert chat_rooms.adopt(factories.student().id, "a" * 64) == []

    assert chat_rooms.open_own(Person(student)).id == room.id
    with pytest.raises(NotFound):
        chat_rooms.enter(VISITOR, room.public_id)
    assert chat_rooms.open_own(VISITOR).id != room.id


def test_an_account_keeps_its_older_conversation_beside_the_visitors(site: Flask) -> None:
    student = factories.student()
    older = room_with(Person(student), "Ma facture ?")
    newer = room_with(VISITOR, "Bonjour")
    chat_rooms.adopt(student.id, "a" * 64)

    assert chat_rooms.open_own(Person(student)).id == newer.id
    assert [room.id for room in chat_rooms.own_rooms(Person(student))] == [newer.id, older.id]


def test_writing_takes_a_closed_conversation_up_again(site: Flask) -> None:
    agent = Person(factories.agent())
    room = room_with(VISITOR, "Bonjour")
    chat_desk.close(agent, room.public_id, seen_version=room.version)
    assert chat_unread.unread_of_staff() == 0

    chat_messages.send(VISITOR, room.public_id, client_id="client-0009", body="Encore une chose")

    assert room.status is RoomStatus.OPEN
    assert chat_unread.unread_of_staff() == 1


def test_the_second_of_two_agents_reads_who_was_faster(site: Flask) -> None:
    nadia, paul = factories.agent(first_name="Nadia"), factories.agent(first_name="Paul")
    room = room_with(VISITOR, "Bonjour")
    seen = room.version

    chat_desk.assign(Person(nadia), room.public_id, to_user_id=nadia.id, seen_version=seen)

    with pytest.raises(chat_desk.TakenMeanwhile) as refused:
        chat_desk.assign(Person(paul), room.public_id, to_user_id=paul.id, seen_version=seen)
    assert "Nadia" in str(refused.value.message)
    assert room.assigned_to_id == nadia.id


def test_the_list_puts_who_waits_longest_first_and_finds_words(site: Flask) -> None:
    agent = Person(factories.agent())
    first = room_with(VISITOR, "Le virement est parti")
    second = room_with(OTHER, "Bonjour")
    chat_messages.send(agent, first.public_id, client_id="answer-0001", body="Bien reçu.")

    lines = chat_desk.lines(agent, chat_desk.Tab.OPEN)

    assert [line.room.id for line in lines] == [second.id, first.id]
    assert [line.unread for line in lines] == [1, 1]
    assert lines[1].waiting_since is None
    assert [line.room.id for line in chat_desk.lines(agent, chat_desk.Tab.OPEN, "virement")] == [first.id]
    assert [line.room.id for line in chat_desk.lines(agent, chat_desk.Tab.MINE)] == [first.id]


def test_an_empty_room_never_shows_in_the_list(site: Flask) -> None:
    chat_rooms.open_own(VISITOR)

    assert chat_desk.lines(Person(factories.agent()), chat_desk.Tab.OPEN) == []
