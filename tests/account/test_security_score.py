"""The account page: how well it is protected, what to do next, whether one may buy, what runs until when."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, Channel, ChannelIdentity, RecoveryCode, TotpSecret, User
from calmness.services.account import api_tokens, security_score
from calmness.services.billing import purchases
from tests import factories
from tests.billing import shop

LogIn = Callable[[User], FlaskClient]


def steps(user: User) -> dict[str, bool]:
    return {step.key: step.earned for step in security_score.of(user).steps}


def test_each_factor_sees_what_it_looks_at(site: Flask) -> None:
    user, now = factories.student(email_verified_at=None), clock.now()
    bare = steps(user)
    bare_percent = security_score.of(user).percent

    user.email_verified_at = now
    identity = ChannelIdentity(
        user_id=user.id, channel=Channel.TELEGRAM, external_id="1", created_at=now, verified_at=now
    )
    totp = TotpSecret(user_id=user.id, secret_encrypted="x", created_at=now, confirmed_at=now)
    codes = [RecoveryCode(code_hash=str(number), user_id=user.id, created_at=now) for number in range(4)]
    db.session.add_all([identity, totp, *codes])
    db.session.flush()

    assert bare == {"email": False, "second_factor": False, "second_channel": False, "devices": True}
    assert bare_percent < 20
    assert all(steps(user).values())
    assert "recovery_codes" in steps(user)
    assert security_score.of(user).percent == 100
    assert security_score.of(user).next is None
    codes[0].used_at = codes[1].used_at = now
    db.session.flush()
    assert steps(user)["recovery_codes"] is False


def test_a_forgotten_device_or_token_counts_against_it(site: Flask, client_for: LogIn) -> None:
    user = factories.student()
    client_for(user)
    api_tokens.create(user, "Tableur", ["account:read"], 365)
    fresh = steps(user)

    opened = db.session.query(AuthSession).one()
    opened.last_seen_at, opened.expires_at = clock.now() - timedelta(days=31), clock.now() + timedelta(days=9)
    api_tokens.living_of(user.id)[0].created_at = clock.now() - timedelta(days=31)
    db.session.flush()

    assert (fresh["devices"], fresh["tokens"]) == (True, True)
    assert (steps(user)["devices"], steps(user)["tokens"]) == (False, False)


def test_a_step_that_cannot_be_done_here_counts_neither_way(site: Flask) -> None:
    user = factories.student()
    without = security_score.of(user, exists=lambda endpoint: endpoint != "account.second_factor_page")

    assert "second_factor" not in {step.key for step in without.steps}
    assert without.percent > security_score.of(user).percent


def test_the_page_says_what_to_do_next_and_links_there(client_for: LogIn) -> None:
    page = client_for(factories.student(email_verified_at=None)).get("/espace/compte").text

    assert "Protection du compte" in page
    assert "Achat impossible pour l’instant" in page


def test_the_page_counts_down_what_runs(site: Flask, client_for: LogIn) -> None:
    user, agent = factories.student(), factories.agent()
    shop.identity()
    payment = shop.submitted(user, shop.signals_offer(), "AB1234")
    purchases.validate_payment(payment.id, "AB1234", by=agent)

    page = client_for(user).get("/espace/compte").text.replace("\u00a0", " ")

    assert "Vous pouvez acheter" in page
    assert "Signaux 30 jours" in page
    assert "30 jours" in page
