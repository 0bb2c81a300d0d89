"""Signals: for subscribers while they live, for all once they ended; the public record; publishing."""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from apiflask import Schema
from apiflask.fields import Decimal as DecimalField
from apiflask.fields import Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp
from flask.typing import ResponseReturnValue

from calmness.access import current_account, public, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Day, Exact, Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import Place, PlaceIn
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, instant
from calmness.features import requires_feature
from calmness.models.signal import Direction, OrderKind, Signal
from calmness.permissions import Permission
from calmness.services import signals
from calmness.services.account.preferences import Feature

HIGHEST = Decimal(10) ** 9
LOWEST = Decimal("0.00000001")


def _price() -> DecimalField:
    """A price: exact, as a number or as text, at most eight decimals in the database."""
    return DecimalField(
        required=True,
        allow_nan=False,
        validate=Range(min=LOWEST, max=HIGHEST),
        metadata={"type": ["number", "string"], "pattern": r"^\d{1,9}(\.\d{1,8})?$"},
    )


class SignalIn(ClosedSchema):
    """A signal with the mentions that the law asks for."""

    instrument = String(required=True, validate=[Length(max=32), Regexp(r"[\s\S]*\S")])
    direction = String(required=True, validate=OneOf([direction.value for direction in Direction]))
    order_kind = String(required=True, validate=OneOf([kind.value for kind in OrderKind]))
    entry = _price()
    stop = _price()
    targets = List(_price(), required=True, validate=Length(min=1, max=10))
    reasoning = String(required=True, validate=[Length(max=4000), Regexp(r"[\s\S]*\S")])
    horizon = String(required=True, validate=[Length(max=60), Regexp(r"[\s\S]*\S")])
    conflict_notice = String(required=True, validate=[Length(max=300), Regexp(r"[\s\S]*\S")])
    author_title = String(load_default="Formateur", validate=[Length(max=100), Regexp(r"[\s\S]*\S")])


class SignalClosureIn(ClosedSchema):
    """The published price at which a signal ends."""

    price = _price()


class SignalCancellationIn(ClosedSchema):
    """Why a signal is withdrawn before its entry."""

    reason = String(required=True, validate=Length(max=300))


class SignalOut(Schema):
    """A signal; results are of published prices alone."""

    id = Integer(required=True)
    instrument = String(required=True)
    direction = String(required=True)
    order_kind = String(required=True)
    status = String(required=True)
    entry = Exact(required=True)
    stop = Exact(required=True)
    targets = List(Exact(), required=True)
    reasoning = String(required=True)
    horizon = String(required=True)
    conflict_notice = String(required=True)
    author_title = String(required=True)
    published_at = Instant(required=True)
    valid_until = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)
    close_price = Exact(required=True, allow_none=True)
    result_r = Exact(required=True, allow_none=True)
    result_pips = Exact(required=True, allow_none=True)


class SignalsOut(Schema):
    """Signals; the first page begins with the living ones for who may read them."""

    items = List(Nested(SignalOut), required=True)
    next = String(required=True, allow_none=True)


class RecordIn(ClosedSchema):
    """From which day on (UTC)."""

    from_ = Day(data_key="from")


class RecordPointOut(Schema):
    """Sum of results after a signal ended."""

    at = Instant(required=True)
    total_r = Exact(required=True)


class RecordOut(Schema):
    """The complete record of ended signals; nothing is left out."""

    published = Integer(required=True)
    closed = Integer(required=True)
    wins = Integer(required=True)
    win_rate = Float(required=True, allow_none=True)
    total_r = Exact(required=True)
    total_pips = Exact(required=True)
    max_drawdown_r = Exact(required=True)
    curve = List(Nested(RecordPointOut), required=True)


@bp.get("/me/signals")
@bp.input(PlaceIn, location="query", arg_name="page")
@bp.output(SignalsOut)
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.SIGNALS)
def api_my_signals(page: dict[str, Any]) -> ResponseReturnValue:
    """Living signals for subscribers, ended ones for all."""
    user_id = current_account().id
    return _page(Place.at(page, f"signals:{user_id}"), with_living=signals.may_read(user_id))


@bp.get("/signals/track-record")
@bp.input(RecordIn, location="query", arg_name="wanted")
@bp.output(RecordOut)
@public
def api_track_record(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Public record of the signals."""
    day = wanted.get("from_")
    record = signals.track_record(datetime.combine(day, time.min, tzinfo=UTC) if day else None)
    return {
        "published": record.published,
        "closed": record.closed,
        "wins": record.wins,
        "win_rate": record.win_rate,
        "total_r": decimal(record.total_r),
        "total_pips": decimal(record.total_pips),
        "max_drawdown_r": decimal(record.max_drawdown_r),
        "curve": [{"at": instant(at), "total_r": decimal(total)} for at, total in record.curve],
    }


@bp.get("/admin/signals")
@bp.input(PlaceIn, location="query", arg_name="page")
@bp.output(SignalsOut)
@requires(Permission.PUBLISH_SIGNALS)
def api_signals(page: dict[str, Any]) -> ResponseReturnValue:
    """All signals."""
    return _page(Place.at(page, "signals"), with_living=True)


@bp.post("/admin/signals")
@once
@bp.input(SignalIn, arg_name="given")
@bp.output(SignalOut, status_code=201)
@requires(Permission.PUBLISH_SIGNALS)
def api_publish_signal(given: dict[str, Any]) -> ResponseReturnValue:
    """Publish a signal; its subscribers are told."""
    kinds = {"direction": Direction(given["direction"]), "order_kind": OrderKind(given["order_kind"])}
    draft = signals.Draft(**(given | kinds | {"targets": tuple(given["targets"])}))
    return _signal(signals.publish(draft, author=current_account()))


@bp.post("/admin/signals/<int:signal_id>/closure")
@once
@bp.input(SignalClosureIn, arg_name="given")
@bp.output(SignalOut)
@requires(Permission.PUBLISH_SIGNALS)
def api_close_signal(signal_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Close a signal at a price; result in R and pips follow from the published entry and stop."""
    return _signal(signals.close(signal_id, given["price"], by=current_account()))


@bp.post("/admin/signals/<int:signal_id>/cancellation")
@once
@bp.input(SignalCancellationIn, arg_name="given")
@bp.output(SignalOut)
@requires(Permission.PUBLISH_SIGNALS)
def api_cancel_signal(signal_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Withdraw a signal whose entry was not touched; it stays in the register."""
    return _signal(signals.cancel(signal_id, given["reason"], by=current_account()))


def _page(place: Place, *, with_living: bool) -> dict[str, Any]:
    ended = signals.ended(limit=place.limit, offset=place.offset)
    living = signals.living() if with_living and not place.offset else []
    return {"items": [_signal(row) for row in (*living, *ended)], "next": place.next(signals.count_ended())}


def _signal(signal: Signal) -> dict[str, Any]:
    same = ("id", "instrument", "reasoning", "horizon", "conflict_notice", "author_title")
    exact = ("entry", "stop", "close_price", "result_r", "result_pips")
    return (
        {name: getattr(signal, name) for name in same}
        | {name: getattr(signal, name).value for name in ("direction", "order_kind", "status")}
        | {name: decimal(getattr(signal, name)) for name in exact}
        | {name: instant(getattr(signal, name)) for name in ("published_at", "valid_until", "closed_at")}
        | {"targets": [decimal(Decimal(str(target))) for target in signal.targets]}
    )
