"""``Idempotency-Key``: an effect happens once, however often and however simultaneously it is asked for."""

import contextvars
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.api import IdempotencyKey
from calmness.models.billing import Payment
from calmness.services import idempotency
from calmness.services.idempotency import Act, Answer, KeyUsedForOtherBody
from tests import factories
from tests.api.conftest import ApiFor, access_token_of
from tests.billing import shop

KEY = {"Idempotency-Key": "0123456789abcdef-first"}


def test_the_same_key_and_body_give_the_same_answer_once(api_for: ApiFor) -> None:
    shop.identity()
    offer = shop.signals_offer()
    student = api_for(factories.student())

    first = student("POST", "/me/payments", json={"offer": offer.slug, "accept_terms": False}, headers=KEY)
    again = student("POST", "/me/payments", json={"accept_terms": False, "offer": offer.slug}, headers=KEY)

    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.data == first.data
    assert again.mimetype == "application/json"


def test_the_same_key_with_another_body_is_a_mistake(api_for: ApiFor) -> None:
    shop.identity()
    student = api_for(factories.student())
    student("POST", "/me/payments", json={"offer": shop.signals_offer().slug}, headers=KEY)

    other = student("POST", "/me/payments", json={"offer": shop.formation_offer().slug}, headers=KEY)

    assert (other.status_code, other.get_json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_a_refused_request_frees_its_key(api_for: ApiFor) -> None:
    shop.identity()
    student = api_for(factories.student())

    assert student("POST", "/me/payments", json={"offer": "unknown"}, headers=KEY).status_code == 404
    again = student("POST", "/me/payments", json={"offer": shop.signals_offer().slug}, headers=KEY)

    assert again.status_code == 201
    assert "Idempotency-Replayed" not in again.headers


def test_a_key_is_never_shared_between_people(api_for: ApiFor) -> None:
    shop.identity()
    body = {"offer": shop.signals_offer().slug}
    one, other = (
        api_for(factories.student())("POST", "/me/payments", json=body, headers=KEY).get_json()["id"] for _ in range(2)
    )

    assert one != other


@pytest.mark.parametrize("key", ["short", "a" * 129, "with space in the key", "é" * 20])
def test_a_malformed_key_is_refused(api_for: ApiFor, key: str) -> None:
    answer = api_for(factories.student())("POST", "/me/payments", json={"offer": "x"}, headers={"Idempotency-Key": key})

    assert (answer.status_code, answer.get_json()["type"]) == (400, "/problems/malformed-idempotency-key")


def test_a_quoted_key_is_the_same_key(api_for: ApiFor) -> None:
    shop.identity()
    student, body = api_for(factories.student()), {"offer": shop.signals_offer().slug}
    student("POST", "/me/payments", json=body, headers=KEY)

    again = student("POST", "/me/payments", json=body, headers={"Idempotency-Key": f'"{KEY["Idempotency-Key"]}"'})

    assert again.headers["Idempotency-Replayed"] == "true"


def test_answers_are_sealed_and_forgotten_after_a_day(api_for: ApiFor) -> None:
    shop.identity()
    student, body = api_for(factories.student()), {"offer": shop.signals_offer().slug}
    first = student("POST", "/me/payments", json=body, headers=KEY)
    row = db.session.scalars(select(IdempotencyKey)).one()
    assert row.body
    assert first.get_json()["reference"].encode() not in row.body
    assert KEY["Idempotency-Key"] not in row.key_hash
    db.session.commit()

    with time_machine.travel(clock.now() + timedelta(hours=25), tick=False):
        assert idempotency.forget_old() == 1


def test_many_at_once_have_one_effect(site: Flask) -> None:
    shop.identity()
    slug = shop.signals_offer().slug
    token = access_token_of(factories.student())
    headers = KEY | {"Authorization": f"Bearer {token}"}
    barrier, answers = threading.Barrier(6), []

    def send() -> None:
        client = site.test_client()
        barrier.wait(timeout=30)
        answers.append(client.post("/api/v1/me/payments", json={"offer": slug}, headers=headers))

    threads = [threading.Thread(target=contextvars.Context().run, args=(send,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 5
    assert db.session.scalar(select(func.count()).select_from(Payment)) == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), max_size=12))
def test_whatever_comes_in_whatever_order_each_key_has_one_body_and_one_answer(
    site: Flask, steps: list[tuple[int, int, bool]]
) -> None:
    user_id = factories.student().id
    db.session.commit()
    known: dict[int, tuple[int, bytes]] = {}

    for number, (key, body, fails) in enumerate(steps):
        act = Act(user_id, "POST", "/x", f"key-number-{key}-long-enough", f"{body:064}")
        outcome: Any
        try:
            outcome = idempotency.begin(act)
        except KeyUsedForOtherBody:
            assert known[key][0] != body
            db.session.rollback()
            continue
        if key in known:
            assert known[key][0] == body
            assert outcome.body == known[key][1]
        else:
            assert outcome is None
            if fails:
                db.session.rollback()
                continue
            known[key] = (body, f"answer {number}".encode())
            idempotency.keep(act, Answer(201, {}, known[key][1]))
        db.session.commit()
