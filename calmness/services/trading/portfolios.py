"""All accounts of a person together: balances, what is at stake now, where money came from and went.

Currencies are never added up: each has its part. ``in_currency`` is the one door through which a conversion comes.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import func, or_, select

from calmness.extensions import db
from calmness.instruments import base_symbol, is_forex
from calmness.models.cash import IS_COST, IS_CREDIT, IS_OWN_MONEY
from calmness.models.trading import Trade, TradeKind, TradeStatus, TradingAccount
from calmness.services.trading import contracts, exchange_rates, trading_accounts, trading_statistics
from calmness.services.trading.trade_plans import side_of
from calmness.services.trading.trading_statistics import Figures

ZERO = Decimal(0)
LOT = Decimal(100_000)
"""Units of the first currency in a standard lot of forex, unless the EA says what the broker's is."""
POSITIONS, FLOWS = 100, 12


@dataclass(frozen=True)
class SymbolExposure:
    """Open lots of a symbol: bought, sold, and what they stand at now."""

    symbol: str
    bought: Decimal
    sold: Decimal
    floating: Decimal

    @property
    def lots(self) -> Decimal:
        """Net lots: above zero bought, below sold."""
        return self.bought - self.sold


@dataclass(frozen=True)
class Share:
    """What an account is of the whole, by equity."""

    account: TradingAccount
    share: Decimal


@dataclass(frozen=True)
class Flows:
    """Money that came in and went out. Credits of the broker and rows of unknown kind stand apart, and so do costs:
    they are part of the result.
    """

    deposits: Decimal
    withdrawals: Decimal
    other: Decimal
    costs: Decimal
    latest: list[Trade]

    @property
    def net(self) -> Decimal:
        """Deposits less withdrawals."""
        return self.deposits + self.withdrawals


@dataclass
class Part:
    """The accounts of one currency."""

    currency: str
    accounts: list[TradingAccount]
    figures: Figures
    flows: Flows
    positions: list[Trade]
    position_count: int
    symbols: list[SymbolExposure]
    legs: list[tuple[str, Decimal]] = field(default_factory=list)
    """Net units of each currency that open forex positions hold or owe."""

    @property
    def balance(self) -> Decimal:
        """Balances together."""
        return sum((account.balance or ZERO for account in self.accounts), ZERO)

    @property
    def equity(self) -> Decimal:
        """Equities together; an account without one counts with its balance."""
        return sum((account.equity_or_balance for account in self.accounts), ZERO)

    @property
    def margin(self) -> Decimal:
        """Margins in use together."""
        return sum((account.margin or ZERO for account in self.accounts), ZERO)

    @property
    def margin_level(self) -> Decimal | None:
        """Equity over margin in use; None when none is in use."""
        return self.equity / self.margin if self.margin else None

    @property
    def floating(self) -> Decimal:
        """What the open positions would bring now."""
        return sum((exposure.floating for exposure in self.symbols), ZERO)

    @property
    def shares(self) -> list[Share]:
        """Accounts by their part of the equity; a negative one is none of it."""
        whole = sum((max(account.equity_or_balance, ZERO) for account in self.accounts), ZERO)
        if not whole:
            return []
        shares = [Share(account, max(account.equity_or_balance, ZERO) / whole) for account in self.accounts]
        return sorted(shares, key=lambda share: (-share.share, share.account.id))


def in_currency(amount: Decimal, currency: str, wanted: str, on: date) -> Decimal | None:
    """An amount in another currency at the rate of a day; None where no rate is known: then it is left out."""
    found = exchange_rates.between([currency, wanted], on, on).convert(amount, currency, wanted, on)
    return found[0] if found else None


def earned(parts: list[Part], wanted: str, on: date) -> tuple[Decimal | None, list[str]]:
    """Net results together in one currency, and the currencies that had to be left out; None when all were."""
    converted = {part.currency: in_currency(part.figures.net, part.currency, wanted, on) for part in parts}
    known = [amount for amount in converted.values() if amount is not None]
    left_out = [currency for currency, amount in converted.items() if amount is None]
    return (sum(known, ZERO) if known else None), left_out


def of_user(user_id: int) -> list[Part]:
    """A person's living accounts by currency, the one of the first account first."""
    by_currency: dict[str, list[TradingAccount]] = {}
    for account in trading_accounts.of_user(user_id):
        by_currency.setdefault(account.currency, []).append(account)
    return [_part(currency, accounts) for currency, accounts in by_currency.items()]


def _part(currency: str, accounts: list[TradingAccount]) -> Part:
    ids = [account.id for account in accounts]
    opened = list(
        db.session.scalars(
            select(Trade)
            .where(Trade.account_id.in_(ids), Trade.status == TradeStatus.OPEN, Trade.suspect.is_(False))
            .order_by(Trade.opened_at.desc(), Trade.id.desc())
        )
    )
    return Part(
        currency=currency,
        accounts=accounts,
        figures=trading_statistics.figures(ids),
        flows=_flows(ids),
        positions=opened[:POSITIONS],
        position_count=len(opened),
        symbols=_by_symbol(opened),
        legs=_legs(opened, contracts.sizes(ids)),
    )


def _flows(account_ids: list[int]) -> Flows:
    cash = (Trade.account_id.in_(account_ids), Trade.status == TradeStatus.CASH)
    # Of what the old EA could not name nobody has said anything yet.
    is_unknown = (Trade.kind == TradeKind.CASH_UNKNOWN) & Trade.cash_kind.is_(None)
    moved, is_else = (IS_OWN_MONEY, ~is_unknown), or_(IS_CREDIT, is_unknown)
    deposits, withdrawals, other, costs = db.session.execute(
        select(
            func.sum(Trade.net).filter(*moved, Trade.net > 0),
            func.sum(Trade.net).filter(*moved, Trade.net < 0),
            func.sum(Trade.net).filter(is_else),
            func.sum(Trade.net).filter(IS_COST),
        ).where(*cash)
    ).one()
    latest = db.session.scalars(
        select(Trade).where(*cash).order_by(Trade.closed_at.desc(), Trade.id.desc()).limit(FLOWS)
    )
    return Flows(deposits or ZERO, withdrawals or ZERO, other or ZERO, costs or ZERO, list(latest))


def _by_symbol(opened: list[Trade]) -> list[SymbolExposure]:
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for trade in opened:
        row = sums[base_symbol(trade.symbol)]
        row[0 if side_of(trade) > 0 else 1] += trade.volume
        row[2] += trade.net
    exposures = [SymbolExposure(symbol, bought, sold, floating) for symbol, (bought, sold, floating) in sums.items()]
    return sorted(exposures, key=lambda exposure: (-abs(exposure.lots), exposure.symbol))


def _legs(opened: list[Trade], sizes: Mapping[tuple[int, str], Decimal]) -> list[tuple[str, Decimal]]:
    """A purchase of EURUSD holds euros and owes dollars at the price of its opening."""
    units: dict[str, Decimal] = defaultdict(Decimal)
    for trade in opened:
        symbol = base_symbol(trade.symbol)
        if is_forex(symbol) and trade.open_price is not None:
            size = trade.volume * sizes.get((trade.account_id, trade.symbol), LOT) * side_of(trade)
            units[symbol[:3]] += size
            units[symbol[3:6]] -= size * trade.open_price
    return sorted(((name, size) for name, size in units.items() if size), key=lambda leg: (-abs(leg[1]), leg[0]))
