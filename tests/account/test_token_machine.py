"""Any order of refreshes, replays, proofs of identity and ends: the family of a session stays sound."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, RefreshToken, SessionKind
from calmness.services import jwt_tokens, sessions
from calmness.services.jwt_tokens import GRACE, SessionRevoked, TokenRenewed
from tests import factories

BACK = st.integers(0, 6)


class Family(RuleBasedStateMachine):
    """What is known of a session's tokens, beside the database that decides."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = clock.now()
        self.known: list[str] = []
        self.used: dict[str, datetime] = {}
        self.renewed: set[str] = set()
        self.ended = False
        self.secret = ""

    @initialize()
    def log_in(self) -> None:
        opened, self.secret = sessions.open_session(
            factories.student(), kind=SessionKind.PAGE, persistent=True, ip_truncated=None, device_label="Test"
        )
        self.session_id = opened.id
        self.keep(jwt_tokens.issue_refresh(opened))

    def keep(self, token: str) -> None:
        self.known.append(str(jwt.decode(token, options={"verify_signature": False})["jti"]))
        db.session.commit()

    def device(self) -> AuthSession:
        return db.session.get_one(AuthSession, self.session_id, populate_existing=True)

    @rule(seconds=st.integers(0, 40))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(back=BACK)
    def somebody_refreshes(self, back: int) -> None:
        """The owner, another tab, or a thief with any token that there ever was."""
        jti = self.known[max(0, len(self.known) - 1 - back)]
        before = self.used.get(jti)
        with time_machine.travel(self.now, tick=False):
            outcome: Any
            try:
                outcome = jwt_tokens.rotate(jti, self.session_id)
            except (SessionRevoked, TokenRenewed) as error:
                outcome = type(error)
            db.session.commit()
        if self.ended:
            assert outcome is SessionRevoked
        elif before is None:
            assert outcome.refresh is not None
            self.used[jti] = self.now
            self.keep(outcome.refresh)
        elif self.now - before >= GRACE:
            assert outcome is SessionRevoked
            self.ended = True
        elif jti in self.renewed:
            assert outcome is TokenRenewed
        else:
            assert outcome.refresh is None

    @precondition(lambda self: not self.ended)
    @rule()
    def the_owner_confirms(self) -> None:
        """Every secret of before ends: the cookie's and the tokens'."""
        old = self.secret
        with time_machine.travel(self.now, tick=False):
            device = self.device()
            self.secret = sessions.renew(device)
            living = set(self.known) - set(self.used)
            token = jwt_tokens.renew_refresh(device)
            self.keep(token)
            assert sessions.find(old, self.now) is None
        for jti in living:
            self.used[jti] = self.now
            self.renewed.add(jti)

    @precondition(lambda self: not self.ended)
    @rule()
    def the_owner_logs_out(self) -> None:
        with time_machine.travel(self.now, tick=False):
            sessions.revoke(self.session_id, "log_out")
            db.session.commit()
        self.ended = True

    @invariant()
    def there_is_one_living_token_and_the_row_tells_who_gets_in(self) -> None:
        if not self.known:
            return
        living = db.session.scalar(
            select(func.count()).where(RefreshToken.session_id == self.session_id, RefreshToken.used_at.is_(None))
        )
        found = sessions.find(self.secret, self.now)
        db.session.commit()
        assert living == 1
        assert (found is None) is self.ended

    def teardown(self) -> None:
        with suppress(Exception):
            db.session.rollback()


@pytest.mark.usefixtures("site")
def test_whatever_happens_in_whatever_order(site: Flask) -> None:
    with site.test_request_context():
        run_state_machine_as_test(
            Family,
            settings=settings(
                max_examples=20,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
