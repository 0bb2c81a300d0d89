"""Signals: published once for all, followed by appended events, counted in a public and complete track record.

Every event is a link of the chain ``signal`` (see ``services.chain``). What only subscribers may read is told to the
public at once as a salted hash and opened when the signal ends: it stays paid, and nothing can be chosen afterwards.
Results come from published prices alone. Mentions: MAR art. 20 and delegated regulation 2016/958.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from calmness import clock
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.instruments import base_symbol, is_forex
from calmness.models.account import User
from calmness.models.billing import Subscription, SubscriptionStatus
from calmness.models.catalogue import OfferKind
from calmness.models.signal import (
    Direction,
    OrderKind,
    Signal,
    SignalEvent,
    SignalEventKind,
    SignalStatus,
)
from calmness.services import audit, chain, live, notifications, pips
from calmness.services.account.preferences import NoticeKind

CHAIN = "signal"
LIVING = (SignalStatus.PENDING, SignalStatus.ACTIVE, SignalStatus.PARTLY_CLOSED)
ENDED = (SignalStatus.CLOSED, SignalStatus.CANCELLED, SignalStatus.EXPIRED)


class StopOnWrongSide(DomainError):
    """A buy's stop lies below its entry, a sell's above."""

    slug = "signal-stop-side"
    field = "stop"
    message = _l("Le stop doit être sous l’entrée pour un achat, au-dessus pour une vente.")


class TargetOnWrongSide(DomainError):
    """Targets lie on the side of the gain."""

    slug = "signal-target-side"
    field = "targets"
    message = _l("Chaque objectif doit se trouver du côté du gain par rapport à l’entrée.")


class SignalEnded(Conflict):
    """Nothing happens to a signal after its end."""

    slug = "signal-ended"
    message = _l("Ce signal est déjà terminé\u00a0: il ne peut plus changer.")


@dataclass(frozen=True)
class Draft:
    """What an author fills in."""

    instrument: str
    direction: Direction
    order_kind: OrderKind
    entry: Decimal
    stop: Decimal
    targets: tuple[Decimal, ...]
    reasoning: str
    horizon: str
    conflict_notice: str
    author_title: str
    valid_until: datetime | None = None


@dataclass(frozen=True)
class TrackRecord:
    """Figures over all ended signals of a period; nothing is left out. Pips are of forex pairs only."""

    published: int
    closed: int
    wins: int
    total_r: Decimal
    total_pips: Decimal
    max_drawdown_r: Decimal
    curve: tuple[tuple[datetime, Decimal], ...]

    @property
    def win_rate(self) -> float | None:
        """Wins among closed signals, 0 to 1; None without any."""
        return self.wins / self.closed if self.closed else None


def publish(draft: Draft, *, author: User, at: datetime | None = None, announce: bool = True) -> Signal:
    """Publish a signal and tell its subscribers, unless an old one is only being written down.

    Raises ``StopOnWrongSide``, ``TargetOnWrongSide``.
    """
    now = at or clock.now()
    side = 1 if draft.direction is Direction.BUY else -1
    if (draft.entry - draft.stop) * side <= 0:
        raise StopOnWrongSide
    if not draft.targets or any((target - draft.entry) * side <= 0 for target in draft.targets):
        raise TargetOnWrongSide
    signal = Signal(
        instrument=draft.instrument.strip().upper(),
        direction=draft.direction,
        order_kind=draft.order_kind,
        entry=draft.entry,
        stop=draft.stop,
        targets=[format(target, "f") for target in draft.targets],
        reasoning=draft.reasoning.strip(),
        horizon=draft.horizon.strip(),
        conflict_notice=draft.conflict_notice.strip(),
        author_id=author.id,
        author_title=draft.author_title.strip(),
        status=SignalStatus.ACTIVE if draft.order_kind is OrderKind.MARKET else SignalStatus.PENDING,
        produced_at=now,
        published_at=now,
        valid_until=draft.valid_until,
    )
    db.session.add(signal)
    db.session.flush()
    _append(signal, SignalEventKind.PUBLISHED, now, _public_facts(signal))
    for user_id in subscriber_ids(now) if announce else ():
        _tell(signal, user_id, f"signal:{signal.id}:published")
    audit.record("signal.published", "signal", signal.id, actor=author)
    return signal


def close(
    signal_id: int, price: Decimal, *, by: User | None, at: datetime | None = None, announce: bool = True
) -> Signal:
    """Close at a published price; result in R and in pips follow from the published entry and stop."""
    now = at or clock.now()
    signal = _living(signal_id)
    side = 1 if signal.direction is Direction.BUY else -1
    gain = (price - signal.entry) * side
    signal.status = SignalStatus.CLOSED
    signal.closed_at = now
    signal.close_price = price
    signal.result_r = (gain / abs(signal.entry - signal.stop)).quantize(Decimal("0.01"))
    pip = pips.of_accounts(()).size(signal.instrument)
    signal.result_pips = None if pip is None else (gain / pip).quantize(Decimal("0.1"))
    _append(signal, SignalEventKind.CLOSED, now, {"price": price, "r": signal.result_r, "pips": signal.result_pips})
    for user_id in subscriber_ids(now) if announce else ():
        _tell(signal, user_id, f"signal:{signal.id}:closed")
    audit.record("signal.closed", "signal", signal.id, actor=by)
    return signal


def cancel(signal_id: int, reason: str, *, by: User, at: datetime | None = None) -> Signal:
    """Withdraw a signal whose entry was not touched. It stays in the record as cancelled."""
    signal = _living(signal_id)
    if signal.status is not SignalStatus.PENDING:
        raise SignalEnded(_l("Ce signal est déjà engagé\u00a0: il se clôture à un prix, il ne s’annule pas."))
    now = at or clock.now()
    signal.status = SignalStatus.CANCELLED
    signal.closed_at = now
    _append(signal, SignalEventKind.CANCELLED, now, {"reason": reason.strip()})
    audit.record("signal.cancelled", "signal", signal.id, actor=by)
    return signal


def comment(signal_id: int, text: str, *, by: User) -> Signal:
    """Add a comment for subscribers."""
    signal = _living(signal_id)
    _append(signal, SignalEventKind.COMMENTED, clock.now(), {"text": text.strip()})
    audit.record("signal.commented", "signal", signal.id, actor=by)
    return signal


def expire_due(at: datetime | None = None) -> int:
    """End pending signals whose validity is over. Gives how many."""
    now = at or clock.now()
    due = db.session.scalars(
        select(Signal).where(Signal.status == SignalStatus.PENDING, Signal.valid_until < now).with_for_update()
    ).all()
    for signal in due:
        signal.status = SignalStatus.EXPIRED
        signal.closed_at = now
        _append(signal, SignalEventKind.EXPIRED, now, {})
    return len(due)


def subscriber_ids(at: datetime) -> list[int]:
    """People whose subscription to the signals runs at an instant."""
    return list(
        db.session.scalars(
            select(Subscription.user_id)
            .where(
                Subscription.kind == OfferKind.SIGNALS.value,
                Subscription.status == SubscriptionStatus.ACTIVE,
                Subscription.starts_at <= at,
                Subscription.ends_at > at,
            )
            .distinct()
        )
    )


def may_read(user_id: int, at: datetime | None = None) -> bool:
    """Whether a person's subscription opens living signals now."""
    now = at or clock.now()
    return (
        db.session.scalar(
            select(Subscription.id)
            .where(
                Subscription.user_id == user_id,
                Subscription.kind == OfferKind.SIGNALS.value,
                Subscription.status == SubscriptionStatus.ACTIVE,
                Subscription.starts_at <= now,
                Subscription.ends_at > now,
            )
            .limit(1)
        )
        is not None
    )


