"""A student's statement: read by a job, shown with three converted trades, taken at once, undone at will."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture
from werkzeug.test import TestResponse

from calmness import files
from calmness.extensions import db
from calmness.metatrader import MAX_BYTES
from calmness.models.account import User
from calmness.models.statement import ImportState, StatementImport
from calmness.models.trading import Platform, Trade, TradeKind, TradeSource, TradingAccount, TradingStatistics
from calmness.services.trading import journals, statement_files, statement_imports, trading_accounts
from tests import factories
from tests.trading.statements import mt4, mt5
from tests.trading.terminal import NOW, linked, trade, work
from tests.trading.test_old_ea import message, send

ClientFor = Callable[[User], FlaskClient]
PAGE = mt4.statement(
    [
        mt4.cash(1, "1 000.00"),
        mt4.closed(11, "10.00"),
        mt4.closed(12, "-4.00"),
        mt4.closed(13, "7.00"),
        mt4.cancelled(20),
        mt4.closed(21, kind="?"),
        mt4.cancelled(22),
    ],
    closed_sum="13.00",
    cash_sum="1 000.00",
)


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def made(platform: Platform = Platform.MT4) -> TradingAccount:
    account, _key = trading_accounts.add(factories.student(), "Compte réel", platform, "EUR")
    db.session.commit()
    return account


def bring(student: FlaskClient, account_id: int, content: str | bytes = PAGE, name: str = "releve.htm") -> TestResponse:
    raw = content.encode() if isinstance(content, str) else content
    answer = student.post(
        f"/espace/metatrader/{account_id}/releves", data={"statement": (io.BytesIO(raw), name)}, follow_redirects=False
    )
    work()
    return answer


def last() -> StatementImport:
    return db.session.scalars(select(StatementImport).order_by(StatementImport.id.desc())).first()  # type: ignore[return-value]


def page_of(student: FlaskClient, query: str = "") -> str:
    return " ".join(student.get(f"/espace/metatrader/releves/{last().id}{query}").text.split())


def say_yes(student: FlaskClient, choice: str = "new-york") -> None:
    student.post(f"/espace/metatrader/releves/{last().id}/confirmation", data={"broker_clock": choice})
    work()


def tickets() -> dict[str, TradeSource]:
    return {row.ticket: row.source for row in db.session.execute(select(Trade.ticket, Trade.source))}


def test_a_statement_is_shown_before_anything_is_written(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)

    answer = bring(student, account.id)

    assert answer.status_code == 302
    assert last().state is ImportState.READ
    shown = page_of(student)
    assert "3 lignes ignorées" in shown.replace("\u202f", " ").replace("\xa0", " ")
    for reason in ("ordre en attente annulé, jamais exécuté", "type d’opération inconnu"):
        assert reason in shown
    assert shown.count("comme dans le relevé") == 2
    # Three trades, at the file's hours and at the reader's: 10:00 of the server is 9:00 in Paris in winter.
    assert shown.count("2026.03.02 10:00") == 3
    assert re.search(r"2 mars 2026[^<]{0,20}9[ :h]", shown)
    assert tickets() == {}


def test_another_clock_is_seen_before_it_is_chosen(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)
    bring(student, account.id)

    assert re.search(r"2 mars 2026[^<]{0,20}11[ :h]", page_of(student, "?broker_clock=utc%2B0"))
    say_yes(student, "utc+0")

    row = db.session.scalars(select(Trade).where(Trade.ticket == "11")).one()
    assert row.opened_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert db.session.get_one(TradingAccount, account.id).broker_clock == "utc+0"
    # Asked once: the next statement proposes the same.
    bring(student, account.id)
    assert last().broker_clock == "utc+0"


def test_a_confirmed_statement_gives_trades_and_figures(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)
    bring(student, account.id)
    key = last().file_key

    say_yes(student)

    assert tickets() == dict.fromkeys(["1", "11", "12", "13"], TradeSource.IMPORT)
    row = db.session.scalars(select(Trade).where(Trade.ticket == "11")).one()
    assert (row.symbol, row.net, row.opened_at) == ("EURUSD", Decimal(10), datetime(2026, 3, 2, 8, tzinfo=UTC))
    figures = db.session.scalars(select(TradingStatistics)).all()
    assert (sum(day.trades for day in figures), sum(day.deposits for day in figures)) == (3, 1000)
    assert "4 trades ajoutés" in page_of(student)
    assert db.session.get_one(TradingAccount, account.id).login == "80012345"
    assert not files.store().exists(key)


def test_what_the_ea_sent_stays_and_the_import_fills_the_gaps(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    student = client_for(account.user)
    ea.sync(trade(11, "99.00", symbol="EURUSDm"))

    bring(student, account.id)
    assert last().report["known"] == 1
    say_yes(student)

    assert tickets() == dict.fromkeys(["1", "12", "13"], TradeSource.IMPORT) | {"11": TradeSource.EA}
    assert db.session.scalars(select(Trade.net).where(Trade.ticket == "11")).one() == 99
    assert (last().trades_added, last().trades_known) == (3, 1)


def test_the_ea_takes_over_what_was_imported(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    student = client_for(account.user)
    bring(student, account.id)
    say_yes(student)

    ea.sync(trade(11, "12.00"))
    student.post(f"/espace/metatrader/releves/{last().id}/annulation")
    work()

    assert tickets() == {"11": TradeSource.EA}
    assert db.session.scalars(select(Trade.net)).one() == 12
    figures = db.session.scalars(select(TradingStatistics).where(TradingStatistics.trades > 0)).all()
    assert [day.net for day in figures] == [12]


def test_the_same_file_twice_adds_nothing(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)
    for _time in range(2):
        bring(student, account.id)
        say_yes(student)

    assert len(tickets()) == 4
    assert (last().trades_added, last().trades_known) == (0, 4)


def test_a_job_that_runs_twice_writes_once(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)
    bring(student, account.id)
    say_yes(student)

    statement_imports.take(last().id)
    statement_imports.read(last().id)
    db.session.commit()

    assert len(tickets()) == 4
    assert last().state is ImportState.IMPORTED


def test_an_undone_import_takes_its_trades_and_figures_with_it(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)
    bring(student, account.id)
    say_yes(student)
    row = db.session.scalars(select(Trade).where(Trade.ticket == "12")).one()
    journals.write(account.user_id, row.id, journals.Draft(note="Trop tôt"))
    db.session.commit()
    assert "Un trade annoté serait perdu" in page_of(student)

    undone = student.post(f"/espace/metatrader/releves/{last().id}/annulation", follow_redirects=True)
    work()

    assert "4 trades retirés" in undone.text.replace("\u202f", " ").replace("\xa0", " ")
    assert tickets() == {}
    assert sum(day.trades for day in db.session.scalars(select(TradingStatistics))) == 0
    assert db.session.get_one(TradingAccount, account.id).login is None
    assert student.post(f"/espace/metatrader/releves/{last().id}/annulation").status_code == 409


def test_a_statement_of_another_account_is_refused(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync()
    student = client_for(account.user)

    bring(student, account.id, mt4.statement([mt4.closed(1)], login="999"))

    assert last().state is ImportState.REFUSED
    assert "Ce relevé est celui d’un autre compte MetaTrader" in page_of(student)
    say_yes(student)
    assert tickets() == {}


def test_a_statement_of_the_other_platform_is_refused(client_for: ClientFor) -> None:
    account = made()
    bring(client_for(account.user), account.id, mt5.workbook(mt5.rows()), "releve.xlsx")

    assert (last().state, last().reason) == (ImportState.REFUSED, "other_platform")


def test_a_report_of_metatrader_5_is_taken_with_the_parts_of_its_positions(client_for: ClientFor) -> None:
    account = made(Platform.MT5)
    student = client_for(account.user)
    bring(student, account.id, mt5.workbook(mt5.rows("fr")), "rapport.xlsx")
    say_yes(student)

    assert set(tickets()) == {"501", "601-9004", "601-9005", "601", "D9000"}


def test_a_cut_statement_is_taken_with_a_warning(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)
    bring(student, account.id, PAGE[: PAGE.index(">13<") + 100])

    assert "Relevé coupé" in page_of(student)
    say_yes(student)

    assert set(tickets()) == {"1", "11", "12"}


@pytest.mark.parametrize(("content", "status"), [(b"", 422), (b"x" * (MAX_BYTES + 1), 413), (b"x" * 14_000_000, 302)])
def test_a_file_may_weigh_twenty_megabytes(client_for: ClientFor, content: bytes, status: int) -> None:
    account = made()

    assert bring(client_for(account.user), account.id, content).status_code == status


def test_a_file_that_nobody_said_yes_to_is_thrown_away(client_for: ClientFor, time_machine: TimeMachineFixture) -> None:
    account = made()
    bring(client_for(account.user), account.id)
    key = last().file_key
    assert files.store().exists(key)

    time_machine.move_to(NOW + timedelta(days=8), tick=False)
    statement_files.sweep()
    db.session.commit()

    assert not files.store().exists(key)
    assert db.session.scalars(select(StatementImport)).all() == []


def test_a_file_given_up_leaves_nothing(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)
    bring(student, account.id)
    key = last().file_key

    answer = student.post(f"/espace/metatrader/releves/{last().id}/abandon")

    assert answer.headers["Location"].endswith(f"/espace/metatrader/{account.id}/releves")
    assert not files.store().exists(key)


def test_a_stranger_sees_and_does_nothing(client_for: ClientFor) -> None:
    account = made()
    bring(client_for(account.user), account.id)
    stranger = client_for(factories.student())

    assert stranger.get(f"/espace/metatrader/releves/{last().id}").status_code == 404
    assert stranger.get(f"/espace/metatrader/{account.id}/releves").status_code == 404
    for act in ("confirmation", "annulation", "abandon"):
        assert stranger.post(f"/espace/metatrader/releves/{last().id}/{act}").status_code == 404


def test_an_unknown_clock_is_refused(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)
    bring(student, account.id)

    answer = student.post(f"/espace/metatrader/releves/{last().id}/confirmation", data={"broker_clock": "Mars/Base"})

    assert answer.status_code == 422
    assert last().state is ImportState.READ


def test_the_week_ends_of_the_file_show_which_clock_is_wrong(client_for: ClientFor) -> None:
    account = made()
    student = client_for(account.user)
    # Sunday 22:30 of the file: under New York + 7 h the market opens on Monday at 0:00, under UTC at 22:00.
    sunday = [mt4.closed(n, opened="2026.03.01 22:30:00", closed_at="2026.03.01 23:10:00") for n in (1, 2)]

    bring(student, account.id, mt4.statement(sunday))

    assert last().broker_clock == "utc+0"
    assert "fermeture du marché" in page_of(student, "?broker_clock=new-york")
    assert "fermeture du marché" not in page_of(student)


def test_a_statement_says_what_cash_was_that_the_old_ea_could_not_name(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    account.login = None
    db.session.commit()
    deposit = message(symbol="", volume="0.00", profit="1000.00", type="sell")
    send(ea, deposit)
    kind = select(Trade.kind).where(Trade.ticket == "1")
    assert db.session.scalar(kind) is TradeKind.CASH_UNKNOWN
    student = client_for(account.user)

    bring(student, account.id)
    say_yes(student)
    assert db.session.scalar(kind) is TradeKind.BALANCE

    # The old EA goes on to send it as it did, and an undo takes the import's own rows alone.
    send(ea, deposit)
    statement_imports.undo(last())
    db.session.commit()
    assert db.session.execute(select(Trade.ticket, Trade.kind, Trade.source)).all() == [
        ("1", TradeKind.BALANCE, TradeSource.EA_LEGACY)
    ]
