"""Dates and hours in the reader's zone."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from calmness import locale, presentation
from calmness.presentation import NO_BREAK

pytestmark = pytest.mark.once
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


def plain(text: str) -> str:
    """The text with ordinary spaces, for reading."""
    return text.replace(NO_BREAK, " ")


@pytest.mark.parametrize(
    ("given_day", "written"),
    [
        (date(2026, 11, 24), "24 novembre 2026"),
        (date(2026, 12, 1), "1er décembre 2026"),
        (date(2026, 12, 11), "11 décembre 2026"),
        (date(2026, 12, 31), "31 décembre 2026"),
    ],
)
def test_days(given_day: date, written: str) -> None:
    assert plain(presentation.day(given_day)) == written


def test_shorter_and_longer_days() -> None:
    assert plain(presentation.short_day(date(2026, 11, 24))) == "24 nov. 2026"
    assert plain(presentation.weekday_day(date(2026, 12, 1))) == "mardi 1er décembre"
    assert presentation.month(date(2026, 12, 1)) == "Décembre 2026"
    assert presentation.short_month(date(2026, 12, 1)) == "déc."
    assert presentation.day_and_month(date(2026, 11, 30)) == "30\xa0nov."
    assert presentation.day(None) == presentation.month(None) == presentation.hour(None) == "–"


@pytest.mark.parametrize(
    ("given_day", "written"),
    [
        (NOON, "Aujourd’hui"),
        (NOON + timedelta(days=1), "Demain"),
        (NOON + timedelta(days=7), "Mardi 1er décembre"),
        (NOON - timedelta(days=1), "Lundi 23 novembre"),
    ],
)
def test_the_day_of_an_appointment(given_day: datetime, written: str) -> None:
    with time_machine.travel(NOON, tick=False):
        assert plain(presentation.meeting_day(given_day)) == written
        assert plain(presentation.meeting_day(given_day.date())) == written


@pytest.mark.parametrize(
    ("instant", "written"),
    [
        (datetime(2026, 7, 1, 17, 0, tzinfo=UTC), "19 h 00"),
        (datetime(2026, 11, 24, 18, 0, tzinfo=UTC), "19 h 00"),
        (datetime(2026, 11, 24, 8, 5, tzinfo=UTC), "9 h 05"),
        (datetime(2026, 11, 24, 23, 30, tzinfo=UTC), "0 h 30"),
    ],
)
def test_hours_are_those_of_paris(instant: datetime, written: str) -> None:
    assert plain(presentation.hour(instant)) == written


def test_an_instant_after_local_midnight_is_tomorrow() -> None:
    assert plain(presentation.date_time(datetime(2026, 11, 24, 23, 30, tzinfo=UTC))) == "25 novembre 2026 à 0 h 30"


def test_a_reader_elsewhere_sees_his_own_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locale, "select_timezone", lambda: "Indian/Reunion")

    assert plain(presentation.hour(NOON)) == "15 h 00"


@pytest.mark.parametrize(
    ("distance", "written"),
    [
        (timedelta(seconds=2), "à l’instant"),
        (timedelta(seconds=23), "il y a 23 secondes"),
        (timedelta(hours=3), "il y a 3 heures"),
        (timedelta(days=1), "il y a 1 jour"),
        (-timedelta(days=2), "dans 2 jours"),
        (timedelta(days=45), "10 octobre 2026"),
    ],
)
def test_how_long_ago(distance: timedelta, written: str) -> None:
    with time_machine.travel(NOON, tick=False):
        shown = str(presentation.ago(NOON - distance))

    assert plain(shown).endswith(f">{written}</time>")
    assert f'datetime="{(NOON - distance).isoformat()}"' in shown


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (23, "23 s"),
        (222, "3 min 42"),
        (180, "3 min"),
        (41 * 60 + 12, "41 min"),
        (3 * 3600 + 12 * 60, "3 h 12"),
        (2 * 3600, "2 h"),
        (2 * 3600 + 5 * 60, "2 h 05"),
        (53 * 3600, "2 j 5 h"),
        (-90, "−1 min 30"),
        (None, "–"),
    ],
)
def test_durations(seconds: int | None, written: str) -> None:
    assert plain(presentation.duration(seconds)) == written


def test_time_left() -> None:
    with time_machine.travel(NOON, tick=False):
        assert plain(presentation.days_left(NOON + timedelta(days=19, hours=3))) == "19 jours"
        assert plain(presentation.days_left(NOON + timedelta(days=29, hours=23, minutes=58))) == "30 jours"
        assert plain(presentation.days_left(NOON + timedelta(days=1))) == "1 jour"
        assert plain(presentation.days_left(NOON + timedelta(hours=5))) == "5 h"
        assert plain(presentation.days_left(NOON - timedelta(days=5))) == "0 s"


@given(st.dates(date(1900, 1, 1), date(2999, 12, 31)))
def test_a_day_and_its_month_are_never_parted(given_day: date) -> None:
    for written in (
        presentation.day(given_day),
        presentation.short_day(given_day),
        presentation.weekday_day(given_day),
    ):
        assert not re.search(r"\d(er)? [a-zéû]", written), written
        assert f"{NO_BREAK}" in written
        assert ("1er" in written) == (given_day.day == 1)
