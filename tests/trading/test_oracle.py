"""Returns and risk equal to an outside library for any days: empyrical, which nothing of the product needs.

Where it gives infinities or nothing at all (no deviation, no losing day) the product says None: see test_returns.
"""

import math
import warnings
from datetime import date, timedelta
from itertools import accumulate

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calmness.services.trading import trading_returns
from calmness.services.trading.trading_returns import Day

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import empyrical

pytestmark = pytest.mark.once
UNIT = 10**8
MONDAY = date(2026, 1, 5)
percents = st.lists(st.integers(-500, 600), min_size=20, max_size=80).map(
    lambda found: [value / 1e4 for value in found]
)
"""Daily returns from -5 % to +6 %."""


def series(returns: list[float]) -> pd.Series:
    return pd.Series(returns, index=pd.bdate_range(MONDAY, periods=len(returns)))


@given(percents)
@settings(deadline=None)
def test_sharpe(returns: list[float]) -> None:
    assume(len(set(returns)) > 1)

    assert trading_returns.sharpe(returns) == pytest.approx(float(empyrical.sharpe_ratio(series(returns))), rel=1e-9)


@given(percents)
@settings(deadline=None)
def test_sortino(returns: list[float]) -> None:
    assume(min(returns) < 0)

    assert trading_returns.sortino(returns) == pytest.approx(float(empyrical.sortino_ratio(series(returns))), rel=1e-9)


@given(percents, st.dictionaries(st.integers(0, 79), st.integers(-300, 5_000), max_size=5))
@settings(deadline=None)
def test_time_weighted_return_and_fall_whatever_is_paid_in(returns: list[float], flows: dict[int, int]) -> None:
    """Days of a given return on a balance that deposits and withdrawals change: the library sees only the returns."""
    balance, movements = 1_000 * UNIT, []
    for place, value in enumerate(returns):
        flow = max(flows.get(place, 0) * UNIT, -balance // 2)
        balance += flow
        net = round(balance * value)
        movements += [(True, flow), (False, net)]
        balance += net

    found = trading_returns.walk(movements, 1_000 * UNIT)

    assert found.time_weighted is not None
    assert found.time_weighted == pytest.approx(float(empyrical.cum_returns_final(series(returns))), rel=1e-6, abs=1e-8)
    assert found.fall_ratio == pytest.approx(-float(empyrical.max_drawdown(series(returns))), rel=1e-6, abs=1e-8)


@given(percents)
@settings(deadline=None)
def test_the_curve_of_the_drawdown_and_its_depth(returns: list[float]) -> None:
    days, balance = [], 1_000 * UNIT
    for place, value in enumerate(returns):
        net = round(balance * value)
        days.append(Day(MONDAY + timedelta(days=place), net, 0, balance, 1))
        balance += net

    curve = [depth for _day, depth in trading_returns.drawdown_curve(days)]

    assert min(curve) == pytest.approx(float(empyrical.max_drawdown(series(returns))), rel=1e-6, abs=1e-8)
    assert len(curve) == len(returns)


@given(percents)
@settings(deadline=None)
def test_calmar_up_to_the_calendar(returns: list[float]) -> None:
    """The library counts 252 days a year where the product counts 365 of the calendar: over the same years equal."""
    assume(min(returns) < 0)
    total, depth = float(empyrical.cum_returns_final(series(returns))), float(empyrical.max_drawdown(series(returns)))
    assume(total > -0.99)
    days = [Day(MONDAY, 1, 0, 1_000, 1), Day(MONDAY + timedelta(days=364), 1, 0, 1_000, 1)]

    found = trading_returns.ratios(days, total, -depth).calmar

    year = [(1 + total) ** (1 / 252) - 1] * 252
    annual = float(empyrical.annual_return(series(year)))
    assert found == pytest.approx(annual / -depth, rel=1e-6, abs=1e-6)


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=60))
def test_the_fall_in_money_against_a_slow_search(nets: list[int]) -> None:
    curve = [0, *accumulate(nets)]

    assert trading_returns.walk((False, net) for net in nets).fall == max(
        high - low for place, high in enumerate(curve) for low in curve[place:]
    )
    assert math.isfinite(trading_returns.walk([(True, 10**13), *((False, net) for net in nets)]).fall_ratio or 0.0)
