"""Reference rates: files of the central bank, conversion at the rate of the day, honest words where one is missing."""

import io
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from time_machine import TimeMachineFixture

from calmness.banking import ecb
from calmness.banking.ecb import Rate
from calmness.extensions import db
from calmness.jobs import trading as jobs
from calmness.models.account import User
from calmness.models.rates import ReferenceRate
from calmness.services.trading import exchange_rates
from calmness.services.trading.exchange_rates import Rates
from tests import factories
from tests.trading.terminal import NOW, linked, work
from tests.trading.test_statistics import closed

ClientFor = Callable[[User], FlaskClient]
NARROW, NO_BREAK = "\u202f", "\u00a0"
XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject><Cube>
<Cube time='2026-11-20'><Cube currency='USD' rate='1.0800'/><Cube currency='JPY' rate='160.00'/></Cube>
<Cube time='2026-11-19'><Cube currency='USD' rate='1.1000'/></Cube></Cube></gesmes:Envelope>"""
DAY_CSV = b"Date, USD, JPY, RUB, \n20 November 2026, 1.0800, 160.00, N/A, \n"
HISTORY_CSV = b"\xef\xbb\xbfDate,USD,JPY,CYP,\n2026-11-20,1.0800,160.00,N/A,\n2026-11-19,1.1000,,N/A,\n"
PORTAL_CSV = (
    b"KEY,FREQ,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE,TITLE\n"
    b'EXR.D.USD,D,USD,EUR,2026-11-20,1.08,"US dollar, spot"\nEXR.D.USD,D,USD,EUR,2026-11-21,NaN,x\n'
)
FRIDAY = date(2026, 11, 20)
BOTH = [Rate(FRIDAY, "USD", Decimal("1.08")), Rate(FRIDAY, "JPY", Decimal(160))]


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("eurofxref.csv", content)
    return made.getvalue()


@pytest.mark.once
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (XML, [*BOTH, Rate(date(2026, 11, 19), "USD", Decimal("1.1"))]),
        (DAY_CSV, BOTH),
        (HISTORY_CSV, [*BOTH, Rate(date(2026, 11, 19), "USD", Decimal("1.1"))]),
        (zipped(HISTORY_CSV), [*BOTH, Rate(date(2026, 11, 19), "USD", Decimal("1.1"))]),
        (PORTAL_CSV, [BOTH[0]]),
    ],
    ids=["xml", "csv of a day", "csv of the history", "zip", "data portal"],
)
def test_each_form_of_the_central_bank_is_read(content: bytes, expected: list[Rate]) -> None:
    assert ecb.read(content) == expected


@pytest.mark.once
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"Date,USD\n",
        b"Date,USD\n2026-11-20,abc\n",
        b"Date,USD\n2026-11-20,-1\n",
        b"Date,USD\n2026-11-20,inf\n",
        b"Date,USD\nyesterday,1.1\n",
        XML[:-40],
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"PK\x03\x04 no archive",
        b"\xff\xfe\x00",
    ],
)
def test_a_file_that_is_no_list_of_rates_is_refused_with_words(content: bytes) -> None:
    with pytest.raises(ecb.UnreadableRates) as refused:
        ecb.read(content)

    assert refused.value.reason


@pytest.mark.once
@given(st.binary(max_size=400))
@example(b"USD\r0")
def test_no_file_breaks_the_reader(content: bytes) -> None:
    for start in (b"", b"<", b"Date,USD\n", b"PK\x03\x04"):
        try:
            ecb.read(start + content)
        except ecb.UnreadableRates:
            continue


def test_an_operator_imports_a_file_twice_without_harm(site: Flask, tmp_path: Path) -> None:
    file, wrong = tmp_path / "eurofxref.xml", tmp_path / "wrong.csv"
    file.write_bytes(XML)
    wrong.write_bytes(b"Date,USD\n2026-11-23,1.2\n2026-11-24,broken\n")
    runner = site.test_cli_runner()

    first = runner.invoke(args=["rates", "import", str(file)])
    again = runner.invoke(args=["rates", "import", str(file)])
    refused = runner.invoke(args=["rates", "import", str(wrong)])

    assert (first.exit_code, first.output) == (0, "3 rates, 2026-11-19 to 2026-11-20\n")
    assert again.exit_code == 0
    assert (refused.exit_code, "wrong.csv: no rate: 'broken'" in refused.output) == (1, True)
    assert db.session.query(ReferenceRate).count() == 3


class _Bank(BaseHTTPRequestHandler):
    content, status = XML, 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@pytest.mark.parametrize(("status", "content", "kept"), [(200, XML, 3), (503, XML, 0), (200, b"<html>sorry</html>", 0)])
def test_the_clock_brings_rates_when_an_address_is_set(
    site: Flask, monkeypatch: pytest.MonkeyPatch, status: int, content: bytes, kept: int
) -> None:
    jobs.fetch_reference_rates()
    assert db.session.query(ReferenceRate).count() == 0

    bank = HTTPServer(("127.0.0.1", 0), type("Bank", (_Bank,), {"content": content, "status": status}))
    Thread(target=bank.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setitem(site.config, "REFERENCE_RATES_URL", f"http://127.0.0.1:{bank.server_port}/")
    try:
        jobs.fetch_reference_rates()
    finally:
        bank.shutdown()
        bank.server_close()

    assert db.session.query(ReferenceRate).count() == kept


@pytest.mark.once
@pytest.mark.parametrize(
    ("amount", "source", "target", "expected"),
    [
        ("108", "USD", "EUR", "100"),
        ("100", "EUR", "USD", "108"),
        ("16000", "JPY", "USD", "108"),
        ("10800", "USC", "EUR", "100"),
        ("250", "EUC", "EUR", "2.5"),
        ("250", "USC", "USD", "2.5"),
        ("7", "JPY", "JPY", "7"),
    ],
)
def test_amounts_go_over_the_euro_and_cents_are_hundredths(
    amount: str, source: str, target: str, expected: str
) -> None:
    rates = Rates(days={"USD": [FRIDAY], "JPY": [FRIDAY]}, values={"USD": [Decimal("1.08")], "JPY": [Decimal(160)]})

    converted = rates.convert(Decimal(amount), source, target, date(2026, 11, 22))

    assert converted is not None
    assert converted[0] == Decimal(expected)


def test_a_closed_day_takes_the_rate_before_and_a_gap_takes_none(site: Flask) -> None:
    exchange_rates.store(BOTH)

    found = exchange_rates.total(
        [
            ("USD", date(2026, 11, 22), Decimal(108)),
            ("USD", date(2026, 12, 5), Decimal(108)),
            ("USD", date(2026, 11, 19), Decimal(108)),
            ("XAU", FRIDAY, Decimal(1)),
            ("EUR", date(2020, 1, 1), Decimal(5)),
        ],
        "EUR",
    )

    assert (found.amount, found.oldest, found.newest) == (Decimal(105), FRIDAY, FRIDAY)
    assert found.missing == {"USD": [date(2026, 12, 5), date(2026, 11, 19)], "XAU": [FRIDAY]}


def person(site: Flask) -> User:
    student = factories.student()
    for currency, profit, balance in (("EUR", "10.00", "1000"), ("JPY", "1600", "160000"), ("USC", "1080", "108000")):
        _account, ea = linked(site, student, currency, balance=balance)
        ea.login = currency
        ea.sync(closed(1, profit, 20, 12))
    work()
    return student


def test_the_page_adds_up_all_currencies_and_tells_the_day_of_the_rate(site: Flask, client_for: ClientFor) -> None:
    student = person(site)
    exchange_rates.store(BOTH)
    db.session.commit()
    browser = client_for(student)

    page = browser.get("/espace/statistiques").text

    card = page.split("Toutes vos devises", 1)[1].split("</section>", 1)[0]
    # 10 + 1600 / 160 + 10.80 $ / 1.08; 1000 + 1000 + 1000.
    assert f"+30,00{NO_BREAK}€" in card
    assert f"3{NARROW}000,00{NO_BREAK}€" in card
    assert "20 novembre 2026" in card.replace(NO_BREAK, " ")
    assert "Laissé de côté" not in card

    answer = browser.post("/espace/statistiques/devise", data={"currency": "USD"}, follow_redirects=True)
    assert f"3{NARROW}240,00{NO_BREAK}$" in answer.text
    refused = browser.post("/espace/statistiques/devise", data={"currency": "DOG"}, follow_redirects=True)
    assert "Choisissez une devise de la liste." in refused.text
    assert f"3{NARROW}240,00{NO_BREAK}$" in refused.text


def test_the_page_names_what_found_no_rate(site: Flask, client_for: ClientFor) -> None:
    student = person(site)
    exchange_rates.store(BOTH[:1])
    db.session.commit()

    card = client_for(student).get("/espace/statistiques").text.split("Toutes vos devises", 1)[1]

    assert "faute de taux de référence\u00a0: JPY." in card
    assert f"+20,00{NO_BREAK}€" in card


def test_someone_with_one_currency_sees_no_total(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(closed(1, "10.00", 20))
    work()

    assert "Toutes vos devises" not in client_for(account.user).get("/espace/statistiques").text
