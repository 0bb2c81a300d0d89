"""Trades of a batch: read in one pass, compared with what is stored, written in one statement.

A first sync brings 500 trades a second for minutes, so nothing here makes an object of the ORM or a ``Decimal`` per
value. Amounts are whole 1e-8 units from the first line on, exactly as the database keeps them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, String, bindparam, insert, select, type_coerce

from calmness.extensions import db
from calmness.models.cash import TOLD
from calmness.models.dialect import among_given, many, upsert_stored
from calmness.models.prepared import Prepared
from calmness.models.trading import Trade, TradeKind, TradeRevision, TradeSource, TradeStatus
from calmness.models.types import SCALE, Scaled8, UtcDateTime
from calmness.services.trading.message_values import BrokerClock, clean, offset_at, price_units, ticket_of, units, whole

EPOCH_1980 = 315_532_800
SYMBOL_LENGTH, COMMENT_LENGTH = 32, 200
AHEAD_SECONDS = 2 * 86_400
"""How far in the future a time of the broker may lie: its wall clock is up to 14 hours ahead of UTC."""

_KINDS = dict(enumerate(kind.value for kind in TradeKind if kind is not TradeKind.CASH_UNKNOWN))
_MARKET = frozenset({TradeKind.BUY.value, TradeKind.SELL.value})
_CASH = frozenset({TradeKind.BALANCE.value, TradeKind.CASH_UNKNOWN.value, *(kind.value for kind in TOLD)})
_SETTLED = frozenset({TradeStatus.CLOSED.value, TradeStatus.CANCELLED.value, TradeStatus.CASH.value})
_COUNTED = frozenset({TradeStatus.CLOSED.value, TradeStatus.CASH.value})
# The value of an enum costs a call each time; a batch would make thousands.
_OPEN, _CLOSED, _PENDING, _CANCELLED, _IS_CASH = (
    status.value
    for status in (
        TradeStatus.OPEN,
        TradeStatus.CLOSED,
        TradeStatus.PENDING,
        TradeStatus.CANCELLED,
        TradeStatus.CASH,
    )
)


_new_row = tuple.__new__


class TradeRow(NamedTuple):
    """A row of ``Trade``: amounts in 1e-8 units, enums by value, instants in POSIX seconds.

    The first four are written once, the others follow the broker.
    """

    account_id: int
    ticket: str
    initial_stop: int | None
    seen_at: int
    kind: str
    status: str
    symbol: str
    volume: int
    open_price: int | None
    close_price: int | None
    current_price: int | None
    stop_loss: int | None
    take_profit: int | None
    profit: int
    swap: int
    commission: int
    taxes: int
    net: int
    digits: int | None
    open_time_server: int
    close_time_server: int | None
    utc_offset_seconds: int
    opened_at: int
    closed_at: int | None
    comment: str
    magic: int
    source: str
    suspect: bool


COLUMNS = TradeRow._fields
FOLLOWING = COLUMNS[4:]
_COUNTED_COLUMNS = (
    *("kind", "status", "symbol", "volume", "open_price", "close_price", "net", "swap", "commission"),
    *("opened_at", "closed_at", "comment", "suspect"),
)
"""What the figures are made of: prices for pips and R, the comment because it chains the parts of a position."""
_COUNTED_PLACES = tuple(FOLLOWING.index(name) for name in _COUNTED_COLUMNS)
_CHAINED_PLACES = tuple(
    FOLLOWING.index(name) for name in ("kind", "symbol", "volume", "open_price", "opened_at", "comment", "suspect")
)
"""What decides of which position an open trade is the rest; where its price stands changes no figure."""
_TRADES = Trade.__table__.c
_INSTANTS = (FOLLOWING.index("opened_at"), FOLLOWING.index("closed_at"))
_STORED = Prepared(
    lambda dialect: select(_TRADES.ticket, _TRADES.id, *(_raw(name) for name in FOLLOWING)).where(
        _TRADES.account_id == bindparam("account"), among_given(dialect, _TRADES.ticket, "tickets")
    )
)
_KIND, _STATUS, _SOURCE, _OPENED_AT, _CLOSED_AT = (
    FOLLOWING.index(name) for name in ("kind", "status", "source", "opened_at", "closed_at")
)


@dataclass
class Parsed:
    """Rows that can be written, by ticket, and why others can't."""

    rows: dict[str, TradeRow] = field(default_factory=dict)
    rejected: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Written:
    """What a batch changed. The figures of all closings from ``since`` to ``until`` must be computed again; of all from
    ``since`` on when ``until`` is None.

    ``has_news`` is false when all that moved are prices and results of open trades.
    """

    changed: int
    unchanged: int
    since: datetime | None
    until: datetime | None
    has_news: bool


