"""What a pip is: the school's rules before the broker's digits before the table; contracts as the EA says them."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.instruments import InstrumentClass, base_symbol, instrument_class
from calmness.models.account import User
from calmness.models.audit import AuditEntry
from calmness.models.trading import AccountSymbol, PipRule, Trade
from calmness.services import pips
from calmness.services.pips import Contract, NoPip, PipTable
from calmness.services.trading import portfolios, trading_report
from calmness.services.trading.trading_report import Scope
from tests import factories
from tests.trading.terminal import NOW, linked, trade, work
from tests.trading.test_statistics import closed

ClientFor = Callable[[User], FlaskClient]
PLACE = "/admin/signaux/pips"


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def contract(symbol: str = "USDHUF", **more: Any) -> dict[str, Any]:
    """A contract as the EA writes it."""
    return {
        "symbol": symbol,
        "digits": 3,
        "point": "0.00100000",
        "tick_size": "0.00100000",
        "contract_size": "100000.0000",
    } | more


def table(**rules: str) -> PipTable:
    return PipTable({name: Decimal(size) for name, size in rules.items()})


@pytest.mark.once
@pytest.mark.parametrize(
    ("rules", "symbol", "size"),
    [
        ({}, "EURUSD", "0.0001"),
        ({"EURUSD": "0.001"}, "EURUSDm", "0.001"),
        ({"EURUSD": "0.001", "EURUSDM": "0.01"}, "EURUSDm", "0.01"),
        ({"US*": "1", "US30*": "5"}, "US30.cash", "5"),
        ({"US*": "2"}, "USTEC", "2"),
        ({"US*": "2"}, "EURUSD", "0.0001"),
        ({"XAU*": "0.01"}, "GOLD", "0.01"),
        ({"AAPL*": "0.01"}, "#AAPL", "0.01"),
    ],
    ids=["no rule", "base", "very name", "longest", "beginning", "not within", "other name", "a share"],
)
def test_the_most_precise_rule_counts(rules: dict[str, str], symbol: str, size: str) -> None:
    assert table(**rules).size(symbol) == Decimal(size)


@pytest.mark.once
@pytest.mark.parametrize(
    ("symbol", "digits", "point", "size"),
    [
        ("USDHUF", 3, "0.001", "0.01"),
        ("USDSEK", 5, "0.00001", "0.0001"),
        ("USDTRY", 4, "0.0001", "0.0001"),
        ("EURNOK", 2, "0.01", "0.01"),
        ("USDJPY", 3, "0.001", "0.01"),
        ("USDJPY", 2, "0.01", "0.01"),
        ("XAUUSD", 3, "0.001", "0.1"),
        ("XAUUSD", 2, "0.01", "0.1"),
        ("XAGUSD", 4, "0.0001", "0.01"),
        ("US30", 1, "0.1", "1"),
        ("GER40", 0, "1", "1"),
        ("BTCUSD", 2, "0.01", "1"),
        ("LTCUSD", 2, "0.01", "1"),
    ],
)
def test_the_contract_of_the_broker_and_the_habit_of_the_class(symbol: str, digits: int, point: str, size: str) -> None:
    assert PipTable({}, {symbol: Contract(digits, Decimal(point))}).size(symbol) == Decimal(size)


@pytest.mark.once
@pytest.mark.parametrize(
    ("symbol", "contract_of", "why"),
    [
        ("AAPL", None, NoPip.NO_HABIT),
        ("#MSFT", Contract(2, Decimal("0.01")), NoPip.NO_HABIT),
        ("NATGAS", Contract(3, Decimal("0.001")), NoPip.NO_HABIT),
        ("XRPUSD", None, NoPip.NO_HABIT),
        ("XRPUSD", Contract(5, Decimal("0.00001")), NoPip.NO_HABIT),
        ("DASH.US", Contract(2, Decimal("0.01")), NoPip.NO_HABIT),
        ("XAUUSD", Contract(0, Decimal(1)), NoPip.COARSE),
        ("XAUUSD", Contract(2, Decimal("0.01"), Decimal("0.5")), NoPip.COARSE),
        ("US500", Contract(2, Decimal("0.01"), Decimal("0.25")), None),
        ("JP225", Contract(0, Decimal(1), Decimal(5)), None),
    ],
)
def test_where_nothing_true_can_be_said_there_is_no_size(
    symbol: str, contract_of: Contract | None, why: NoPip | None
) -> None:
    found = PipTable({}, {symbol: contract_of} if contract_of else {})

    assert found.silence(symbol) is why
    assert (found.size(symbol) is None) is (why is not None)


@pytest.mark.once
@pytest.mark.parametrize(
    ("symbol", "base", "kind"),
    [
        (".US500Cash", "US500", InstrumentClass.INDEX),
        ("[DJI30]", "DJI30", InstrumentClass.INDEX),
        ("#AAPL", "AAPL", InstrumentClass.OTHER),
        ("GER40.cash", "GER40", InstrumentClass.INDEX),
        ("XAUEURm", "XAUEURM", InstrumentClass.GOLD),
        ("BTCUSDT", "BTCUSDT", InstrumentClass.COIN),
        ("ETHBTC", "ETHBTC", InstrumentClass.OTHER),
        ("SOLUSD", "SOLUSD", InstrumentClass.SMALL_COIN),
        ("UNICREDIT", "UNICREDIT", InstrumentClass.OTHER),
        ("EURJPY", "EURJPY", InstrumentClass.FOREX),
    ],
)
def test_an_instrument_is_known_by_its_name(symbol: str, base: str, kind: InstrumentClass) -> None:
    assert (base_symbol(symbol), instrument_class(symbol)) == (base, kind)


def test_each_symbol_has_its_own_pips_and_those_of_two_are_never_added_up(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(
        closed(1, "1.00", 3, symbol="EURUSD", open_price="1.10000", close_price="1.10125"),
        closed(2, "1.00", 3, symbol="XAUUSD", open_price="2400.00", close_price="2403.50"),
        closed(3, "1.00", 3, symbol=".US30Cash", open_price="40000.0", close_price="39980.0"),
        closed(4, "1.00", 3, symbol="US30", open_price="40000.0", close_price="40050.0"),
        closed(5, "1.00", 3, symbol="XRPUSD", open_price="0.50000", close_price="0.60000"),
    )
    work()

    spread = trading_report.spread(Scope((account.id,), "Europe/Paris"))
    page = client_for(account.user).get("/espace/statistiques/repartition?periode=tout")

    assert spread.pips == {"EURUSD": Decimal("12.5"), "XAUUSD": Decimal(35), "US30": Decimal(30)}
    assert spread.forex_pips == Decimal("12.5")
    assert "+12,5" in page.text
    assert "+30,0" in page.text
    assert "Cet instrument ne se compte pas en pips" in page.text


@pytest.mark.parametrize(
    ("symbol", "left", "said", "why"),
    [
        ("XAUUSD", "2403.50", "+35,0", ""),
        ("AAPL", "2403.50", "–", "Cet instrument ne se compte pas en pips"),
        ("XAUUSD", "0.00", "–", "Un prix d’ouverture ou de clôture manque."),
    ],
)
def test_a_trade_says_its_pips_or_why_it_has_none(
    site: Flask, client_for: ClientFor, symbol: str, left: str, said: str, why: str
) -> None:
    account, ea = linked(site)
    ea.sync(closed(1, "1.00", 3, symbol=symbol, open_price="2400.00", close_price=left))
    trade_id = db.session.scalars(select(Trade.id)).one()

    page = client_for(account.user).get(f"/espace/historique/{trade_id}")

    title = f' title="{why}' if why else ""
    assert re.search(rf"<dt{re.escape(title)}[^>]*>Pips</dt><dd>{re.escape(said)}</dd>", page.text)


def test_contracts_of_a_message_are_kept_and_told_again(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(symbols=[contract(), contract("XAUUSD", digits=2, point="0.01", contract_size="100", tick_size=None)])
    ea.sync(symbols=[contract(contract_size="1000")])

    rows = db.session.scalars(select(AccountSymbol).order_by(AccountSymbol.symbol)).all()

    assert [(row.symbol, row.digits, row.point, row.tick_size, row.contract_size) for row in rows] == [
        ("USDHUF", 3, Decimal("0.001"), Decimal("0.001"), Decimal(1000)),
        ("XAUUSD", 2, Decimal("0.01"), None, Decimal(100)),
    ]
    assert {row.account_id for row in rows} == {account.id}


@pytest.mark.parametrize(
    "wrong",
    [
        "EURUSD",
        contract(""),
        contract(digits="3"),
        contract(digits=11),
        contract(point="0"),
        contract(point="nan"),
        contract(contract_size="-1"),
        contract(contract_size="1e300"),
        {"symbol": "EURUSD"},
    ],
)
def test_a_contract_that_cannot_be_read_costs_no_trade(site: Flask, wrong: Any) -> None:
    _account, ea = linked(site)

    answer = ea.sync(trade(1), symbols=[wrong, contract()])

    assert (answer["accepted"], answer["rejected_count"]) == (1, 0)
    assert db.session.scalars(select(AccountSymbol.symbol)).all() == ["USDHUF"]


def test_a_message_with_symbols_of_another_shape_is_refused(site: Flask) -> None:
    _account, ea = linked(site)

    answers = [ea.post(ea.body(symbols=symbols)) for symbols in ({"EURUSD": 5}, [contract()] * 501)]

    assert [answer.status_code for answer in answers] == [422, 413]


def test_pips_of_a_period_follow_the_digits_and_the_rules(site: Flask) -> None:
    # A way of 0.01: with the yen's table a pip, with four digits a hundred.
    account, ea = linked(site)
    ea.sync(
        closed(1, "1.00", 3, symbol="USDHUF", open_price="350.000", close_price="350.010"),
        symbols=[contract(digits=4, point="0.0001")],
    )
    work()
    scope = Scope((account.id,), "Europe/Paris")
    by_digits = trading_report.report(scope).spread.forex_pips

    pips.set_rule("usd*", Decimal("0.005"), by=factories.admin())

    assert by_digits == 100
    assert trading_report.report(scope).spread.forex_pips == 2
    assert trading_report.spread(scope).forex_pips == 2


def test_the_exposure_by_currency_takes_the_lot_of_the_broker(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(
        trade(1, close_time=0, lots="1.00", open_price="1.10000", symbol="EURUSDm"),
        symbols=[contract("EURUSDm", digits=5, point="0.00001", contract_size="1000")],
    )

    legs = portfolios.of_user(account.user_id)[0].legs

    assert legs == [("USD", Decimal("-1100.0")), ("EUR", Decimal(1000))]


def test_an_admin_sets_changes_and_takes_back_a_rule_and_the_journal_says_so(
    site: Flask, client_for: ClientFor
) -> None:
    client = client_for(factories.admin())

    client.post(PLACE, data={"pattern": "us*", "pip": "1"})
    client.post(PLACE, data={"pattern": "US*", "pip": "0,5"})
    page = client.get(f"{PLACE}?symbole=US30")
    rules = [(rule.pattern, rule.pip) for rule in pips.rules()]
    client.post(f"{PLACE}/retrait", data={"pattern": "US*"})

    entries = db.session.execute(
        select(AuditEntry.action, AuditEntry.object_id)
        .where(AuditEntry.object_type == "pip_rule")
        .order_by(AuditEntry.seq)
    ).all()
    assert rules == [("US*", Decimal("0.5"))]
    assert "Un pip de US30\u00a0: 0,5." in page.text
    assert "Règle US*." in page.text
    assert [tuple(entry) for entry in entries] == [("pip.changed", "US*")] * 2 + [("pip.removed", "US*")]
    assert db.session.scalars(select(PipRule)).all() == []


@pytest.mark.parametrize(
    ("pattern", "pip", "said"),
    [
        ("*", "1", "Entrez un symbole comme US30"),
        ("US*30", "1", "Entrez un symbole comme US30"),
        ("US30", "0", "Entrez une taille plus grande que zéro"),
        ("US30", "-1", "Entrez une taille plus grande que zéro"),
        ("US30", "0.000000001", "Entrez une taille plus grande que zéro"),
        ("US30", "NaN", "Entrez une taille plus grande que zéro"),
        ("US30", "un", "Entrez une taille plus grande que zéro"),
        ("", "1", "Nommez le symbole"),
        ("*", "0", "Entrez un symbole comme US30"),
        ("*", "0", "Entrez une taille plus grande que zéro"),
        ("US*30", "un", "Entrez un symbole comme US30"),
        ("US*30", "", "Entrez un symbole comme US30"),
    ],
)
def test_what_is_no_rule_is_told_beside_its_field(
    site: Flask, client_for: ClientFor, pattern: str, pip: str, said: str
) -> None:
    answer = client_for(factories.admin()).post(PLACE, data={"pattern": pattern, "pip": pip})

    assert answer.status_code == 422
    assert said in answer.text
    assert db.session.scalars(select(PipRule)).all() == []


def test_what_is_not_there_cannot_be_taken_back(site: Flask, client_for: ClientFor) -> None:
    assert client_for(factories.admin()).post(f"{PLACE}/retrait", data={"pattern": "US30"}).status_code == 404


def test_an_agent_does_not_change_pips(site: Flask, client_for: ClientFor) -> None:
    client = client_for(factories.agent())

    assert client.get(PLACE).status_code == 403
    assert client.post(PLACE, data={"pattern": "US30", "pip": "1"}).status_code == 403
