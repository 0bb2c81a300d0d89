"""Results before and after a formation that a person attended, with what chance alone could explain.

Before: positions closed until the first session attended; after: positions opened once the last one was over; the
course itself is in neither. At most a year on each side. Compared is the mean R of a position when enough stops are
known on both sides, else its result in percent of the capital its day worked with: neither depends on a currency.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, select, type_coerce

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.positions import TradingPosition
from calmness.models.training import (
    AdminFormationSession,
    AdminSessionAttendance,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services import attendance, enrollments, trading_accounts, trading_report
from calmness.services.trading_report import Scope

FEWEST = 30
"""Positions on each side below which nothing is concluded."""
FEWEST_DAYS = 5
"""Days on each side: trades of one day have the same mood and the same market, and are drawn together."""
YEAR = timedelta(days=365)
DRAWS = 10_000
SEED = 20_261_124
LEVEL = 0.95


class Finding(StrEnum):
    """What can be said."""

    NOT_ATTENDED = "not_attended"
    UNDER_WAY = "under_way"
    TOO_FEW = "too_few"
    NO_DIFFERENCE = "no_difference"
    BETTER = "better"
    WORSE = "worse"


class Outcome(NamedTuple):
    """A position: day of its end, result in R or in percent of the capital as a ratio, seconds held."""

    day: date
    r_multiple: float | None
    ratio: float | None
    held: int | None
    net: int


@dataclass(frozen=True)
class Side:
    """Figures of one side. ``mean`` is in the unit of the comparison."""

    trades: int
    counted: int
    days: int
    win_rate: float | None
    mean: float | None
    profit_factor: float | None
    median_holding: int | None


@dataclass(frozen=True)
class Effect:
    """A formation with both sides. ``low`` and ``high`` bound the difference of means at 95 %."""

    title: str
    finding: Finding
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    in_r: bool = False
    before: Side | None = None
    after: Side | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def of_user(user: User, now: datetime | None = None) -> list[Effect]:
    """One effect a formation, last first. Accounts that are archived are left out."""
    at = now or clock.now()
    account_ids = tuple(account.id for account in trading_accounts.of_user(user.id))
    return [_effect(user, place.formation_id, place.formation.title, account_ids, at) for place in _places(user)]


def compare(title: str, window: tuple[datetime, datetime], before: list[Outcome], after: list[Outcome]) -> Effect:
    """The effect of a course between two instants on outcomes of both sides."""
    in_r = all(sum(row.r_multiple is not None for row in side) >= FEWEST for side in (before, after))
    values = [
        [(row.day, value) for row in side if (value := row.r_multiple if in_r else row.ratio) is not None]
        for side in (before, after)
    ]
    old, new = (_side(rows, pairs) for rows, pairs in zip((before, after), values, strict=True))
    if any(side.counted < FEWEST or side.days < FEWEST_DAYS for side in (old, new)):
        return Effect(title, Finding.TOO_FEW, *window, in_r, old, new)
    low, high = interval(_by_day(values[0]), _by_day(values[1]))
    difference = (new.mean or 0.0) - (old.mean or 0.0)
    finding = Finding.BETTER if low > 0 else Finding.WORSE if high < 0 else Finding.NO_DIFFERENCE
    return Effect(title, finding, *window, in_r, old, new, difference, low, high)


@lru_cache(maxsize=256)
def interval(
    before: tuple[tuple[float, int], ...], after: tuple[tuple[float, int], ...], seed: int = SEED
) -> tuple[float, float]:
    """Bounds of (mean after - mean before): 10 000 draws of whole days, (sum, count) each, with replacement.

    The same data give the same bounds: the seed is fixed.
    """
    draw = random.Random(seed).choices  # noqa: S311 - draws of a statistic, nobody's secret
    # Sum and count in one number: a draw is one sum in C instead of two loops.
    packed = [[complex(total, count) for total, count in side] for side in (before, after)]
    sizes = [len(side) for side in packed]
    differences = []
    for _draw in range(DRAWS):
        old, new = (sum(draw(side, k=size)) for side, size in zip(packed, sizes, strict=True))
        differences.append(new.real / new.imag - old.real / old.imag)
    differences.sort()
    outside = round(DRAWS * (1 - LEVEL) / 2)
    return differences[outside], differences[-1 - outside]


def _places(user: User) -> list[UserFormationEnrollment]:
    seen: dict[int, UserFormationEnrollment] = {}
    for place in enrollments.of_user(user.id):
        seen.setdefault(place.formation_id, place)
    return sorted(seen.values(), key=lambda place: place.enrolled_at, reverse=True)


def _effect(user: User, formation_id: int, title: str, account_ids: tuple[int, ...], now: datetime) -> Effect:
    attended = db.session.execute(
        select(AdminFormationSession.start_at, AdminFormationSession.end_at)
        .join(AdminSessionAttendance, AdminSessionAttendance.session_id == AdminFormationSession.id)
        .where(
            AdminSessionAttendance.user_id == user.id,
            AdminSessionAttendance.status.in_(attendance.PRESENT),
            AdminFormationSession.formation_id == formation_id,
            AdminFormationSession.status != SessionStatus.CANCELLED,
        )
        .order_by(AdminFormationSession.start_at)
    ).all()
    if not attended:
        return Effect(title, Finding.NOT_ATTENDED)
    window = attended[0].start_at, max(row.end_at for row in attended)
    if window[1] > now or _goes_on(user.id, formation_id, now):
        return Effect(title, Finding.UNDER_WAY, *window)
    outcomes = _outcomes(user, account_ids, window)
    return compare(title, window, *outcomes)


def _goes_on(user_id: int, formation_id: int, now: datetime) -> bool:
    """Whether sessions of a living place are still to come."""
    living = any(
        place.formation_id == formation_id and place.status in enrollments.LIVE
        for place in enrollments.of_user(user_id)
    )
    coming = select(AdminFormationSession.id).where(
        AdminFormationSession.formation_id == formation_id,
        AdminFormationSession.status == SessionStatus.SCHEDULED,
        AdminFormationSession.start_at > now,
    )
    return living and db.session.scalar(coming.limit(1)) is not None


def _outcomes(
    user: User, account_ids: tuple[int, ...], window: tuple[datetime, datetime]
) -> tuple[list[Outcome], list[Outcome]]:
    start, end = window
    zone = ZoneInfo(user.time_zone)
    capitals: dict[tuple[int, date], int] = {}
    for account_id in account_ids:
        for row in trading_report.merged_days(Scope((account_id,), user.time_zone), 0):
            capitals[account_id, row.on] = row.capital
    query = (
        select(
            TradingPosition.account_id,
            TradingPosition.opened_at,
            TradingPosition.closed_at,
            type_coerce(TradingPosition.net, BigInteger),
            TradingPosition.r_multiple,
            TradingPosition.held_seconds,
        )
        .where(
            TradingPosition.account_id.in_(account_ids),
            TradingPosition.closed_at >= start - YEAR,
            TradingPosition.closed_at < end + YEAR,
        )
        .order_by(TradingPosition.closed_at)
    )
    before: list[Outcome] = []
    after: list[Outcome] = []
    for account_id, opened_at, closed_at, net, multiple, held in db.session.execute(query):
        side = before if closed_at < start else after if opened_at >= end else None
        if side is None:
            continue
        day = closed_at.astimezone(zone).date()
        capital = capitals.get((account_id, day), 0)
        r_multiple = None if multiple is None else float(multiple)
        side.append(Outcome(day, r_multiple, net / capital if capital > 0 else None, held, net))
    return before, after


def _side(rows: Sequence[Outcome], values: Sequence[tuple[date, float]]) -> Side:
    gains = sum(value for _day, value in values if value > 0)
    losses = -sum(value for _day, value in values if value < 0)
    held = [row.held for row in rows if row.held is not None]
    return Side(
        trades=len(rows),
        counted=len(values),
        days=len({day for day, _value in values}),
        win_rate=sum(row.net > 0 for row in rows) / len(rows) if rows else None,
        mean=sum(value for _day, value in values) / len(values) if values else None,
        profit_factor=gains / losses if losses else None,
        median_holding=int(median(held)) if held else None,
    )


def _by_day(values: Sequence[tuple[date, float]]) -> tuple[tuple[float, int], ...]:
    days: dict[date, list[float]] = defaultdict(list)
    for day, value in values:
        days[day].append(value)
    return tuple((sum(days[day]), len(days[day])) for day in sorted(days))
