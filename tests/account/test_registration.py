"""Creating an account and confirming its address."""

from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import Consent, OneTimeToken, User
from calmness.services.account import names
from tests import factories
from tests.account.people import PASSWORD, log_in, path_in_mail, register
from tests.fixtures.servers import Mailbox


def test_a_new_person_confirms_the_address_and_logs_in(visitor: FlaskClient, mailbox: Mailbox) -> None:
    answer = register(visitor, first_name="O'Brien-Ñandú <b>", email="  Zoe.Ferrand@Example.TEST ")
    assert answer.location == "/inscription/merci"
    path = path_in_mail(mailbox, "Zoe.Ferrand@Example.TEST", "/verification/")

    assert "Un dernier clic" in visitor.get(path).text
    assert visitor.post(path).location == "/connexion"

    user = db.session.scalars(select(User)).one()
    assert (user.email, user.email_key) == ("Zoe.Ferrand@Example.TEST", "zoe.ferrand@example.test")
    assert user.first_name == "O'Brien-Ñandú <b>"
    assert user.email_verified_at is not None
    assert log_in(visitor, "ZOE.FERRAND@example.test").location == "/espace"
    assert "O&#39;Brien-Ñandú &lt;b&gt;" in visitor.get("/espace/profil").text


def test_the_link_of_the_mail_is_kept_as_a_hash_only(visitor: FlaskClient, mailbox: Mailbox) -> None:
    register(visitor)
    secret = path_in_mail(mailbox, "zoe@example.test", "/verification/").rsplit("/", 1)[-1]

    assert db.session.scalars(select(OneTimeToken.token_hash)).one() != secret
    assert db.session.scalars(select(Consent.purpose)).all() == ["terms"]


def test_opening_the_link_alone_confirms_nothing(visitor: FlaskClient, mailbox: Mailbox) -> None:
    register(visitor)
    path = path_in_mail(mailbox, "zoe@example.test", "/verification/")

    answer = visitor.get(path)

    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert db.session.scalars(select(User.email_verified_at)).one() is None


def test_a_double_click_on_the_link_confirms_once(visitor: FlaskClient, mailbox: Mailbox) -> None:
    register(visitor)
    path = path_in_mail(mailbox, "zoe@example.test", "/verification/")

    answers = [visitor.post(path), visitor.post(path)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert "déjà confirmée" in visitor.get(path).text


def test_a_link_older_than_a_day_is_refused_and_says_what_to_do(visitor: FlaskClient, mailbox: Mailbox) -> None:
    register(visitor)
    path = path_in_mail(mailbox, "zoe@example.test", "/verification/")

    with time_machine.travel(clock.now() + timedelta(hours=25), tick=False):
        answers = [visitor.get(path), visitor.post(path)]

    assert [answer.status_code for answer in answers] == [410, 410]
    assert "pour en demander un nouveau" in answers[1].text
    assert db.session.scalars(select(User.email_verified_at)).one() is None


def test_somebody_logged_in_gets_a_new_link_and_the_first_still_works(visitor: FlaskClient, mailbox: Mailbox) -> None:
    register(visitor)
    first = path_in_mail(mailbox, "zoe@example.test", "/verification/")
    log_in(visitor, "zoe@example.test")

    visitor.post("/verification")
    second = path_in_mail(mailbox, "zoe@example.test", "/verification/")

    assert first != second
    assert visitor.post(first).location == "/espace"


def test_a_known_address_gets_the_same_answer_and_another_mail(visitor: FlaskClient, mailbox: Mailbox) -> None:
    owner = factories.student(email="zoe@example.test")

    answer = register(visitor, email="ZOE@example.test", first_name="Somebody")
    drain_everything()

    assert (answer.status_code, answer.location) == (302, "/inscription/merci")
    assert [message["Subject"] for message in mailbox.to("zoe@example.test")] == ["Vous avez déjà un compte"]
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    assert owner.first_name == "Élodie"


def test_the_form_sent_twice_makes_one_account(visitor: FlaskClient, mailbox: Mailbox) -> None:
    answers = [register(visitor), register(visitor)]

    assert {answer.status_code for answer in answers} == {302}
    assert db.session.scalar(select(func.count()).select_from(User)) == 1


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("email", "zoe@", "adresse e-mail complète"),
        ("email", "zoe@example.test\x00", "adresse e-mail complète"),
        ("email", "zoe@exa mple.test", "adresse e-mail complète"),
        ("email", "zoe@ex\u0430mple.test", "alphabets qui se ressemblent"),
        ("password", "basketball1234567", "listes volées"),
        ("password", "court", "au moins 12 caractères"),
        ("password", "zoe example zoe", "plus difficile à deviner"),
        ("password", "é" * 129, "ne peut pas dépasser 128"),
        ("first_name", " \u202e ", "Entrez votre prénom"),
        ("first_name", "\u3164", "Entrez votre prénom"),
        ("first_name", "\u0410dmin", "mélange des alphabets"),
        ("adult", "", "réservé aux personnes majeures"),
        ("terms", "", "Acceptez les conditions"),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_typed(
    visitor: FlaskClient, field: str, value: str, told: str
) -> None:
    answer = register(visitor, **{"last_name": "Ñandú <b>", field: value})

    assert answer.status_code == 422
    assert told in answer.text
    assert "Ñandú &lt;b&gt;" in answer.text
    assert PASSWORD not in answer.text
    assert db.session.scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zoe@example.test", "ZOE@EXAMPLE.TEST"),
        ("oﬀice@example.test", "office@example.test"),
        ("zoe@bücher.test", "zoe@xn--bcher-kva.test"),
        ("zoé@example.test", "zoe\u0301@example.test"),
        ("straße@example.test", "STRASSE@example.test"),
    ],
)
def test_spellings_of_one_address_are_one_account(one: str, other: str) -> None:
    assert names.email_key(one) == names.email_key(other)


def test_control_and_direction_characters_leave_names() -> None:
    assert names.clean_name(" Jean\r\nBcc:\u202ePaul\x00 ") == "Jean Bcc: Paul"
