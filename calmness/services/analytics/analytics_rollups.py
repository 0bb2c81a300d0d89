"""Rollups of the audience measure, recomputed by day with set-based SQL: they heal whatever came late or twice."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    case,
    cast,
    delete,
    distinct,
    func,
    insert,
    literal,
    literal_column,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from calmness import clock
from calmness.extensions import db
from calmness.models.analytics import (
    AnalyticsDay,
    AnalyticsDimension,
    AnalyticsHour,
    AnalyticsMonth,
    AnalyticsPage,
    PageView,
    UserSession,
)
from calmness.models.types import UtcDateTime

# France's overseas regions have country codes of their own but belong to the panel of French regions.
FRANCE = ("FR", "GP", "MQ", "GF", "RE", "YT")
DIMENSIONS = ("channel", "source", "campaign", "country", "region", "city", "device", "browser", "system")
TOTALS = ("visitors", "visits", "views", "bounces", "seconds")


def rebuild(start: date, end: date) -> None:
    """Compute all rollups of the local days ``start`` to ``end`` (inclusive) again, and the months they touch."""
    if end < start:
        return
    _days(start, end)
    _hours(start, end)
    _dimensions(start, end)
    _pages(start, end)
    month = start.replace(day=1)
    while month <= end:
        _month(month)
        month = _next_month(month)
    db.session.expire_all()


def _visit_totals() -> tuple[ColumnElement[Any], ...]:
    return (
        func.count(distinct(UserSession.visitor_hash)),
        func.count(),
        func.sum(UserSession.views),
        func.sum(case((UserSession.bounced, 1), else_=0)),
        func.sum(UserSession.seconds),
    )


def _days(start: date, end: date) -> None:
    """Bots are counted elsewhere and kept: hence an update in place instead of delete and insert."""
    inside = AnalyticsDay.day.between(start, end)
    db.session.execute(update(AnalyticsDay).where(inside).values(dict.fromkeys(TOTALS, 0)))
    source = (
        select(UserSession.day, *_visit_totals()).where(UserSession.day.between(start, end)).group_by(UserSession.day)
    )
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(AnalyticsDay).from_select(["day", *TOTALS], source, include_defaults=False)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["day"], set_={name: getattr(statement.excluded, name) for name in TOTALS}
        )
    )
    db.session.execute(
        delete(AnalyticsDay).where(inside, AnalyticsDay.visits == 0, AnalyticsDay.bots == 0),
    )


def _hour_of(column: Any) -> ColumnElement[Any]:
    """Start of the UTC hour of an instant, in the form that the database stores."""
    if db.session.get_bind().dialect.name == "postgresql":
        return func.date_trunc(literal_column("'hour'"), column, literal_column("'UTC'"))
    return type_coerce(func.strftime(literal_column("'%Y-%m-%d %H:00:00.000000'"), column), UtcDateTime)


def _hours(start: date, end: date) -> None:
    """A visit and its views count in the hour in which the visit began, as they count in the day in which it began."""
    db.session.execute(delete(AnalyticsHour).where(AnalyticsHour.day.between(start, end)))
    source = (
        select(
            _hour_of(UserSession.started_at).label("hour_at"),
            func.min(UserSession.day),
            func.count(distinct(UserSession.visitor_hash)),
            func.count(),
            func.sum(UserSession.views),
        )
        .where(UserSession.day.between(start, end))
        .group_by(literal_column("1"))
    )
    db.session.execute(insert(AnalyticsHour).from_select(["hour_at", "day", "visitors", "visits", "views"], source))


def _dimensions(start: date, end: date) -> None:
    db.session.execute(delete(AnalyticsDimension).where(AnalyticsDimension.day.between(start, end)))
    for name in DIMENSIONS:
        value = getattr(UserSession, name)
        source = (
            select(UserSession.day, literal(name), value, *_visit_totals())
            .where(UserSession.day.between(start, end))
            .group_by(UserSession.day, value)
        )
        if name == "campaign":
            source = source.where(value != "")
        if name == "region":
            source = source.where(UserSession.country.in_(FRANCE))
        db.session.execute(insert(AnalyticsDimension).from_select(["day", "dimension", "value", *TOTALS], source))


def _pages(start: date, end: date) -> None:
    """Entries and exits come from visits, the rest from views; a page that was an entry was also viewed."""
    db.session.execute(delete(AnalyticsPage).where(AnalyticsPage.day.between(start, end)))
    views = (
        select(
            PageView.day,
            PageView.path,
            func.count().label("views"),
            func.count(distinct(UserSession.visitor_hash)).label("visitors"),
            func.count(PageView.engaged_seconds).label("timed_views"),
            func.coalesce(func.sum(PageView.engaged_seconds), 0).label("seconds"),
        )
        .join(UserSession, UserSession.id == PageView.visit_id)
        .where(PageView.day.between(start, end))
        .group_by(PageView.day, PageView.path)
        .subquery()
    )
    entries = _ends(UserSession.entry_path, start, end)
    exits = _ends(UserSession.exit_path, start, end)
    source = (
        select(
            views.c.day,
            views.c.path,
            views.c.views,
            views.c.visitors,
            func.coalesce(entries.c.visits, 0),
            func.coalesce(exits.c.visits, 0),
            views.c.timed_views,
            views.c.seconds,
        )
        .outerjoin(entries, (entries.c.day == views.c.day) & (entries.c.path == views.c.path))
        .outerjoin(exits, (exits.c.day == views.c.day) & (exits.c.path == views.c.path))
    )
    names = ["day", "path", "views", "visitors", "entries", "exits", "timed_views", "seconds"]
    db.session.execute(insert(AnalyticsPage).from_select(names, source))


def _ends(path: Any, start: date, end: date) -> Any:
    return (
        select(UserSession.day, path.label("path"), func.count().label("visits"))
        .where(UserSession.day.between(start, end))
        .group_by(UserSession.day, path)
        .subquery()
    )


def _month(month: date) -> None:
    db.session.execute(delete(AnalyticsMonth).where(AnalyticsMonth.month == month))
    last = _next_month(month) - timedelta(days=1)
    column = AnalyticsMonth.__table__.c.month
    is_over = literal(last < clock.paris_today())
    sums = [cast(func.sum(getattr(AnalyticsDimension, name)), AnalyticsMonth.__table__.c[name].type) for name in TOTALS]
    source = (
        select(
            literal(month, column.type),
            AnalyticsDimension.dimension,
            AnalyticsDimension.value,
            *sums,
            is_over,
        )
        .where(AnalyticsDimension.day.between(month, last))
        .group_by(AnalyticsDimension.dimension, AnalyticsDimension.value)
    )
    db.session.execute(
        insert(AnalyticsMonth).from_select(["month", "dimension", "value", *TOTALS, "is_complete"], source)
    )


def _next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)
