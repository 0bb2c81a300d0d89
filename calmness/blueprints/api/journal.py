"""What the caller writes about own trades: note, tags, mistakes, plan; and the own list of mistakes."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, Range, Regexp
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.conditional import require_unchanged
from calmness.blueprints.api.fields import Exact, Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, instant
from calmness.blueprints.api.trading import TradeOut, trade_of
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.models.journal import MISTAKE_LENGTH, TAG_LENGTH
from calmness.models.trading import Trade
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import journals, trade_history, trade_plans
from calmness.services.trading.journals import MISTAKES, NOTE_LENGTH, TAGS

PLAN = ("planned_entry", "planned_stop", "planned_target")
MAX_REVISION = 2**31 - 1


def _price() -> String:
    """A planned price as exact text; null for none."""
    return String(load_default=None, allow_none=True, validate=Regexp(r"^\d{1,9}(\.\d{1,8})?$"))


class TradeJournalIn(ClosedSchema):
    """The whole journal: what is left out is emptied. With ``revision`` it replaces that revision only."""

    note = String(load_default="", validate=Length(max=NOTE_LENGTH))
    tags = List(
        String(validate=[Length(min=1, max=TAG_LENGTH), Regexp(r"^[^,]*$")]), load_default=[], validate=Length(max=TAGS)
    )
    mistakes = List(String(validate=Length(min=1, max=MISTAKE_LENGTH)), load_default=[], validate=Length(max=MISTAKES))
    planned_entry = _price()
    planned_stop = _price()
    planned_target = _price()
    plan_followed = Boolean(load_default=None, allow_none=True)
    revision = Integer(load_default=None, allow_none=True, validate=Range(min=0, max=MAX_REVISION))


class TradeJournalOut(Schema):
    """What stands there; revision 0 where nothing was ever written. ``planned_r``: what the plan promised in risks."""

    note = String(required=True)
    tags = List(String(), required=True)
    mistakes = List(String(), required=True)
    planned_entry = Exact(required=True, allow_none=True)
    planned_stop = Exact(required=True, allow_none=True)
    planned_target = Exact(required=True, allow_none=True)
    planned_r = Exact(required=True, allow_none=True)
    plan_followed = Boolean(required=True, allow_none=True)
    revision = Integer(required=True)
    updated_at = Instant(required=True, allow_none=True)


class TradePageOut(TradeOut):
    """A trade, its result in risks by the planned stop, else by the first one the EA saw, and what was written."""

    result_r = Exact(required=True, allow_none=True)
    journal = Nested(TradeJournalOut, required=True)


class MistakeIn(ClosedSchema):
    """A name for the list."""

    name = String(required=True, validate=Length(min=1, max=MISTAKE_LENGTH))


class MistakesOut(Schema):
    """The own list. ``used``: those to choose from, with what older trades still carry."""

    items = List(String(), required=True)
    used = List(String(), required=True)


class TagsOut(Schema):
    """Tags in use, by name."""

    items = List(String(), required=True)


@bp.get("/me/trading/trades/<int:trade_id>")
@requires_feature(Feature.HISTORY)
@bp.output(TradePageOut)
@requires(Permission.OWN_SPACE)
def api_trade(trade_id: int) -> ResponseReturnValue:
    """One own trade with its journal."""
    user_id = current_account().id
    trade = trade_history.own(user_id, trade_id)
    written = journals.of_trade(user_id, trade.id)
    result = trade_plans.result_in_r(trade, written.planned_stop if written else None)
    return trade_of(trade) | {"result_r": decimal(result), "journal": _journal(user_id, trade)}


@bp.get("/me/trading/trades/<int:trade_id>/journal")
@requires_feature(Feature.HISTORY)
@bp.output(TradeJournalOut)
@requires(Permission.OWN_SPACE)
def api_journal(trade_id: int) -> ResponseReturnValue:
    """What the caller wrote about an own trade."""
    user_id = current_account().id
    return _journal(user_id, trade_history.own(user_id, trade_id))


@bp.put("/me/trading/trades/<int:trade_id>/journal")
@requires_feature(Feature.HISTORY)
@bp.input(TradeJournalIn, arg_name="given")
@bp.output(TradeJournalOut)
@requires(Permission.OWN_SPACE)
def api_write_journal(trade_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Write about an own trade; 409 when a newer revision stands there. Mistakes are those of the own list."""
    user_id = current_account().id
    trade = trade_history.own(user_id, trade_id)
    require_unchanged(TradeJournalOut, _journal(user_id, trade))
    typed = {name: given[name] or "" for name in PLAN}
    draft = journals.Draft(
        note=given["note"],
        tags=",".join(given["tags"]),
        mistakes=tuple(given["mistakes"]),
        plan_followed=given["plan_followed"],
        revision=given["revision"],
        **typed,
    )
    journals.write(user_id, trade.id, draft)
    db.session.commit()
    return _journal(user_id, trade)


@bp.get("/me/trading/tags")
@requires_feature(Feature.HISTORY)
@bp.output(TagsOut)
@requires(Permission.OWN_SPACE)
def api_tags() -> ResponseReturnValue:
    """Tags that own trades carry."""
    return {"items": journals.tags_of(current_account().id)}


@bp.get("/me/trading/mistakes")
@requires_feature(Feature.HISTORY)
@bp.output(MistakesOut)
@requires(Permission.OWN_SPACE)
def api_mistakes() -> ResponseReturnValue:
    """The own list of mistakes."""
    return _mistakes()


@bp.post("/me/trading/mistakes")
@once
@requires_feature(Feature.HISTORY)
@bp.input(MistakeIn, arg_name="given")
@bp.output(MistakesOut, status_code=201)
@requires(Permission.OWN_SPACE)
def api_add_mistake(given: dict[str, Any]) -> ResponseReturnValue:
    """Add a mistake to the list; a name that is there already changes nothing."""
    journals.add_mistake(current_account().id, given["name"])
    return _mistakes()


@bp.delete("/me/trading/mistakes")
@requires_feature(Feature.HISTORY)
@bp.input(MistakeIn, location="query", arg_name="given")
@bp.output(MistakesOut)
@requires(Permission.OWN_SPACE)
def api_remove_mistake(given: dict[str, Any]) -> ResponseReturnValue:
    """Take a mistake off the list; trades keep what they carry."""
    journals.remove_mistake(current_account().id, given["name"])
    db.session.commit()
    return _mistakes()


def _mistakes() -> dict[str, Any]:
    user_id = current_account().id
    return {"items": journals.own_mistakes(user_id), "used": journals.mistakes_of(user_id)}


def _journal(user_id: int, trade: Trade) -> dict[str, Any]:
    written = journals.of_trade(user_id, trade.id)
    if written is None:
        empty: dict[str, Any] = {"note": "", "tags": [], "mistakes": [], "revision": 0}
        return empty | dict.fromkeys((*PLAN, "planned_r", "plan_followed", "updated_at"))
    return (
        {name: getattr(written, name) for name in ("note", "tags", "mistakes", "plan_followed", "revision")}
        | {name: decimal(getattr(written, name)) for name in PLAN}
        | {"planned_r": decimal(trade_plans.planned(trade, written)), "updated_at": instant(written.updated_at)}
    )