def living() -> list[Signal]:
    """Signals that are not over, newest first."""
    return list(
        db.session.scalars(select(Signal).where(Signal.status.in_(LIVING)).order_by(Signal.published_at.desc()))
    )


def ended(*, limit: int, offset: int = 0) -> list[Signal]:
    """Signals that are over, last ended first."""
    return list(
        db.session.scalars(
            select(Signal)
            .where(Signal.status.in_(ENDED))
            .order_by(Signal.closed_at.desc(), Signal.id.desc())
            .limit(limit)
            .offset(offset)
        )
    )


def count_ended() -> int:
    """How many signals are over."""
    return db.session.scalar(select(func.count()).select_from(Signal).where(Signal.status.in_(ENDED))) or 0


def get(signal_id: int) -> Signal:
    """A signal. Raises ``NotFound``."""
    signal = db.session.get(Signal, signal_id)
    if signal is None:
        raise NotFound
    return signal


def track_record(since: datetime | None = None) -> TrackRecord:
    """Complete record of the signals that ended since an instant, in the order of their end."""
    query = select(Signal.closed_at, Signal.result_r, Signal.result_pips, Signal.instrument).where(
        Signal.status == SignalStatus.CLOSED
    )
    published = select(func.count()).select_from(Signal)
    if since is not None:
        query = query.where(Signal.closed_at >= since)
        published = published.where(Signal.published_at >= since)
    total = peak = drawdown = pips = Decimal(0)
    wins = 0
    curve = []
    rows = db.session.execute(query.order_by(Signal.closed_at, Signal.id)).all()
    for closed_at, result_r, result_pips, instrument in rows:
        if closed_at is None or result_r is None:
            continue
        total += result_r
        peak = max(peak, total)
        drawdown = max(drawdown, peak - total)
        wins += result_r > 0
        if result_pips is not None and is_forex(base_symbol(instrument)):
            pips += result_pips
        curve.append((closed_at, total))
    return TrackRecord(db.session.scalar(published) or 0, len(rows), wins, total, pips, drawdown, tuple(curve))


