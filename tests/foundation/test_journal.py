"""The journal is read by the owner: in words, by area, person and day, with a proof at hand."""

import ast
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from time_machine import TimeMachineFixture

from calmness.blueprints.admin.journal_words import ACTIONS, AREAS
from calmness.extensions import db
from calmness.services import audit
from calmness.services.account.security_notices import SecurityEvent
from tests import factories
from tests.fixtures.databases import ROOT

GUARD_OFF = {
    "sqlite": "DROP TRIGGER audit_entry_no_update",
    "postgresql": "SET LOCAL session_replication_role = replica",
}


@pytest.fixture
def admin(client_for: Callable[..., FlaskClient], time_machine: TimeMachineFixture) -> FlaskClient:
    """An admin, and three acts: two by Nadia on each side of a midnight in Paris, one by the system."""
    nadia = factories.agent(first_name="Nadia", last_name="O'Brien-Ñandú")
    time_machine.move_to(datetime(2026, 11, 2, 22, 59, tzinfo=UTC), tick=False)
    audit.record("payment.validated", "payment", 41, actor=nadia)
    time_machine.move_to(datetime(2026, 11, 2, 23, 1, tzinfo=UTC), tick=False)
    audit.record("offer.changed", "offer", 7, actor=nadia, changes=("price_cents",))
    audit.record("user.created", "user", 410, actor=None)
    db.session.commit()
    return client_for(factories.admin())


def shown(page: str) -> list[str]:
    return [words for words in ("Paiement validé", "Offre modifiée", "Compte créé") if f"<span>{words}" in page]


def test_entries_are_told_in_words(admin: FlaskClient) -> None:
    page = admin.get("/admin/journal").text

    assert shown(page) == ["Paiement validé", "Offre modifiée", "Compte créé"]
    assert "price_cents" in page
    assert "offre 7" in page
    assert "personne 410" in page
    assert "système" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=nadia+o", ["Paiement validé", "Offre modifiée"]),
        ("q=41", ["Paiement validé"]),
        ("q=%25", []),
        ("area=offer", ["Offre modifiée"]),
        ("from=2026-11-03", ["Offre modifiée", "Compte créé"]),
        ("to=2026-11-02", ["Paiement validé"]),
        ("from=2026-11-03&area=payment", []),
        ("from=nonsense&area=nonsense&page=-4", ["Paiement validé", "Offre modifiée", "Compte créé"]),
    ],
)
def test_the_journal_is_searched_by_person_object_area_and_day(
    admin: FlaskClient, query: str, found: list[str]
) -> None:
    assert shown(admin.get(f"/admin/journal?{query}").text) == found


def test_the_proof_computes_the_chain_anew_and_names_the_break(admin: FlaskClient, site: Flask) -> None:
    assert "La chaîne est entière" in admin.get("/admin/journal/preuve").text

    db.session.execute(text(GUARD_OFF[db.engine.dialect.name]))
    db.session.execute(text("UPDATE audit_entry SET object_id = '8' WHERE seq = 2"))
    db.session.commit()

    page = admin.get("/admin/journal/preuve").text
    assert "La chaîne est rompue à l’entrée 2." in page


def test_every_act_that_the_code_records_has_its_words() -> None:
    recorded = {action for path in (ROOT / "calmness").rglob("*.py") for action in actions_in(path)}
    recorded |= {event.value for event in SecurityEvent}

    # ``withdrawal.`` and the state that is reached.
    families = {action for action in recorded if action.endswith(".")}
    told = {action for action in ACTIONS if action.startswith(tuple(families))}

    assert recorded - families - ACTIONS.keys() == set()
    assert ACTIONS.keys() - told - recorded == set()
    assert {f"withdrawal.{state}" for state in ("refused", "refunded", "nothing_due")} <= told
    assert {action.partition(".")[0] for action in recorded} == AREAS.keys()


def actions_in(path: Path) -> set[str]:
    """Names of acts in a file: the texts in what ``audit.record`` gets, or the support desk's way to it."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return {
        part.value
        for call in calls
        if ast.unparse(call.func) in {"audit.record", "_changed"}
        for argument in call.args
        for part in ast.walk(argument)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and "." in part.value
    }


EVERYWHERE = (
    "UPDATE audit_entry SET object_id = '8' WHERE seq = 2",
    "DELETE FROM audit_entry WHERE seq = 3",
    "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE seq = 2 ON CONFLICT (seq) DO UPDATE SET object_id = '8'",
)
BY_DIALECT = {
    "sqlite": (
        "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE seq = 2",
        "REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE seq = 2",
    ),
    "postgresql": ("TRUNCATE audit_entry",),
}


def test_the_database_lets_nobody_change_replace_or_empty_the_journal(admin: FlaskClient, site: Flask) -> None:
    before = db.session.execute(text("SELECT * FROM audit_entry ORDER BY seq")).all()

    for statement in (*EVERYWHERE, *BY_DIALECT[db.engine.dialect.name]):
        with pytest.raises(DatabaseError, match="append-only"):
            db.session.execute(text(statement))
        db.session.rollback()

    assert db.session.execute(text("SELECT * FROM audit_entry ORDER BY seq")).all() == before


def test_the_command_verifies_every_chain_and_ends_with_an_error_at_a_break(admin: FlaskClient, site: Flask) -> None:
    runner = site.test_cli_runner()
    whole = runner.invoke(args=["ledger", "verify"])

    db.session.execute(text(GUARD_OFF[db.engine.dialect.name]))
    db.session.execute(text("UPDATE audit_entry SET object_id = '8' WHERE seq = 2"))
    db.session.commit()
    broken = runner.invoke(args=["ledger", "verify"])

    assert (whole.exit_code, broken.exit_code) == (0, 1)
    assert [line for line in whole.output.splitlines() if not line.endswith(": whole")] == []
    assert "audit: broken at 2" in broken.output
    assert "invoice: whole" in broken.output
