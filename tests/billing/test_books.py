"""Books: FEC read back by a parser of its own, journal, VAT, ZIP; all agree with the documents to the cent."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import User
from calmness.models.billing import Invoice
from calmness.models.catalogue import VatRegime
from calmness.services.billing import books, credit_notes, e_reporting, fec, identity, invoicing, purchases
from calmness.services.billing.invoice_lines import Line
from tests import factories
from tests.billing import fec_reader, shop

ClientFor = Callable[[User], FlaskClient]
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture(autouse=True)
def _month(site: Flask) -> None:
    shop.identity()


def sold(number: str, *lines: Line, **buyer: str) -> Invoice:
    """An invoice of some lines to one client."""
    person = factories.student(**buyer)
    payment = shop.submitted(person, shop.signals_offer(slug=f"offre-{number.lower()}"), number)
    for name, value in buyer.items():
        setattr(person, name, value)
    payment.amount_cents = sum(line.incl_cents for line in lines)
    now = clock.now()
    invoice = invoicing.issue(invoicing.draft_for_payment(lines, payment, person), now)
    db.session.commit()
    return invoice


def standard(cents: int, rate_bp: int = 2000) -> Line:
    return Line("Signaux", "", cents, VatRegime.STANDARD, rate_bp)


def exempt(cents: int) -> Line:
    return Line("Formation", "", cents, VatRegime.TRAINING_EXEMPT, 0)


def november() -> list[Invoice]:
    """A month: three invoices of several rates, a part of one given back."""
    with time_machine.travel(datetime(2026, 11, 10, 9, tzinfo=UTC), tick=False):
        first = sold("AB1234", standard(3333), standard(3333, 550), exempt(59900))
        second = sold("CD5678", standard(14999), company='Ta\tb | "Łódź" ő & <Fils>')
    with time_machine.travel(datetime(2026, 11, 20, 9, tzinfo=UTC), tick=False):
        credit = credit_notes.credit(first.number, {1: 1111, 3: 9900}, "Geste commercial", by=factories.agent())
        db.session.commit()
    return [first, second, credit]


def test_the_fec_passes_its_rules_and_agrees_with_the_documents(site: Flask) -> None:
    first, second, credit = november()

    content, changed = fec.encoded(fec.lines(*NOVEMBER), "iso-8859-15")

    read = fec_reader.read(content)
    assert len(read.balances) == 5
    assert (
        read.sum_of("706") == -Decimal(first.total_excl_cents + second.total_excl_cents - credit.total_excl_cents) / 100
    )
    assert (
        read.sum_of("44571") == -Decimal(first.total_vat_cents + second.total_vat_cents - credit.total_vat_cents) / 100
    )
    assert read.sum_of("411") == -Decimal(credit.total_incl_cents) / 100
    assert read.sum_of("512") == Decimal(first.total_incl_cents + second.total_incl_cents) / 100
    assert changed > 0
    names = {row["CompAuxLib"] for row in read.rows}
    assert "Ta b Lódz o & <Fils>" in names


def test_the_fec_in_utf_8_keeps_every_letter(site: Flask) -> None:
    november()

    content, changed = fec.encoded(fec.lines(*NOVEMBER), "utf-8")

    assert changed == 0
    names = {row["CompAuxLib"] for row in fec_reader.read(content, "utf-8").rows}
    assert "Ta b Łódź ő & <Fils>" in names


def test_a_period_without_sales_has_its_head_alone(site: Flask) -> None:
    content, _changed = fec.encoded(fec.lines(*NOVEMBER), "iso-8859-15")

    assert fec_reader.read(content).rows == []


def test_the_file_is_named_after_the_company_and_the_end_of_the_year() -> None:
    assert fec.file_name("732829320", date(2027, 6, 30)) == "732829320FEC20270630.txt"


def test_vat_by_rate_takes_credit_notes_off(site: Flask) -> None:
    documents = november()

    rows = books.vat_summary(*NOVEMBER)

    assert [(row.regime.value, row.rate_bp) for row in rows] == [
        ("standard", 2000),
        ("standard", 550),
        ("training_exempt", 0),
    ]
    signs = [books.sign(document.kind) for document in documents]
    assert sum(row.vat_cents for row in rows) == sum(
        sign * document.total_vat_cents for sign, document in zip(signs, documents, strict=True)
    )
    assert rows[2].excl_cents == 59900 - 9900
    assert books.vat_summary(date(2026, 10, 1), date(2026, 10, 31)) == []
    assert sum(row.excl_cents for row in books.turnover_by_month(2026)) == sum(row.excl_cents for row in rows)


def test_the_owner_takes_everything_away(site: Flask, client_for: ClientFor) -> None:
    documents = november()
    drain_everything()
    owner = client_for(factories.admin())

    page = owner.get("/admin/comptabilite?periode=2026-11")
    assert page.status_code == 200
    assert "PDF du mois, ZIP" in page.get_data(as_text=True)
    text = owner.get("/admin/comptabilite/ventes.csv?periode=2026-11").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    total = sum(Decimal(row["TTC"].replace(",", ".")) for row in rows)
    assert total == sum(Decimal(books.sign(each.kind) * each.total_incl_cents) for each in documents) / 100
    sheet = load_workbook(io.BytesIO(owner.get("/admin/comptabilite/ventes.xlsx?periode=2026-11").data)).active
    assert sheet is not None
    assert sheet.max_row == len(rows) + 1
    answer = owner.get("/admin/comptabilite/fec.txt?periode=2026")
    assert "732829320FEC20261231.txt" in answer.headers["Content-Disposition"]
    assert len(fec_reader.read(answer.data).balances) == 5


def test_the_zip_of_a_month_holds_the_stored_bytes_and_their_sums(site: Flask, client_for: ClientFor) -> None:
    documents = november()
    drain_everything()

    answer = client_for(factories.admin()).get("/admin/comptabilite/factures.zip?periode=2026-11")

    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        lines = [line.partition("  ") for line in archive.read("SHA256SUMS").decode().splitlines()]
        sums = {name: digest for digest, _blank, name in lines}
        assert set(sums) == {f"{document.number}.pdf" for document in documents}
        for name, digest in sums.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest


def test_unpaid_purchases_are_listed_once_their_conditions_are_accepted(site: Flask, client_for: ClientFor) -> None:
    student = factories.student()
    payment = purchases.declare(student, shop.signals_offer().slug)
    assert books.unpaid() == []
    purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
    db.session.commit()

    assert [each.id for each in books.unpaid()] == [payment.id]
    assert payment.reference in client_for(factories.admin()).get("/admin/comptabilite").get_data(as_text=True)


def test_the_flows_of_sales_to_consumers_leave_out_businesses_and_exempt_training(
    site: Flask, client_for: ClientFor
) -> None:
    november()
    with time_machine.travel(datetime(2026, 11, 12, 9, tzinfo=UTC), tick=False):
        sold("EF9012", standard(14999), company="Lilas Conseil", siren="732829320")

    sales = e_reporting.sales(*NOVEMBER)
    receipts = e_reporting.receipts(*NOVEMBER)

    assert {row.day for row in sales} == {date(2026, 11, 10), date(2026, 11, 20)}
    assert [(row.rate_bp, row.documents, row.excl_cents + row.vat_cents) for row in sales] == [
        (550, 1, 3333),
        (2000, 2, 3333 + 14999),
        (2000, 1, -1111),
    ]
    assert sum(row.incl_cents for row in receipts) == 3333 + 3333 + 14999 - 1111
    # Told again, the same period says the same.
    assert e_reporting.sales(*NOVEMBER) == sales
    owner = client_for(factories.admin())
    assert "TPS1" in owner.get("/admin/comptabilite/flux-10-3.csv?periode=2026-11").get_data(as_text=True)
    assert "149,99" not in owner.get("/admin/comptabilite/flux-10-4.csv?periode=2026-10").get_data(as_text=True)


def test_an_agent_sees_no_books(site: Flask, client_for: ClientFor) -> None:
    assert client_for(factories.agent()).get("/admin/comptabilite").status_code in {403, 404}


def test_the_owner_sees_a_specimen_of_what_is_typed_and_nothing_is_saved(site: Flask, client_for: ClientFor) -> None:
    typed = {**shop.IDENTITY, "company_name": "Nouveau Nom & Fils"}

    answer = client_for(factories.admin()).post("/admin/identite/apercu", data=typed)

    assert answer.status_code == 200
    text = PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
    assert "Nouveau Nom & Fils" in text
    assert "SPÉCIMEN" in text
    assert [template.company_name for template in identity.versions()] == ["Calmness Trading SAS"]
    assert db.session.scalar(select(func.count()).select_from(Invoice)) == 0