def register(limit: int = 500) -> list[dict[str, Any]]:
    """Public chain, newest first: hashes of everything, contents of what has ended."""
    events = db.session.scalars(select(SignalEvent).order_by(SignalEvent.seq.desc()).limit(limit)).all()
    ended_ids = set(
        db.session.scalars(
            select(Signal.id).where(Signal.status.in_(ENDED), Signal.id.in_({event.signal_id for event in events}))
        )
    )
    return [_as_public(event, opened=event.signal_id in ended_ids) for event in events]


def first_broken() -> int | None:
    """Place of the first event whose hash is wrong; None when the chain is whole."""
    expected_prev, expected_seq = chain.GENESIS, 1
    for event in db.session.scalars(select(SignalEvent).order_by(SignalEvent.seq)):
        link = chain.link_hash(CHAIN, expected_seq, expected_prev, _link_content(event))
        if event.seq != expected_seq or event.prev_hash != expected_prev or event.hash != link:
            return expected_seq
        expected_prev, expected_seq = event.hash, expected_seq + 1
    return None


def _living(signal_id: int) -> Signal:
    signal = db.session.scalar(select(Signal).where(Signal.id == signal_id).with_for_update())
    if signal is None:
        raise NotFound
    if signal.status not in LIVING:
        raise SignalEnded
    return signal


def _public_facts(signal: Signal) -> dict[str, Any]:
    return {
        "instrument": signal.instrument,
        "direction": signal.direction.value,
        "order_kind": signal.order_kind.value,
        "entry": signal.entry,
        "stop": signal.stop,
        "targets": signal.targets,
        "reasoning": signal.reasoning,
        "horizon": signal.horizon,
        "conflict_notice": signal.conflict_notice,
        "author_id": signal.author_id,
    }


def _append(signal: Signal, kind: SignalEventKind, at: datetime, data: dict[str, Any]) -> None:
    plain = {key: format(value, "f") if isinstance(value, Decimal) else value for key, value in data.items()}
    salt = secrets.token_bytes(16)
    content = {
        "signal_id": signal.id,
        "kind": kind.value,
        "at": at,
        "commitment": _commitment(salt, plain),
    }
    seq, prev_hash, link = chain.append(CHAIN, content)
    db.session.add(
        SignalEvent(
            seq=seq, signal_id=signal.id, kind=kind, at=at, data=plain, salt=salt, prev_hash=prev_hash, hash=link
        )
    )
    db.session.flush()
    live.emit_after_commit("signal:updated", {"id": signal.id, "kind": kind.value}, room="signals")


def _commitment(salt: bytes, data: dict[str, Any]) -> str:
    return hashlib.sha256(salt + chain.canonical(data)).hexdigest()


def _link_content(event: SignalEvent) -> dict[str, Any]:
    return {
        "signal_id": event.signal_id,
        "kind": event.kind.value,
        "at": event.at,
        "commitment": _commitment(event.salt, event.data),
    }


def _as_public(event: SignalEvent, *, opened: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "seq": event.seq,
        "signal": event.signal_id,
        "kind": event.kind.value,
        "at": event.at.isoformat(timespec="microseconds"),
        "commitment": _commitment(event.salt, event.data),
        "prev": event.prev_hash.hex(),
        "hash": event.hash.hex(),
    }
    if opened:
        shown |= {"salt": event.salt.hex(), "data": event.data}
    return shown


def _tell(signal: Signal, user_id: int, key: str) -> None:
    side = _l("Achat") if signal.direction is Direction.BUY else _l("Vente")
    closed = signal.status is SignalStatus.CLOSED
    title = (
        str(_l("Signal %(instrument)s clôturé", instrument=signal.instrument))
        if closed
        else str(_l("Nouveau signal\u00a0: %(side)s %(instrument)s", side=side, instrument=signal.instrument))
    )
    body = (
        str(_l("Résultat\u00a0: %(r)s R.", r=format(signal.result_r or 0, "+.2f").replace(".", ",")))
        if closed
        else str(_l("Entrée, stop et objectifs sont dans votre espace. Le trading de CFD comporte un risque de perte."))
    )
    notifications.notify(user_id, NoticeKind.SIGNAL, key, title=title, body=body, url=f"/espace/signaux/{signal.id}")
