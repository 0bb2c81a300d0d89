"""Marks at local midnights, also on the days that have 23 or 25 hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness.charts import Unit, time_ticks

pytestmark = pytest.mark.once
PARIS = ZoneInfo("Europe/Paris")


def written(mark: datetime, unit: Unit) -> str:
    """How a page would write a mark."""
    return mark.strftime({Unit.HOUR: "%Hh", Unit.DAY: "%d/%m %H:%M", Unit.MONTH: "%m/%y"}[unit])


def labels(first: datetime, last: datetime, most: int = 7) -> list[str]:
    """Labels of the marks in Paris."""
    return [tick.label for tick in time_ticks(first, last, "Europe/Paris", written, most=most)]


def test_days_stay_at_midnight_across_the_autumn_change() -> None:
    first = datetime(2026, 10, 23, 12, tzinfo=PARIS)

    assert labels(first, first + timedelta(days=5)) == [
        "24/10 00:00",
        "25/10 00:00",
        "26/10 00:00",
        "27/10 00:00",
        "28/10 00:00",
    ]


def test_weeks_start_on_monday_across_the_spring_change() -> None:
    ticks = labels(datetime(2027, 3, 10, tzinfo=PARIS), datetime(2027, 4, 20, tzinfo=PARIS))

    assert ticks == ["15/03 00:00", "22/03 00:00", "29/03 00:00", "05/04 00:00", "12/04 00:00", "19/04 00:00"]


def test_a_day_is_marked_by_hours() -> None:
    first = datetime(2026, 11, 24, tzinfo=PARIS)

    assert labels(first, first + timedelta(hours=24)) == ["00h", "06h", "12h", "18h", "00h"]


def test_a_year_is_marked_by_months() -> None:
    assert labels(datetime(2025, 11, 25, tzinfo=PARIS), datetime(2026, 11, 24, tzinfo=PARIS)) == [
        "01/26",
        "03/26",
        "05/26",
        "07/26",
        "09/26",
        "11/26",
    ]


@given(
    st.integers(1_577_836_800, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.timedeltas(timedelta(hours=1), timedelta(days=2000)),
    st.integers(3, 12),
)
def test_marks_are_few_in_order_and_inside(first: datetime, span: timedelta, most: int) -> None:
    ticks = time_ticks(first, first + span, "Europe/Paris", written, most=most)
    places = [tick.x for tick in ticks]

    assert len(ticks) <= most
    assert places == sorted(set(places))
    assert all(first.timestamp() <= x <= (first + span).timestamp() for x in places)
