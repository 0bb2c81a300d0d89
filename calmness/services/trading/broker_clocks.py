"""How a broker's server tells time: found out from what its EA measures, or said by the student.

A measured offset says little on one day: most servers follow New York, some European summer time, some none. All
offsets ever measured are kept with their day, and the first clock that explains all of them is taken. When that
changes, or the student says otherwise, the times of all trades are converted again from the server's own.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from calmness.extensions import db
from calmness.instruments import base_symbol, is_forex
from calmness.models.delivery import Lane
from calmness.models.trading import Trade, TradeStatus, TradingAccount
from calmness.services import delivery
from calmness.services.trading import trade_totals
from calmness.services.trading.message_values import NEW_YORK, BrokerClock, offset_at

NEW_YORK_PLUS_7 = "new-york"
ZONES = ("Europe/Helsinki", "Europe/London", "Europe/Paris")
FIXED = tuple(f"utc{hours:+d}" for hours in range(-5, 11))
CHOICES = (NEW_YORK_PLUS_7, *ZONES, *FIXED)
WEEK = 7 * 86_400
KEPT = 60
CHUNK = 2_000
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_CLOSE_HOUR = 17


def clock_of(choice: str | None) -> BrokerClock:
    """The clock of a choice. Raises ValueError when it is none of ``CHOICES``."""
    if choice not in CHOICES:
        raise ValueError("unknown clock")
    if choice == NEW_YORK_PLUS_7:
        return None
    return choice if choice in ZONES else int(choice.removeprefix("utc")) * 3600


def choice_of(broker_clock: BrokerClock) -> str:
    """The choice that is this clock; empty for an offset that is no whole hour."""
    if broker_clock is None:
        return NEW_YORK_PLUS_7
    if type(broker_clock) is int:
        named = f"utc{broker_clock // 3600:+d}"
        return named if broker_clock % 3600 == 0 and named in FIXED else ""
    return str(broker_clock)


def of_account(account: TradingAccount) -> BrokerClock:
    """The clock of an account's server: as the student said, else as it was measured, else the common rule."""
    if account.broker_clock:
        return clock_of(account.broker_clock)
    return explained(account.clock_evidence)


def explained(evidence: list[Any]) -> BrokerClock:
    """The first clock that explains every measure ``[epoch of UTC, offset]``; the last offset when none does."""
    if not evidence:
        return None
    offset = int(evidence[-1][1])
    for candidate in (None, ZONES[0], offset, *ZONES[1:]):
        if all(offset_at(int(gmt) + int(seen), candidate) == int(seen) for gmt, seen in evidence):
            return candidate
    return offset


def note(account: TradingAccount, gmt: datetime, offset: int) -> None:
    """Keep a measured offset. When it shows that the clock is another one, times are converted again by a job."""
    if account.utc_offset_seconds != offset:
        account.utc_offset_seconds = offset
    epoch = int(gmt.timestamp())
    last = account.clock_evidence[-1] if account.clock_evidence else None
    if last is not None and int(last[1]) == offset and epoch - int(last[0]) < WEEK:
        return
    before = of_account(account)
    account.clock_evidence = [*account.clock_evidence, [epoch, offset]][-KEPT:]
    if of_account(account) != before:
        convert_later(account)


def correct(account: TradingAccount, choice: str) -> None:
    """Set the clock by hand; empty gives it back to what is measured. Raises ValueError."""
    if choice:
        clock_of(choice)
    before = of_account(account)
    account.broker_clock = choice or None
    if of_account(account) != before:
        convert_later(account)


def convert_later(account: TradingAccount) -> None:
    """Ask for the times of all trades to be converted again."""
    account.conversions += 1
    key = f"trading-conversion:{account.id}:{account.conversions}"
    delivery.enqueue("trading.convert_times", key, {"account_id": account.id}, lane=Lane.IMPORT)


def convert(account: TradingAccount) -> datetime | None:
    """Convert the times of all trades from the server's own. Gives the earliest instant that moved.

    The caller holds the account's lock. Running it twice changes nothing.
    """
    broker_clock = of_account(account)
    rows = db.session.execute(
        select(
            Trade.id,
            Trade.status,
            Trade.open_time_server,
            Trade.close_time_server,
            Trade.opened_at,
            Trade.closed_at,
        ).where(Trade.account_id == account.id, Trade.open_time_server.is_not(None))
    )
    moved: list[dict[str, Any]] = []
    earliest: datetime | None = None
    for trade_id, status, opened, closed, opened_at, closed_at in rows:
        if opened is None:
            continue
        shift = offset_at(closed or opened, broker_clock)
        new_opened = datetime.fromtimestamp(opened - offset_at(opened, broker_clock), UTC)
        new_closed = datetime.fromtimestamp(closed - shift, UTC) if closed else None
        if status is TradeStatus.CASH:
            new_closed = new_opened
        if (new_opened, new_closed) != (opened_at, closed_at):
            values = {"opened_at": new_opened, "closed_at": new_closed, "utc_offset_seconds": shift}
            moved.append({"id": trade_id} | values)
            moments = [moment for moment in (closed_at, new_closed) if moment is not None]
            earliest = min([*moments, *([earliest] if earliest else [])], default=earliest)
    for start in range(0, len(moved), CHUNK):
        db.session.execute(update(Trade), moved[start : start + CHUNK])
    if moved:
        trade_totals.touch(account.id)
    return earliest


def closed_market(times: list[tuple[str, int]], broker_clock: BrokerClock) -> int:
    """How many of these ``(symbol, server epoch)`` of forex lie in the week-end under this clock: more than none, and
    the clock is another one. The market closes on Friday and opens on Sunday at 17:00 in New York.
    """
    return sum(1 for symbol, epoch in times if is_forex(base_symbol(symbol)) and _is_week_end(epoch, broker_clock))


def guessed(times: list[tuple[str, int]]) -> str:
    """The first choice under which no trade lies in the week-end, from the most common clock on."""
    likely = (NEW_YORK_PLUS_7, ZONES[0], "utc+0", "utc+2", "utc+3", *ZONES[1:])
    return min(likely, key=lambda choice: (closed_market(times, clock_of(choice)), likely.index(choice)))


def _is_week_end(epoch: int, broker_clock: BrokerClock) -> bool:
    wall = datetime.fromtimestamp(epoch - offset_at(epoch, broker_clock), UTC).astimezone(NEW_YORK)
    day = wall.weekday()
    if day == _SATURDAY:
        return True
    after = wall.hour * 3600 + wall.minute * 60 + wall.second - _CLOSE_HOUR * 3600
    # A trade of the last second before the close and of the first one after the opening is no proof.
    return (day == _FRIDAY and after > 0) or (day == _SUNDAY and after < 0)
