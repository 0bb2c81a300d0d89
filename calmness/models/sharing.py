"""What students let others see of their results: a place on the leaderboard, aggregates of a cohort.

Whether the school may look at a person's results is a ``Consent``; nothing here stands for one.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from calmness.extensions import Model
from calmness.models.types import BigKey, JsonType, Scaled8, UtcDateTime


class LeaderboardEntry(Model):
    """A student who wants to be ranked, under a name of their own. Opting out deletes the row."""

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(24))
    look: Mapped[str] = mapped_column(String(48), unique=True)
    """What the name looks like: two that can be taken for each other have the same."""
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)
    computed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    score: Mapped[Decimal | None] = mapped_column(Scaled8, index=True)
    """None until the history is long enough."""
    days: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    trades: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class CohortPublication(Model):
    """Whose results an aggregate was made of that somebody has seen: the next one must give none of them away."""

    __table_args__ = (Index("ix_cohort_publication_cell", "cell", "period"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    cell: Mapped[str] = mapped_column(String(40))
    period: Mapped[str] = mapped_column(String(10))
    members: Mapped[list[Any]] = mapped_column(JsonType)
    """Numbers of the people, nothing else about them."""
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
