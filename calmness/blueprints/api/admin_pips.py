"""The school's own sizes of pips."""

from decimal import Decimal
from typing import Any

from apiflask import Schema
from apiflask.fields import Decimal as DecimalField
from apiflask.fields import List, Nested, String
from apiflask.validators import Length
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Exact, Instant
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, instant
from calmness.extensions import db
from calmness.models.trading import PipRule
from calmness.permissions import Permission
from calmness.services import pips


class PipsIn(ClosedSchema):
    """A symbol whose size is asked for."""

    symbol = String(load_default="", validate=Length(max=32))


class PipIn(ClosedSchema):
    """What a pip of a symbol is; ``US*`` stands for all that begin like this."""

    pattern = String(required=True, validate=Length(max=32))
    pip = DecimalField(
        required=True,
        allow_nan=False,
        metadata={"type": ["number", "string"], "pattern": r"^\d{1,5}(\.\d{1,8})?$"},
    )


class PatternIn(ClosedSchema):
    """Which rule."""

    pattern = String(required=True, validate=Length(min=1, max=32))


class PipRuleOut(Schema):
    """A rule of the school."""

    pattern = String(required=True)
    pip = Exact(required=True)
    changed_at = Instant(required=True)


class SymbolPipOut(Schema):
    """What counts for a symbol; ``rule`` is empty where no rule does, ``pip`` null where nothing true can be said."""

    symbol = String(required=True)
    pip = Exact(required=True, allow_none=True)
    rule = String(required=True)


class PipRulesOut(Schema):
    """All rules by name, and the size of the symbol that was asked for."""

    items = List(Nested(PipRuleOut), required=True)
    next = String(required=True, allow_none=True)
    symbol = Nested(SymbolPipOut, required=True, allow_none=True)


@bp.get("/admin/pips")
@bp.input(PipsIn, location="query", arg_name="wanted")
@bp.output(PipRulesOut)
@requires(Permission.PUBLISH_SIGNALS)
def api_pips(wanted: dict[str, Any]) -> ResponseReturnValue:
    """The school's rules; with ``symbol`` also what counts for it."""
    symbol, table = wanted["symbol"], pips.of_accounts(())
    asked = {"symbol": symbol, "pip": decimal(table.size(symbol)), "rule": table.rule_of(symbol)}
    return {
        "items": [_rule(row) for row in pips.rules()],
        "next": None,
        "symbol": asked if symbol.strip() else None,
    }


@bp.put("/admin/pips")
@bp.input(PipIn, arg_name="given")
@bp.output(PipRuleOut)
@requires(Permission.PUBLISH_SIGNALS)
def api_set_pip(given: dict[str, Any]) -> ResponseReturnValue:
    """Say what a pip is; figures of trades follow at once."""
    size: Decimal = given["pip"]
    rule = pips.set_rule(given["pattern"], size, by=current_account())
    db.session.commit()
    return _rule(rule)


@bp.delete("/admin/pips")
@bp.input(PatternIn, location="query", arg_name="wanted")
@bp.output({}, status_code=204)
@requires(Permission.PUBLISH_SIGNALS)
def api_remove_pip(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Leave a symbol to the table again."""
    pips.remove_rule(wanted["pattern"], by=current_account())
    db.session.commit()
    return "", 204


def _rule(row: PipRule) -> dict[str, Any]:
    return {"pattern": row.pattern, "pip": decimal(row.pip), "changed_at": instant(row.changed_at)}
