"""Any mix of keys and bodies, several at the same moment, over HTTP: each key has one body, one answer, one effect."""

import contextvars
import json
import threading
from typing import Any, ClassVar

from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from calmness.extensions import db
from calmness.models.billing import Payment
from tests import factories
from tests.api.conftest import access_token_of
from tests.billing import shop

REQUEST = st.tuples(st.integers(0, 2), st.sampled_from(["signals", "formation", "unknown"]))
PATIENCE = 120


class Requests(RuleBasedStateMachine):
    """A student whose program sends the same keys again and again."""

    site: ClassVar[Flask]
    slugs: ClassVar[dict[str, str]]

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[int, tuple[str, bytes]] = {}

    @initialize()
    def a_student(self) -> None:
        user = factories.student()
        self.user_id, self.token = user.id, access_token_of(user)

    def send(self, key: int, what: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": f"key-number-{key}-of-this-person"}
        slug = self.slugs.get(what, "no-such-offer")
        return self.site.test_client().post("/api/v1/me/payments", json={"offer": slug}, headers=headers)

    @rule(wanted=st.lists(REQUEST, min_size=1, max_size=4))
    def several_at_once(self, wanted: list[tuple[int, str]]) -> None:
        ready, found = threading.Barrier(len(wanted)), []

        def one(key: int, what: str) -> None:
            ready.wait(timeout=PATIENCE)
            found.append((key, what, self.send(key, what)))

        threads = [threading.Thread(target=contextvars.Context().run, args=(one, key, what)) for key, what in wanted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=PATIENCE)
        assert len(found) == len(wanted)
        self.judge(found)

    def judge(self, found: list[tuple[int, str, Any]]) -> None:
        for key, what, answer in found:
            if answer.status_code == 201 and "Idempotency-Replayed" not in answer.headers:
                assert key not in self.answers
                self.answers[key] = (what, answer.data)
        for key, what, answer in found:
            known = self.answers.get(key)
            if answer.status_code == 201:
                assert known == (what, answer.data)
            elif answer.status_code == 422:
                assert answer.get_json()["type"] == "/problems/idempotency-key-reused"
                # The body that was first may have been refused for itself, and has freed the key since.
                assert known is None or known[0] != what or "unknown" in {other for _key, other, _answer in found}
            else:
                assert (answer.status_code, what) == (404, "unknown")

    @invariant()
    def each_key_had_one_effect(self) -> None:
        if not hasattr(self, "user_id"):
            return
        made = db.session.scalar(select(func.count()).select_from(Payment).filter_by(user_id=self.user_id))
        db.session.commit()
        # Two keys for one offer find the same open purchase: an effect is what an answer names.
        assert made == len({json.loads(data)["id"] for _what, data in self.answers.values()})


def test_whatever_is_sent_at_once_each_key_has_one_effect(site: Flask) -> None:
    shop.identity()
    Requests.site = site
    Requests.slugs = {"signals": shop.signals_offer().slug, "formation": shop.formation_offer().slug}
    db.session.commit()

    run_state_machine_as_test(
        Requests,
        settings=settings(
            max_examples=6, stateful_step_count=6, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
