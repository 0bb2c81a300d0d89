"""Trading of the demo: accounts of eighty students, thirty thousand trades that look like people's, not like noise."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from calmness.demo.size import Size
from calmness.extensions import db
from calmness.instruments import pip_size
from calmness.models.account import User
from calmness.models.trading import (
    AccountSnapshot,
    Platform,
    Trade,
    TradeKind,
    TradeSource,
    TradeStatus,
    TradingAccount,
)

CAMILLE_LOGIN = "5514451"
CENT = Decimal("0.01")
READINGS = 60 * 24 * 3


@dataclass(frozen=True)
class Market:
    """An instrument: typical price, digits, value of a pip for one lot in euros, usual stop in pips, weight."""

    symbol: str
    price: Decimal
    digits: int
    pip_value: Decimal
    stop_pips: int
    weight: int

    @property
    def pip(self) -> Decimal:
        """Size of a pip; all of these have one."""
        return pip_size(self.symbol) or Decimal(1)


MARKETS = (
    Market("EURUSD", Decimal("1.0850"), 5, Decimal("9.2"), 14, 30),
    Market("GBPUSD", Decimal("1.2720"), 5, Decimal("9.2"), 18, 14),
    Market("USDJPY", Decimal("151.40"), 3, Decimal("6.1"), 18, 12),
    Market("GBPJPY", Decimal("191.10"), 3, Decimal("6.1"), 28, 8),
    Market("XAUUSD", Decimal("2318.40"), 2, Decimal("9.2"), 45, 24),
    Market("NAS100", Decimal("18220.0"), 1, Decimal("0.92"), 40, 8),
    Market("GER40", Decimal("18460.0"), 1, Decimal("1.0"), 35, 4),
)


def make(rng: random.Random, now: datetime, camille: User, students: list[User], size: Size) -> list[TradingAccount]:
    """Create accounts and their trades in bulk; statistics are computed afterwards by their own service."""
    owners = rng.sample(students, size.accounts)
    accounts = [_account(rng, camille, "IC Markets principal", now, login=CAMILLE_LOGIN)]
    accounts += [
        _account(rng, owner, rng.choice(("Compte principal", "Swing", "Compte réel")), now) for owner in owners
    ]
    db.session.add_all(accounts)
    db.session.flush()
    counts = [size.own_trades, *_shares(rng, size.trades - size.own_trades, len(owners))]
    rows: list[dict[str, Any]] = []
    for account, count in zip(accounts, counts, strict=True):
        rows += _history(rng, account, count, now)
    # Below the ORM, whose bulk insert looks at each row again.
    connection = db.session.connection()
    for start in range(0, len(rows), 5000):
        connection.execute(insert(Trade), rows[start : start + 5000])
    own = [row for row in rows if row["account_id"] == accounts[0].id]
    connection.execute(insert(AccountSnapshot), _readings(accounts[0].id, own, now))
    return accounts


def _readings(account_id: int, rows: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """What the EA read of Camille's account every twenty minutes of two months: the balance of then, and some float."""
    chance = random.Random("readings")
    ended = sorted((row["closed_at"], row["net"]) for row in rows if row["closed_at"])
    balance, place, made = Decimal(0), 0, []
    for number in range(READINGS, 0, -1):
        taken_at = now.replace(microsecond=0) - timedelta(minutes=20 * number)
        while place < len(ended) and ended[place][0] <= taken_at:
            balance += ended[place][1]
            place += 1
        float_of_then = (balance * Decimal(str(round(chance.gauss(0, 0.004), 6)))).quantize(CENT)
        made.append(
            {
                "account_id": account_id,
                "taken_at": taken_at,
                "balance": balance.quantize(CENT),
                "equity": balance.quantize(CENT) + float_of_then,
            }
        )
    return made


def _shares(rng: random.Random, total: int, parts: int) -> list[int]:
    weights = [rng.paretovariate(1.6) for _ in range(parts)]
    counts = [max(8, int(total * weight / sum(weights))) for weight in weights]
    counts[0] += total - sum(counts)
    return counts


def _account(rng: random.Random, owner: User, name: str, now: datetime, login: str | None = None) -> TradingAccount:
    synced = now - timedelta(seconds=rng.randrange(8, 55))
    return TradingAccount(
        user_id=owner.id,
        name=name,
        platform=Platform.MT4 if rng.random() < 0.7 else Platform.MT5,
        currency="EUR",
        login=login or str(rng.randrange(1_000_000, 9_999_999)),
        server="ICMarketsEU-Live07",
        broker="IC Markets (EU) Ltd",
        leverage=30,
        mode="real",
        ea_version="2.0.0",
        utc_offset_seconds=7200,
        history_complete=True,
        created_at=max(owner.created_at, now - timedelta(days=425)),
        last_sync_at=synced,
        batch_clock_at=synced,
    )


def _history(rng: random.Random, account: TradingAccount, count: int, now: datetime) -> list[dict[str, Any]]:
    start = account.created_at + timedelta(days=2)
    span = max((now - start).total_seconds() - 3600, 86_400.0)
    instants = sorted(_working_time(rng, start + timedelta(seconds=rng.random() * span)) for _ in range(count))
    deposit = Decimal(rng.choice((2_000, 3_000, 5_000, 10_000)))
    balance = deposit
    skill = 0.06 if _is_camilles(account) else rng.gauss(-0.05, 0.07)
    ticket = rng.randrange(60_000_000, 80_000_000)
    rows = [cash_row(account, ticket, start - timedelta(hours=3), deposit, "Deposit")]
    for index, opened in enumerate(instants):
        ticket += rng.randrange(3, 900)
        if opened > now:
            continue
        # People learn: the edge of a trade grows slowly with experience.
        edge = skill + 0.14 * index / max(count, 1)
        row, net = _trade(rng, account, ticket, opened, deposit, edge, now)
        balance += net
        rows.append(row)
    floating = sum((row["net"] for row in rows if row["status"] is TradeStatus.OPEN), Decimal(0))
    account.balance = balance.quantize(CENT)
    account.equity = (balance + floating).quantize(CENT)
    account.margin = Decimal("180.00") if floating else Decimal("0.00")
    account.free_margin = account.equity - account.margin
    account.history_total = len(rows)
    return rows


