"""The family of refresh tokens under use by several at once: never two branches, never an unjust end."""

import contextvars
import threading
from datetime import timedelta

import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, RefreshToken, SessionKind
from calmness.services.account import jwt_tokens, sessions
from calmness.services.account.jwt_tokens import Rotation, SessionRevoked
from tests import factories

TABS = 6


def open_family() -> tuple[str, str]:
    """A session with its first token: (session, jti)."""
    opened, _secret = sessions.open_session(
        factories.student(), kind=SessionKind.API, persistent=True, ip_truncated=None, device_label="Test"
    )
    jwt_tokens.issue_refresh(opened)
    db.session.commit()
    session_id = opened.id
    jti = db.session.scalars(select(RefreshToken.jti).where(RefreshToken.session_id == session_id)).one()
    db.session.commit()
    return session_id, jti


def rotate_at_once(site: Flask, jti: str, session_id: str) -> list[Rotation | str]:
    """All tabs refresh with the same token at the same moment, each in a thread with its own connection."""
    barrier = threading.Barrier(TABS)
    outcomes: list[Rotation | str] = []

    def tab() -> None:
        with site.app_context():
            barrier.wait(timeout=10)
            try:
                outcomes.append(jwt_tokens.rotate(jti, session_id))
            except SessionRevoked as error:
                outcomes.append(error.slug)
            db.session.commit()
            db.session.remove()

    threads = [threading.Thread(target=contextvars.Context().run, args=(tab,)) for _turn in range(TABS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return outcomes


def test_of_tabs_that_refresh_at_once_one_gets_the_next_token_and_all_go_on(site: Flask) -> None:
    session_id, jti = open_family()

    for _round in range(5):
        outcomes = rotate_at_once(site, jti, session_id)

        assert all(isinstance(outcome, Rotation) for outcome in outcomes)
        assert [isinstance(outcome, Rotation) and outcome.refresh is not None for outcome in outcomes].count(True) == 1
        living = db.session.scalars(
            select(RefreshToken.jti).where(RefreshToken.session_id == session_id, RefreshToken.used_at.is_(None))
        ).all()
        db.session.commit()
        assert len(living) == 1
        jti = living[0]
    assert db.session.get_one(AuthSession, session_id).revoked_at is None


def test_of_thieves_that_replay_at_once_none_gets_through(site: Flask) -> None:
    session_id, jti = open_family()
    jwt_tokens.rotate(jti, session_id)
    db.session.commit()

    with time_machine.travel(clock.now() + timedelta(seconds=30), tick=False):
        outcomes = rotate_at_once(site, jti, session_id)

    assert outcomes == ["session-revoked"] * TABS
    assert db.session.get_one(AuthSession, session_id).revoke_reason == "refresh_reuse"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 25)), min_size=1, max_size=12))
def test_whatever_is_replayed_when_there_is_at_most_one_living_token(site: Flask, steps: list[tuple[int, int]]) -> None:
    session_id, first = open_family()
    known, now, revoked = [first], clock.now(), False

    for back, pause in steps:
        now += timedelta(seconds=pause)
        jti = known[max(0, len(known) - 1 - back)]
        row = db.session.get_one(RefreshToken, jti)
        db.session.refresh(row)
        late = row.used_at is not None and now - row.used_at >= jwt_tokens.GRACE
        with time_machine.travel(now, tick=False):
            try:
                rotation = jwt_tokens.rotate(jti, session_id)
            except SessionRevoked:
                assert revoked or late
                revoked = True
            else:
                assert not revoked
                assert not late
                if rotation.refresh:
                    known.append(str(db.session.get_one(RefreshToken, jti, populate_existing=True).replaced_by))
            db.session.commit()
        living = db.session.scalar(
            select(func.count()).where(RefreshToken.session_id == session_id, RefreshToken.used_at.is_(None))
        )
        assert living == 1
