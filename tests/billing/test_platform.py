"""The approved platform: each flow once whatever happens, its states told, invoices of suppliers taken."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.files import store
from calmness.jobs.drain import drain_everything
from calmness.jobs.platform import exchange
from calmness.models.account import User
from calmness.models.billing import Invoice, InvoiceDocument
from calmness.models.catalogue import VatRegime
from calmness.models.platform import FlowState, PlatformFlow, SupplierInvoice
from calmness.services.billing import closings, credit_notes, e_reporting, purchases
from calmness.services.billing import platform as platform_service
from tests import factories
from tests.billing import shop
from tests.fakes import platform as platform_api
from tests.fakes.providers import Providers
from tests.fakes.server import Answer

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture
def platform(site: Flask, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> platform_api.FakePlatform:
    """The school is tied to a platform."""
    monkeypatch.setitem(site.config, "PLATFORM_API_URL", providers.platform.url)
    monkeypatch.setitem(site.config, "PLATFORM_TOKEN", platform_api.TOKEN)
    monkeypatch.setitem(site.config, "PLATFORM_NAME", "Plateforme d’essai")
    monkeypatch.setitem(site.config, "PLATFORM_REGISTRATION", "0042")
    shop.identity()
    return providers.platform


def sold(number: str = "AB1234", *, siren: str | None = "552100554", **offer: Any) -> Invoice:
    """An invoice, to a business unless said otherwise."""
    user = factories.student(company="Exemple SARL" if siren else None, siren=siren)
    payment = shop.submitted(user, shop.signals_offer(slug=f"offre-{number.lower()}", **offer), number)
    if siren:
        user.company, user.siren = "Exemple SARL", siren
    invoice = purchases.validate_payment(payment.id, number, by=factories.agent())
    db.session.commit()
    return invoice


def flow() -> PlatformFlow:
    """The only flow, as the database holds it."""
    db.session.expire_all()
    return db.session.scalars(select(PlatformFlow)).one()


def test_an_invoice_to_a_business_goes_once_with_the_bytes_that_are_kept(platform: platform_api.FakePlatform) -> None:
    invoice = sold()

    for _time in range(3):
        drain_everything()
        exchange()
    drain_everything()

    document = db.session.scalars(select(InvoiceDocument)).one()
    (given,) = platform.flows.values()
    assert (given["trackingId"], given["sha256"]) == (f"invoice:{invoice.number}", document.sha256)
    assert (flow().state, flow().flow_id) == (FlowState.SENT, given["flowId"])


@pytest.mark.parametrize(
    ("siren", "offer"),
    [(None, {}), ("552100554", {"vat_regime": VatRegime.TRAINING_EXEMPT, "vat_rate_bp": 0})],
    ids=["a consumer", "exempt training"],
)
def test_what_is_outside_of_electronic_invoicing_stays_home(
    platform: platform_api.FakePlatform, siren: str | None, offer: dict[str, Any]
) -> None:
    sold(siren=siren, **offer)

    drain_everything()

    assert platform.flows == {}


def test_without_a_platform_nothing_is_planned(site: Flask, providers: Providers) -> None:
    shop.identity()
    sold()

    drain_everything()
    exchange()

    assert db.session.scalars(select(PlatformFlow)).all() == []


def test_an_answer_that_is_lost_doubles_nothing(platform: platform_api.FakePlatform) -> None:
    sold()
    platform.lose_answers = 1

    drain_everything()
    assert flow().state is FlowState.WAITING
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        drain_everything()

    assert len(platform.flows) == 1
    assert flow().state is FlowState.SENT


def test_a_platform_that_asks_for_patience_gets_it(platform: platform_api.FakePlatform) -> None:
    sold()
    platform.fail_next(Answer(429, {}, {"Retry-After": "600"}))

    drain_everything()
    asked = len(platform.calls)
    with time_machine.travel(clock.now() + timedelta(minutes=9), tick=False):
        drain_everything()
    assert len(platform.calls) == asked
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        drain_everything()

    assert flow().state is FlowState.SENT


def test_a_platform_away_for_a_day_gets_it_the_next(platform: platform_api.FakePlatform) -> None:
    sold()
    start = clock.now()
    platform.fail_next(*(Answer(503, {}) for _ in range(60)))
    for hour in range(3):
        with time_machine.travel(start + timedelta(hours=hour, minutes=1), tick=False):
            drain_everything()
    assert flow().state is FlowState.WAITING
    platform.next_answers.clear()

    with time_machine.travel(start + timedelta(days=1, hours=1), tick=False):
        exchange()
        drain_everything()

    assert flow().state is FlowState.SENT
    assert len(platform.flows) == 1


def test_a_refusal_is_told_with_its_reason_and_not_tried_again(
    platform: platform_api.FakePlatform, client_for: ClientFor
) -> None:
    sold()
    platform.fail_next(Answer(422, {"errorMessage": "BR-FR-12 : adresse absente"}))

    drain_everything()
    exchange()
    drain_everything()

    page = client_for(factories.admin()).get("/admin/comptabilite/plateforme").get_data(as_text=True)
    assert platform.flows == {}
    assert "rejetée par la plateforme" in page
    assert "BR-FR-12 : adresse absente" in page


def test_the_life_of_a_flow_is_followed_and_its_end_stays(
    platform: platform_api.FakePlatform, client_for: ClientFor
) -> None:
    invoice = sold()
    drain_everything()
    key, now = f"invoice:{invoice.number}", clock.now()
    seen = []
    for step, (code, reason) in enumerate([(203, ""), (205, ""), (210, "Montant contesté"), (205, "")], 1):
        platform.decide(key, code, reason)
        with time_machine.travel(now + timedelta(hours=step), tick=False):
            exchange()
        seen.append(flow().state)

    assert seen == [FlowState.DELIVERED, FlowState.APPROVED, FlowState.REFUSED, FlowState.REFUSED]
    page = client_for(factories.admin()).get("/admin/comptabilite/plateforme").get_data(as_text=True)
    assert invoice.number in page
    assert "Montant contesté" in page
    assert "Plateforme d’essai" in page


def test_a_credit_note_goes_too(platform: platform_api.FakePlatform) -> None:
    invoice = sold()
    credit = credit_notes.credit_whole(invoice.number, "Erreur", by=factories.agent())
    db.session.commit()

    drain_everything()

    assert sorted(given["trackingId"] for given in platform.flows.values()) == sorted(
        [f"invoice:{invoice.number}", f"invoice:{credit.number}"]
    )


def test_sales_to_consumers_go_once_the_month_is_closed_and_say_what_the_documents_say(
    platform: platform_api.FakePlatform,
) -> None:
    with time_machine.travel(datetime(2026, 10, 14, 9, tzinfo=UTC), tick=False):
        sold(siren=None)
        drain_everything()
        exchange()
    assert platform.flows == {}

    for day in (2, 3):
        with time_machine.travel(datetime(2026, 11, day, 9, tzinfo=UTC), tick=False):
            closings.close_due()
            exchange()
            drain_everything()

    posts = [call for call in platform.calls if call.method == "POST"]
    sales, receipts = [etree.fromstring(platform_api._parts(call)["file"]) for call in posts]
    (sale,) = e_reporting.sales(date(2026, 10, 1), date(2026, 10, 31))
    assert texts(sales, "ReportDocument/Id") == ["732829320-103-202610"]
    assert texts(sales, "TransactionsReport/Transactions/*") == [
        *("20261014", "EUR", "TPS1", money(sale.excl_cents), money(sale.vat_cents), "1", None)
    ]
    assert texts(receipts, "ReportDocument/Id") == ["732829320-104-202610"]
    assert texts(receipts, "PaymentsReport/Transactions/Payment/SubTotals/*") == ["20", "EUR", "49.90"]


def test_reports_wait_until_the_platform_is_named(
    platform: platform_api.FakePlatform, site: Flask, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(site.config, "PLATFORM_REGISTRATION", "")
    with time_machine.travel(datetime(2026, 10, 14, 9, tzinfo=UTC), tick=False):
        sold(siren=None)
        drain_everything()
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        closings.close_due()
        exchange()
        drain_everything()
    page = client_for(factories.admin()).get("/admin/comptabilite/plateforme").get_data(as_text=True)
    assert platform.flows == {}
    assert "PLATFORM_REGISTRATION" in page

    monkeypatch.setitem(site.config, "PLATFORM_REGISTRATION", "0042")
    with time_machine.travel(datetime(2026, 11, 3, 9, tzinfo=UTC), tick=False):
        exchange()
        drain_everything()

    assert len(platform.flows) == 2


def test_a_report_made_again_years_later_is_the_same_bytes(platform: platform_api.FakePlatform) -> None:
    with time_machine.travel(datetime(2026, 10, 14, 9, tzinfo=UTC), tick=False):
        sold(siren=None)
        drain_everything()
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        closings.close_due()
        exchange()
    sender = platform_service.Sender("0042", "Plateforme d’essai")
    flows = list(db.session.scalars(select(PlatformFlow).order_by(PlatformFlow.id)))

    first = [platform_service.outgoing(each, sender) for each in flows]
    with time_machine.travel(datetime(2031, 1, 1, tzinfo=UTC), tick=False):
        again = [platform_service.outgoing(each, sender) for each in flows]

    assert first == again
    assert all(each and each.syntax == "FRR" and each.content.startswith(b"<?xml") for each in first)


DAY = date(2026, 10, 1)


def received(*amounts: int, rate_bp: int = 2000) -> list[e_reporting.ReceiptsDay]:
    """Receipts of days that follow each other."""
    return [
        e_reporting.ReceiptsDay(DAY + timedelta(days=rank), rate_bp, "EUR", cents) for rank, cents in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("amounts", "left"),
    [
        ((100, 50), [100, 50]),
        ((100, 50, -30), [100, 20]),
        ((100, 50, -80), [70]),
        ((-30, 100), [70]),
        ((100, -100), []),
        ((10, -30, 100), [80]),
    ],
)
def test_what_a_day_gives_back_is_taken_off_other_days_and_the_sum_stays(
    amounts: tuple[int, ...], left: list[int]
) -> None:
    rows = e_reporting.not_below_zero(received(*amounts))

    assert [row.incl_cents for row in rows] == left
    assert sum(row.incl_cents for row in rows) == sum(amounts)


def test_a_month_that_gives_back_more_than_it_received_is_left_to_people(
    platform: platform_api.FakePlatform, client_for: ClientFor
) -> None:
    with pytest.raises(e_reporting.MoreGivenBack):
        e_reporting.not_below_zero([*received(-30, 20), *received(500, rate_bp=550)])
    with time_machine.travel(datetime(2026, 9, 14, 9, tzinfo=UTC), tick=False):
        invoice = sold(siren=None)
        drain_everything()
    with time_machine.travel(datetime(2026, 10, 14, 9, tzinfo=UTC), tick=False):
        credit_notes.credit_whole(invoice.number, "Rétractation", by=factories.agent())
        db.session.commit()
        drain_everything()
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        closings.close_due()
        exchange()
        drain_everything()

    page = client_for(factories.admin()).get("/admin/comptabilite/plateforme").get_data(as_text=True)
    (sales,) = [given["trackingId"] for given in platform.flows.values()]
    assert sales == "10.3:2026-10"
    assert "le mois rend plus qu’il n’encaisse" in page


def texts(root: etree._Element, path: str) -> list[str | None]:
    """Texts of the elements at a path."""
    return [element.text for element in root.iterfind(path)]


def money(cents: int) -> str:
    """Cents as the flow writes them."""
    return f"{cents / 100:.2f}"


def test_invoices_of_suppliers_are_taken_once_and_can_be_read(
    platform: platform_api.FakePlatform, client_for: ClientFor
) -> None:
    sold()
    drain_everything()
    own = platform_file()
    platform.arrive("facture.pdf", own)
    platform.arrive("autre.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")

    exchange()
    exchange()

    first, second = db.session.scalars(select(SupplierInvoice).order_by(SupplierInvoice.id)).all()
    assert (first.seller_name, first.seller_siren, first.total_cents) == ("Calmness Trading SAS", "732829320", 4990)
    assert not second.is_readable
    owner = client_for(factories.admin())
    page = owner.get("/admin/comptabilite/plateforme").get_data(as_text=True)
    assert first.number in page
    assert "données illisibles" in page
    file = owner.get(f"/admin/comptabilite/plateforme/recues/{first.id}")
    assert file.data == own
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert owner.get("/admin/comptabilite/plateforme/recues/999").status_code == 404


def platform_file() -> bytes:
    """A Factur-X file: our own, as a supplier would send it."""
    return store().get(db.session.scalars(select(InvoiceDocument)).one().file_key)
