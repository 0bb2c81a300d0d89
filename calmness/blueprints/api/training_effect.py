"""Results before and after the formations that the caller attended."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Float, Integer, List, Nested, String
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.serialisers import instant, real
from calmness.blueprints.trading import effect_words
from calmness.features import requires_feature
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import training_effect
from calmness.services.trading.training_effect import Effect, Side


class SideOut(Schema):
    """One side of a formation. ``counted``: trades that can be compared."""

    trades = Integer(required=True)
    counted = Integer(required=True)
    days = Integer(required=True)
    win_rate = Float(required=True, allow_none=True)
    mean = Float(required=True, allow_none=True)
    profit_factor = Float(required=True, allow_none=True)
    median_holding_seconds = Integer(required=True, allow_none=True)


class EffectOut(Schema):
    """Results before and after a formation. ``finding`` is `better` or `worse` only where chance alone does not explain
    the difference (95 %, between ``low`` and ``high``); means are in R with ``in_r``, else a ratio of the capital.
    """

    formation = String(required=True)
    finding = String(required=True)
    title = String(required=True)
    sentence = String(required=True)
    in_r = Boolean(required=True)
    starts_at = Instant(required=True, allow_none=True)
    ends_at = Instant(required=True, allow_none=True)
    before = Nested(SideOut, required=True, allow_none=True)
    after = Nested(SideOut, required=True, allow_none=True)
    difference = Float(required=True, allow_none=True)
    low = Float(required=True, allow_none=True)
    high = Float(required=True, allow_none=True)


class EffectsOut(Schema):
    """One for each own formation, the last one first."""

    items = List(Nested(EffectOut), required=True)


@bp.get("/me/trading/training-effect")
@requires_feature(Feature.HISTORY)
@bp.output(EffectsOut)
@requires(Permission.OWN_SPACE)
def api_training_effect() -> ResponseReturnValue:
    """Results before and after each own formation, with what chance alone could explain."""
    return {"items": [_effect(effect) for effect in training_effect.of_user(current_account())]}


def _effect(effect: Effect) -> dict[str, Any]:
    _kind, title, sentence = effect_words.verdict(effect)
    return {
        "formation": effect.title,
        "finding": effect.finding.value,
        "title": title,
        "sentence": sentence,
        "in_r": effect.in_r,
        "starts_at": instant(effect.starts_at),
        "ends_at": instant(effect.ends_at),
        "before": _side(effect.before),
        "after": _side(effect.after),
        "difference": real(effect.difference),
        "low": real(effect.low),
        "high": real(effect.high),
    }


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "trades": side.trades,
        "counted": side.counted,
        "days": side.days,
        "median_holding_seconds": side.median_holding,
    } | {name: real(getattr(side, name)) for name in ("win_rate", "mean", "profit_factor")}