def _is_camilles(account: TradingAccount) -> bool:
    """Camille's account: the one that the pictures show."""
    return account.login == CAMILLE_LOGIN


def _working_time(rng: random.Random, moment: datetime) -> datetime:
    while moment.weekday() >= 5:
        moment -= timedelta(days=2)
    hour = rng.choices(
        range(24), weights=(1, 1, 1, 1, 1, 2, 4, 9, 12, 10, 8, 7, 7, 12, 14, 12, 9, 6, 4, 3, 2, 2, 1, 1)
    )[0]
    return moment.replace(hour=hour, minute=rng.randrange(60), second=rng.randrange(60), microsecond=0)


def _trade(
    rng: random.Random,
    account: TradingAccount,
    ticket: int,
    opened: datetime,
    capital: Decimal,
    edge: float,
    now: datetime,
) -> tuple[dict[str, Any], Decimal]:
    market = rng.choices(MARKETS, weights=[market.weight for market in MARKETS])[0]
    pip = market.pip
    unit = Decimal(1).scaleb(-market.digits)
    side = 1 if rng.random() < 0.54 else -1
    stop_pips = Decimal(market.stop_pips) * Decimal(str(round(rng.uniform(0.7, 1.5), 2)))
    risk = capital * Decimal(str(round(rng.uniform(0.002, 0.006), 4)))
    volume = max(Decimal("0.01"), (risk / (stop_pips * market.pip_value)).quantize(Decimal("0.01")))
    won = rng.random() < 0.52 + edge * 0.5
    multiple = rng.uniform(0.2, 1.7) if won else -min(1.1, rng.uniform(0.5, 1.25))
    held = timedelta(seconds=int(rng.lognormvariate(8.2, 1.1)))
    closed = opened + held
    still_open = closed > now
    drift = Decimal(str(round(rng.uniform(-0.06, 0.06), 4)))
    entry = (market.price * (1 + drift)).quantize(unit)
    moved = (stop_pips * Decimal(str(round(multiple, 3))) * pip).quantize(unit)
    leave = (entry + moved * side).quantize(unit)
    profit = ((leave - entry) * side / pip * market.pip_value * volume).quantize(CENT)
    commission = (-Decimal("5.5") * volume).quantize(CENT)
    nights = Decimal((closed.date() - opened.date()).days)
    swap = (-Decimal("1.8") * volume * nights).quantize(CENT)
    net = profit + commission + swap
    row = row_of(account, ticket, TradeKind.BUY if side > 0 else TradeKind.SELL, opened)
    row |= {
        "status": TradeStatus.OPEN if still_open else TradeStatus.CLOSED,
        "symbol": market.symbol,
        "volume": volume,
        "digits": market.digits,
        "open_price": entry,
        "close_price": None if still_open else leave,
        "current_price": leave,
        "stop_loss": (entry - stop_pips * pip * side).quantize(unit),
        "initial_stop": (entry - stop_pips * pip * side).quantize(unit),
        "take_profit": (entry + stop_pips * 2 * pip * side).quantize(unit),
        "profit": profit,
        "swap": swap,
        "commission": commission,
        "net": net,
        "closed_at": None if still_open else closed,
        "close_time_server": None if still_open else int(closed.timestamp()) + 7200,
        "comment": "" if still_open else ("[tp]" if multiple > 1.9 else "[sl]" if multiple < -0.98 else ""),
    }
    return row, Decimal(0) if still_open else net


def cash_row(account: TradingAccount, ticket: int, at: datetime, amount: Decimal, comment: str) -> dict[str, Any]:
    """A deposit, or a withdrawal below zero."""
    return row_of(account, ticket, TradeKind.BALANCE, at) | {
        "status": TradeStatus.CASH,
        "profit": amount,
        "net": amount,
        "closed_at": at,
        "close_time_server": int(at.timestamp()) + 7200,
        "comment": comment,
    }


def row_of(account: TradingAccount, ticket: int, kind: TradeKind, opened: datetime) -> dict[str, Any]:
    """A row with nothing but its ticket, to be filled in."""
    zero = Decimal(0)
    return {
        "account_id": account.id,
        "ticket": str(ticket),
        "kind": kind,
        "symbol": "",
        "volume": zero,
        "open_price": None,
        "close_price": None,
        "current_price": None,
        "stop_loss": None,
        "take_profit": None,
        "initial_stop": None,
        "profit": zero,
        "swap": zero,
        "commission": zero,
        "taxes": zero,
        "net": zero,
        "digits": None,
        "open_time_server": int(opened.timestamp()) + 7200,
        "close_time_server": None,
        "utc_offset_seconds": 7200,
        "opened_at": opened,
        "closed_at": None,
        "comment": "",
        "magic": 0,
        "source": TradeSource.EA,
        "suspect": False,
        "seen_at": account.last_sync_at,
    }
