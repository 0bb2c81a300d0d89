"""The leaderboard: nobody who did not ask, no luck on top, no amount, no look-alike."""

import random
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import Consent, User
from calmness.models.sharing import LeaderboardEntry
from calmness.models.trading import Platform, TradingAccount, TradingStatistics
from calmness.services.trading import leaderboards, trading_accounts
from tests import factories
from tests.trading.terminal import NOW

ClientFor = Callable[[User], FlaskClient]
ZERO = Decimal(0)


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def trader(returns: list[float], *, mode: str = "real", capital: int = 10_000, trades: int = 2) -> User:
    """A student whose account made these returns, one a day up to yesterday."""
    student = factories.student()
    account, _key = trading_accounts.add(student, "Réel", Platform.MT4, "EUR")
    account.mode, account.last_sync_at = mode, NOW
    keep(account, returns, capital=capital, trades=trades)
    db.session.commit()
    return student


def keep(account: TradingAccount, returns: list[float], *, capital: int, trades: int) -> None:
    balance, first = Decimal(capital), NOW.date() - timedelta(days=len(returns))
    for place, value in enumerate(returns):
        net = (balance * Decimal(str(value))).quantize(Decimal("0.01"))
        balance += net
        row: dict[str, Any] = dict.fromkeys(
            ("net", "gross_profit", "gross_loss", "swap", "commission", "volume", "deposits", "withdrawals"), ZERO
        )
        row |= {"exits": trades, "wins": trades, "losses": 0, "breakeven": 0, "holding_seconds": 60, "net": net}
        day: date = first + timedelta(days=place)
        db.session.add(TradingStatistics(account_id=account.id, day=day, trades=trades, balance_end=balance, **row))


def steady(days: int = 120) -> list[float]:
    rng = random.Random(7)
    return [rng.gauss(0.002, 0.004) for _day in range(days)]


def lucky(days: int = 120) -> list[float]:
    """Nothing but noise, and one day that doubles the account."""
    rng = random.Random(8)
    return [rng.gauss(0.0, 0.004) for _day in range(days - 1)] + [1.0]


def test_one_lucky_trade_does_not_come_on_top(site: Flask) -> None:
    """The lucky one has by far the larger gain, and would lead by return or by plain expectancy."""
    first, second = trader(steady()), trader(lucky())
    leaderboards.join(first.id, "Marée calme")
    leaderboards.join(second.id, "Gros coup")

    assert sum(lucky()) > 3 * sum(steady())
    assert next(entry.pseudonym for entry in leaderboards.ranking()) == "Marée calme"
    without_it = leaderboards.score_of(lucky()[:-1])
    with_it = leaderboards.score_of(lucky())
    assert without_it is not None
    assert with_it is not None
    assert abs(with_it - without_it) < Decimal("0.5")


def test_a_few_lucky_days_are_cut_to_three_ordinary_ones() -> None:
    noise = [0.001 if day % 2 else -0.001 for day in range(100)]

    score = leaderboards.score_of([*noise, 0.5, 0.5, 0.5])

    assert score is not None
    assert score < leaderboards.score_of(steady(100))  # type: ignore[operator]


def test_the_score_by_hand() -> None:
    """Best day 0.03 is left out; the typical day is 0.01, so that -0.05 counts as -0.03."""
    returns = [0.01, 0.01, -0.05, 0.03, 0.01]

    cut = [-0.03, 0.01, 0.01, 0.01]
    mean, deviation = 0.0, (sum(value**2 for value in cut) / 3) ** 0.5
    assert leaderboards.score_of(returns) == Decimal(str(round(mean / deviation * 252**0.5 * 4 / 64, 4)))


def test_the_size_of_the_account_changes_nothing(site: Flask) -> None:
    small, large = trader(steady(), capital=500_000), trader(steady(), capital=5_000_000)

    scores = [leaderboards.record_of(person.id).score for person in (small, large)]

    assert scores[0] is not None
    assert abs(scores[0] - scores[1]) < Decimal("0.01")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("days", "trades", "mode"), [(29, 3, "real"), (80, 3, "real"), (120, 0, "real"), (120, 2, "demo")]
)
def test_a_short_history_or_a_demo_account_is_not_ranked(site: Flask, days: int, trades: int, mode: str) -> None:
    person = trader(steady(days), trades=trades, mode=mode)

    leaderboards.join(person.id, "Trop court")

    assert leaderboards.ranking() == []


def test_a_loss_cannot_be_put_away_in_the_archive(site: Flask) -> None:
    person = trader(steady())
    before = leaderboards.record_of(person.id).score
    other, _key = trading_accounts.add(person, "Perdant", Platform.MT4, "EUR")
    other.mode, other.last_sync_at = "real", NOW
    keep(other, [-value - 0.003 for value in steady()], capital=10_000, trades=2)
    trading_accounts.archive(other)
    db.session.commit()

    after = leaderboards.record_of(person.id).score

    assert before is not None
    assert after is not None
    assert after < before


@pytest.mark.parametrize("name", ["Maree Calme", "MARÉE  CALME", "Maree-Ca1me", "Marée Caime", "marrée calme"])
def test_a_name_that_looks_like_anothers_is_taken(site: Flask, client_for: ClientFor, name: str) -> None:
    leaderboards.join(trader(steady()).id, "Marée calme")
    db.session.commit()

    refused = client_for(factories.student()).post("/espace/classement", data={"pseudonym": name})

    assert refused.status_code == 422
    assert "ressemble trop" in refused.text
    assert db.session.scalars(select(LeaderboardEntry.pseudonym)).all() == ["Marée calme"]


@pytest.mark.parametrize(
    "name", ["ab", "x" * 25, "Мария calme", "<b>gras</b>", "Calmness", "L'Admin1strateur", "Equipe 7"]
)
def test_names_of_other_letters_or_of_the_school_are_refused(site: Flask, client_for: ClientFor, name: str) -> None:
    refused = client_for(factories.student()).post("/espace/classement", data={"pseudonym": name})

    assert refused.status_code == 422
    assert "De 3 à 24 lettres" in refused.text


def test_joining_shows_the_name_alone_and_leaving_is_at_once(site: Flask, client_for: ClientFor) -> None:
    person = trader(steady())
    mine, other = client_for(person), client_for(factories.student())
    assert "Personne n’est encore classé" in other.get("/espace/classement").text

    mine.post("/espace/classement", data={"pseudonym": "Marée calme"})
    page = other.get("/espace/classement").text

    assert "Marée calme" in page
    assert person.last_name not in page.split("<table")[1].split("</table>")[0]
    assert not re.search(r"€|EUR", page.split("<table")[1].split("</table>")[0])
    mine.post("/espace/classement/retrait")
    assert "Marée calme" not in other.get("/espace/classement").text
    assert db.session.scalars(select(LeaderboardEntry)).all() == []
    proofs = db.session.scalars(select(Consent.given).where(Consent.purpose == "leaderboard").order_by(Consent.id))
    assert list(proofs) == [True, False]


def test_a_name_can_be_changed_and_the_old_one_is_free(site: Flask) -> None:
    person = trader(steady())
    leaderboards.join(person.id, "Premier nom")
    leaderboards.join(person.id, "Second nom")

    leaderboards.join(factories.student().id, "Premier nom")

    assert db.session.scalars(select(Consent.id).where(Consent.user_id == person.id)).all() != []
    assert len(db.session.scalars(select(LeaderboardEntry)).all()) == 2
