"""Statements run by the driver itself: same values in and out, same errors, same objects as the ordinary way."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import instance_state

from calmness.extensions import db
from calmness.models.prepared import Prepared, adopt
from calmness.models.trading import Platform, SyncBatch, TradingAccount
from tests import factories

COLUMNS = tuple(TradingAccount.__table__.columns)
NAMES = tuple(column.key for column in COLUMNS)
OF_PLATFORMS = Prepared(
    lambda _dialect: select(*COLUMNS).where(
        TradingAccount.name == bindparam("name"), TradingAccount.platform.in_([Platform.MT4, Platform.MT5])
    )
)
KEEP = Prepared(lambda _dialect: insert(SyncBatch))
SEEN = datetime(2026, 3, 29, 1, 30, 0, 250_000, tzinfo=UTC)


def account_of(name: str) -> TradingAccount:
    account = TradingAccount(
        user_id=factories.student().id,
        name=name,
        platform=Platform.MT5,
        currency="EUR",
        created_at=SEEN,
        balance=Decimal("1234.56789012"),
        last_sync_at=SEEN,
        clock_evidence=[[1, 7200]],
    )
    db.session.add(account)
    db.session.commit()
    return account


def test_every_type_is_read_as_the_orm_reads_it(site: Flask) -> None:
    account = account_of("O'Brien-Ñandú <b>")
    wanted = [getattr(account, name) for name in NAMES]

    rows = OF_PLATFORMS.run(db.session.connection(), {"name": "O'Brien-Ñandú <b>"})

    assert rows == [wanted]
    assert OF_PLATFORMS.run(db.session.connection(), {"name": "nobody's"}) == []


def test_what_is_written_is_read_again(site: Flask) -> None:
    account = account_of("one")
    row = {"account_id": account.id, "batch_id": "b", "received_at": SEEN, "trades": 1, "answer": {"ok": ["é"]}}

    assert KEEP.run(db.session.connection(), row) == []
    db.session.commit()

    kept = db.session.scalars(select(SyncBatch)).one()
    assert (kept.received_at, kept.answer) == (SEEN, {"ok": ["é"]})


def test_an_error_of_the_driver_comes_as_sqlalchemy_s_and_names_no_value(site: Flask) -> None:
    account = account_of("one")
    row = {"account_id": account.id, "batch_id": "secret", "received_at": SEEN, "trades": 1, "answer": {}}
    KEEP.run(db.session.connection(), row)

    with pytest.raises(IntegrityError) as caught:
        KEEP.run(db.session.connection(), row)

    assert "[parameters" not in str(caught.value)
    db.session.rollback()


def test_an_adopted_object_is_written_when_it_changes_and_only_then(site: Flask) -> None:
    account_id = account_of("one").id
    db.session.remove()
    (values,) = OF_PLATFORMS.run(db.session.connection(), {"name": "one"})

    account = adopt(db.session(), TradingAccount, NAMES, values)

    assert account is not None
    assert instance_state(account).persistent
    assert not db.session.dirty
    assert account.user.id == account.user_id
    account.broker = "Another"
    db.session.commit()
    assert db.session.get_one(TradingAccount, account_id).broker == "Another"


def test_an_object_that_the_session_has_is_not_made_twice(site: Flask) -> None:
    account = account_of("one")
    (values,) = OF_PLATFORMS.run(db.session.connection(), {"name": "one"})

    assert adopt(db.session(), TradingAccount, NAMES, values) is None
    assert account in db.session
