"""First-party audience measure: raw views, visits, and the rollups that dashboards read.

Visitors are a keyed hash whose salt changes at local midnight and is deleted after 48 h: unique per day by
construction, so visitors of a period are the sum of its days and nobody can be followed.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from calmness.extensions import Model
from calmness.models.types import BigKey, UtcDateTime


class UserSession(Model):
    """A visit: views of a visitor at most 30 min apart in a local day. Source, place, device: from its first view."""

    __table_args__ = (
        Index("ix_user_session_day", "day", "channel"),
        Index("ix_user_session_visitor", "visitor_hash", "last_at"),
        Index(
            "ix_user_session_person",
            "user_id",
            "day",
            sqlite_where=text("user_id IS NOT NULL"),
            postgresql_where=text("user_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    day: Mapped[date]
    visitor_hash: Mapped[bytes] = mapped_column(LargeBinary(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    hour: Mapped[int] = mapped_column(SmallInteger)
    views: Mapped[int]
    seconds: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    bounced: Mapped[bool]
    entry_path: Mapped[str] = mapped_column(String(200))
    exit_path: Mapped[str] = mapped_column(String(200))
    channel: Mapped[str] = mapped_column(String(24))
    source: Mapped[str] = mapped_column(String(100))
    campaign: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    country: Mapped[str] = mapped_column(String(2), default="", server_default=text("''"))
    region: Mapped[str] = mapped_column(String(4), default="", server_default=text("''"))
    city: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    device: Mapped[str] = mapped_column(String(12))
    browser: Mapped[str] = mapped_column(String(40))
    system: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class PageView(Model):
    """One HTML page shown to a human. The stream's own id is the key: a batch read twice counts once."""

    __table_args__ = (
        Index("ix_page_view_day", "day", "path"),
        Index("ix_page_view_visit", "visit_id"),
        Index("ix_page_view_at", "at"),
    )

    stream_ms: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    stream_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    view_id: Mapped[str] = mapped_column(String(22), index=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("user_session.id", ondelete="CASCADE"))
    day: Mapped[date]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    path: Mapped[str] = mapped_column(String(200))
    engaged_seconds: Mapped[int | None]


class ViewSource(Model):
    """A web process that numbers its views from 1: what it has numbered and nobody has read is lost, and counted."""

    process: Mapped[str] = mapped_column(String(16), primary_key=True)
    highest: Mapped[int]
    received: Mapped[int]
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class VisitorSalt(Model):
    """Random salt of a local day, shared by all processes, deleted after 48 h."""

    day: Mapped[date] = mapped_column(primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))


class AnalyticsDirtyDay(Model):
    """A local day whose rollups must be computed again."""

    day: Mapped[date] = mapped_column(primary_key=True)
    marked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AnalyticsDay(Model):
    """Totals of a local day."""

    day: Mapped[date] = mapped_column(primary_key=True)
    visitors: Mapped[int]
    visits: Mapped[int]
    views: Mapped[int]
    bounces: Mapped[int]
    seconds: Mapped[int] = mapped_column(BigInteger)
    bots: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class AnalyticsHour(Model):
    """Totals of an hour, keyed by its UTC start: the doubled hour in autumn stays two rows."""

    hour_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    day: Mapped[date] = mapped_column(index=True)
    visitors: Mapped[int]
    visits: Mapped[int]
    views: Mapped[int]


class AnalyticsDimension(Model):
    """Totals of a value of a dimension (channel, source, country, region, city, device, browser, system) on a day."""

    day: Mapped[date] = mapped_column(primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(120), primary_key=True)
    visitors: Mapped[int]
    visits: Mapped[int]
    views: Mapped[int]
    bounces: Mapped[int]
    seconds: Mapped[int] = mapped_column(BigInteger)


class AnalyticsPage(Model):
    """Totals of a page on a day. ``timed_views`` are the views whose time is known."""

    day: Mapped[date] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(200), primary_key=True)
    views: Mapped[int]
    visitors: Mapped[int]
    entries: Mapped[int]
    exits: Mapped[int]
    timed_views: Mapped[int]
    seconds: Mapped[int] = mapped_column(BigInteger)


class AnalyticsMonth(Model):
    """Dimension totals of a whole month, for periods of 90 days and more."""

    month: Mapped[date] = mapped_column(primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(120), primary_key=True)
    visitors: Mapped[int]
    visits: Mapped[int]
    views: Mapped[int]
    bounces: Mapped[int]
    seconds: Mapped[int] = mapped_column(BigInteger)
    is_complete: Mapped[bool] = mapped_column(default=False, server_default=false())
