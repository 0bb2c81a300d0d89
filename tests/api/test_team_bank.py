"""The bank by program: a statement is given, looked at, imported; lines are matched, each invoice once."""

from base64 import b64encode
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.models.audit import AuditEntry
from calmness.models.bank import BankLine, BankStatement, LineState
from calmness.models.billing import Invoice, Payment, PaymentStatus
from calmness.services.billing import purchases
from tests import factories
from tests.api.conftest import ApiFor, Call
from tests.billing import bank_files, shop

STATEMENTS, LINES = "/admin/bank/statements", "/admin/bank/lines"


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def waiting() -> Payment:
    """A purchase of 49,90 € whose conditions are accepted."""
    payment = purchases.declare(factories.student(), shop.signals_offer().slug)
    purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
    return payment


def given(agent: Call, content: bytes, name: str = "releve.xml") -> dict[str, object]:
    """A statement that was taken."""
    answer = agent("POST", STATEMENTS, json={"file_name": name, "content": b64encode(content).decode()})
    assert answer.status_code == 201
    found: dict[str, object] = answer.get_json()
    return found


def test_a_statement_is_looked_at_imported_and_its_sure_line_validates_a_payment(api_for: ApiFor) -> None:
    payment = waiting()
    agent = api_for(factories.agent())
    named = bank_files.transfer("49.90", f"commande {payment.reference.lower()}", reference="BANQUE-77")
    content = bank_files.camt_of(named + bank_files.transfer("5.00", "don", reference="R2", end_to_end="E2"))

    statement = given(agent, content)
    again = given(agent, content)
    looked = agent("GET", f"{STATEMENTS}/{statement['id']}").get_json()
    before = db.session.scalar(select(func.count()).select_from(BankLine))
    imported = agent("POST", f"{STATEMENTS}/{statement['id']}/import").get_json()
    listed = agent("GET", LINES).get_json()
    sure, other = listed["items"]
    first = agent("GET", f"{LINES}?limit=1").get_json()
    second = agent("GET", f"{LINES}?limit=1&cursor={first['next']}").get_json()
    key = {"Idempotency-Key": str(uuid4())}
    matched = [
        agent("POST", f"{LINES}/{sure['id']}/match", json={"payment_id": payment.id}, headers=key) for _turn in range(2)
    ]
    aside = agent("POST", f"{LINES}/{other['id']}/set-aside").get_json()

    assert again["id"] == statement["id"]
    assert [(row["amount"]["amount"], row["known"]) for row in looked["entries"]] == [(4990, False), (500, False)]
    assert (before, imported["new_lines"], listed["open"]) == (0, 2, 2)
    assert (sure["sure"], sure["proposals"][0]["payment_id"], other["sure"]) == (True, payment.id, False)
    assert [row["id"] for page in (first, second) for row in page["items"]] == [sure["id"], other["id"]]
    assert second["next"] is None
    assert "reference" in sure["proposals"][0]["reasons"]
    assert matched[0].get_json() == matched[1].get_json()
    assert matched[1].headers["Idempotency-Replayed"] == "true"
    db.session.expire_all()
    assert matched[0].get_json()["invoice"] == db.session.scalars(select(Invoice.number)).one()
    assert (payment.status, payment.transaction_id) == (PaymentStatus.VALIDATED, "BANQUE-77")
    assert (aside["status"], agent("GET", LINES).get_json()["open"]) == (LineState.IGNORED.value, 0)
    acts = set(db.session.scalars(select(AuditEntry.action)))
    assert acts >= {"statement.imported", "bank_line.matched", "bank_line.set_aside", "payment.validated"}


