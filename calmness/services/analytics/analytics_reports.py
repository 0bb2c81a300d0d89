"""What the owner reads: everything comes from rollups and business tables, so its cost does not grow with the views."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Role, User
from calmness.models.analytics import (
    AnalyticsDay,
    AnalyticsDimension,
    AnalyticsHour,
    AnalyticsPage,
    PageView,
    UserSession,
)
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.training import AdminSessionAttendance
from calmness.services.analytics.analytics_periods import Period, growth
from calmness.services.billing import takings
from calmness.services.training.attendance import PRESENT

LIVE = timedelta(minutes=5)
CHART_HOURS_UP_TO = 2


@dataclass(frozen=True)
class Card:
    """A figure beside the same of the period before. ``unit``: count, percent, seconds, cents or ratio."""

    key: str
    value: float
    previous: float
    unit: str
    good_when_up: bool = True

    @property
    def growth(self) -> float | None:
        """Change in per cent; for percents, in points."""
        if self.unit == "percent":
            return round((self.value - self.previous) * 100, 1)
        return growth(self.value, self.previous)


@dataclass(frozen=True)
class Row:
    """A value of a dimension."""

    key: str
    visitors: int
    visits: int
    views: int
    bounces: int
    seconds: int


@dataclass(frozen=True)
class PageRow:
    """A page. ``seconds`` is the mean of the views whose time is known, None when none is."""

    path: str
    views: int
    visitors: int
    entries: int
    exits: int
    seconds: float | None


@dataclass(frozen=True)
class Step:
    """A step of the way from account to presence, over the people who registered in the period."""

    key: str
    people: int


def cards(period: Period, zone: ZoneInfo) -> list[Card]:
    """The eight figures."""
    now, before = _totals(period), _totals(period.previous)
    start, end = period.bounds(zone)
    old_start, old_end = period.previous.bounds(zone)
    return [
        Card("visitors", now["visitors"], before["visitors"], "count"),
        Card("visits", now["visits"], before["visits"], "count"),
        Card("views", now["views"], before["views"], "count"),
        Card("views_per_visit", _share(now, "views"), _share(before, "views"), "ratio"),
        Card("bounce_rate", _share(now, "bounces"), _share(before, "bounces"), "percent", good_when_up=False),
        Card("visit_seconds", _share(now, "seconds"), _share(before, "seconds"), "seconds"),
        Card("registrations", _registered(start, end), _registered(old_start, old_end), "count"),
        Card("revenue", takings.revenue(start, end), takings.revenue(old_start, old_end), "cents"),
    ]


def series(period: Period, zone: ZoneInfo) -> list[tuple[datetime, int, int]]:
    """(instant, visitors, views) by hour up to two days, by day beyond; empty days are zeros."""
    start, end = period.bounds(zone)
    if period.days <= CHART_HOURS_UP_TO:
        rows = db.session.execute(
            select(AnalyticsHour.hour_at, AnalyticsHour.visitors, AnalyticsHour.views)
            .where(AnalyticsHour.hour_at >= start, AnalyticsHour.hour_at < end)
            .order_by(AnalyticsHour.hour_at)
        )
        return [(at, visitors, views) for at, visitors, views in rows]
    found = {
        day: (visitors, views)
        for day, visitors, views in db.session.execute(
            select(AnalyticsDay.day, AnalyticsDay.visitors, AnalyticsDay.views).where(
                AnalyticsDay.day.between(period.start, period.end)
            )
        )
    }
    days = [period.start + timedelta(days=offset) for offset in range(period.days)]
    midnight = datetime.min.time()
    return [(datetime.combine(day, midnight, tzinfo=zone), *found.get(day, (0, 0))) for day in days]


def dimension(period: Period, name: str, limit: int = 20) -> list[Row]:
    """Values of a dimension, most visitors first. A visitor of two sources counts in both: no total is given."""
    table = AnalyticsDimension
    totals = [func.sum(getattr(table, column)) for column in ("visitors", "visits", "views", "bounces", "seconds")]
    rows = db.session.execute(
        select(table.value, *totals)
        .where(table.dimension == name, table.day.between(period.start, period.end))
        .group_by(table.value)
        .order_by(totals[0].desc(), table.value)
        .limit(limit)
    )
    return [Row(value, *(int(number or 0) for number in numbers)) for value, *numbers in rows]


def pages(period: Period, order: str = "views", limit: int = 20) -> list[PageRow]:
    """Pages by ``views``, ``entries`` or ``exits``."""
    table = AnalyticsPage
    columns = ("views", "visitors", "entries", "exits", "timed_views", "seconds")
    totals = {column: func.sum(getattr(table, column)) for column in columns}
    rows = db.session.execute(
        select(table.path, *totals.values())
        .where(table.day.between(period.start, period.end))
        .group_by(table.path)
        .having(totals[order] > 0)
        .order_by(totals[order].desc(), table.path)
        .limit(limit)
    )
    return [
        PageRow(path, int(views), int(visitors), int(entries), int(exits), int(seconds) / int(timed) if timed else None)
        for path, views, visitors, entries, exits, timed, seconds in rows
    ]


def live_visitors(at: datetime | None = None) -> int:
    """Visitors seen in the last five minutes."""
    since = (at or clock.now()) - LIVE
    return (
        db.session.scalar(
            select(func.count(UserSession.visitor_hash.distinct()))
            .join(PageView, PageView.visit_id == UserSession.id)
            .where(PageView.at >= since)
        )
        or 0
    )


def funnel(period: Period, zone: ZoneInfo) -> list[Step]:
    """People registered in the period, and how far they have come since; facts of the business, no tracking."""
    start, end = period.bounds(zone)
    cohort = select(User.id).where(User.role == Role.STUDENT, User.created_at >= start, User.created_at < end)
    ordered = select(Payment.user_id).where(Payment.user_id.in_(cohort))
    paid = ordered.where(Payment.status == PaymentStatus.VALIDATED)
    present = select(AdminSessionAttendance.user_id).where(
        AdminSessionAttendance.user_id.in_(paid), AdminSessionAttendance.status.in_(PRESENT)
    )
    verified = cohort.where(User.email_verified_at.is_not(None))
    steps = (("registered", cohort), ("verified", verified), ("ordered", ordered), ("paid", paid), ("present", present))
    visitors = Step("visitors", _totals(period)["visitors"])
    return [visitors, *(Step(key, _people(query)) for key, query in steps)]


def audience(minimum: int = 5) -> dict[str, list[tuple[str, int]]]:
    """Gender and age of those who consented to say: the largest group and the youngest first; groups smaller than
    ``minimum`` are not shown.
    """
    result = {}
    for name, column in (("gender", User.gender), ("age_bracket", User.age_bracket)):
        rows = db.session.execute(
            select(column, func.count()).where(column.is_not(None)).group_by(column).order_by(func.count().desc())
        )
        result[name] = [(str(value.value), count) for value, count in rows if value is not None and count >= minimum]
    result["age_bracket"].sort()
    return result


def _totals(period: Period) -> dict[str, int]:
    names = ("visitors", "visits", "views", "bounces", "seconds")
    row = db.session.execute(
        select(*(func.coalesce(func.sum(getattr(AnalyticsDay, name)), 0) for name in names)).where(
            AnalyticsDay.day.between(period.start, period.end)
        )
    ).one()
    return dict(zip(names, map(int, row), strict=True))


def _share(totals: dict[str, int], name: str) -> float:
    return totals[name] / totals["visits"] if totals["visits"] else 0.0


def _registered(start: datetime, end: datetime) -> int:
    return (
        db.session.scalar(
            select(func.count())
            .select_from(User)
            .where(User.role == Role.STUDENT, User.created_at >= start, User.created_at < end)
        )
        or 0
    )


def _people(query: Any) -> int:
    rows = query.distinct().subquery()
    return db.session.scalar(select(func.count()).select_from(rows)) or 0
