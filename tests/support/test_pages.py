"""The conversation and the inbox without any script: pages read, forms post, nothing is lost or doubled."""

import re
import uuid
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.models.account import Channel, User
from calmness.models.delivery import Delivery
from calmness.models.settings import Setting
from calmness.models.support import ChatMessage, ChatRoom, RoomStatus
from calmness.services.account import preferences
from calmness.services.support import chat_away, chat_messages, chat_rooms, chat_unread
from calmness.services.support.chat_rooms import Person
from tests import factories

ClientFor = Callable[[User], FlaskClient]


def write(browser: FlaskClient, body: str, **more: str) -> int:
    data = {"body": body, "client_id": str(uuid.uuid4()), "seen": "0", **more}
    return browser.post("/support", data=data).status_code


def test_a_visitor_without_scripts_writes_and_finds_the_conversation_again(visitor: FlaskClient) -> None:
    assert write(visitor, "Bonjour <b>O'Brien-Ñandú</b> !") == 302

    page = visitor.get("/support").get_data(as_text=True)

    assert "Bonjour &lt;b&gt;O&#39;Brien-Ñandú&lt;/b&gt; !" in page
    assert "Envoyé" in page


def test_a_form_posted_twice_is_one_message(site: Flask, visitor: FlaskClient) -> None:
    same = str(uuid.uuid4())

    for _turn in range(2):
        write(visitor, "Bonjour", client_id=same)

    assert db.session.scalar(select(func.count()).select_from(ChatMessage)) == 1


def test_an_empty_message_is_refused_and_the_rest_kept(visitor: FlaskClient) -> None:
    answer = visitor.post("/support", data={"body": " ", "name": "Zoé", "client_id": str(uuid.uuid4()), "seen": "0"})

    assert answer.status_code == 422
    assert "Écrivez votre message" in answer.get_data(as_text=True)
    assert 'value="Zoé"' in answer.get_data(as_text=True)


def test_another_browser_sees_nothing(site: Flask, visitor: FlaskClient) -> None:
    write(visitor, "Mon numéro est le 42")
    room = db.session.scalars(select(ChatRoom)).one()
    other = site.test_client()

    assert "le 42" not in other.get("/support").get_data(as_text=True)
    assert other.get(f"/support/{room.public_id}").status_code == 404


def test_the_agent_answers_by_form_and_both_badges_are_right(
    site: Flask, visitor: FlaskClient, client_for: ClientFor
) -> None:
    nadia = factories.agent(first_name="Nadia")
    desk = client_for(nadia)
    write(visitor, "Bonjour")
    room = db.session.scalars(select(ChatRoom)).one()
    assert "1 messages non lus" in desk.get("/admin/support").get_data(as_text=True)

    data = {"body": "Bonjour, je vous écoute.", "client_id": str(uuid.uuid4()), "seen": "1"}
    answer = desk.post(f"/admin/support/{room.public_id}/reponse", data=data)

    assert answer.status_code == 302
    db.session.expire_all()
    assert chat_unread.unread_of_staff() == 0
    assert room.assigned_to_id == nadia.id
    page = visitor.get("/support").get_data(as_text=True)
    assert "je vous écoute" in page
    assert "Nadia" in page
    visitor.post("/support/lecture", data={"seen": "2"})
    db.session.expire_all()
    assert chat_unread.unread_of_owner(room) == 0


def test_closing_by_form_tells_who_was_faster(site: Flask, visitor: FlaskClient, client_for: ClientFor) -> None:
    desk = client_for(factories.agent())
    write(visitor, "Bonjour")
    room = db.session.scalars(select(ChatRoom)).one()
    address, seen = f"/admin/support/{room.public_id}", str(room.version)

    desk.post(f"{address}/etiquettes", data={"labels": "Virement, Urgent", "version": seen})
    stale = desk.post(f"{address}/cloture", data={"version": seen}, follow_redirects=True)
    db.session.expire_all()
    assert "a changé entre-temps" in stale.get_data(as_text=True)
    assert (room.labels, room.status) == (["Virement", "Urgent"], RoomStatus.OPEN)

    desk.post(f"{address}/cloture", data={"version": str(room.version)})
    db.session.expire_all()
    assert room.status is RoomStatus.CLOSED


