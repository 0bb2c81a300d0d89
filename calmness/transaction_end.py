"""What is done when a transaction ends well; a rollback drops it.

The end of a savepoint fires the same events: nobody else sees its rows yet, so nothing is done there.
"""

from collections.abc import Callable, Hashable

from sqlalchemy import event
from sqlalchemy.orm import Session

from calmness.extensions import db

Act = Callable[[], object]

_BEFORE, _AFTER = "before_commit", "after_commit"


def before_commit(topic: str, act: Act, once: Hashable) -> None:
    """Do something as the last of the current transaction; one act for each ``once`` of a topic."""
    db.session.info.setdefault(_BEFORE, {})[topic, once] = act


def after_commit(topic: str, act: Act, once: Hashable = None) -> None:
    """Do something when others see the rows of the current transaction; where ``once`` is given, one act for each."""
    db.session.info.setdefault(_AFTER, {})[topic, object() if once is None else once] = act


def forget(topic: str) -> None:
    """Drop what was asked for in the current transaction."""
    for moment in (_BEFORE, _AFTER):
        acts = db.session.info.get(moment, {})
        for key in [key for key in acts if key[0] == topic]:
            del acts[key]


@event.listens_for(Session, "before_commit")
def _before(session: Session) -> None:
    _do(session, _BEFORE)


@event.listens_for(Session, "after_commit")
def _after(session: Session) -> None:
    _do(session, _AFTER)


def _do(session: Session, moment: str) -> None:
    if not session.in_nested_transaction():
        for act in session.info.pop(moment, {}).values():
            act()


@event.listens_for(Session, "after_rollback")
def _drop(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_BEFORE, None)
        session.info.pop(_AFTER, None)
