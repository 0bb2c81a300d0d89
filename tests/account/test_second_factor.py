"""Second factor: set up, asked for at login, codes that work once, recovery codes, switched off."""

import contextvars
import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, RecoveryCode, TotpSecret, User
from calmness.models.audit import AuditEntry
from calmness.services import one_time_codes, sealing, second_factor
from config import JwtKey
from tests.account.people import (
    OTHER_PASSWORD,
    PASSWORD,
    code_now,
    log_in,
    path_in_mail,
    subjects_to,
    texts_to,
    with_factor,
    with_password,
)
from tests.fixtures.servers import Mailbox

LogIn = Callable[[User], FlaskClient]
PAGE = "/espace/compte/double-authentification"
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
CODE = re.compile(r"<code>([A-Z2-7]{5}-[A-Z2-7]{5})</code>")


def later(seconds: float) -> time_machine.travel:
    return time_machine.travel(clock.now() + timedelta(seconds=seconds), tick=False)


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert one_time_codes.code_of(RFC_SECRET, seconds // 30) == code


def test_a_person_sets_it_up_by_qr_code_or_key_and_sees_ten_codes_once(
    site: Flask, client_for: LogIn, mailbox: Mailbox
) -> None:
    user = with_password(email="zoe@example.test")
    browser = client_for(user)

    browser.post(PAGE)
    page = browser.get(PAGE)
    key = second_factor.pending_secret(user) or ""
    code = one_time_codes.code_of(key, one_time_codes.step_at(clock.now()))
    done = browser.post(f"{PAGE}/confirmation", data={"code": f"{code[:3]} {code[3:]}"})

    assert "<svg" in page.text
    assert " ".join(re.findall("....", key)) in page.text
    assert "style=" not in page.text
    assert done.status_code == 201
    assert len(set(CODE.findall(done.text))) == 10
    assert done.headers["Cache-Control"] == "no-store"
    assert not CODE.search(browser.get(PAGE).text)
    stored = db.session.scalars(select(RecoveryCode.code_hash)).all()
    assert len(stored) == 10
    assert all(shown.replace("-", "") not in hashed for shown in CODE.findall(done.text) for hashed in stored)
    assert key not in db.session.scalars(select(TotpSecret.secret_encrypted)).one()
    assert db.session.scalars(select(AuthSession.mfa_at)).one() is not None
    assert "second_factor.turned_on" in db.session.scalars(select(AuditEntry.action)).all()


def test_it_does_not_count_before_a_right_code(site: Flask, client_for: LogIn, visitor: FlaskClient) -> None:
    browser = client_for(with_password(email="zoe@example.test"))
    browser.post(PAGE)

    wrong = browser.post(f"{PAGE}/confirmation", data={"code": "000000"})

    assert wrong.status_code == 422
    assert "Ce code ne convient pas" in wrong.text
    assert "<svg" in wrong.text
    assert log_in(visitor, "zoe@example.test").location == "/espace"


def test_the_key_is_shown_only_just_after_a_proof_of_identity(client_for: LogIn) -> None:
    browser = client_for(with_password(email="zoe@example.test"))
    browser.post(PAGE)

    with later(11 * 60):
        assert "Copier la clé" not in browser.get(PAGE).text
        assert browser.post(PAGE).location.startswith("/confirmation?next=")


def test_login_asks_for_the_code_and_leads_where_the_person_wanted_to_go(site: Flask, visitor: FlaskClient) -> None:
    _user, key = with_factor(email="zoe@example.test")

    asked = log_in(visitor, "zoe@example.test", next="/espace/notifications?page=2", persistent="y")
    form = visitor.get(asked.location)
    done = visitor.post(asked.location, data={"code": code_now(key), "next": "/espace/notifications?page=2"})

    assert asked.location == "/connexion/code?next=/espace/notifications?page%3D2"
    assert 'autocomplete="one-time-code"' in form.text
    assert 'name="next" value="/espace/notifications?page=2"' in form.text
    assert done.location == "/espace/notifications?page=2"
    opened = db.session.scalars(select(AuthSession)).one()
    assert (opened.persistent, opened.mfa_at is not None) == (True, True)


def test_the_right_password_alone_opens_nothing(site: Flask, visitor: FlaskClient) -> None:
    with_factor(email="zoe@example.test")

    log_in(visitor, "zoe@example.test")

    assert visitor.get("/espace/profil").location.startswith("/connexion")
    assert db.session.scalar(select(func.count()).select_from(AuthSession)) == 0


@pytest.mark.parametrize("target", ["//evil.test", "/\\evil.test", "https://evil.test/"])
def test_next_stays_on_this_site_through_the_second_step(visitor: FlaskClient, target: str) -> None:
    _user, key = with_factor(email="zoe@example.test")
    asked = log_in(visitor, "zoe@example.test", next=target)

    assert asked.location == "/connexion/code"
    assert visitor.post(asked.location, data={"code": code_now(key), "next": target}).location == "/espace"


def test_a_code_is_never_taken_twice(site: Flask) -> None:
    _user, key = with_factor(email="zoe@example.test")
    first, second = site.test_client(), site.test_client()
    code = code_now(key)
    for browser in (first, second):
        log_in(browser, "zoe@example.test")

    taken = first.post("/connexion/code", data={"code": code})
    again = second.post("/connexion/code", data={"code": code})

    assert taken.location == "/espace"
    assert again.status_code == 401


def test_an_older_code_is_not_taken_after_a_newer_one(site: Flask, visitor: FlaskClient) -> None:
    user, key = with_factor(email="zoe@example.test")
    step = one_time_codes.step_at(clock.now())

    second_factor.check(user, one_time_codes.code_of(key, step + 1), "198.51.100.1")

    with pytest.raises(second_factor.WrongCode):
        second_factor.check(user, one_time_codes.code_of(key, step), "198.51.100.1")


def test_of_many_who_present_one_code_at_once_one_passes(site: Flask) -> None:
    user, key = with_factor(email="zoe@example.test")
    number, code, barrier, passed = user.id, code_now(key), threading.Barrier(4), []
    db.session.commit()

    def present() -> None:
        with site.app_context():
            barrier.wait(timeout=60)
            person = db.session.get_one(User, number)
            try:
                second_factor.check(person, code, "198.51.100.1")
                passed.append(True)
            except second_factor.WrongCode:
                pass
            db.session.commit()
            db.session.remove()

    threads = [threading.Thread(target=contextvars.Context().run, args=(present,)) for _turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert passed == [True]


@pytest.mark.parametrize(("seconds", "status"), [(-29, 302), (29, 302), (-95, 401), (95, 401)])
def test_half_a_minute_of_drift_is_tolerated_and_no_more(visitor: FlaskClient, seconds: int, status: int) -> None:
    _user, key = with_factor(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")

    code = one_time_codes.code_of(key, one_time_codes.step_at(clock.now() + timedelta(seconds=seconds)))

    assert visitor.post("/connexion/code", data={"code": code}).status_code == status


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "٣٤٥٦٧٨", "😀", "000000' OR 1=1", "x" * 40])
def test_what_is_no_code_is_refused_without_harm(visitor: FlaskClient, code: str) -> None:
    with_factor(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")

    assert visitor.post("/connexion/code", data={"code": code}).status_code in {401, 422}


def test_guesses_are_slowed_and_the_owner_is_told(visitor: FlaskClient, mailbox: Mailbox) -> None:
    _user, key = with_factor(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")

    answers = [visitor.post("/connexion/code", data={"code": "00000x"}) for _try in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].headers["Retry-After"]
    assert "Quelqu’un essaie des codes sur votre compte" in subjects_to(mailbox, "zoe@example.test")
    with later(16 * 60):
        asked = log_in(visitor, "zoe@example.test")
        assert visitor.post(asked.location, data={"code": code_now(key)}).location == "/espace"


def test_a_recovery_code_replaces_the_app_once(site: Flask, visitor: FlaskClient, mailbox: Mailbox) -> None:
    user, _key = with_factor(email="zoe@example.test")
    codes = second_factor.renew_recovery_codes(user)
    db.session.commit()
    asked = log_in(visitor, "zoe@example.test")
    assert "Code de secours" in visitor.get(f"{asked.location}?secours=1").text

    first = visitor.post(asked.location, data={"code": codes[0].lower().replace("-", " ")})
    other = site.test_client()
    log_in(other, "zoe@example.test")
    again = other.post("/connexion/code", data={"code": codes[0]})

    assert first.location == "/espace"
    assert again.status_code == 401
    assert second_factor.recovery_codes_left(user.id) == 9
    assert "Un code de secours a servi" in subjects_to(mailbox, "zoe@example.test")
    assert "Codes restants\u00a0: 9." in texts_to(mailbox, "zoe@example.test")


def test_a_recovery_code_of_somebody_else_opens_nothing(visitor: FlaskClient) -> None:
    other, _key = with_factor(email="max@example.test")
    codes = second_factor.renew_recovery_codes(other)
    with_factor(email="zoe@example.test")
    asked = log_in(visitor, "zoe@example.test")

    assert visitor.post(asked.location, data={"code": codes[0]}).status_code == 401


def test_a_recovery_code_of_digits_alone_is_one_all_the_same(site: Flask) -> None:
    user, _key = with_factor(email="zoe@example.test")
    hashed = sealing.fingerprints("2345672345", f"totp:{user.id}")[0]
    db.session.add(RecoveryCode(code_hash=hashed, user_id=user.id, created_at=clock.now()))
    db.session.commit()

    assert second_factor.check(user, "23456-72345", "198.51.100.1") is second_factor.Proof.RECOVERY_CODE


def test_new_recovery_codes_end_the_old_ones(client_for: LogIn) -> None:
    user, _key = with_factor(email="zoe@example.test")
    old = second_factor.renew_recovery_codes(user)

    shown = client_for(user).post(f"{PAGE}/codes")

    assert shown.status_code == 201
    assert len(CODE.findall(shown.text)) == 10
    with pytest.raises(second_factor.WrongCode):
        second_factor.check(user, old[0], "198.51.100.1")


@pytest.mark.parametrize("act", ["codes", "fin", "confirmation"])
def test_changing_it_asks_who_it_is(client_for: LogIn, act: str) -> None:
    user, _key = with_factor(email="zoe@example.test")
    browser = client_for(user)

    with later(11 * 60):
        asked = browser.post(f"{PAGE}/{act}", data={"code": "1"}, headers={"Referer": f"http://localhost{PAGE}"})

    assert asked.location == f"/confirmation?next={PAGE}"
    assert second_factor.is_on(user.id)


def test_switched_off_the_password_suffices_again(client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox) -> None:
    user, _key = with_factor(email="zoe@example.test")

    client_for(user).post(f"{PAGE}/fin")

    assert log_in(visitor, "zoe@example.test").location == "/espace"
    assert db.session.scalar(select(func.count()).select_from(RecoveryCode)) == 0
    assert "La double authentification par application est désactivée" in subjects_to(mailbox, "zoe@example.test")
    assert "second_factor.turned_off" in db.session.scalars(select(AuditEntry.action)).all()


@pytest.mark.parametrize(("off", "status"), [(-90, 401), (-30, 302), (30, 302), (90, 401)])
def test_a_phone_s_clock_may_be_one_step_off_and_no_more(visitor: FlaskClient, off: int, status: int) -> None:
    _user, key = with_factor(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    shown = one_time_codes.code_of(key, one_time_codes.step_at(clock.now() + timedelta(seconds=off)))
    near = {one_time_codes.code_of(key, one_time_codes.step_at(clock.now()) + step) for step in (-2, -1, 0, 1, 2)}

    answer = visitor.post("/connexion/code", data={"code": shown})

    assert answer.status_code == status or (status == 401 and shown in near)
    if answer.status_code == 401:
        assert "l’heure de votre téléphone" in answer.text


def test_the_second_step_waits_ten_minutes_and_no_longer(visitor: FlaskClient) -> None:
    _user, key = with_factor(email="zoe@example.test")
    asked = log_in(visitor, "zoe@example.test", next="/espace/profil")

    with later(10 * 60 + 1):
        answer = visitor.post(asked.location, data={"code": code_now(key), "next": "/espace/profil"})

    assert answer.location == "/connexion?next=/espace/profil"


def test_a_password_changed_meanwhile_ends_the_second_step(visitor: FlaskClient) -> None:
    user, key = with_factor(email="zoe@example.test")
    asked = log_in(visitor, "zoe@example.test")
    user.password_hash = with_password(email="max@example.test").password_hash + "x"

    assert visitor.post(asked.location, data={"code": code_now(key)}).location == "/connexion"


def test_without_a_password_before_there_is_no_second_step(visitor: FlaskClient) -> None:
    assert visitor.get("/connexion/code").location == "/connexion"
    assert visitor.post("/connexion/code", data={"code": "123456"}).location == "/connexion"


def test_a_new_password_by_mail_does_not_go_round_it(visitor: FlaskClient, mailbox: Mailbox) -> None:
    _user, key = with_factor(email="zoe@example.test")
    visitor.post("/mot-de-passe-oublie", data={"email": "zoe@example.test"})
    path = path_in_mail(mailbox, "zoe@example.test", "/nouveau-mot-de-passe/")

    changed = visitor.post(path, data={"password": OTHER_PASSWORD, "again": OTHER_PASSWORD})
    asked = log_in(visitor, "zoe@example.test", OTHER_PASSWORD)

    assert changed.location == "/connexion"
    assert asked.location == "/connexion/code"
    assert visitor.post(asked.location, data={"code": code_now(key)}).location == "/espace"


def test_a_program_gives_the_code_with_the_password(visitor: FlaskClient) -> None:
    _user, key = with_factor(email="zoe@example.test")
    given = {"email": "zoe@example.test", "password": PASSWORD, "refresh": "body"}

    without = visitor.post("/api/v1/auth/login", json=given)
    wrong = visitor.post("/api/v1/auth/login", json=given | {"otp": "000000"})
    bad_password = visitor.post("/api/v1/auth/login", json=given | {"password": "x", "otp": code_now(key)})
    right = visitor.post("/api/v1/auth/login", json=given | {"otp": code_now(key)})

    assert (without.status_code, without.get_json()["type"]) == (401, "/problems/second-factor-required")
    assert (wrong.status_code, wrong.get_json()["type"]) == (401, "/problems/wrong-second-factor")
    assert bad_password.get_json()["type"] == "/problems/wrong-credentials"
    assert right.status_code == 200
    assert db.session.scalars(select(AuthSession.mfa_at)).one() is not None


def test_a_code_confirms_who_it_is(client_for: LogIn) -> None:
    user, key = with_factor(email="zoe@example.test")
    browser = client_for(user)
    db.session.scalars(select(AuthSession)).one().fresh_at = None

    page = browser.get("/confirmation?next=/espace/profil")
    wrong = browser.post("/confirmation", data={"code": "000000"})
    right = browser.post("/confirmation", data={"code": code_now(key), "next": "/espace/profil"})

    assert 'autocomplete="one-time-code"' in page.text
    assert wrong.status_code == 422
    assert right.location == "/espace/profil"
    assert db.session.scalars(select(AuthSession.fresh_at)).one() is not None


def test_a_program_confirms_by_code_too(visitor: FlaskClient) -> None:
    _user, key = with_factor(email="zoe@example.test")
    given = {"email": "zoe@example.test", "password": PASSWORD, "refresh": "body", "otp": code_now(key)}
    login = visitor.post("/api/v1/auth/login", json=given)
    bearer = {"Authorization": f"Bearer {login.get_json()['access_token']}"}

    with later(60):
        both = visitor.post("/api/v1/auth/confirmation", json={"password": "x", "otp": "1"}, headers=bearer)
        wrong = visitor.post("/api/v1/auth/confirmation", json={"otp": "000000"}, headers=bearer)
        right = visitor.post("/api/v1/auth/confirmation", json={"otp": code_now(key)}, headers=bearer)

    assert both.status_code == 422
    assert (wrong.status_code, wrong.get_json()["type"]) == (422, "/problems/wrong-code")
    assert right.get_json() == {"status": "confirmed"}


def test_a_sealed_secret_opens_only_in_its_place_and_survives_a_new_key(site: Flask) -> None:
    user, key = with_factor(email="zoe@example.test")
    row = db.session.get_one(TotpSecret, user.id)
    before = row.secret_encrypted

    with pytest.raises(sealing.Unreadable):
        sealing.unseal(before, f"totp:{user.id + 1}")
    old = JwtKey("local", site.config["SECRET_KEY"])
    site.config["DATA_KEYS"] = [JwtKey("next", "n" * 40), old]
    try:
        changed = second_factor.reseal_all()
        site.config["DATA_KEYS"] = [JwtKey("next", "n" * 40)]
        opened = sealing.unseal(row.secret_encrypted, f"totp:{user.id}")
    finally:
        site.config["DATA_KEYS"] = []

    assert (changed, opened, row.secret_encrypted != before) == (1, key, True)


def test_an_operator_takes_a_lost_factor_away(site: Flask, visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_factor(email="zoe@example.test")

    done = site.test_cli_runner().invoke(args=["users", "reset-second-factor", "zoe@example.test"])

    assert done.exit_code == 0, done.output
    assert log_in(visitor, "zoe@example.test").location == "/espace"
    assert "Votre double authentification a été retirée par l’école" in subjects_to(mailbox, "zoe@example.test")
    entry = db.session.scalars(select(AuditEntry).filter_by(action="second_factor.reset")).one()
    assert entry.actor_id is None


def test_an_operator_seals_anew_before_an_old_key_is_dropped(site: Flask) -> None:
    user, key = with_factor(email="zoe@example.test")
    old = JwtKey("local", site.config["SECRET_KEY"])
    run = site.test_cli_runner()
    try:
        site.config["DATA_KEYS"] = [JwtKey("next", "n" * 40)]
        too_early = run.invoke(args=["keys", "reseal"])
        site.config["DATA_KEYS"] = [JwtKey("next", "n" * 40), old]
        done = run.invoke(args=["keys", "reseal"])
        site.config["DATA_KEYS"] = [JwtKey("next", "n" * 40)]
        db.session.expire_all()
        proof = second_factor.check(user, code_now(key), "198.51.100.1")
    finally:
        site.config["DATA_KEYS"] = []

    assert (too_early.exit_code, "put the dropped key back" in too_early.output) == (1, True)
    assert "1 secrets sealed anew" in done.output
    assert proof is second_factor.Proof.APP
