"""Local recurring times turned into instants."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness.recurrence import HolidayRule, MalformedRule, Occurrence, expand, preview

pytestmark = pytest.mark.once
PARIS = "Europe/Paris"
HOUR = timedelta(hours=1)


def local(text: str) -> datetime:
    """A naive wall time."""
    return datetime.fromisoformat(text)


def dates(
    rule: str,
    start: str,
    until: str = "2036-01-01",
    *,
    zone: str = PARIS,
    duration: timedelta = HOUR,
    last_day: date | None = None,
    excluded: frozenset[str] = frozenset(),
    added: tuple[datetime, ...] = (),
    holiday_rule: HolidayRule = HolidayRule.KEEP,
) -> list[Occurrence]:
    """All occurrences of a rule until a day."""
    end = datetime.fromisoformat(until).replace(tzinfo=UTC)
    return list(
        expand(
            rule,
            local(start),
            zone,
            duration,
            until=end,
            last_day=last_day,
            excluded=excluded,
            added=added,
            holiday_rule=holiday_rule,
        )
    )


@given(
    st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]),
    st.sampled_from(["Europe/Paris", "America/Montreal", "Indian/Reunion", "Australia/Lord_Howe"]),
)
def test_seven_in_the_evening_stays_seven_in_the_evening_for_ten_years(weekday: str, zone: str) -> None:
    first = next(
        day
        for day in (date(2026, 1, 1) + timedelta(days=offset) for offset in range(7))
        if day.strftime("%a").upper().startswith(weekday)
    )

    found = dates(f"FREQ=WEEKLY;BYDAY={weekday}", f"{first}T19:00", zone=zone)

    assert len(found) >= 520
    for number, occurrence in enumerate(found):
        shown = occurrence.start_at.astimezone(ZoneInfo(zone))
        assert (shown.hour, shown.minute) == (19, 0)
        assert shown.date() == first + timedelta(weeks=number)
        assert occurrence.end_at - occurrence.start_at == HOUR
        assert occurrence.recurrence_id == f"{shown.date()}T19:00:00"
        assert occurrence.clock_note is None


def test_the_autumn_change_moves_the_instant_and_not_the_hour() -> None:
    found = dates("FREQ=WEEKLY;COUNT=2", "2026-10-20T19:00")

    assert [occurrence.start_at.hour for occurrence in found] == [17, 18]


def test_an_hour_that_does_not_exist_is_moved_forward_and_said() -> None:
    found = dates("FREQ=DAILY;COUNT=2", "2027-03-27T02:30")

    assert [occurrence.clock_note for occurrence in found] == [None, "missing"]
    assert found[1].start_at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert found[1].recurrence_id == "2027-03-28T02:30:00"


def test_of_an_hour_that_comes_twice_the_first_is_taken_and_said() -> None:
    found = dates("FREQ=DAILY;COUNT=2", "2026-10-24T02:30")

    assert [occurrence.clock_note for occurrence in found] == [None, "doubled"]
    assert found[1].start_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_session_may_cross_midnight_and_the_change_of_clock() -> None:
    found = dates("FREQ=DAILY;COUNT=1", "2026-10-24T23:00", duration=timedelta(hours=6))[0]

    assert found.end_at.astimezone(ZoneInfo(PARIS)).hour == 4


@pytest.mark.parametrize(
    ("until", "count"),
    [("20260630T170000Z", 5), ("20260630T165959Z", 4), ("20260630", 5), ("20260630T190000", 5), ("20260629", 4)],
)
def test_the_last_session_of_a_rule_is_in_it(until: str, count: int) -> None:
    assert len(dates(f"FREQ=WEEKLY;UNTIL={until}", "2026-06-02T19:00")) == count


def test_excluded_dates_are_left_out_and_added_ones_come_in_order() -> None:
    found = dates(
        "FREQ=WEEKLY;COUNT=3",
        "2026-06-02T19:00",
        excluded=frozenset({"2026-06-09T19:00:00"}),
        added=(local("2026-06-05T18:00"),),
    )

    assert [occurrence.recurrence_id[5:13] for occurrence in found] == ["06-02T19", "06-05T18", "06-16T19"]


def test_the_horizon_and_the_last_day_end_a_rule_without_end() -> None:
    assert len(dates("FREQ=WEEKLY", "2026-06-02T19:00", until="2026-07-01")) == 5
    assert len(dates("FREQ=WEEKLY", "2026-06-02T19:00", last_day=date(2026, 6, 9))) == 2


def test_the_thirty_first_skips_short_months() -> None:
    found = dates("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4", "2026-01-31T19:00")

    assert [occurrence.start_at.month for occurrence in found] == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("policy", "shown"),
    [
        (HolidayRule.KEEP, ["05-07", "05-14", "05-21"]),
        (HolidayRule.SKIP, ["05-07", "05-21"]),
        (HolidayRule.SHIFT, ["05-07", "05-15", "05-21"]),
    ],
)
def test_ascension_day_is_kept_skipped_or_moved(policy: HolidayRule, shown: list[str]) -> None:
    found = dates("FREQ=WEEKLY;COUNT=3", "2026-05-07T19:00", holiday_rule=policy)

    assert [f"{occurrence.start_at:%m-%d}" for occurrence in found] == shown


def test_a_moved_date_says_where_it_came_from_and_keeps_its_identity() -> None:
    found = dates("FREQ=WEEKLY;COUNT=1", "2026-12-25T19:00", holiday_rule=HolidayRule.SHIFT)[0]

    assert found.moved_from == date(2026, 12, 25)
    assert found.start_at.astimezone(ZoneInfo(PARIS)).date() == date(2026, 12, 28)
    assert found.recurrence_id == "2026-12-25T19:00:00"


def test_a_date_is_never_moved_onto_another_one() -> None:
    found = dates("FREQ=DAILY;COUNT=5", "2026-12-24T19:00", holiday_rule=HolidayRule.SHIFT)

    assert [occurrence.start_at.day for occurrence in found] == [24, 26, 27, 28]


def test_a_date_moved_past_the_horizon_hides_no_other() -> None:
    found = dates("FREQ=DAILY", "2026-04-30T10:00", until="2026-05-03", holiday_rule=HolidayRule.SHIFT)

    assert [occurrence.start_at.day for occurrence in found] == [30, 2]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "WEEKLY",
        "FREQ=SECONDLY",
        "FREQ=HOURLY;COUNT=3",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;INTERVAL=0",
        "FREQ=WEEKLY;BYDAY=WE",
        "FREQ=WEEKLY;UNTIL=20200101",
        "FREQ=WEEKLY;UNTIL=20261399T990000Z",
        "FREQ=WEEKLY\nEXDATE:20260602T190000",
        "FREQ=WEEKLY;COUNT=1;COUNT=" + "9" * 400,
    ],
)
def test_a_rule_that_does_not_fit_its_first_date_is_refused(rule: str) -> None:
    with pytest.raises(MalformedRule):
        dates(rule, "2026-06-02T19:00")


def test_the_preview_shows_the_first_dates_and_their_notes() -> None:
    found = preview("FREQ=WEEKLY", local("2026-06-02T19:00"), PARIS, HOUR, count=3)

    assert [occurrence.start_at.day for occurrence in found] == [2, 9, 16]
    assert len(preview("FREQ=WEEKLY;COUNT=2", local("2026-06-02T19:00"), PARIS, HOUR)) == 2