def read(
    account_id: int,
    items: Sequence[Any],
    broker_clock: BrokerClock,
    now: datetime,
    source: TradeSource = TradeSource.EA,
) -> Parsed:
    """Check each trade of a message or of a statement. ``broker_clock``: see ``offset_at``."""
    parsed, origin = Parsed(), source.value
    seen_at = int(now.timestamp())
    for item in items:
        ticket = ""
        try:
            ticket = ticket_of(item["ticket"])
            # The last one of a ticket wins: PostgreSQL refuses a key twice in a statement.
            parsed.rows[ticket] = _row(account_id, ticket, item, broker_clock, seen_at, origin)
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            parsed.rejected.append({"ticket": ticket, "reason": _reason(error)})
    return parsed


def write(account_id: int, rows: dict[str, TradeRow], now: datetime, *, late: bool = False) -> Written:
    """Write what differs from what is stored. The caller holds the account's lock, and stamps the account
    (``trade_totals``) when something changed.

    A closed trade does not open again. A late batch, sent before one that was already taken, brings new tickets and
    closings but overwrites nothing. What EA 2 wrote, EA 1.00 does not write over. Old values of a closed trade that
    the broker changed stay as a revision.
    """
    stored = _stored(account_id, list(rows))
    fresh: list[TradeRow] = []
    moments: list[int | None] = []
    openings: set[int] = set()
    is_elsewhere = False
    moved = 0
    for ticket, row in rows.items():
        following = row[4:]
        trade_id, old = stored.get(ticket, (0, None))
        if old is None:
            fresh.append(row)
            if row.status in _COUNTED:
                moments.append(row.closed_at)
            elif row.status == _OPEN:
                openings.add(row.opened_at)
        elif old != following and _may_replace(old, row, late=late):
            fresh.append(row)
            stays_open = row.status == old[_STATUS] == _OPEN
            if stays_open and all(old[place] == following[place] for place in _CHAINED_PLACES):
                moved += 1
            elif any(old[place] != following[place] for place in _COUNTED_PLACES):
                moments += [row.closed_at, old[_CLOSED_AT]]
                is_elsewhere |= old[_OPENED_AT] != row.opened_at
                if _OPEN in (row.status, old[_STATUS]):
                    openings |= {row.opened_at, old[_OPENED_AT]}
            if old[_STATUS] == _CLOSED:
                _keep_revision(trade_id, old, following, now)
    upsert_stored(db.session(), Trade, COLUMNS, fresh, key=("account_id", "ticket"), update_columns=FOLLOWING)
    moments += _parts_opened_at(account_id, openings)
    known = [datetime.fromtimestamp(moment, UTC) for moment in moments if moment is not None]
    return Written(
        changed=len(fresh),
        unchanged=len(rows) - len(fresh),
        since=min(known, default=None),
        # A trade with another opening leaves parts behind that may have been closed at any time after it.
        until=None if is_elsewhere else max(known, default=None),
        has_news=len(fresh) > moved,
    )


def status_of(kind: str, closed: int | None) -> str:
    """Where a row of this kind stands."""
    if kind in _MARKET:
        return _CLOSED if closed else _OPEN
    if kind in _CASH:
        return _IS_CASH
    return _CANCELLED if closed else _PENDING