def test_the_card_shows_a_students_account_and_nothing_of_a_visitor(
    site: Flask, visitor: FlaskClient, client_for: ClientFor
) -> None:
    student = factories.student(first_name="Camille")
    desk = client_for(factories.agent())
    write(client_for(student), "Ma facture ?")
    write(visitor, "Bonjour", name="Zoé", email="zoe@example.test")
    own, anonymous = db.session.scalars(select(ChatRoom).order_by(ChatRoom.id))

    assert student.email in desk.get(f"/admin/support/{own.public_id}").get_data(as_text=True)
    assert "Visiteur sans compte" in desk.get(f"/admin/support/{anonymous.public_id}").get_data(as_text=True)


def test_a_student_reaches_no_inbox(client_for: ClientFor) -> None:
    assert client_for(factories.student()).get("/admin/support").status_code == 403


def test_the_log_in_takes_the_conversation_along_and_the_log_out_leaves_nothing(
    site: Flask, client_for: ClientFor
) -> None:
    student = factories.student()
    browser = client_for(student)
    write(browser, "Mon virement est parti")
    assert "Mon virement" in browser.get("/support").get_data(as_text=True)

    browser.set_cookie("ct_visitor", "anything")
    answer = browser.post("/deconnexion")

    assert re.search(r"ct_visitor=;.*Max-Age=0", "\n".join(answer.headers.getlist("Set-Cookie")))
    assert "Mon virement" not in browser.get("/support").get_data(as_text=True)


def test_the_widget_is_on_pages_but_the_admins_and_can_be_switched_off(
    site: Flask, visitor: FlaskClient, client_for: ClientFor
) -> None:
    student = factories.student()
    browser = client_for(student)
    assert "chat-launcher" in visitor.get("/connexion").get_data(as_text=True)
    assert "chat-launcher" in browser.get("/espace/notifications").get_data(as_text=True)
    assert "chat-launcher" not in client_for(factories.admin()).get("/admin/support").get_data(as_text=True)

    preferences.set_feature(student.id, preferences.Feature.CHAT_WIDGET, False)

    assert "chat-launcher" not in browser.get("/espace/notifications").get_data(as_text=True)


def test_hours_set_by_the_school_stand_on_the_page(site: Flask, visitor: FlaskClient) -> None:
    from calmness import clock

    closed = {"from": "2020-01-01", "to": "2099-12-31", "ranges": [], "text": "Congés d’été."}
    db.session.add(Setting(key="support.hours", value={"exceptions": [closed]}, updated_at=clock.now()))

    page = visitor.get("/support").get_data(as_text=True)

    assert "Congés d’été." in page


def test_an_answer_to_somebody_away_is_told_once_for_a_batch(site: Flask) -> None:
    student, agent = factories.student(), Person(factories.agent())
    room = chat_rooms.open_own(Person(student))
    chat_messages.send(Person(student), room.public_id, client_id="question-1", body="Bonjour ?")
    for number in range(3):
        chat_messages.send(agent, room.public_id, client_id=f"answer-{number:02d}", body="Bonjour.")

    assert [chat_away.tell(room.id) for _turn in range(3)] == [True, False, False]

    chat_messages.mark_read(Person(student), room.public_id, 4)
    assert not chat_away.tell(room.id)


def test_a_visitor_who_left_an_address_gets_the_answer_by_mail(site: Flask) -> None:
    visitor, agent = Person(None, "a" * 64), Person(factories.agent())
    room = chat_rooms.open_own(visitor)
    chat_rooms.introduce(room, name="Zoé", email="zoe@example.test")
    chat_messages.send(visitor, room.public_id, client_id="question-1", body="Bonjour ?")
    chat_messages.send(agent, room.public_id, client_id="answer-01", body="Bonjour Zoé.")

    assert chat_away.tell(room.id)

    sent = db.session.scalars(select(Delivery)).one()
    assert (sent.channel, sent.address) == (Channel.EMAIL, "zoe@example.test")
