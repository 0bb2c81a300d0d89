"""Pages by key, totals that are never old, columns by choice, exports as a stream."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import event, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import MarketSession, Trade
from calmness.services.trading.market_sessions import opened_during, session_of
from calmness.services.trading.trade_pages import SORTS
from tests import factories
from tests.trading.terminal import NOW, SELL, at, cash, linked, trade, work

ClientFor = Callable[[User], FlaskClient]
ROW = re.compile(r'href="/espace/historique/\d+">([^<]+)</a>')
LINK = re.compile(r'href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?(Début|Précédent|Suivant|Fin)</a>')


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def owner(site: Flask) -> User:
    """A student with 130 trades on two accounts, many of them equal in what they are sorted by; three are open."""
    student = factories.student()
    _first, ea = linked(site, student)
    _second, other = linked(site, student, name="Second")
    symbols = ("EURUSD", "XAUUSD", "us30", "Zinc")
    for terminal, start, count in ((ea, 1000, 70), (other, 2000, 60)):
        terminal.sync(
            *(
                trade(
                    start + number,
                    f"{number % 7 - 3}.00",
                    symbol=symbols[number % 4],
                    type=SELL if number % 3 else 0,
                    lots=f"0.{number % 5 + 1}00",
                    open_time=at(2) + number % 9 * 60,
                    close_time=0 if number in {3, 64} else at(3) + number % 11 * 3600,
                )
                for number in range(count)
            )
        )
    work()
    return student


def walk(browser: FlaskClient, address: str, word: str) -> list[str]:
    """Tickets of all pages that a link leads through, with the address of the page where it ends."""
    found: list[str] = []
    for _turn in range(10):
        page = browser.get(address).text
        found += ROW.findall(page) if word == "Suivant" else ROW.findall(page)[::-1]
        links = {name: url.replace("&amp;", "&") for url, name in LINK.findall(page)}
        if word not in links:
            return found
        address = links[word]
    raise AssertionError("the pages have no end")


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", list(SORTS))
def test_pages_by_key_show_each_trade_once_in_the_order_of_the_export(
    client_for: ClientFor, owner: User, sort: str, order: str
) -> None:
    browser = client_for(owner)
    query = f"?sort={sort}&order={order}"
    lines = browser.get(f"/espace/historique.csv{query}").text.removeprefix("\ufeff")
    expected = [row[0] for row in list(csv.reader(io.StringIO(lines), delimiter=";"))[1:]]

    forwards = walk(browser, f"/espace/historique{query}", "Suivant")
    backwards = walk(browser, f"/espace/historique{query}&last=1", "Précédent")

    assert len(expected) == 130
    assert forwards == expected
    assert backwards == expected[::-1]


def test_a_page_whose_rows_are_gone_is_the_last_one(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)

    page = browser.get("/espace/historique?after=1.0")

    assert len(ROW.findall(page.text)) == 50
    assert "Suivant" not in page.text


def test_a_page_turned_counts_nothing_again(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)
    browser.get("/espace/historique")
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _cursor, text, *_rest: statements.append(text))

    browser.get("/espace/historique?after=30.")

    assert [text for text in statements if "FROM trade" in text]
    assert not [text for text in statements if "sum(trade.net)" in text]


def test_totals_follow_each_new_trade_each_note_and_each_undo(
    site: Flask, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    account, ea = linked(site)
    ea.sync(trade(1, "10.00"), cash(2, "500.00"))
    browser = client_for(account.user)
    assert "+10,00" in browser.get("/espace/historique").text
    assert "+10,00" not in browser.get("/espace/historique?tag=calme").text

    trade_id = db.session.scalars(select(Trade.id).where(Trade.ticket == "1")).one()
    browser.post(f"/espace/historique/{trade_id}/note", data={"tags": "calme"})
    ea.sync(trade(3, "-4.00"))

    assert "+6,00" in browser.get("/espace/historique").text
    assert "+10,00" in browser.get("/espace/historique?tag=calme").text


def test_columns_are_kept_for_a_person_and_their_filter_stays(client_for: ClientFor, owner: User) -> None:
    browser, other = client_for(owner), client_for(factories.student())

    saved = browser.post(
        "/espace/historique/colonnes?symbol=XAUUSD", data={"column": ["session", "profit", "password"]}
    )

    assert saved.headers["Location"].endswith("/espace/historique?symbol=XAUUSD")
    assert heads_of(browser.get(saved.headers["Location"]).text) == ["Ticket", "Profit brut", "Session"]
    assert "Profit brut" not in other.get("/espace/historique").text.split("<tbody")[0].split("<thead")[-1]
    browser.post("/espace/historique/colonnes", data={})
    assert "Symbole" in heads_of(browser.get("/espace/historique").text)


def heads_of(page: str) -> list[str]:
    return re.findall(r'<th role="columnheader"[^>]*>\s*(?:<a[^>]*>)?\s*([^<]+?)\s*<', page)


def test_the_workbook_has_real_numbers_and_dates_and_no_formula(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(trade(1, "-12.34", comment="=1+1", close_time=at(5, 12)))

    body = client_for(account.user).get("/espace/historique.xlsx").data

    sheet = load_workbook(io.BytesIO(body)).worksheets[0]
    row = dict(zip(*(tuple(cell for cell in line) for line in sheet.iter_rows(values_only=True)), strict=True))
    assert row["Résultat net"] == -12.34
    # Noon of UTC is 13 h in Paris.
    assert row["Clos le"].replace(microsecond=0) == datetime(2026, 11, 5, 13)  # noqa: DTZ001 - Excel knows no zones
    comment = next(cell for cell in sheet[2] if cell.value == "=1+1")
    assert comment.data_type in {"s", "inlineStr"}


def test_an_export_needs_no_more_than_its_stretch_in_memory(client_for: ClientFor, owner: User) -> None:
    answer = client_for(owner).get("/espace/historique.csv", buffered=False)

    assert answer.headers.get("Content-Length") is None
    assert len(answer.text.splitlines()) == 131


@pytest.mark.parametrize(
    ("instant", "session"),
    [
        ("2026-03-04T13:30", MarketSession.OVERLAP),
        ("2026-03-04T12:30", MarketSession.LONDON),
        # America has changed its clocks, Europe has not.
        ("2026-03-11T12:30", MarketSession.OVERLAP),
        ("2026-03-11T17:30", MarketSession.NEW_YORK),
        ("2026-07-01T07:30", MarketSession.LONDON),
        ("2026-07-01T03:00", MarketSession.ASIA),
        ("2026-07-01T22:00", MarketSession.NONE),
    ],
)
def test_sessions_follow_the_clocks_of_the_markets(instant: str, session: MarketSession) -> None:
    assert session_of(datetime.fromisoformat(instant).replace(tzinfo=UTC)) is session


def test_the_database_and_the_page_agree_on_the_session_of_every_hour(site: Flask) -> None:
    account, ea = linked(site)
    dates = ((3, 7), (3, 8), (3, 9), (3, 29), (6, 1), (10, 25), (10, 30), (11, 1))
    days = [datetime(2026, month, day, tzinfo=ZoneInfo("Europe/Berlin")) for month, day in dates]
    hours = [int(day.timestamp()) + hour * 3600 for day in days for hour in range(24)]
    ea.sync(*(trade(number, open_time=hour, close_time=hour + 60) for number, hour in enumerate(hours)))
    rows = db.session.scalars(select(Trade).where(Trade.account_id == account.id)).all()
    first, last = min(row.opened_at for row in rows), max(row.opened_at for row in rows)

    assert len(rows) == len(hours)
    for session in MarketSession:
        wanted = opened_during(db.session(), Trade.opened_at, session, first, last)
        found = db.session.scalars(select(Trade.id).where(wanted))
        assert set(found) == {row.id for row in rows if session_of(row.opened_at) is session}
