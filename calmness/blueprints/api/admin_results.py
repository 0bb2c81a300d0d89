"""Students' results for the staff, with their consent only; cohorts; how the EAs of all students are."""

from decimal import Decimal
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires, writes
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Exact, Instant
from calmness.blueprints.api.inputs import Whole
from calmness.blueprints.api.pages import Place, PlaceIn
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, instant
from calmness.extensions import db
from calmness.models.trading import Trade
from calmness.permissions import Permission
from calmness.services.trading import cohorts, ea_health, sharing, trade_history
from calmness.services.trading.ea_health import Trouble
from calmness.services.trading.sharing import Level

TRADES = 50


class DaysIn(ClosedSchema):
    """How many days back."""

    days = Whole(1, 3650, strict=False, load_default=365)


class CohortsIn(ClosedSchema):
    """How many days back."""

    period = String(load_default="365", validate=OneOf(list(cohorts.PERIODS)))


class EaBoardIn(PlaceIn):
    """Which accounts: all, or those with a trouble."""

    trouble = String(validate=OneOf([trouble.value for trouble in Trouble]))


class FollowerOut(Schema):
    """A student who shares now: ``figures``, or ``trades`` too."""

    user_id = Integer(required=True)
    name = String(required=True)
    level = String(required=True)
    accounts = Integer(required=True)


class FollowersOut(Schema):
    """Students who share, by name."""

    items = List(Nested(FollowerOut), required=True)
    next = String(required=True, allow_none=True)


class AccountResultOut(Schema):
    """How one account did; amounts are in its currency."""

    account_id = Integer(required=True)
    name = String(required=True)
    currency = String(required=True)
    trades = Integer(required=True)
    net = Exact(required=True)
    win_rate = Exact(required=True, allow_none=True)
    profit_factor = Exact(required=True, allow_none=True)
    max_drawdown = Exact(required=True)


class SharedTradeOut(Schema):
    """A trade that its student shares. Notes, plans and pictures are never part of it."""

    account_id = Integer(required=True)
    symbol = String(required=True)
    kind = String(required=True)
    volume = Exact(required=True)
    closed_at = Instant(required=True, allow_none=True)
    net = Exact(required=True)


class StudentResultsOut(Schema):
    """What one student shares; ``trades`` is null where only figures are shared."""

    user_id = Integer(required=True)
    name = String(required=True)
    level = String(required=True)
    accounts = List(Nested(AccountResultOut), required=True)
    trades = List(Nested(SharedTradeOut), required=True, allow_none=True)


class CohortOut(Schema):
    """A formation's students together, or all (``name`` empty). Figures are null where too few people share."""

    name = String(required=True)
    people = Integer(required=True, allow_none=True)
    trades = Integer(required=True, allow_none=True)
    win_rate = Exact(required=True, allow_none=True)
    winning_quarter = Integer(required=True, allow_none=True)


class CohortsOut(Schema):
    """Cohorts by name, then their total; ``least`` people make one that is shown."""

    items = List(Nested(CohortOut), required=True)
    next = String(required=True, allow_none=True)
    least = Integer(required=True)


class EaLineOut(Schema):
    """How the EA of an account is. No amount, no trade. ``clock`` is the broker's, empty when unusual."""

    account_id = Integer(required=True)
    account = String(required=True)
    platform = String(required=True)
    user_id = Integer(required=True)
    owner = String(required=True)
    contact = String(required=True)
    last_sync_at = Instant(required=True, allow_none=True)
    version = String(required=True, allow_none=True)
    outdated = Boolean(required=True)
    gaps = Integer(required=True)
    longest_gap_seconds = Integer(required=True, allow_none=True)
    refused = Integer(required=True)
    refused_batches = Integer(required=True)
    other_account = Boolean(required=True)
    clock = String(required=True)


class EaCountsOut(Schema):
    """How many accounts have each trouble."""

    silent = Integer(required=True)
    outdated = Integer(required=True)
    refused = Integer(required=True)
    other_account = Integer(required=True)
    awaited = Integer(required=True)


class EaBoardOut(Schema):
    """Accounts, those without contact for longest first."""

    items = List(Nested(EaLineOut), required=True)
    next = String(required=True, allow_none=True)
    total = Integer(required=True)
    counts = Nested(EaCountsOut, required=True)


