"""Before and after a formation: a true difference is found, chance is called chance, too little says so."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.training import AdminSessionAttendance, AttendanceSource, AttendanceStatus
from calmness.services.trading import training_effect
from calmness.services.trading.training_effect import Finding, Outcome
from tests.trading.terminal import NOW, Terminal, cash, linked, trade, work
from tests.training import school

ClientFor = Callable[[User], FlaskClient]
FIRST = datetime(2026, 7, 1, 17, tzinfo=UTC)
LAST = datetime(2026, 7, 22, 17, tzinfo=UTC)
WINDOW = (FIRST, LAST)


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def outcomes(mean: float, count: int, *, seed: int = 1, days: int = 20, in_r: bool = True) -> list[Outcome]:
    figures = random.Random(seed)
    made = []
    for number in range(count):
        value = figures.gauss(mean, 0.6)
        day = FIRST.date() + timedelta(days=number % days)
        made.append(Outcome(day, value if in_r else None, value / 100, 600, int(value * 100)))
    return made


@pytest.mark.once
def test_a_true_difference_is_found_and_bounded() -> None:
    found = training_effect.compare("x", WINDOW, outcomes(-0.2, 200), outcomes(0.4, 200, seed=2))

    assert found.finding is Finding.BETTER
    assert found.in_r
    assert found.low is not None
    assert found.high is not None
    assert found.difference is not None
    assert 0 < found.low < found.difference < found.high < 1.2
    assert found.low < 0.6 < found.high


@pytest.mark.once
def test_the_other_way_round_is_said_as_plainly() -> None:
    assert (
        training_effect.compare("x", WINDOW, outcomes(0.4, 200), outcomes(-0.2, 200, seed=2)).finding is Finding.WORSE
    )


@pytest.mark.once
def test_chance_is_called_chance_in_nineteen_of_twenty() -> None:
    found = [
        training_effect.compare("x", WINDOW, outcomes(0.1, 60, seed=seed), outcomes(0.1, 60, seed=seed + 500)).finding
        for seed in range(20)
    ]

    assert found.count(Finding.NO_DIFFERENCE) >= 17


@pytest.mark.once
def test_the_interval_is_the_same_each_time_and_known_for_a_simple_case() -> None:
    before, after = ((0.0, 1), (2.0, 1)) * 50, ((1.0, 1), (3.0, 1)) * 50

    bounds = training_effect.interval(before, after)

    training_effect.interval.cache_clear()
    assert training_effect.interval(before, after) == bounds
    # Means of 100 draws of 0 or 2 deviate by 0.1 each: the difference by 0.1414, its bounds by 1.96 times that.
    assert bounds == pytest.approx((1 - 0.277, 1 + 0.277), abs=0.03)


@pytest.mark.once
def test_trades_of_a_day_are_drawn_together() -> None:
    """Ten trades a day that all agree are ten days of news, not a hundred."""
    alone = training_effect.interval(((1.0, 1), (-1.0, 1)) * 50, ((1.0, 1), (-1.0, 1)) * 50)
    together = training_effect.interval(((10.0, 10), (-10.0, 10)) * 5, ((10.0, 10), (-10.0, 10)) * 5)

    assert together[1] - together[0] > 2.5 * (alone[1] - alone[0])


@pytest.mark.once
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (outcomes(0, 29), outcomes(1, 200)),
        (outcomes(0, 200), outcomes(1, 29)),
        (outcomes(0, 200), outcomes(1, 200, days=4)),
        ([], []),
        (outcomes(0, 40)[:0], outcomes(1, 40)),
    ],
    ids=["29 before", "29 after", "four days", "nothing", "nothing before"],
)
def test_too_little_says_so(before: list[Outcome], after: list[Outcome]) -> None:
    found = training_effect.compare("x", WINDOW, before, after)

    assert (found.finding, found.low, found.difference) == (Finding.TOO_FEW, None, None)


@pytest.mark.once
def test_without_stops_the_percent_of_the_capital_is_compared() -> None:
    found = training_effect.compare("x", WINDOW, outcomes(-0.2, 100, in_r=False), outcomes(0.4, 100, seed=2))

    assert (found.in_r, found.finding) == (False, Finding.BETTER)
    assert found.difference == pytest.approx(0.006, abs=0.003)


def student(*, attended: bool = True, later: bool = False) -> User:
    """Someone who came to two sessions; ``later``: a third one is still to come."""
    course = school.formation()
    user = school.enrolled(course, FIRST - timedelta(days=10))
    sessions = [school.session_of(course, at) for at in (FIRST, LAST - timedelta(hours=2))]
    if later:
        sessions.append(school.session_of(course, NOW + timedelta(days=3)))
    db.session.add_all(sessions)
    db.session.flush()
    for session in sessions[:2] if attended else []:
        db.session.add(
            AdminSessionAttendance(
                session_id=session.id,
                user_id=user.id,
                status=AttendanceStatus.PRESENT,
                source=AttendanceSource.MANUAL,
                recorded_at=NOW,
            )
        )
    db.session.commit()
    return user


def trades_on_both_sides(ea: Terminal, *, stops: bool) -> None:
    """40 losing trades before, 3 during, 40 winning ones after; two a day."""
    rows: list[dict[str, Any]] = [cash(900, "1000.00", open_time=stamp(FIRST - timedelta(days=60)))]
    for number in range(40):
        for side, start in enumerate((FIRST - timedelta(days=30), LAST + timedelta(days=2))):
            opened = start + timedelta(hours=12 * number)
            lost = number % 3 != 0 if side == 0 else number % 3 == 0
            rows.append(position(100 * side + number + 1, opened, lost=lost, stops=stops))
    rows += [position(800 + number, FIRST + timedelta(days=number + 1), lost=True, stops=stops) for number in range(3)]
    rows.append(position(850, FIRST - timedelta(minutes=30), lost=True, stops=stops, minutes=120))
    ea.sync(*rows)
    work()


def position(ticket: int, opened: datetime, *, lost: bool, stops: bool, minutes: int = 20) -> dict[str, Any]:
    return trade(
        ticket,
        "-10.00" if lost else "20.00",
        open_time=stamp(opened),
        close_time=stamp(opened + timedelta(minutes=minutes)),
        open_price="1.10000",
        close_price="1.09900" if lost else "1.10200",
        sl="1.09900" if stops else "0",
    )


def stamp(moment: datetime) -> int:
    """As the broker writes it: two hours ahead of UTC in winter, three in summer."""
    return int(moment.timestamp()) + 3 * 3600


@pytest.mark.parametrize(("stops", "unit"), [(True, "\u00a0R"), (False, "\u00a0%")])
def test_the_page_tells_both_sides_and_leaves_the_course_out(
    site: Flask, client_for: ClientFor, *, stops: bool, unit: str
) -> None:
    user = student()
    _account, ea = linked(site, user)
    trades_on_both_sides(ea, stops=stops)

    page = client_for(user).get("/espace/statistiques/formations")

    assert page.status_code == 200
    (effect,) = training_effect.of_user(user)
    assert effect.before is not None
    assert effect.after is not None
    assert (effect.before.trades, effect.after.trades) == (40, 40)
    assert effect.before.win_rate == pytest.approx(14 / 40)
    assert effect.in_r is stops
    assert effect.finding is Finding.BETTER
    assert "Meilleur après" in page.text
    assert "Cela ne prouve pas que la formation en soit la cause" in page.text
    assert unit in page.text.split("L’écart moyen par trade est de", 1)[1][:40]
    assert "Séances suivies du 1er juillet 2026 au 22 juillet 2026" in page.text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"attended": False}, "Vous n’avez assisté à aucune séance"),
        ({"later": True}, "Formation en cours"),
        ({}, "Pas assez de trades"),
    ],
    ids=["not attended", "under way", "no trade"],
)
def test_the_page_is_honest_when_there_is_nothing_to_compare(
    site: Flask, client_for: ClientFor, how: dict[str, bool], said: str
) -> None:
    user = student(**how)
    linked(site, user)

    page = client_for(user).get("/espace/statistiques/formations").text

    assert said in page
    assert "Meilleur après" not in page


def test_someone_without_a_formation_is_shown_the_way(site: Flask, client_for: ClientFor) -> None:
    account, _ea = linked(site)

    assert "Aucune formation suivie" in client_for(account.user).get("/espace/statistiques/formations").text
