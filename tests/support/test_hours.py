"""Opening hours, over clock changes, holidays, nights and the year's end."""

from datetime import UTC, datetime
from typing import Any

import pytest

from calmness.services.support.support_hours import DEFAULT, opening


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(**changes: Any) -> dict[str, Any]:
    return DEFAULT | changes


@pytest.mark.once
@pytest.mark.parametrize(
    ("now", "until"),
    [("2026-10-23T08:00", "2026-10-23T10:30"), ("2026-10-26T09:00", "2026-10-26T11:30")],
    ids=["summer time", "winter time"],
)
def test_local_hours_stay_the_same_over_a_clock_change(now: str, until: str) -> None:
    state = opening(at(now), DEFAULT)

    assert state.is_open
    assert state.until == at(until)


@pytest.mark.once
def test_a_friday_evening_points_to_saturday_and_a_saturday_to_monday() -> None:
    assert opening(at("2026-11-27T20:00"), DEFAULT).next_open == at("2026-11-28T09:00")
    assert opening(at("2026-11-28T13:00"), DEFAULT).next_open == at("2026-11-30T08:00")


@pytest.mark.once
def test_a_holiday_is_closed_unless_the_school_says_otherwise() -> None:
    assert not opening(at("2026-12-25T09:00"), DEFAULT).is_open
    assert opening(at("2026-12-25T09:00"), hours(closed_on_holidays=False)).is_open


@pytest.mark.once
def test_an_exception_wins_over_the_week_and_over_holidays() -> None:
    early = {"from": "2026-12-24", "to": "2026-12-24", "ranges": [["09:00", "12:00"]], "text": "Fermeture à midi."}
    open_christmas = {"from": "2026-12-25", "to": "2026-12-25", "ranges": [["10:00", "11:00"]]}
    set_hours = hours(exceptions=[early, open_christmas])

    assert opening(at("2026-12-24T09:00"), set_hours).until == at("2026-12-24T11:00")
    assert opening(at("2026-12-24T12:00"), set_hours).next_open == at("2026-12-25T09:00")
    assert opening(at("2026-12-24T12:00"), set_hours).text == "Fermeture à midi."


@pytest.mark.once
def test_a_shift_past_midnight_is_one_opening_over_the_years_end() -> None:
    week = {str(day): [["20:00", "02:00"]] for day in range(7)}

    state = opening(at("2026-12-31T23:30"), hours(week=week, closed_on_holidays=False))

    assert state.is_open
    assert state.until == at("2027-01-01T01:00")


@pytest.mark.once
def test_a_school_that_never_answers_promises_nothing() -> None:
    state = opening(at("2026-11-24T10:00"), hours(week={}))

    assert (state.is_open, state.next_open) == (False, None)
