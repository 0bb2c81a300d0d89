"""The history: every filter, sorting, totals, pages, exports, notes; nobody sees another's."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.journal import TradeJournal
from calmness.models.trading import Trade, TradingAccount
from calmness.services.trading import trading_accounts
from tests import factories
from tests.trading import terminal
from tests.trading.terminal import NOW, SELL, Terminal, at, cash, linked, trade, work

ClientFor = Callable[[User], FlaskClient]
ROW = re.compile(r'href="/espace/historique/\d+">([^<]+)</a>')
NO_BREAK, MINUS = "\u00a0", "\u2212"


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def owner(site: Flask) -> User:
    """A student with two accounts and seven rows."""
    student = factories.student()
    _first, ea = linked(site, student)
    ea.sync(
        trade("101", "30.00", close_time=at(5), lots="0.100", comment="Ouverture de Londres"),
        trade("102", "-12.00", type=SELL, close_time=at(10), lots="1.000", symbol="XAUUSD", comment="100% [sl]"),
        trade("103", "0.00", close_time=at(15), lots="0.200", symbol="GBPUSD", comment="сделка"),
        trade("104", "99.00", close_time=0, lots="0.300"),
        cash("105", "5000.00", open_time=at(1)),
        trade("106", "0.00", type=2, close_time=at(16)),
    )
    _second, other = linked(site, student, name="Compte d’essai")
    other.sync(trade("201", "8.00", close_time=at(20, 23), symbol="US30.cash"))
    work()
    return student


def tickets(browser: FlaskClient, **query: Any) -> list[str]:
    page = browser.get("/espace/historique?" + urlencode(query))
    assert page.status_code == 200
    return ROW.findall(page.text)


def test_without_filter_the_newest_stand_first_and_cash_stands_aside(client_for: ClientFor, owner: User) -> None:
    assert tickets(client_for(owner)) == ["104", "201", "103", "102", "101"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "open"}, ["104"]),
        ({"status": "closed"}, ["201", "103", "102", "101"]),
        ({"status": "cash"}, ["105"]),
        ({"status": "cancelled"}, ["106"]),
        ({"result": "win"}, ["201", "101"]),
        ({"result": "loss"}, ["102"]),
        ({"symbol": "XAUUSD"}, ["102"]),
        ({"symbol": "US30"}, ["201"]),
        ({"symbol": "US30.cash"}, ["201"]),
        ({"direction": "sell"}, ["102"]),
        ({"direction": "buy", "status": "closed"}, ["201", "103", "101"]),
        ({"from": "2026-11-10", "to": "2026-11-15"}, ["103", "102"]),
        # 23 h of UTC on the 20th is the 21st in Paris.
        ({"from": "2026-11-21"}, ["201"]),
        ({"to": "2026-11-05"}, ["101"]),
        ({"from": "2026-11-15", "to": "2026-11-10"}, []),
        ({"session": "london", "status": "closed"}, ["201", "103", "102", "101"]),
        ({"session": "asia"}, []),
        ({"session": "overlap"}, []),
        ({"search": "londres"}, ["101"]),
        ({"search": "%"}, ["102"]),
        ({"search": "_"}, []),
        ({"search": "сделка"}, ["103"]),
        ({"search": "10"}, ["104", "103", "102", "101"]),
        ({"search": "us30"}, ["201"]),
        ({"search": "nothing like it"}, []),
        ({"symbol": "' OR 1=1 --"}, []),
    ],
)
def test_each_filter(client_for: ClientFor, owner: User, query: dict[str, str], found: list[str]) -> None:
    assert tickets(client_for(owner), **query) == found


def test_the_filter_by_account(client_for: ClientFor, owner: User) -> None:
    second = db.session.scalars(select(TradingAccount.id).where(TradingAccount.name == "Compte d’essai")).one()

    assert tickets(client_for(owner), account=second) == ["201"]


@pytest.mark.parametrize(
    ("sort", "ascending"),
    [
        ("net", ["102", "103", "201", "101"]),
        ("volume", ["101", "201", "103", "102"]),
        ("symbol", ["101", "103", "201", "102"]),
        ("closed", ["101", "102", "103", "201"]),
    ],
)
def test_sorting_both_ways(client_for: ClientFor, owner: User, sort: str, ascending: list[str]) -> None:
    browser = client_for(owner)

    assert tickets(browser, status="closed", sort=sort, order="asc") == ascending
    assert tickets(browser, status="closed", sort=sort, order="desc") == ascending[::-1]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "0001-01-01"},
        {"to": "9999-12-31"},
        {"from": "yesterday", "to": "2026-02-30"},
        {"account": "9" * 30},
        {"account": "-1"},
        {"after": "9" * 30},
        {"after": "1.x"},
        {"after": "1." + "9" * 40},
        {"before": "", "sort": "symbol"},
        {"before": "7.nonsense", "sort": "direction"},
        {"after": "7.buy", "sort": "duration"},
        {"session": "nonsense"},
        {"tag": "\x00", "mistake": "%"},
        {"search": "a\x00b"},
        {"symbol": "\x00"},
        {"sort": "id; DROP TABLE trade", "order": "sideways"},
        {"status": "nonsense", "result": "nonsense", "direction": "nonsense"},
        {"search": "é" * 5000},
    ],
)
def test_an_address_that_somebody_made_up_is_still_a_page(
    client_for: ClientFor, owner: User, query: dict[str, str]
) -> None:
    assert client_for(owner).get("/espace/historique?" + urlencode(query)).status_code == 200


def test_totals_are_of_the_whole_filter_and_know_no_deposit(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)

    everything = browser.get("/espace/historique").text
    money = browser.get("/espace/historique?status=cash").text

    assert f"+26,00{NO_BREAK}€" in everything
    assert f"50,0{NO_BREAK}%" in everything
    assert "sur 4 trades clos" in everything
    assert f"+5{chr(0x202F)}000,00{NO_BREAK}€" in money
    assert "Dépôts moins retraits" in money
    assert "Résultat net du filtre" not in money


def test_an_empty_filter_says_how_to_widen_it(client_for: ClientFor, owner: User) -> None:
    page = client_for(owner).get("/espace/historique?search=zzz").text

    assert "Aucun trade ne correspond" in page
    assert 'value="zzz"' in page


def test_exports_hold_the_filter_in_its_order(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)
    query = "?status=closed&sort=net&order=asc"

    lines = browser.get("/espace/historique.csv" + query)
    book = browser.get("/espace/historique.xlsx" + query)

    rows = list(csv.reader(io.StringIO(lines.text.removeprefix("\ufeff")), delimiter=";"))
    cells = list(load_workbook(io.BytesIO(book.data)).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert [row[0] for row in rows[1:]] == [str(row[0]) for row in cells[1:]] == ["102", "103", "201", "101"]
    assert rows[0] == list(cells[0])
    worst = dict(zip(rows[0], rows[1], strict=True))
    assert (worst["Résultat net"], worst["Devise"], worst["Sens"]) == ("-12", "EUR", "Vente")
    assert "historique.csv" in lines.headers["Content-Disposition"]
    assert browser.get("/espace/historique.pdf").status_code == 404


def test_a_comment_that_is_a_formula_runs_nowhere(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(trade(1, comment='=HYPERLINK("http://x")'))

    assert "'=HYPERLINK" in client_for(account.user).get("/espace/historique.csv").text


def first_trade() -> Trade:
    return db.session.scalars(select(Trade).where(Trade.ticket == "101")).one()


def test_a_note_is_kept_beside_the_brokers_fields_and_found_by_text(
    site: Flask, client_for: ClientFor, owner: User
) -> None:
    browser, path = client_for(owner), f"/espace/historique/{first_trade().id}"

    saved = browser.post(
        f"{path}/note", data={"note": "Entrée trop tôt <b>!\r\nPatience.", "tags": " Londres ,  cassure,Londres,"}
    )

    assert saved.status_code == 302
    page = browser.get(path).text
    assert "Entrée trop tôt &lt;b&gt;!\nPatience." in page
    assert 'value="Londres, cassure"' in page
    assert tickets(browser, search="patience") == ["101"]
    assert tickets(browser, tag="cassure") == ["101"]
    assert tickets(browser, tag="cass") == []
    another_terminal(site, owner).sync(trade("101", "31.00", close_time=at(5)))
    assert "Patience." in browser.get(path).text


def another_terminal(site: Flask, owner: User) -> Terminal:
    """Another key of the first account's terminal."""
    account = db.session.scalars(select(TradingAccount).where(TradingAccount.user_id == owner.id)).first()
    assert account is not None
    return Terminal(terminal.ea(site), trading_accounts.rotate(account))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"note": "très long " * 1100, "tags": "ma,liste"}, "dépasse 10\u202f000 caractères"),
        ({"note": "Ma note", "tags": ",".join(f"tag{n}" for n in range(13))}, "12 étiquettes au plus"),
        ({"note": "Ma note", "tags": "x" * 31}, "12 étiquettes au plus"),
    ],
)
def test_a_refused_note_keeps_what_was_typed(
    client_for: ClientFor, owner: User, data: dict[str, str], message: str
) -> None:
    refused = client_for(owner).post(f"/espace/historique/{first_trade().id}/note", data=data)

    assert refused.status_code == 422
    assert message in refused.text
    assert data["note"].strip() in refused.text
    assert f'value="{data["tags"]}"' in refused.text
    assert db.session.scalars(select(TradeJournal)).all() == []


def test_a_stranger_sees_nothing_and_learns_nothing(client_for: ClientFor, owner: User) -> None:
    stranger, own = client_for(factories.student()), first_trade()
    account_id = own.account_id

    answers = [
        stranger.get(f"/espace/historique/{own.id}"),
        stranger.post(f"/espace/historique/{own.id}/note", data={"note": "x", "tags": ""}),
        stranger.get(f"/espace/metatrader/{account_id}"),
        stranger.post(f"/espace/metatrader/{account_id}/cle"),
        stranger.post(f"/espace/metatrader/{account_id}/revocation"),
        stranger.post(f"/espace/metatrader/{account_id}/archive"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert tickets(stranger, account=account_id) == []
    assert "101" not in stranger.get(f"/espace/historique.csv?account={account_id}").text
    assert tickets(stranger, search="Londres") == []


def test_the_same_ticket_of_two_brokers_is_two_trades(site: Flask, client_for: ClientFor) -> None:
    student = factories.student()
    for _turn in range(2):
        linked(site, student)[1].sync(trade("777", "1.00"))

    assert tickets(client_for(student)) == ["777", "777"]
