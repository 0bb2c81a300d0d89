"""Old readings become fewer; curve and deepest fall stay what they were."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.jobs import trading as jobs
from calmness.models.trading import AccountSnapshot, Trade, TradingAccount
from calmness.services.trading import equity_falls, snapshot_thinning, trading_report
from calmness.services.trading.trading_report import Scope
from tests import factories
from tests.trading.terminal import NOW, linked

TODAY = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def read(account: TradingAccount, values: dict[datetime, int]) -> None:
    """Readings of the EA."""
    rows: list[dict[str, Any]] = [
        {"account_id": account.id, "taken_at": at, "balance": Decimal(1000), "equity": Decimal(equity)}
        for at, equity in values.items()
    ]
    db.session.execute(insert(AccountSnapshot), rows)
    db.session.commit()


def kept(account: TradingAccount) -> list[datetime]:
    query = select(AccountSnapshot.taken_at).where(AccountSnapshot.account_id == account.id)
    return list(db.session.scalars(query.order_by(AccountSnapshot.taken_at)))


def minutes(start: datetime, *equities: int) -> dict[datetime, int]:
    return {start + timedelta(minutes=number): equity for number, equity in enumerate(equities)}


def told(account: TradingAccount) -> tuple[Any, ...]:
    """What the page says of the readings."""
    scope = Scope((account.id,), "Europe/Paris")
    fall = equity_falls.of_scope(scope)
    return trading_report.equity_by_day(scope), fall and fall.amount


def test_of_an_old_hour_stay_the_last_the_ends_and_the_deepest_fall(site: Flask) -> None:
    account, _ea = linked(site)
    start = TODAY - timedelta(days=40)
    # Lowest first, then 1010 to 990 is the deepest fall within, then the highest, then the last.
    read(account, minutes(start, 980, 1000, 1010, 1005, 990, 1004, 1020, 1015, 1012))
    before = told(account)

    jobs.thin_snapshots()

    assert [(at - start).seconds // 60 for at in kept(account)] == [0, 2, 4, 6, 8]
    assert told(account) == before


def test_what_is_younger_than_a_month_stays_whole(site: Flask) -> None:
    account, _ea = linked(site)
    read(account, minutes(TODAY - timedelta(days=snapshot_thinning.WHOLE_DAYS), *range(1000, 1020)))

    jobs.thin_snapshots()

    assert len(kept(account)) == 20


def test_after_a_year_it_is_by_the_day(site: Flask) -> None:
    account, _ea = linked(site)
    old, younger = TODAY - timedelta(days=400), TODAY - timedelta(days=300)
    for start in (old, younger):
        read(account, {start + timedelta(minutes=10 * number): 1000 + number for number in range(144)})

    jobs.thin_snapshots()

    by_day = Counter(at.date() for at in kept(account))
    # Of what only rises the lowest is also the top of no fall; the last is the highest.
    assert by_day == {old.date(): 2, younger.date(): 48}


def test_a_second_run_goes_on_where_the_first_ended(site: Flask, time_machine: TimeMachineFixture) -> None:
    account, _ea = linked(site)
    read(account, minutes(TODAY - timedelta(days=31), *range(1000, 1010)))
    read(account, minutes(TODAY - timedelta(days=30), *range(1000, 1010)))
    jobs.thin_snapshots()
    first = len(kept(account))
    due_again = snapshot_thinning.due(NOW)

    time_machine.move_to(NOW + timedelta(days=1), tick=False)
    jobs.thin_snapshots()

    assert (first, due_again, len(kept(account))) == (12, [], 4)


def test_an_hour_with_a_deposit_stays_whole(site: Flask) -> None:
    account, _ea = linked(site)
    start = TODAY - timedelta(days=40)
    read(account, minutes(start, *range(1000, 1020)) | minutes(start + timedelta(hours=1), *range(1000, 1020)))
    deposit = factories.deposit(account.id)
    deposit.opened_at = deposit.closed_at = start + timedelta(minutes=5)
    db.session.commit()

    jobs.thin_snapshots()

    assert Counter(at.hour for at in kept(account)) == {start.hour: 20, start.hour + 1: 2}


def test_another_account_is_not_touched_by_it(site: Flask) -> None:
    account, _ea = linked(site)
    other, _other_ea = linked(site, name="Autre")
    for one in (account, other):
        read(one, minutes(TODAY - timedelta(days=40), *range(1000, 1010)))

    snapshot_thinning.thin(account.id, NOW)

    assert (len(kept(account)), len(kept(other))) == (2, 10)
    assert snapshot_thinning.due(NOW) == [other.id]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    readings=st.dictionaries(st.integers(0, 4 * 24 * 60), st.integers(900, 1100), min_size=1, max_size=60),
    flow=st.none() | st.tuples(st.integers(0, 4 * 24 * 60), st.integers(-500, 500)),
    days=st.sampled_from([40, 400]),
)
def test_curve_and_deepest_fall_are_the_same_whatever_was_read(
    site: Flask, readings: dict[int, int], flow: tuple[int, int] | None, days: int
) -> None:
    account, _ea = linked(site)
    start = TODAY - timedelta(days=days)
    read(account, {start + timedelta(minutes=minute): equity for minute, equity in readings.items()})
    if flow:
        deposit = factories.deposit(account.id, str(flow[1]))
        deposit.opened_at = deposit.closed_at = start + timedelta(minutes=flow[0], seconds=30)
        db.session.commit()
    before = told(account)

    snapshot_thinning.thin(account.id, NOW)

    assert told(account) == before
    db.session.execute(delete(Trade))
    db.session.execute(delete(AccountSnapshot))
    db.session.commit()