def test_too_little_is_told_and_leaves_the_payment_open_and_a_line_is_settled_once(api_for: ApiFor) -> None:
    payment = waiting()
    agent = api_for(factories.agent())
    statement = given(agent, bank_files.camt_of(bank_files.transfer("20.00", payment.reference)))
    agent("POST", f"{STATEMENTS}/{statement['id']}/import")
    line = db.session.scalars(select(BankLine)).one()

    short = agent("POST", f"{LINES}/{line.id}/match", json={"payment_id": payment.id})
    again = agent("POST", f"{LINES}/{line.id}/match", json={"payment_id": payment.id})

    assert (short.status_code, short.get_json()["status"], short.get_json()["invoice"]) == (200, "underpaid", None)
    assert "complément" in short.get_json()["note"]
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/line-settled")
    assert payment.status is PaymentStatus.DECLARED
    assert [row["id"] for row in agent("GET", f"{LINES}?status=to_settle").get_json()["items"]] == [line.id]


def test_of_many_lines_one_that_fails_leaves_the_others_done(api_for: ApiFor) -> None:
    payment = waiting()
    agent = api_for(factories.agent())
    lines = bank_files.transfer("49.90", payment.reference, reference="R1")
    lines += bank_files.transfer("49.90", "encore", reference="R2", end_to_end="E2")
    statement = given(agent, bank_files.camt_of(lines))
    agent("POST", f"{STATEMENTS}/{statement['id']}/import")
    first, second = db.session.scalars(select(BankLine.id).order_by(BankLine.id))
    items = [{"line_id": line, "payment_id": payment.id} for line in (first, second, 999)]

    answers = [agent("POST", "/admin/bank/matches", json={"items": items}).get_json()["items"] for _turn in range(2)]

    assert [row["line_id"] for row in answers[0]] == [first, second, 999]
    assert [bool(row["invoice"]) for row in answers[0]] == [True, False, False]
    assert all(row["note"] for row in (*answers[0][1:], *answers[1]))
    assert db.session.scalar(select(func.count()).select_from(Invoice)) == 1
    assert agent("POST", "/admin/bank/matches", json={"items": []}).status_code == 422


def test_the_columns_of_a_csv_are_said_once(api_for: ApiFor) -> None:
    agent = api_for(factories.agent())
    content = b"Jour;Quoi;Date valeur;Montant net\r\n24/11/2026;VIR;25/11/2026;49,90\r\n"
    path = f"{STATEMENTS}/{given(agent, content, 'export.csv')['id']}"

    unread = agent("GET", path).get_json()
    wrong = agent("PUT", f"{path}/columns", json={"bank": "Banque"})
    said = agent("PUT", f"{path}/columns", json={"bank": "Banque", "date": 0, "label": [1], "amount": 3}).get_json()

    assert unread["problem"]
    assert (unread["columns"]["saved"], unread["columns"]["header"][3]) == (False, "Montant net")
    assert wrong.get_json()["errors"][0]["pointer"] == "#/date"
    assert (said["columns"]["saved"], said["problem"]) == (True, None)
    assert [row["label"] for row in said["entries"]] == ["VIR"]


def test_what_is_no_statement_is_refused_in_both_languages(api_for: ApiFor) -> None:
    agent = api_for(factories.agent())

    text = agent("POST", STATEMENTS, json={"content": "pas du base64 !"})
    xml = {"content": b64encode(b"<html></html>").decode()}
    french, english = (
        agent("POST", STATEMENTS, json=xml, headers={"Accept-Language": language}).get_json()
        for language in ("fr", "en")
    )
    columns = given(agent, bank_files.camt_of(bank_files.transfer("1.00", "x")))

    assert (text.status_code, text.get_json()["type"]) == (422, "/problems/not-base64")
    assert french["type"] == english["type"] == "/problems/statement-refused"
    assert french["errors"][0]["detail"] != english["errors"][0]["detail"]
    refused = agent("PUT", f"{STATEMENTS}/{columns['id']}/columns", json={"bank": "B", "date": 0, "amount": 1})
    assert refused.status_code == 422
    assert db.session.scalar(select(func.count()).select_from(BankStatement)) == 1


def test_students_see_nothing_of_the_bank(api_for: ApiFor) -> None:
    student = api_for(factories.student())

    statuses = {student(method, path).status_code for method, path in [("GET", STATEMENTS), ("GET", LINES)]}

    assert statuses == {403}