@bp.get("/admin/results")
@bp.output(FollowersOut)
@requires(Permission.SEE_CLIENTS)
def api_followers() -> ResponseReturnValue:
    """Students who share their results now."""
    items = [
        {"user_id": row.user.id, "name": row.user.full_name, "level": row.level.value, "accounts": row.accounts}
        for row in sharing.followers()
    ]
    return {"items": items, "next": None}


@bp.get("/admin/results/cohorts")
@bp.input(CohortsIn, location="query", arg_name="wanted")
@bp.output(CohortsOut)
@requires(Permission.SEE_ANALYTICS)
@writes
def api_cohorts(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Results by formation, of at least five people; what is shown is remembered."""
    rows = cohorts.aggregates(wanted["period"])
    db.session.commit()
    return {"items": [_cohort(row) for row in rows], "next": None, "least": cohorts.K}


@bp.get("/admin/results/<int:user_id>")
@bp.input(DaysIn, location="query", arg_name="wanted")
@bp.output(StudentResultsOut)
@requires(Permission.SEE_CLIENTS)
@writes
def api_student_results(user_id: int, wanted: dict[str, Any]) -> ResponseReturnValue:
    """One student's results; the look is written in the journal before anything is shown. 404 without consent."""
    person, level = sharing.look_at(user_id, by=current_account())
    db.session.commit()
    shows_trades = level is Level.TRADES
    return {
        "user_id": person.id,
        "name": person.full_name,
        "level": level.value,
        "accounts": [_result(found) for found in sharing.results_of(person.id, wanted["days"])],
        "trades": [_trade(row) for row in trade_history.latest(person, TRADES)] if shows_trades else None,
    }


@bp.get("/admin/ea-health")
@bp.input(EaBoardIn, location="query", arg_name="page")
@bp.output(EaBoardOut)
@requires(Permission.SEE_CLIENTS)
def api_ea_health(page: dict[str, Any]) -> ResponseReturnValue:
    """Contact, version, holes, refusals and broker's clock of all accounts."""
    place = Place.at(page, "ea-health")
    trouble = Trouble(page["trouble"]) if "trouble" in page else None
    rows, total = ea_health.listing(trouble, limit=place.limit, offset=place.offset)
    counts = {kind.value: count for kind, count in ea_health.counts().items()}
    return {"items": [_line(row) for row in rows], "next": place.next(total), "total": total, "counts": counts}


def _result(found: sharing.AccountResult) -> dict[str, Any]:
    figures = found.figures
    return {
        "account_id": found.account.id,
        "name": found.account.name,
        "currency": found.account.currency,
        "trades": figures.trades,
        "net": decimal(figures.net),
        "win_rate": _rounded(figures.win_rate),
        "profit_factor": _rounded(figures.profit_factor),
        "max_drawdown": decimal(found.course.max_drawdown),
    }


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "account_id": trade.account_id,
        "symbol": trade.symbol,
        "kind": trade.kind.value,
        "volume": decimal(trade.volume),
        "closed_at": instant(trade.closed_at),
        "net": decimal(trade.net),
    }


def _cohort(row: cohorts.Aggregate) -> dict[str, Any]:
    shown = row.people is not None
    return {
        "name": row.name,
        "people": row.people,
        "trades": row.trades if shown else None,
        "win_rate": decimal(row.win_rate),
        "winning_quarter": row.winning_quarter if shown else None,
    }


def _line(row: ea_health.Line) -> dict[str, Any]:
    account, longest = row.account, row.longest_gap
    return {
        "account_id": account.id,
        "account": account.name,
        "platform": account.platform.value,
        "user_id": row.owner.id,
        "owner": row.owner.full_name,
        "contact": row.contact.value,
        "last_sync_at": instant(account.last_sync_at),
        "version": account.ea_version,
        "outdated": row.is_outdated,
        "gaps": len(row.gaps),
        "longest_gap_seconds": None if longest is None else int(longest),
        "refused": row.refused,
        "refused_batches": row.refused_batches,
        "other_account": row.is_other_login,
        "clock": row.clock_in_use,
    }


def _rounded(value: Decimal | None) -> str | None:
    return None if value is None else decimal(value.quantize(Decimal("0.0001")))
