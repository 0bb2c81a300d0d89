"""Figures of a formation's students together, so that no person can be read from them.

Only people who share their figures count, and each in one cell alone: the formation they entered last. A cell is shown
with at least five people. Two answers of the same cell must not give the difference away: a changed set is shown only
if it is another one by at least five people than every set that was shown before. The total is shown only if what it
holds beside the cells shown is nobody, or at least five people.
"""

import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.dialect import hold
from calmness.models.sharing import CohortPublication
from calmness.models.training import Formation, UserFormationEnrollment
from calmness.services.trading import sharing, trading_accounts, trading_statistics

K = 5
PERIODS = {"90": 90, "365": 365}
TOTAL = "all"


@dataclass(frozen=True)
class Result:
    """A person's figures that go into an aggregate. No amount among them."""

    user_id: int
    trades: int
    win_rate: Decimal
    is_winning: bool


@dataclass(frozen=True)
class Aggregate:
    """A cell as it is shown; ``people`` is None when it has to stay hidden."""

    name: str
    people: int | None
    trades: int = 0
    win_rate: Decimal | None = None
    winning_quarter: int = 0
    """Share of people with a gain, by quarters from 0 to 3: a share of all or of none would tell of each."""


def aggregates(period: str) -> list[Aggregate]:
    """Cells by formation and their total for a period of ``PERIODS``. What is shown is remembered."""
    period = period if period in PERIODS else "365"
    hold(db.session(), "cohorts")
    results = {result.user_id: result for result in _results(PERIODS[period])}
    cells: dict[int, list[Result]] = defaultdict(list)
    for user_id, formation_id in _cells().items():
        if user_id in results:
            cells[formation_id].append(results[user_id])
    names = dict(db.session.execute(select(Formation.id, Formation.title).where(Formation.id.in_(cells))).all())
    shown: list[Aggregate] = []
    hidden = 0
    for formation_id, people in sorted(cells.items(), key=lambda cell: (names[cell[0]], cell[0])):
        if _may_show(f"formation:{formation_id}", period, people):
            shown.append(_aggregate(names[formation_id], people))
        else:
            hidden += len(people)
            shown.append(Aggregate(names[formation_id], None))
    everybody = [result for people in cells.values() for result in people]
    if cells:
        is_safe = (hidden == 0 or hidden >= K) and _may_show(TOTAL, period, everybody)
        shown.append(_aggregate("", everybody) if is_safe else Aggregate("", None))
    return shown


def _results(days: int) -> list[Result]:
    start = clock.now().date() - timedelta(days=days)
    found = []
    for user_id in sharing.consenting_ids():
        ids = [account.id for account in trading_accounts.of_user(user_id)]
        # Signs and rates only: accounts of several currencies are never added up.
        figures = [trading_statistics.figures([account_id], start) for account_id in ids]
        trades, wins = sum(part.trades for part in figures), sum(part.wins for part in figures)
        if trades:
            is_winning = sum((part.net > 0) - (part.net < 0) for part in figures) > 0
            found.append(Result(user_id, trades, Decimal(wins) / trades, is_winning))
    return found


def _cells() -> dict[int, int]:
    """Formation that each person entered last."""
    rows = db.session.execute(
        select(UserFormationEnrollment.user_id, UserFormationEnrollment.formation_id).order_by(
            UserFormationEnrollment.enrolled_at, UserFormationEnrollment.id
        )
    )
    return dict(rows.all())


def _may_show(cell: str, period: str, people: list[Result]) -> bool:
    members = sorted(result.user_id for result in people)
    if len(members) < K:
        return False
    earlier = db.session.scalars(
        select(CohortPublication.members).where(CohortPublication.cell == cell, CohortPublication.period == period)
    ).all()
    if members in earlier:
        return True
    if any(len(set(members) ^ set(before)) < K for before in earlier):
        return False
    db.session.add(CohortPublication(cell=cell, period=period, members=members, published_at=clock.now()))
    db.session.flush()
    return True


def _aggregate(name: str, people: list[Result]) -> Aggregate:
    trades = sum(result.trades for result in people)
    return Aggregate(
        name,
        len(people),
        # Rounded: one busy person must not stand out of the sum.
        trades=round(trades, -1),
        win_rate=Decimal(str(round(statistics.fmean(float(result.win_rate) for result in people), 2))),
        winning_quarter=min(3, 4 * sum(result.is_winning for result in people) // len(people)),
    )
