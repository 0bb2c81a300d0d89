"""From the bank's statement to validated payments: looked at, imported once, confirmed by a person."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness.banking import csv_file
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.bank import BankLine, BankStatement, LineState
from calmness.models.billing import Invoice, Payment, PaymentStatus
from calmness.services.billing import bank_statements, purchases, reconciliation
from tests import factories
from tests.billing import bank_files, shop

ClientFor = Callable[[User], FlaskClient]
PAGE = "/admin/paiements/releves"


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def waiting(name: str = "Dupont", number: str | None = None, **offer: object) -> Payment:
    """A purchase whose conditions are accepted."""
    found = shop.signals_offer(**{"slug": f"offre-{name.lower()}", **offer})
    payment = purchases.declare(factories.student(), found.slug)
    identity = shop.IDENTITY_GIVEN.__class__(**{**shop.IDENTITY_GIVEN.__dict__, "last_name": name})
    purchases.confirm_identity(payment, identity)
    if number:
        purchases.submit_transaction(payment, number)
    return payment


def take(content: bytes, agent: User | None = None) -> BankStatement:
    """Give a file and import it."""
    by = agent or factories.agent()
    statement = bank_statements.receive("releve.xml", content, by=by)
    return bank_statements.import_lines(statement.id, by=by)


def lines() -> list[BankLine]:
    return list(db.session.scalars(select(BankLine).order_by(BankLine.id)))


def test_a_statement_by_pages_validates_the_strong_ones_at_once(client_for: ClientFor) -> None:
    sure, unsure = waiting("Dupont"), waiting("Martin", price_cents=7700)
    agent = client_for(factories.agent())
    content = bank_files.camt_of(
        bank_files.transfer("49.90", f"commande {sure.reference.lower()} merci", reference="BANQUE-77")
        + bank_files.transfer("77.00", "cours", name="Élodie MARTIN", reference="R2", end_to_end="E2")
    )

    given = agent.post(PAGE, data={"file": (io.BytesIO(content), "novembre.xml")})
    preview = agent.get(given.headers["Location"]).text
    assert "nouvelle" in preview
    assert lines() == []
    agent.post(given.headers["Location"] + "/import")
    page = agent.get("/admin/paiements/rapprochement").text
    first, second = lines()
    assert f'name="ligne" value="{first.id}" checked' in page
    assert f'name="ligne" value="{second.id}">' in page, "a weak one is proposed, not ticked"
    agent.post("/admin/paiements/rapprochement", data={"ligne": first.id, f"paiement-{first.id}": sure.id})

    db.session.expire_all()
    assert (sure.status, unsure.status) == (PaymentStatus.VALIDATED, PaymentStatus.DECLARED)
    assert sure.transaction_id == "BANQUE-77", "the bank's number, since the student gave none"
    assert first.state is LineState.MATCHED
    assert db.session.scalar(select(func.count()).select_from(Invoice)) == 1


def test_the_same_file_and_the_same_transfer_in_two_statements_change_nothing(client_for: ClientFor) -> None:
    one = bank_files.transfer("49.90", "a", reference="R1")
    two = bank_files.transfer("10.00", "b", reference="R2")
    take(bank_files.camt_of(one))
    agent = client_for(factories.agent())

    again = agent.post(PAGE, data={"file": (io.BytesIO(bank_files.camt_of(one)), "encore.xml")})
    agent.post(again.headers["Location"] + "/import")
    second = take(bank_files.camt_of(one + two))

    assert (second.new_lines, second.known_lines) == (1, 1)
    assert db.session.scalar(select(func.count()).select_from(BankStatement)) == 2
    assert [line.amount_cents for line in lines()] == [4990, 1000]


def test_a_csv_asks_for_its_columns_once_a_bank(client_for: ClientFor) -> None:
    agent = client_for(factories.agent())
    given = agent.post(PAGE, data={"file": (io.BytesIO(bank_files.CSV_TWO_COLUMNS), "crédit.csv")})
    place = given.headers["Location"]
    assert "Dites dans quelles colonnes" in agent.get(place).text
    columns = {"date": 0, "amount": -1, "credit": 4, "debit": 3, "label": 2, "reference": -1, "name": -1, "iban": -1}

    refused = agent.post(f"{place}/colonnes", data=columns | {"bank": "Crédit Local", "credit": -1})
    assert refused.status_code == 422
    assert "Crédit Local" in refused.text
    agent.post(f"{place}/colonnes", data=columns | {"bank": "Crédit Local"})
    agent.post(f"{place}/import")
    next_month = bank_files.CSV_TWO_COLUMNS.replace(b"26/11", b"27/11")
    second = agent.post(PAGE, data={"file": (io.BytesIO(next_month), "suite.csv")})

    assert "1&nbsp;234,56" in agent.get(place).text.replace("\u202f", "&nbsp;").replace("\xa0", "&nbsp;")
    assert "Importer ces lignes" in agent.get(second.headers["Location"]).text, "the setting is found again"
    assert [line.amount_cents for line in lines()] == [123456, 4990]


@pytest.mark.parametrize(
    "content", [b"", b"<!DOCTYPE a><Document/>", b"bonjour", b"<Document/>", b"\x00\x01\x02\x03;\x00"]
)
def test_a_file_that_is_no_statement_is_refused_beside_the_field(client_for: ClientFor, content: bytes) -> None:
    refused = client_for(factories.agent()).post(PAGE, data={"file": (io.BytesIO(content), "x.xml")})

    assert refused.status_code == 422
    assert "field__error" in refused.text


def test_too_little_waits_for_the_rest(site: Flask) -> None:
    payment, agent = waiting(), factories.agent()
    take(bank_files.camt_of(bank_files.transfer("40.00", payment.reference, reference="R1")))
    first = lines()[0]

    outcome = reconciliation.confirm(first.id, payment.id, by=agent)

    assert outcome.error
    assert first.state is LineState.UNDERPAID
    assert payment.status is PaymentStatus.DECLARED

    take(bank_files.camt_of(bank_files.transfer("9.90", payment.reference, reference="R2", end_to_end="E2")))
    rest = lines()[1]
    assert reconciliation.suggestions()[0].choices[0][0].score >= 90, "what is missing is now the exact amount"
    assert reconciliation.confirm(rest.id, payment.id, by=agent).invoice
    db.session.refresh(first)
    assert {first.state, rest.state} == {LineState.MATCHED}


def test_one_transfer_for_two_payments(site: Flask) -> None:
    one, two, agent = waiting("Dupont"), waiting("Martin", price_cents=1000), factories.agent()
    take(bank_files.camt_of(bank_files.transfer("59.90", f"{one.reference} {two.reference}")))
    line = lines()[0]

    states = []
    for payment in (one, two):
        reconciliation.confirm(line.id, payment.id, by=agent)
        states.append(line.state)

    assert states == [LineState.OVERPAID, LineState.MATCHED]
    assert {one.status, two.status} == {PaymentStatus.VALIDATED}
    assert one.transaction_key != two.transaction_key


def test_a_line_is_settled_once(site: Flask) -> None:
    one, two, agent = waiting("Dupont"), waiting("Martin"), factories.agent()
    take(bank_files.camt_of(bank_files.transfer("49.90", one.reference)))
    line = lines()[0]
    reconciliation.confirm(line.id, one.id, by=agent)
    db.session.commit()

    outcomes = reconciliation.confirm_many([(line.id, two.id), (line.id, one.id)], by=agent)

    assert [bool(outcome.error) for outcome in outcomes] == [True, True]
    assert two.status is PaymentStatus.DECLARED


def test_one_that_fails_leaves_the_others_done(site: Flask) -> None:
    one, two, agent = waiting("Dupont"), waiting("Martin"), factories.agent()
    take(
        bank_files.camt_of(
            bank_files.transfer("49.90", one.reference, reference="R1")
            + bank_files.transfer("49.90", two.reference, reference="R2", end_to_end="E2")
        )
    )
    purchases.cancel(one)
    first, second = lines()
    db.session.commit()

    outcomes = reconciliation.confirm_many([(first.id, one.id), (second.id, two.id)], by=agent)

    assert [bool(outcome.invoice) for outcome in outcomes] == [False, True]
    db.session.expire_all()
    assert (first.state, second.state) == (LineState.OPEN, LineState.MATCHED)


def test_what_the_bank_takes_back_is_shown_with_its_payment(client_for: ClientFor) -> None:
    payment, agent = waiting(), factories.agent()
    take(bank_files.camt_of(bank_files.transfer("49.90", payment.reference, reference="R1")))
    reconciliation.confirm(lines()[0].id, payment.id, by=agent)
    take(bank_files.camt_of(bank_files.transfer("49.90", payment.reference, reference="R9", sign="DBIT")))

    page = client_for(agent).get("/admin/paiements/rapprochement").text

    assert lines()[1].state is LineState.RETURNED
    assert "virement retourné" in page
    assert f"/admin/paiements/{payment.id}" in page
    client_for(agent).post(f"/admin/paiements/rapprochement/{lines()[1].id}/classement")
    db.session.expire_all()
    assert lines()[1].state is LineState.IGNORED


def test_the_account_of_then_makes_the_next_transfer_likelier(site: Flask) -> None:
    first, agent = waiting(), factories.agent()
    take(bank_files.camt_of(bank_files.transfer("49.90", first.reference, reference="R1")))
    reconciliation.confirm(lines()[0].id, first.id, by=agent)
    renewal = purchases.declare(first.user, first.offer.slug)
    take(bank_files.camt_of(bank_files.transfer("49.90", "sans rien", reference="R2", end_to_end="E2")))

    proposal, payment = reconciliation.suggestions()[0].choices[0]

    assert payment.id == renewal.id
    assert proposal.strength.value == "medium"


def test_the_students_own_number_is_kept(site: Flask) -> None:
    payment = waiting(number="VIR 2026 777")
    take(bank_files.camt_of(bank_files.transfer("49.90", "ref VIR2026777", reference="R1")))

    proposal, _found = reconciliation.suggestions()[0].choices[0]
    reconciliation.confirm(lines()[0].id, payment.id, by=factories.agent())

    assert proposal.strength.value == "strong"
    assert payment.transaction_id == "VIR 2026 777"


def take_csv(rows: list[str]) -> BankStatement:
    """Give a CSV statement whose columns are known, and import it."""
    by = factories.agent()
    statement = bank_statements.receive("releve.csv", bank_files.csv_of(rows), by=by)
    sheet = bank_statements.sheet_of(statement)
    bank_statements.save_format(sheet, "Crédit Local", "", csv_file.guess(sheet), by=by)
    return bank_statements.import_lines(statement.id, by=by)


def test_a_half_seen_again_in_another_format_does_not_pass_for_the_other_half(client_for: ClientFor) -> None:
    payment, agent = waiting(), factories.agent()
    take(bank_files.camt_of(bank_files.transfer("24.95", payment.reference, reference="R1")))
    reconciliation.confirm(lines()[0].id, payment.id, by=agent)

    take_csv([f"24/11/2026;Virement {payment.reference};24,95", f"25/11/2026;Virement {payment.reference};24,95"])
    again, rest = lines()[1:]
    by_line = {item.line.id: item for item in reconciliation.suggestions()}
    page = client_for(agent).get("/admin/paiements/rapprochement").text

    assert by_line[again.id].choices[0][0].score >= 90, "by its reference and amount alone it would be sure"
    assert (by_line[again.id].ticked, by_line[rest.id].ticked) == (False, True)
    assert by_line[again.id].twin is lines()[0]
    assert page.count("Peut-être le même virement que dans «\u00a0releve.xml\u00a0»") == 1
    assert f'name="ligne" value="{again.id}">' in page


def test_two_equal_transfers_of_a_day_in_one_statement_are_no_twins(site: Flask) -> None:
    take_csv(["24/11/2026;Virement A;10,00", "24/11/2026;Virement A;10,00"])

    assert [item.twin for item in reconciliation.suggestions()] == [None, None]
