"""Books by program: figures, files and flows of a period, closings, proof of the chains."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.billing import Invoice
from calmness.models.platform import SupplierInvoice
from calmness.platforms import IncomingFlow
from calmness.services import ledgers
from calmness.services.billing import closings, platform, purchases
from tests import factories
from tests.api.conftest import ApiFor
from tests.billing import fec_reader, shop

SOLD = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.fixture
def invoice(site: Flask) -> Invoice:
    """A sale of November, with its PDF."""
    shop.identity()
    with time_machine.travel(SOLD, tick=False):
        payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
        sold = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
        db.session.commit()
        drain_everything()
    return sold


def test_the_figures_of_a_period_and_its_flows_agree_with_its_documents(invoice: Invoice, api_for: ApiFor) -> None:
    owner = api_for(factories.admin())

    month = owner("GET", "/admin/books?period=2026-11").get_json()
    before = owner("GET", "/admin/books?period=2026-10").get_json()
    flows = owner("GET", "/admin/books/flows?period=2026-11").get_json()

    assert (month["first"], month["last"]) == ("2026-11-01", "2026-11-30")
    assert [(row["regime"], row["rate"], row["incl"]["amount"]) for row in month["vat_summary"]] == [
        ("standard", "20.00", 4990)
    ]
    assert month["excl"]["amount"] == invoice.total_excl_cents == month["months"][10]["excl"]["amount"]
    assert month["missing_files"] == before["vat_summary"] == []
    assert [(row["day"], row["category"], row["documents"]) for row in flows["sales"]] == [("2026-11-20", "TPS1", 1)]
    assert [row["incl"]["amount"] for row in flows["receipts"]] == [4990]
    assert owner("GET", "/admin/books?period=november").status_code == 422
    assert owner("GET", "/admin/books?period=2026-13").status_code == 422


def test_the_files_are_those_of_the_pages(invoice: Invoice, api_for: ApiFor) -> None:
    owner = api_for(factories.admin())

    text = owner("GET", "/admin/books/sales?period=2026-11").get_data(as_text=True)
    sheet = owner("GET", "/admin/books/sales?period=2026-11&format=xlsx")
    fec = owner("GET", "/admin/books/fec?period=2026&charset=utf-8")
    archive = owner("GET", "/admin/books/documents?period=2026-11")
    year = owner("GET", "/admin/books/documents?period=2026")

    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    assert [Decimal(row["TTC"].replace(",", ".")) for row in rows] == [Decimal("49.90")]
    assert sheet.data.startswith(b"PK")
    assert "732829320FEC20261231.txt" in fec.headers["Content-Disposition"]
    assert fec_reader.read(fec.data).rows
    with zipfile.ZipFile(io.BytesIO(archive.data)) as found:
        assert set(found.namelist()) == {f"{invoice.number}.pdf", "SHA256SUMS"}
    assert (year.status_code, year.get_json()["type"]) == (422, "/problems/period-too-long")
    for flow in ("sales", "receipts"):
        answer = owner("GET", f"/admin/books/flows/{flow}?period=2026-11")
        assert answer.mimetype == "text/csv"
        assert "2026" in answer.get_data(as_text=True)
    pdf = owner("GET", f"/admin/invoices/{invoice.number}/pdf")
    assert pdf.data.startswith(b"%PDF")


def test_closed_periods_and_what_is_unpaid(invoice: Invoice, api_for: ApiFor) -> None:
    owner = api_for(factories.admin())
    waiting = purchases.declare(factories.student(), "signaux-30-jours")
    purchases.confirm_identity(waiting, shop.IDENTITY_GIVEN)
    closings.close_due(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
    db.session.commit()

    months = owner("GET", "/admin/books/closings").get_json()["items"]
    days = owner("GET", "/admin/books/closings?span=day&limit=2").get_json()["items"]
    unpaid = owner("GET", "/admin/books/unpaid").get_json()["items"]

    assert [(row["first"], row["documents"], row["perpetual"]["amount"]) for row in months] == [("2026-11-01", 1, 4990)]
    assert [row["first"] for row in days] == ["2026-12-01", "2026-11-30"]
    assert [row["id"] for row in unpaid] == [waiting.id]


def test_the_chains_are_computed_anew_and_a_change_behind_the_guards_is_named(
    invoice: Invoice, api_for: ApiFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = api_for(factories.admin())

    whole = owner("GET", "/admin/ledger").get_json()
    monkeypatch.setitem(ledgers.CHAINS, "invoice", lambda: invoice.number)
    broken = owner("GET", "/admin/ledger").get_json()

    assert whole["whole"] is True
    assert {row["name"] for row in whole["chains"]} == {"attendance", "audit", "closing", "invoice", "signal"}
    assert broken["whole"] is False
    assert [row["broken_at"] for row in broken["chains"] if not row["whole"]] == [invoice.number]


def test_invoices_of_suppliers_are_listed_and_taken_away_as_they_came(site: Flask, api_for: ApiFor) -> None:
    platform.receive(IncomingFlow("F1", "facture.xml"), b"<Invoice/>")
    received = db.session.scalars(select(SupplierInvoice.id)).one()
    owner = api_for(factories.admin())

    listed = owner("GET", "/admin/platform/received").get_json()["items"]
    file = owner("GET", f"/admin/platform/received/{received}/file")

    assert [(row["name"], row["readable"], row["total"]) for row in listed] == [("facture.xml", False, None)]
    assert (file.data, file.mimetype) == (b"<Invoice/>", "application/xml")
    assert file.headers["Content-Security-Policy"] == "sandbox"
    assert owner("GET", "/admin/platform/received/999/file").status_code == 404
    assert owner("GET", "/admin/platform/flows").get_json()["items"] == []


def test_agents_see_no_books(site: Flask, api_for: ApiFor) -> None:
    agent = api_for(factories.agent())

    paths = ("/admin/books", "/admin/books/fec", "/admin/books/unpaid", "/admin/ledger", "/admin/platform/flows")
    assert {agent("GET", path).status_code for path in paths} == {403}