def _row(
    account_id: int, ticket: str, item: dict[str, Any], broker_clock: BrokerClock, seen_at: int, source: str
) -> TradeRow:
    get = item.get
    kind = _KINDS.get(get("type"))  # type: ignore[arg-type]
    if kind is None:
        raise ValueError("unknown type")
    volume = units(get("lots", 0))
    if volume < 0:
        raise ValueError("bad volume")
    opened, closed = int(item["open_time"]), int(get("close_time") or 0) or None
    # A closing before its opening is no fault: a server's wall clock goes back by an hour in autumn.
    latest = seen_at + AHEAD_SECONDS
    if not EPOCH_1980 <= opened <= latest or (closed and not EPOCH_1980 <= closed <= latest):
        raise ValueError("bad times")
    profit, swap = units(get("profit", 0)), units(get("swap", 0))
    commission, taxes = units(get("commission", 0)), units(get("taxes", 0)) if "taxes" in item else 0
    net = profit + swap + commission + taxes
    last_price, stop = price_units(get("close_price")), price_units(get("sl"))
    shift = offset_at(opened, broker_clock)
    opened_at, closed_at = opened - shift, None
    if closed:
        shift = offset_at(closed, broker_clock)
        closed_at = closed - shift
    elif kind in _CASH:
        closed_at = opened_at
    digits = get("digits")
    # By place and not by name: with names this line would take a third of the whole reading.
    return _new_row(
        TradeRow,
        (
            account_id,
            ticket,
            stop,  # initial_stop
            seen_at,
            kind,
            status_of(kind, closed),
            clean(get("symbol"), SYMBOL_LENGTH),
            volume,
            price_units(get("open_price")),
            last_price if closed else None,  # close_price
            last_price,  # current_price
            stop,
            price_units(get("tp")),
            profit,
            swap,
            commission,
            taxes,
            net,
            digits if type(digits) is int and 0 <= digits <= 10 else None,
            opened,
            closed,
            shift,
            opened_at,
            closed_at,
            clean(get("comment"), COMMENT_LENGTH),
            whole(get("magic") or 0),
            source,
            # Two orders closed by each other: the second is left with nothing, it was no trade of its own.
            volume == 0 and net == 0 and kind in _MARKET,  # suspect
        ),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} missing"
    if isinstance(error, TypeError):
        return "bad value"
    text = str(error)
    return "no number" if text.startswith(("could not convert", "invalid literal", "cannot convert")) else text[:80]


def _may_replace(old: tuple[Any, ...], row: TradeRow, *, late: bool) -> bool:
    was_settled, is_settled = old[_STATUS] in _SETTLED, row.status in _SETTLED
    if row.source == TradeSource.EA_LEGACY.value and old[_SOURCE] != row.source:
        return False
    if was_settled and not is_settled:
        return False
    if row.kind == TradeKind.CASH_UNKNOWN.value and old[_KIND] != row.kind:
        # A statement has said what it was.
        return False
    return not late or (is_settled and not was_settled)


def _parts_opened_at(account_id: int, openings: set[int]) -> list[int]:
    """When trades with one of these openings were closed.

    An open trade that comes, goes or changes may be the rest of a position whose parts were counted as all of it.
    """
    if not openings:
        return []
    moments = [datetime.fromtimestamp(opening, UTC) for opening in openings]
    closed = select(Trade.closed_at).where(
        Trade.account_id == account_id, Trade.opened_at.in_(moments), Trade.closed_at.is_not(None)
    )
    return [int(moment.timestamp()) for moment in db.session.scalars(closed) if moment is not None]


def _stored(account_id: int, tickets: list[str]) -> dict[str, tuple[int, tuple[Any, ...]]]:
    """(id, following columns in the form of ``TradeRow``) by ticket."""
    if not tickets:
        return {}
    connection = db.session.connection()
    given = {"account": account_id, "tickets": many(connection.dialect.name, tickets)}
    found = {}
    for ticket, trade_id, *values in _STORED.run(connection, given):
        for place in _INSTANTS:
            values[place] = values[place] and int(values[place].timestamp())
        found[ticket] = (trade_id, tuple(values))
    return found


def _raw(name: str) -> Any:
    column = _TRADES[name]
    if isinstance(column.type, Scaled8):
        return type_coerce(column, BigInteger)
    return type_coerce(column, String) if name in {"kind", "status", "source"} else column


def _keep_revision(trade_id: int, old: tuple[Any, ...], following: tuple[Any, ...], now: datetime) -> None:
    values = {
        name: _readable(name, before)
        for name, before, after in zip(FOLLOWING, old, following, strict=True)
        if before != after
    }
    db.session.execute(insert(TradeRevision).values(trade_id=trade_id, replaced_at=now, values=values))


def _readable(name: str, value: Any) -> Any:
    kind = Trade.__table__.c[name].type
    if value is None or not isinstance(kind, Scaled8 | UtcDateTime):
        return value
    return str(Decimal(value) / SCALE) if isinstance(kind, Scaled8) else datetime.fromtimestamp(value, UTC).isoformat()
