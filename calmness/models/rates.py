"""Reference rates of currencies, by day."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from calmness.extensions import Model
from calmness.models.types import Scaled8


class ReferenceRate(Model):
    """What one euro was worth in a currency on a day, as the European Central Bank published it."""

    __table_args__ = (CheckConstraint("per_euro > 0", name="per_euro_positive"),)

    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    per_euro: Mapped[Decimal] = mapped_column(Scaled8)
