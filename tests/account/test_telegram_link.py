"""Tying a Telegram chat to an account."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from calmness.extensions import db
from calmness.models.account import Channel, ChannelIdentity, User
from calmness.models.delivery import Delivery
from tests import factories

SECRET = "webhook-secret"
LogIn = Callable[[User], FlaskClient]


@pytest.fixture(autouse=True)
def bot(site: Flask) -> Iterator[None]:
    before = {name: site.config[name] for name in ("TELEGRAM_BOT_NAME", "TELEGRAM_WEBHOOK_SECRET")}
    site.config.update(TELEGRAM_BOT_NAME="CalmnessBot", TELEGRAM_WEBHOOK_SECRET=SECRET)
    yield
    site.config.update(before)


def token_of(browser: FlaskClient) -> str:
    page = browser.post("/espace/profil/telegram").text
    return re.findall(r"https://t\.me/CalmnessBot\?start=([\w-]+)", page)[0]


def send(visitor: FlaskClient, text: str, update_id: int = 1, secret: str = SECRET, **chat: Any) -> TestResponse:
    message = {"chat": {"id": 4242, "type": "private", "first_name": "Zoé\u202e"} | chat, "text": text}
    return visitor.post(
        "/hooks/telegram",
        json={"update_id": update_id, "message": message},
        headers={"X-Telegram-Bot-Api-Secret-Token": secret},
    )


def linked() -> list[tuple[int | None, str]]:
    rows = db.session.execute(
        select(ChannelIdentity.user_id, ChannelIdentity.external_id).where(
            ChannelIdentity.channel == Channel.TELEGRAM, ChannelIdentity.disabled_at.is_(None)
        )
    )
    return [(user_id, chat) for user_id, chat in rows]


def test_the_link_ties_the_chat_greets_there_and_can_be_undone(client_for: LogIn, visitor: FlaskClient) -> None:
    user = factories.student()
    browser = client_for(user)

    assert send(visitor, f"/start {token_of(browser)}").get_json() == {"ok": True}

    assert linked() == [(user.id, "4242")]
    channels = db.session.scalars(select(Delivery.channel).where(Delivery.user_id == user.id)).all()
    assert Channel.TELEGRAM in channels
    assert "Relié" in browser.get("/espace/profil").text
    number = db.session.scalars(select(ChannelIdentity.id)).one()
    assert client_for(factories.student()).post(f"/espace/profil/canaux/{number}/fin").status_code == 404
    browser.post(f"/espace/profil/canaux/{number}/fin")
    db.session.expire_all()
    assert linked() == []


def test_a_link_works_once_and_a_repeated_update_changes_nothing(client_for: LogIn, visitor: FlaskClient) -> None:
    user = factories.student()
    token = token_of(client_for(user))

    send(visitor, f"/start {token}", update_id=1)
    send(visitor, f"/start {token}", update_id=1)
    send(visitor, f"/start {token}", update_id=2, id=6666)

    assert linked() == [(user.id, "4242")]


@pytest.mark.parametrize("secret", ["", "guessed", "é"])
def test_without_the_secret_nothing_is_read(client_for: LogIn, visitor: FlaskClient, secret: str) -> None:
    token = token_of(client_for(factories.student()))

    answer = send(visitor, f"/start {token}", secret=secret)

    assert answer.status_code == 403
    assert linked() == []


@pytest.mark.parametrize(
    "update",
    [
        None,
        [],
        {},
        {"update_id": "1"},
        {"update_id": 1, "message": []},
        {"update_id": 2, "message": {"chat": 7, "text": "/start x"}},
        {"update_id": 3, "message": {"chat": {"type": "private", "id": 1}, "text": "/start nonsense"}},
        {"update_id": 4, "message": {"chat": {"type": "private", "id": 1}, "text": ["/start"]}},
    ],
)
def test_odd_updates_are_taken_and_forgotten(visitor: FlaskClient, update: Any) -> None:
    answer = visitor.post("/hooks/telegram", json=update, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET})

    assert answer.status_code == 200
    assert linked() == []


def test_a_group_cannot_be_tied_to_a_person(client_for: LogIn, visitor: FlaskClient) -> None:
    token = token_of(client_for(factories.student()))

    send(visitor, f"/start {token}", type="group")

    assert linked() == []
