"""The private Telegram channel: let in once by a link for one, taken out at the end, also after downtime."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.jobs import channel_access as jobs
from calmness.jobs.drain import drain_everything
from calmness.models.account import User, UserNotification
from calmness.models.delivery import OutboxTask
from calmness.models.sale import ChannelPass, ChannelPassState
from calmness.services import inbound
from calmness.services.billing import channel_access, purchases, subscriptions
from tests import factories
from tests.billing import shop
from tests.fakes.providers import Providers
from tests.fakes.server import Answer

ClientFor = Callable[[User], FlaskClient]
START = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
PERSON = 424242


@pytest.fixture
def member(site: Flask, providers: Providers) -> User:
    """Somebody who bought thirty days on 1 November, was invited and came in."""
    shop.identity()
    shop.signals_offer()
    user = factories.student(created_at=START - timedelta(days=9))
    renew(user, "AB1234")
    clock_at(START)
    assert providers.telegram.join(str(stay().invite_link), PERSON)
    change: dict[str, Any] = {"invite_link": {"invite_link": stay().invite_link}}
    change |= {"new_chat_member": {"status": "member", "user": {"id": PERSON}}}
    inbound.take_telegram({"update_id": 1, "chat_member": change})
    db.session.commit()
    return user


def renew(user: User, number: str, at: datetime = START) -> None:
    with time_machine.travel(at, tick=False):
        payment = purchases.declare(user, "signaux-30-jours")
        purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
        purchases.validate_payment(payment.id, number, by=factories.agent())
        db.session.commit()


def clock_at(at: datetime) -> None:
    """What clock and worker do at an instant, twice as after a double wake-up."""
    with time_machine.travel(at, tick=False):
        for _turn in range(2):
            subscriptions.end_due()
            jobs.reconcile()
            drain_everything()
    db.session.expire_all()


def stay() -> ChannelPass:
    return db.session.scalars(select(ChannelPass).order_by(ChannelPass.id.desc())).first()  # type: ignore[return-value]


def test_a_subscriber_gets_one_link_for_one(member: User, providers: Providers) -> None:
    assert len(providers.telegram.invitations) == 1
    assert stay().state is ChannelPassState.JOINED
    assert not providers.telegram.join(str(stay().invite_link), 777), "it works once"
    told = [key for key in db.session.scalars(select(UserNotification.key)) if key.startswith("channel-pass")]
    assert told == [f"channel-pass:{stay().id}:invited"]


def test_the_link_is_on_the_page_until_it_was_used(site: Flask, client_for: ClientFor, providers: Providers) -> None:
    shop.identity()
    shop.signals_offer()
    user = factories.student()
    payment = shop.submitted(user, db.session.scalars(select(shop.Offer)).one(), "AB1234")
    purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()
    jobs.reconcile()
    drain_everything()
    db.session.expire_all()
    link = str(stay().invite_link)

    assert link in client_for(user).get("/espace/paiements").text
    channel_access.joined(link, str(PERSON))
    assert link not in client_for(user).get("/espace/paiements").text


def test_the_end_takes_out_once_and_lifts_the_ban(member: User, providers: Providers) -> None:
    clock_at(START + timedelta(days=30, minutes=5))
    clock_at(START + timedelta(days=31))

    assert providers.telegram.members == providers.telegram.banned == set()
    assert stay().state is ChannelPassState.GONE
    bans = [call for call in providers.telegram.calls if call.path.endswith("/banChatMember")]
    assert len(bans) == 1


def test_a_renewal_prolongs_the_stay(member: User, providers: Providers) -> None:
    renew(member, "CD5678", START + timedelta(days=20))

    clock_at(START + timedelta(days=40))

    assert providers.telegram.members == {PERSON}
    assert len(providers.telegram.invitations) == 1


def test_after_weeks_of_downtime_the_person_is_taken_out(member: User, providers: Providers) -> None:
    clock_at(START + timedelta(days=60))

    assert providers.telegram.members == set()


def test_who_comes_back_gets_a_new_link(member: User, providers: Providers) -> None:
    clock_at(START + timedelta(days=31))
    renew(member, "CD5678", START + timedelta(days=40))
    clock_at(START + timedelta(days=40, minutes=5))

    assert len(providers.telegram.invitations) == 2
    assert providers.telegram.join(str(stay().invite_link), PERSON)


def test_telegram_away_delays_and_nothing_more(site: Flask, providers: Providers) -> None:
    shop.identity()
    shop.signals_offer()
    user = factories.student(created_at=START - timedelta(days=9))
    renew(user, "AB1234")
    providers.telegram.fail_next(Answer(502))

    clock_at(START)
    assert stay().state is ChannelPassState.WANTED
    assert db.session.scalars(select(OutboxTask).where(OutboxTask.kind == channel_access.INVITE)).one().error
    clock_at(START + timedelta(minutes=10))

    assert stay().state is ChannelPassState.INVITED


def test_an_unused_invitation_is_closed_at_the_end(site: Flask, providers: Providers) -> None:
    shop.identity()
    shop.signals_offer()
    renew(factories.student(created_at=START - timedelta(days=9)), "AB1234")
    clock_at(START)
    link = str(stay().invite_link)

    clock_at(START + timedelta(days=31))

    assert not providers.telegram.join(link, PERSON)
    assert stay().state is ChannelPassState.GONE


def test_a_link_made_for_a_stay_that_ended_meanwhile_is_closed(
    site: Flask, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.identity()
    shop.signals_offer()
    renew(factories.student(created_at=START - timedelta(days=9)), "AB1234")
    with time_machine.travel(START, tick=False):
        channel_access.reconcile()
        db.session.commit()
    pass_id = stay().id
    monkeypatch.setattr(channel_access, "invited", lambda _pass_id, _link: False)

    jobs.invite({"pass_id": pass_id})

    assert list(providers.telegram.invitations.values()) == [False]
