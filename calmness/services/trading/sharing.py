"""What the school may see of a student's trading: nothing without a yes, and nothing more once it is taken back.

A yes and a no are both kept as proof, each with the version of the text. No result is copied for the staff: every page
asks for the consent at the moment it is shown. Notes, plans and screenshots are never part of it.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import func, select

from calmness import clock
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.models.account import Consent, User
from calmness.models.trading import TradingAccount
from calmness.services import audit
from calmness.services.account import accounts
from calmness.services.trading import trading_accounts, trading_statistics
from calmness.services.trading.trading_statistics import Course, Figures

TEXT_VERSION = "2026-11"
PAGE = 50


class Level(StrEnum):
    """How much the school sees, from nothing to the trades."""

    NONE = "none"
    FIGURES = "figures"
    TRADES = "trades"


PURPOSES = {Level.FIGURES: "trading_figures", Level.TRADES: "trading_trades"}


@dataclass(frozen=True)
class Follower:
    """A student who shares results with the school."""

    user: User
    level: Level
    accounts: int


@dataclass(frozen=True)
class AccountResult:
    """How one account did over a period."""

    account: TradingAccount
    figures: Figures
    course: Course


def level_of(user_id: int) -> Level:
    """What a person's newest answers allow. Trades without figures is nothing anybody said yes to."""
    given = _given(user_id)
    if PURPOSES[Level.FIGURES] not in given:
        return Level.NONE
    return Level.TRADES if PURPOSES[Level.TRADES] in given else Level.FIGURES


def choose(user_id: int, level: Level, *, source: str = "follow_up") -> bool:
    """Say what the school may see. Only what changes is written; False when nothing did."""
    wanted = {
        PURPOSES[Level.FIGURES]: level is not Level.NONE,
        PURPOSES[Level.TRADES]: level is Level.TRADES,
    }
    given, changed = _given(user_id), False
    for purpose, is_given in wanted.items():
        if is_given is not (purpose in given):
            accounts.record_consent(user_id, purpose, given=is_given, source=source, version=TEXT_VERSION)
            changed = True
    return changed


def proofs(user_id: int) -> list[Consent]:
    """All answers of a person, newest first."""
    return list(
        db.session.scalars(
            select(Consent)
            .where(Consent.user_id == user_id, Consent.purpose.in_(PURPOSES.values()))
            .order_by(Consent.id.desc())
        )
    )


def followers() -> list[Follower]:
    """Students who share now, by name."""
    people = db.session.scalars(
        select(User)
        .where(User.id.in_(consenting_ids()), User.deleted_at.is_(None))
        .order_by(User.last_name, User.first_name, User.id)
    ).all()
    counts = dict(
        db.session.execute(
            select(TradingAccount.user_id, func.count())
            .where(TradingAccount.user_id.in_([person.id for person in people]), TradingAccount.archived_at.is_(None))
            .group_by(TradingAccount.user_id)
        ).all()
    )
    return [Follower(person, level_of(person.id), counts.get(person.id, 0)) for person in people]


def consenting_ids() -> list[int]:
    """People whose newest answer lets the school see figures."""
    newest = (
        select(func.max(Consent.id))
        .where(Consent.purpose == PURPOSES[Level.FIGURES])
        .group_by(Consent.user_id)
        .scalar_subquery()
    )
    return list(db.session.scalars(select(Consent.user_id).where(Consent.id.in_(newest), Consent.given.is_(True))))


def look_at(user_id: int, *, by: User) -> tuple[User, Level]:
    """Open a student's results for somebody of the staff; each look is written down.

    Raises ``NotFound`` without consent.
    """
    level = level_of(user_id)
    person = db.session.get(User, user_id)
    if level is Level.NONE or person is None or person.deleted_at is not None:
        raise NotFound
    audit.record("results.seen", "user", user_id, actor=by, changes=[level.value])
    return person, level


def results_of(user_id: int, days: int) -> list[AccountResult]:
    """Figures of a person's accounts over the last days. Only after ``look_at``."""
    now = clock.now()
    return [
        AccountResult(
            account,
            trading_statistics.figures([account.id], now.date() - timedelta(days=days)),
            trading_statistics.course([account.id], now - timedelta(days=days)),
        )
        for account in trading_accounts.of_user(user_id)
    ]


def _given(user_id: int) -> set[str]:
    newest = (
        select(func.max(Consent.id))
        .where(Consent.user_id == user_id, Consent.purpose.in_(PURPOSES.values()))
        .group_by(Consent.purpose)
        .scalar_subquery()
    )
    return set(db.session.scalars(select(Consent.purpose).where(Consent.id.in_(newest), Consent.given.is_(True))))
