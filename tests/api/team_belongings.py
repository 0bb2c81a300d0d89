"""What the team's endpoints are about: an offer, a code, a statement with its line, a withdrawal, a conversation…"""

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from calmness import clock
from calmness.banking import csv_file
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.bank import BankLine
from calmness.models.billing import Payment
from calmness.models.platform import SupplierInvoice
from calmness.models.signal import Signal
from calmness.models.training import Formation
from calmness.platforms import IncomingFlow
from calmness.services.billing import bank_statements, discounts, platform, withdrawals
from calmness.services.support import chat_messages, chat_rooms
from calmness.services.support.chat_rooms import Person
from calmness.services.trading import sharing
from calmness.services.trading.sharing import Level
from tests.billing import shop
from tests.training import school

OFFER = {"name": "Signaux 90 jours", "price_cents": 12900, "vat_regime": "standard", "duration_days": 90}
IDENTITY = {name: value for name, value in shop.IDENTITY.items() if name != "siren"}
CSV = "Date;Libellé;Montant\r\n24/11/2026;VIR COURS;49,90\r\n"
FORMATION = {
    "title": "Lire les marchés",
    "summary": "Quatre semaines.",
    "level": "debutant",
    "trainer_name": "Camille Roux",
    "units": ["Une", "Deux"],
    "unit_minutes": 90,
}

TEAM_BODIES: dict[str, dict[str, Any]] = {
    "api.api_change_offer": OFFER,
    "api.api_publish_offer": {"status": "published"},
    "api.api_open_discount": {"active": True},
    "api.api_set_columns": {"bank": "Banque", "date": 0, "label": [1], "amount": 2},
    "api.api_refuse_withdrawal": {"reason": "Aucun contrat"},
    "api.api_refund_withdrawal": {"refund_reference": "VIR 77"},
    "api.api_save_identity": IDENTITY,
    "api.api_word_mention": {"wording": "TVA non applicable", "valid_from": "2099-01-01"},
    "api.api_preview_mention": {"wording": "TVA non applicable"},
    "api.api_answer_room": {"body": "Bonjour"},
    "api.api_note_room": {"body": "À rappeler"},
    "api.api_read_room": {"seq": 1},
    "api.api_assign_room": {"agent_id": None, "version": 1},
    "api.api_label_room": {"labels": ["vip"], "version": 1},
    "api.api_close_room": {"version": 1},
    "api.api_change_formation": FORMATION,
    "api.api_stop_schedule": {"reason": "Formateur absent"},
    "api.api_move_session": {"starts_on": "2027-01-08", "starts_time": "20:00", "duration_minutes": 90},
    "api.api_cancel_session": {"reason": "Formateur absent"},
    "api.api_close_signal": {"price": "1.11"},
    "api.api_cancel_signal": {"reason": "Entrée manquée"},
}
"""A body that the schema takes, for each act of the team on one object."""


def team_values(owner: User, agent: User, course: Formation, paid: Payment) -> dict[str, Any]:
    """One of everything that the team works on, and the value of each argument of an address."""
    offer = shop.signals_offer(slug="signaux-90-jours")
    code = discounts.create(discounts.DiscountDraft("CALME20", 2000, None), by=agent)
    statement = bank_statements.receive("releve.csv", CSV.encode(), by=agent)
    columns = csv_file.Columns(date=0, label=(1,), amount=2)
    bank_statements.save_format(bank_statements.sheet_of(statement), "Banque", "", columns, by=agent)
    bank_statements.import_lines(statement.id, by=agent)
    line = db.session.scalars(select(BankLine.id)).one()
    declared = withdrawals.declare_outside("Zoé", "zoe@example.test", "RF00")
    room = chat_rooms.open_own(Person(owner))
    chat_messages.send(Person(owner), room.public_id, client_id=str(uuid.uuid4()), body="Bonjour")
    series = school.programmed(course, school.wall(f"{clock.now() + timedelta(days=9):%Y-%m-%d} 20:00"))
    platform.receive(IncomingFlow("F1", "facture.xml"), b"<Invoice/>")
    sharing.choose(owner.id, Level.TRADES)
    TEAM_BODIES["api.api_accept_withdrawal"] = {"payment_id": paid.id}
    TEAM_BODIES["api.api_match_line"] = {"payment_id": paid.id}
    return {
        "offer_id": offer.id,
        "discount_id": code.id,
        "statement_id": statement.id,
        "line_id": line,
        "withdrawal_id": declared.id,
        "version": 1,
        "mention": "franchise",
        "room_id": uuid.UUID(room.public_id),
        "schedule_id": series.id,
        "received_id": db.session.scalars(select(SupplierInvoice.id)).one(),
        "task_id": 1,
        "delivery_id": 1,
        "signal_id": db.session.scalars(select(Signal.id).order_by(Signal.id.desc())).first(),
    }
