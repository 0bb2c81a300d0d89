"""An open page hears of a sync and of the figures computed after it."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from time_machine import TimeMachineFixture

from calmness.models.account import User
from tests import factories
from tests.fixtures.site import Socket
from tests.trading.terminal import NOW, linked, trade, work
from tests.trading.test_old_ea import message, send

ClientFor = Callable[[User], FlaskClient]
SocketFor = Callable[..., Socket]


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def test_the_first_contact_turns_the_page_green_even_without_a_trade(
    site: Flask, client_for: ClientFor, socket_for: SocketFor
) -> None:
    account, ea = linked(site)
    browser = client_for(account.user)
    socket = socket_for(browser)
    page = f"/espace/metatrader/{account.id}"
    assert "En attente du premier contact" in browser.get(page).text
    socket.received()

    ea.sync()

    (news,) = socket.received("account:updated")
    assert news["account_id"] == account.id
    assert "Connecté" in browser.get(page).text


def test_a_sync_and_the_figures_after_it_are_told_to_the_owner_alone(
    site: Flask, client_for: ClientFor, socket_for: SocketFor
) -> None:
    account, ea = linked(site)
    owner, stranger = socket_for(client_for(account.user)), socket_for(client_for(factories.student()))
    owner.received()
    stranger.received()

    ea.sync(trade(1, "10.00"))
    assert len(owner.received("account:updated")) == 1
    work()

    assert len(owner.received("account:updated")) == 1
    assert stranger.received() == []


def test_a_refused_batch_tells_nothing(site: Flask, client_for: ClientFor, socket_for: SocketFor) -> None:
    account, ea = linked(site)
    socket = socket_for(client_for(account.user))
    socket.received()

    ea.post(b"{")

    assert socket.received("account:updated") == []


def test_the_old_ea_tells_only_what_changed(site: Flask, client_for: ClientFor, socket_for: SocketFor) -> None:
    account, ea = linked(site)
    socket = socket_for(client_for(account.user))
    socket.received()

    send(ea, message())
    send(ea, message())

    assert len(socket.received("account:updated")) == 1
