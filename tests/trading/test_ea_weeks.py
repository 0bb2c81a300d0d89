"""Weeks of a terminal as they are: week-ends, restarts, lost networks, and the broker's change of clock among them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.trading import Trade, TradeStatus, TradingAccount
from calmness.services.trading import broker_clocks
from tests.fixtures.once import once, shared_folder
from tests.trading.shim import compiler
from tests.trading.shim.simulation import NO_CONNECTION, Answer, Order, Terminal
from tests.trading.terminal import OFFSET, linked, work

DAYS = 32
TUESDAY = datetime(2026, 10, 20, 9, tzinfo=UTC)
"""Helsinki changes its clocks on the 25th of October, New York on the first of November."""


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled EA, one for the run."""
    return once(shared_folder(tmp_path_factory), "ea", compiler.build) / "terminal"


class Life:
    """A terminal day after day. The broker's wall clock is that of a zone, shifted by whole hours."""

    def __init__(self, site: Flask, program: Path, folder: Path, zone: str, shift: int) -> None:
        self.zone, self.shift = ZoneInfo(zone), timedelta(hours=shift)
        self.dice = random.Random(zone)
        self.account, ea = linked(site)
        self._make = lambda start: Terminal(program, folder, ea.client, ea.key, start, fault=self._network)
        self.orders: dict[int, Order] = {}
        self.clock = TUESDAY
        self.terminal = self._opened(TUESDAY, self.wall(TUESDAY))

    def wall(self, moment: datetime) -> int:
        """The broker's time at an instant."""
        ahead = (moment.astimezone(self.zone).utcoffset() or timedelta(0)) + self.shift
        return int((moment + ahead).timestamp())

    def day(self, today: datetime) -> None:
        """Two minutes of a day; on working days an order is closed in them and the broker's clock goes on."""
        is_open = today.weekday() < 5
        server = self.wall(today) if is_open else self.terminal.server_time
        if self.dice.random() < 0.3:
            self.terminal.end(killed=self.dice.random() < 0.5)
            self.terminal = self._opened(today, server)
        else:
            gone = today - self.clock
            self.terminal.skip(int(gone.total_seconds()), server - self.terminal.server_time)
        if is_open:
            ticket = 100 + len(self.orders)
            self.orders[ticket] = Order(
                ticket, open_time=server - 5 * 3600, close_time=server - 60, profit=ticket % 9 - 3
            )
        self.terminal.orders, self.terminal.market = dict(self.orders), is_open
        self.terminal.run(130)
        self.clock = today + timedelta(seconds=130)

    def end(self) -> None:
        """The network holds for a last hour."""
        self.terminal.fault = lambda _number: None
        self.terminal.run(900)
        with time_machine.travel(self.clock + timedelta(seconds=900), tick=False):
            work()

    def _opened(self, start: datetime, server: int) -> Terminal:
        terminal = self._make(start)
        assert terminal.begin() == 0
        terminal.skip(server=server - int(start.timestamp()) - OFFSET)
        self.clock = start
        return terminal

    def _network(self, _number: int) -> Answer | None:
        return NO_CONNECTION if self.dice.random() < 0.25 else None


@pytest.fixture(
    params=[("America/New_York", 7, None), ("Europe/Helsinki", 0, "Europe/Helsinki")], ids=["new york", "helsinki"]
)
def life(
    site: Flask, program: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Life, str | None]]:
    """(weeks to be lived, the clock that must be found out)."""
    zone, shift, clock = request.param
    folder = tmp_path / "MQL4" / "Files"
    folder.mkdir(parents=True)
    lived = Life(site, program, folder, zone, shift)
    yield lived, clock
    lived.terminal.end()


def test_weeks_bring_every_trade_once_at_its_true_instant(life: tuple[Life, str | None]) -> None:
    lived, clock = life

    for number in range(DAYS):
        lived.day(TUESDAY + timedelta(days=number))
    lived.end()

    rows = {int(row.ticket): row for row in db.session.scalars(select(Trade))}
    assert len(rows) == len(lived.orders) == 24
    for ticket, row in rows.items():
        opened, closed = row.opened_at, row.closed_at
        assert closed is not None
        order = lived.orders[ticket]
        assert (lived.wall(opened), lived.wall(closed)) == (order.open_time, order.close_time)
        # An order of the morning: nine o'clock of UTC less a minute, whatever the broker's clock did.
        assert (closed.hour, closed.minute, closed - opened) == (8, 59, timedelta(hours=5, minutes=-1))
        assert (float(row.profit), row.status) == (order.profit, TradeStatus.CLOSED)
    account = db.session.scalars(select(TradingAccount)).one()
    assert broker_clocks.of_account(account) == clock
    assert account.history_complete
