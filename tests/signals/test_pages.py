"""What the author, a subscriber and everybody else find on the pages of signals."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.audit import AuditEntry
from calmness.models.signal import Signal, SignalStatus
from calmness.services import signals
from calmness.services.account import preferences
from calmness.services.account.preferences import Feature
from tests import factories
from tests.fixtures.site import Socket
from tests.signals import desk

ClientFor = Callable[[User], FlaskClient]
REASONING = "Rejet net du support hebdomadaire"


def the_signal() -> Signal:
    db.session.rollback()
    return db.session.scalars(select(Signal).order_by(Signal.id.desc())).first() or pytest.fail("no signal")


def test_an_admin_publishes_closes_and_the_journal_knows(site: Flask, client_for: ClientFor) -> None:
    admin = client_for(factories.admin())

    assert admin.post("/admin/signaux", data=desk.form()).status_code == 302
    signal = the_signal()
    assert admin.post(f"/admin/signaux/{signal.id}/cloture", data={"price": "1,09020"}).status_code == 302

    signal = the_signal()
    assert (signal.status, signal.result_r) == (SignalStatus.CLOSED, Decimal("1.5"))
    assert "+1,50" in admin.get("/admin/signaux").text
    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert [action for action in actions if action.startswith("signal.")] == ["signal.published", "signal.closed"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stop": "1.09"}, "Le stop doit être sous l’entrée"),
        ({"targets": "1.09020 ; haut"}, "Séparez les objectifs par un point-virgule"),
        ({"targets": ""}, "Donnez au moins un objectif"),
        ({"entry": "beaucoup"}, "Entrez un prix"),
        ({"conflict_notice": ""}, "Déclarez vos positions"),
    ],
)
def test_a_wrong_field_is_told_beside_it_and_nothing_typed_is_lost(
    site: Flask, client_for: ClientFor, wrong: dict[str, str], said: str
) -> None:
    answer = client_for(factories.admin()).post("/admin/signaux", data=desk.form(**wrong))

    assert answer.status_code == 422
    assert said in answer.text
    assert REASONING in answer.text
    assert db.session.scalar(select(Signal.id)) is None


def test_a_price_with_a_comma_is_read_as_a_french_person_means_it(site: Flask, client_for: ClientFor) -> None:
    client_for(factories.admin()).post("/admin/signaux", data=desk.form(entry="1,08420", stop="1,08020"))

    assert the_signal().entry == Decimal("1.0842")


def test_a_price_that_is_none_closes_nothing(site: Flask, client_for: ClientFor) -> None:
    admin = client_for(factories.admin())
    admin.post("/admin/signaux", data=desk.form())
    signal = the_signal()

    page = admin.post(f"/admin/signaux/{signal.id}/cloture", data={"price": ""}, follow_redirects=True).text

    assert "Entrez le prix de sortie" in page
    assert the_signal().status is SignalStatus.ACTIVE


def test_an_agent_publishes_nothing(site: Flask, client_for: ClientFor) -> None:
    agent = client_for(factories.agent())

    assert agent.post("/admin/signaux", data=desk.form()).status_code == 403
    assert agent.get("/admin/signaux").status_code == 403


def test_a_living_signal_is_for_subscribers_and_an_ended_one_for_all(site: Flask, client_for: ClientFor) -> None:
    author = factories.admin()
    signal = signals.publish(desk.draft(), author=author)
    payer, other = client_for(desk.subscriber()), client_for(factories.student())

    assert REASONING in payer.get(f"/espace/signaux/{signal.id}").text
    refused = other.get(f"/espace/signaux/{signal.id}")
    assert refused.status_code == 404
    assert REASONING not in refused.text
    assert "réservés aux abonnés" in other.get("/espace/signaux").text

    signals.close(signal.id, Decimal("1.09"), by=author)
    db.session.commit()
    assert other.get(f"/espace/signaux/{signal.id}").status_code == 200


def test_each_signal_carries_its_compulsory_notices(site: Flask, client_for: ClientFor) -> None:
    signal = signals.publish(desk.draft(), author=factories.admin(first_name="Inès", last_name="Caron"))

    page = client_for(desk.subscriber()).get(f"/espace/signaux/{signal.id}").text

    for notice in ("Inès Caron", "Formateur", "L’auteur ne détient pas de position", "risque élevé de perte"):
        assert notice in page


def test_a_student_who_switched_signals_off_finds_none(site: Flask, client_for: ClientFor) -> None:
    user = desk.subscriber()
    preferences.set_feature(user.id, Feature.SIGNALS, on=False)
    student = client_for(user)

    assert student.get("/espace/signaux").status_code == 404
    assert 'href="/espace/signaux"' not in student.get("/espace").text


def test_open_pages_of_subscribers_are_told_at_once(
    site: Flask, client_for: ClientFor, socket_for: Callable[..., Socket]
) -> None:
    socket = socket_for(client_for(desk.subscriber()))

    signals.publish(desk.draft(), author=factories.admin())
    db.session.commit()

    assert {"notification:new", "signal:updated"} <= {packet["name"] for packet in socket.received()}


def test_the_prices_of_a_signal_have_equal_decimals(site: Flask, client_for: ClientFor) -> None:
    admin = client_for(factories.admin())
    admin.post("/admin/signaux", data=desk.form(entry="1.0842", stop="1.08021", targets="1.09"))

    page = client_for(desk.subscriber()).get("/espace/signaux").text

    assert all(price in page for price in ("1,08420", "1,08021", "1,09000"))


def test_prices_are_typed_as_text_so_that_every_browser_takes_a_comma(site: Flask, client_for: ClientFor) -> None:
    answer = client_for(factories.admin()).post("/admin/signaux", data=desk.form(entry="1,08420", stop="beaucoup"))

    fields = {name: re.search(rf'<input[^>]*name="{name}"[^>]*>', answer.text) for name in ("entry", "stop")}
    found = {name: tag.group() for name, tag in fields.items() if tag}
    assert all('type="text"' in tag and 'inputmode="decimal"' in tag for tag in found.values())
    assert 'value="1,08420"' in found["entry"]
    assert 'value="beaucoup"' in found["stop"]
