"""All own accounts together, by currency: balances, what is at stake now, where money came from and went."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Exact
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.serialisers import amount, decimal, ratio
from calmness.blueprints.api.trading import TradeOut, trade_of
from calmness.blueprints.trading.portfolio import SCHOOL_CURRENCY
from calmness.features import requires_feature
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.billing import payment_history
from calmness.services.trading import portfolios
from calmness.services.trading.portfolios import Part


class ShareOut(Schema):
    """What an account is of the whole, by equity."""

    account_id = Integer(required=True)
    share = Exact(required=True)


class SymbolLotsOut(Schema):
    """Open lots of a symbol. ``lots``: bought less sold."""

    symbol = String(required=True)
    bought = Exact(required=True)
    sold = Exact(required=True)
    lots = Exact(required=True)
    floating = Exact(required=True)


class LegOut(Schema):
    """Net units of a currency that open forex positions hold (above zero) or owe."""

    currency = String(required=True)
    units = Exact(required=True)


class FlowsOut(Schema):
    """Money paid in and out. ``other``: credits and rows of unknown kind; ``costs`` are part of the result."""

    deposits = Exact(required=True)
    withdrawals = Exact(required=True)
    net = Exact(required=True)
    other = Exact(required=True)
    costs = Exact(required=True)
    latest = List(Nested(TradeOut), required=True)


class PartOut(Schema):
    """The accounts of one currency; of the open positions the newest hundred."""

    currency = String(required=True)
    account_ids = List(Integer(), required=True)
    balance = Exact(required=True)
    equity = Exact(required=True)
    margin = Exact(required=True)
    margin_level = Exact(required=True, allow_none=True)
    floating = Exact(required=True)
    net = Exact(required=True)
    shares = List(Nested(ShareOut), required=True)
    symbols = List(Nested(SymbolLotsOut), required=True)
    legs = List(Nested(LegOut), required=True)
    flows = Nested(FlowsOut, required=True)
    position_count = Integer(required=True)
    positions = List(Nested(TradeOut), required=True)


class PortfolioOut(Schema):
    """Parts by currency. ``earned``: net results together in the school's currency at today's rate, beside what was
    spent at the school; ``left_out``: currencies without a rate.
    """

    parts = List(Nested(PartOut), required=True)
    school_currency = String(required=True)
    earned = Exact(required=True, allow_none=True)
    left_out = List(String(), required=True)
    spent = Nested(AmountOut, required=True)


@bp.get("/me/trading/portfolio")
@requires_feature(Feature.PORTFOLIO)
@bp.output(PortfolioOut)
@requires(Permission.OWN_SPACE)
def api_portfolio() -> ResponseReturnValue:
    """All own accounts together."""
    user_id = current_account().id
    parts = portfolios.of_user(user_id)
    earned, left_out = portfolios.earned(parts, SCHOOL_CURRENCY, clock.paris_today())
    return {
        "parts": [_part(part) for part in parts],
        "school_currency": SCHOOL_CURRENCY,
        "earned": decimal(earned),
        "left_out": left_out,
        "spent": amount(sum(cents for _year, cents in payment_history.spent_by_year(user_id)), SCHOOL_CURRENCY),
    }


def _part(part: Part) -> dict[str, Any]:
    flows = part.flows
    return {name: decimal(getattr(part, name)) for name in ("balance", "equity", "margin", "floating")} | {
        "currency": part.currency,
        "account_ids": [account.id for account in part.accounts],
        "margin_level": ratio(part.margin_level),
        "net": decimal(part.figures.net),
        "shares": [{"account_id": share.account.id, "share": ratio(share.share)} for share in part.shares],
        "symbols": [
            {
                "symbol": row.symbol,
                "bought": decimal(row.bought),
                "sold": decimal(row.sold),
                "lots": decimal(row.lots),
                "floating": decimal(row.floating),
            }
            for row in part.symbols
        ],
        "legs": [{"currency": name, "units": decimal(units)} for name, units in part.legs],
        "flows": {name: decimal(getattr(flows, name)) for name in ("deposits", "withdrawals", "net", "other", "costs")}
        | {"latest": [trade_of(trade) for trade in flows.latest]},
        "position_count": part.position_count,
        "positions": [trade_of(trade) for trade in part.positions],
    }
