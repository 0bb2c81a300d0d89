"""From publication to the end: who is told, what it gave, and what can no longer be done."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from calmness import clock
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.jobs.signals import expire
from calmness.models.account import User, UserNotification
from calmness.models.signal import Direction, OrderKind, SignalStatus
from calmness.services import signals
from calmness.services.signals import SignalEnded, StopOnWrongSide, TargetOnWrongSide
from tests import factories
from tests.signals import desk


@pytest.fixture
def author(site: Flask) -> User:
    """Who publishes."""
    return factories.admin()


def told(user: User) -> list[str]:
    """Titles of the notices about signals that a person got."""
    rows = select(UserNotification.title).where(
        UserNotification.user_id == user.id, UserNotification.key.startswith("signal:")
    )
    return list(db.session.scalars(rows.order_by(UserNotification.id)))


def test_a_signal_at_market_is_active_at_once_and_one_at_a_limit_waits(author: User) -> None:
    market = signals.publish(desk.draft(), author=author)
    limit = signals.publish(desk.draft(order_kind=OrderKind.LIMIT), author=author)

    assert (market.status, limit.status) == (SignalStatus.ACTIVE, SignalStatus.PENDING)
    assert market.instrument == "EURUSD"


@pytest.mark.parametrize(
    ("direction", "entry", "stop"),
    [
        (Direction.BUY, "1.1000", "1.1010"),
        (Direction.BUY, "1.1000", "1.1000"),
        (Direction.SELL, "1.1000", "1.0990"),
    ],
)
def test_a_stop_on_the_wrong_side_is_refused(author: User, direction: Direction, entry: str, stop: str) -> None:
    with pytest.raises(StopOnWrongSide):
        signals.publish(
            desk.draft(direction=direction, entry=Decimal(entry), stop=Decimal(stop)),
            author=author,
        )


def test_each_target_must_be_on_the_side_of_the_gain(author: User) -> None:
    with pytest.raises(TargetOnWrongSide):
        signals.publish(desk.draft(targets=(Decimal("1.09"), Decimal("1.08"))), author=author)
    with pytest.raises(TargetOnWrongSide):
        signals.publish(desk.draft(targets=()), author=author)


def test_subscribers_are_told_of_publication_and_end_once_and_nobody_else(author: User) -> None:
    payer, other = desk.subscriber(), factories.student()

    signal = signals.publish(desk.draft(), author=author)
    signals.close(signal.id, Decimal("1.09020"), by=author)
    db.session.commit()

    assert told(payer) == ["Nouveau signal\u00a0: Achat EURUSD", "Signal EURUSD clôturé"]
    assert told(other) == []


@pytest.mark.parametrize(
    ("direction", "instrument", "entry", "stop", "price", "r", "pips"),
    [
        (Direction.BUY, "EURUSD", "1.08420", "1.08020", "1.09020", "1.50", "60.0"),
        (Direction.BUY, "EURUSD", "1.08420", "1.08020", "1.08020", "-1.00", "-40.0"),
        (Direction.SELL, "USDJPY", "150.00", "150.50", "149.25", "1.50", "75.0"),
        (Direction.SELL, "XAUUSD", "2650.0", "2660.0", "2655.0", "-0.50", "-50.0"),
    ],
)
def test_the_result_follows_from_published_prices_alone(
    author: User, direction: Direction, instrument: str, entry: str, stop: str, price: str, r: str, pips: str
) -> None:
    target = Decimal(9999) if direction is Direction.BUY else Decimal("0.0001")
    signal = signals.publish(
        desk.draft(
            direction=direction, instrument=instrument, entry=Decimal(entry), stop=Decimal(stop), targets=(target,)
        ),
        author=author,
    )

    signals.close(signal.id, Decimal(price), by=author)

    assert (signal.result_r, signal.result_pips) == (Decimal(r), Decimal(pips))


def test_an_instrument_without_a_habit_of_pips_has_its_r_alone(author: User) -> None:
    signal = signals.publish(
        desk.draft(instrument="AAPL", entry=Decimal(200), stop=Decimal(190), targets=(Decimal(230),)), author=author
    )

    signals.close(signal.id, Decimal(215), by=author)

    assert (signal.result_r, signal.result_pips) == (Decimal("1.50"), None)
    record = signals.track_record()
    assert (record.closed, record.wins, record.total_r) == (1, 1, Decimal("1.50"))


def test_nothing_happens_to_a_signal_after_its_end(author: User) -> None:
    signal = signals.publish(desk.draft(), author=author)
    signals.close(signal.id, Decimal("1.09"), by=author)

    with pytest.raises(SignalEnded):
        signals.close(signal.id, Decimal("1.10"), by=author)
    with pytest.raises(SignalEnded):
        signals.comment(signal.id, "Après coup", by=author)
    assert signal.close_price == Decimal("1.09")


def test_only_a_signal_whose_entry_was_not_touched_is_cancelled(author: User) -> None:
    running = signals.publish(desk.draft(), author=author)
    waiting = signals.publish(desk.draft(order_kind=OrderKind.LIMIT), author=author)

    signals.cancel(waiting.id, "Annonce imprévue", by=author)

    assert waiting.status is SignalStatus.CANCELLED
    with pytest.raises(SignalEnded):
        signals.cancel(running.id, "Trop tard", by=author)
    with pytest.raises(NotFound):
        signals.cancel(10_000, "Inconnu", by=author)


def test_a_waiting_signal_ends_when_its_validity_is_over_and_a_running_one_does_not(author: User) -> None:
    over = clock.now() - timedelta(minutes=1)
    waiting = signals.publish(desk.draft(order_kind=OrderKind.LIMIT, valid_until=over), author=author)
    running = signals.publish(desk.draft(valid_until=over), author=author)
    db.session.commit()

    expire()
    expire()

    assert (waiting.status, running.status) == (SignalStatus.EXPIRED, SignalStatus.ACTIVE)
    assert [event.kind.value for event in waiting.events] == ["published", "expired"]


def test_the_track_record_leaves_nothing_out(author: User) -> None:
    for price in ("1.09020", "1.08020", "1.08020", "1.09020"):
        signal = signals.publish(desk.draft(), author=author)
        signals.close(signal.id, Decimal(price), by=author)
    signals.publish(desk.draft(), author=author)

    record = signals.track_record()

    assert (record.published, record.closed, record.wins, record.win_rate) == (5, 4, 2, 0.5)
    assert (record.total_r, record.max_drawdown_r) == (Decimal("1.00"), Decimal("2.00"))
    assert [total for _at, total in record.curve] == [Decimal(text) for text in ("1.50", "0.50", "-0.50", "1.00")]


def test_an_empty_record_has_no_rate(site: Flask) -> None:
    record = signals.track_record()

    assert (record.closed, record.win_rate, record.curve) == (0, None, ())
