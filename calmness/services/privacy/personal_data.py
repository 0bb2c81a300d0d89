"""What the house holds of a person, table by table: whose row it is, whether its owner gets a copy, and how it ends.

The one list behind the export, the erasure and the register of processing. A test fails for a table without a line
here, and for a reference to a person that no line explains: closed by default, like the routes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, select
from sqlalchemy.sql.expression import FromClause

from calmness.extensions import Model


class Fate(StrEnum):
    """What becomes of a person's rows when the account is erased."""

    DELETED = "deleted"
    BLANKED = "blanked"
    KEPT = "kept"
    NOBODYS = "nobodys"


@dataclass(frozen=True)
class Place:
    """A table, as far as persons are concerned.

    ``owner`` is the way from a row to its person, a column a step; empty for ``users`` itself. ``hidden`` columns never
    leave the house, ``others`` name somebody else (who of the team acted). ``file`` holds the key of a stored file.
    ``blank`` is what an erasure writes over the row. ``why`` says why it stays, or why nobody's; ``left_out`` why its
    owner gets no copy.
    """

    fate: Fate
    owner: tuple[str, ...] | None = None
    why: str = ""
    left_out: str = ""
    hidden: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    file: str = ""
    blank: dict[str, Any] | None = None


def _names(*names: str) -> frozenset[str]:
    return frozenset(names)


def _deleted(*owner: str, **values: Any) -> Place:
    return Place(Fate.DELETED, owner or ("user_id",), **values)


def _kept(*owner: str, why: str, **values: Any) -> Place:
    return Place(Fate.KEPT, owner, why=why, **values)


def _nobodys(why: str, *others: str, **values: Any) -> Place:
    return Place(Fate.NOBODYS, None, why=why, others=frozenset(others), **values)


HASHED = "Secret de sécurité, gardé sous forme d’empreinte\u00a0: une copie ne dirait rien et aiderait un voleur."
SALES = "Pièce comptable ou contrat\u00a0: dix ans (C. com. L123-22, C. conso. L213-1)."
TRAINING = "Preuve de la formation suivie, demandée par les financeurs et la loi (C. trav. L6353-1)."
PROOF = "Preuve que la loi demande (RGPD art. 7-1 et 5-2)\u00a0: elle ne nomme plus personne une fois le compte effacé."
CHANNEL = "Séjour dans le canal privé\u00a0: jusqu’à la sortie, puis 90\u00a0jours, pour retirer la personne."
COUNTED = "Chiffres additionnés, sans personne dedans."
SHOP = "Catalogue et réglages de l’école."
MACHINE = "Rouages du site, sans donnée de personne."
ERASED_NAME = "Compte supprimé"

TABLES: dict[str, Place] = {
    # Account
    "users": Place(
        Fate.BLANKED,
        (),
        hidden=_names("password_hash", "email_key", "avatar_file"),
        file="avatar_file",
        why="La ligne reste sans nom, pour que les factures et le journal gardent leur référence.",
    ),
    "auth_session": _deleted(hidden=_names("secret_hash")),
    "refresh_token": _deleted("session_id", "user_id", left_out=HASHED),
    "one_time_token": _deleted(left_out=HASHED),
    "totp_secret": _deleted(left_out=HASHED),
    "recovery_code": _deleted(left_out=HASHED),
    "passkey": _deleted(hidden=_names("credential_id", "public_key")),
    "channel_code": _deleted(hidden=_names("code_hash")),
    "factor_removal": _deleted(others=_names("asked_by")),
    "email_change": _deleted(hidden=_names("reference", "new_email_key", "session_id")),
    "api_token": _deleted(hidden=_names("secret_hash")),
    "idempotency_key": _deleted(
        left_out="Réponses techniques gardées un jour, copies de ce que l’export contient déjà."
    ),
    "login_attempt": _nobodys("Empreinte de l’adresse essayée et réseau tronqué, effacés au bout de 90 jours."),
    "user_notification": _deleted(),
    "channel_identity": _deleted(),
    "push_subscription": _deleted(hidden=_names("p256dh", "auth")),
    "user_setting": _deleted(),
    "widget_layout": _deleted(),
    "consent": _kept("user_id", why=PROOF),
    "audit_entry": _kept("actor_id", why=PROOF, hidden=_names("prev_hash", "hash")),
    "data_export": _deleted(hidden=_names("file_key"), file="file_key"),
    "account_deletion": _kept("user_id", why=PROOF),
    # Sales
    "payment": _kept("user_id", why=SALES, hidden=_names("transaction_key"), others=_names("validated_by_id")),
    "payment_event": _kept("payment_id", "user_id", why=SALES, others=_names("by_id")),
    "payment_reminder": _kept("payment_id", "user_id", why=SALES),
    "subscription": _kept("user_id", why=SALES),
    "invoice": _kept("user_id", why=SALES, hidden=_names("prev_hash", "hash")),
    "invoice_item": _kept("invoice_id", "user_id", why=SALES),
    "invoice_document": _kept("invoice_id", "user_id", why=SALES, hidden=_names("file_key"), file="file_key"),
    "withdrawal": _kept("user_id", why=SALES, others=_names("settled_by_id")),
    "bank_allocation": _kept("payment_id", "user_id", why=SALES, others=_names("by_id")),
    "channel_pass": _kept(
        "user_id",
        why=CHANNEL,
        hidden=_names("invite_link"),
    ),
    "bank_statement": _nobodys("Pièce comptable de l’école, dix ans.", "given_by_id"),
    "bank_line": _nobodys("Relevé de la banque de l’école, pièce comptable, dix ans.", "settled_by_id"),
    "platform_flow": _nobodys("Pièce comptable de l’école, dix ans."),
    "supplier_invoice": _nobodys("Pièce comptable de l’école, dix ans."),
    "bank_format": _nobodys(SHOP, "updated_by_id"),
    "discount_code": _nobodys(SHOP, "created_by_id"),
    "offer": _nobodys(SHOP),
    "offer_version": _nobodys(SHOP, "by_id"),
    "invoice_counter": _nobodys(COUNTED),
    "invoice_template": _nobodys("Identité légale de l’école.", "created_by_id"),
    "mention_wording": _nobodys(SHOP, "by_id"),
    "period_closing": _nobodys(COUNTED),
    "review": Place(Fate.BLANKED, ("user_id",), blank={"user_id": None, "author_name": "Ancien élève"}),
    # Training
    "user_formation_enrollment": _kept("user_id", why=TRAINING),
    "admin_session_attendance": _kept("user_id", why=TRAINING, others=_names("recorded_by_id")),
    "attendance_evidence": _kept("user_id", why=TRAINING, hidden=_names("prev_hash", "hash")),
    "certificate": _kept("enrollment_id", "user_id", why=TRAINING),
    "calendar_feed": _deleted(hidden=_names("token_hash")),
    "formation": _nobodys(SHOP),
    "formation_session": _nobodys(SHOP),
    "formation_schedule": _nobodys(SHOP, "created_by_id"),
    "admin_formation_session": _nobodys(SHOP),
    "admin_session_notification": _nobodys(SHOP),
    # Trading
    "trading_account": _deleted(),
    "trading_key": _deleted("account_id", "user_id", hidden=_names("secret_hash")),
    "statement_import": _deleted("account_id", "user_id", hidden=_names("file_key"), file="file_key"),
    "trade": _deleted("account_id", "user_id"),
    "trade_journal": _deleted("user_id"),
    "trade_screenshot": _deleted(hidden=_names("file_key"), file="file_key"),
    "trading_chain": _deleted("account_id", "user_id"),
    "reference_rate": _nobodys(COUNTED),
    "leaderboard_entry": _deleted(hidden=_names("look")),
    "cohort_publication": _nobodys("Des numéros seuls, pour qu’un agrégat n’en dévoile pas un autre."),
    "trade_revision": _deleted("trade_id", "account_id", "user_id"),
    "account_snapshot": _deleted("account_id", "user_id"),
    "account_symbol": _deleted("account_id", "user_id"),
    "pip_rule": _nobodys(SHOP),
    "sync_batch": _deleted("account_id", "user_id", left_out="Réponses données au robot\u00a0: les trades sont là."),
    "trading_statistics": _deleted("account_id", "user_id"),
    # Signals: what the school publishes
    "signal": _nobodys("Publication de l’école\u00a0: le palmarès ne se réécrit pas.", "author_id"),
    "signal_event": _nobodys("Publication de l’école\u00a0: le palmarès ne se réécrit pas."),
    # Support
    "chat_room": _deleted(hidden=_names("visitor_hash"), others=_names("assigned_to_id")),
    "chat_message": _deleted("room_id", "user_id", hidden=_names("sender_key"), others=_names("sender_id")),
    "chat_attachment": _deleted("room_id", "user_id", hidden=_names("file_key"), file="file_key"),
    "chat_note": _deleted(
        "room_id",
        "user_id",
        left_out="Notes internes de l’équipe\u00a0: remises sur demande, après relecture (droits d’autrui).",
        others=_names("author_id"),
    ),
    "chat_read": _deleted("room_id", "user_id", left_out="Simple repère de lecture d’une conversation."),
    "canned_answer": _nobodys(SHOP),
    "inbound_event": _nobodys("Appels bruts des messageries, effacés au bout de 30 jours."),
    # Messages that left
    "delivery": _deleted(),
    "delivery_attempt": _deleted("delivery_id", "user_id"),
    "outbox_task": _nobodys("Travaux à faire, avec des numéros seulement, effacés au bout de 30 jours."),
    "heartbeat": _nobodys(MACHINE),
    # Audience
    "user_session": Place(Fate.BLANKED, ("user_id",), hidden=_names("visitor_hash"), blank={"user_id": None}),
    "page_view": Place(
        Fate.BLANKED, ("visit_id", "user_id"), why="La visite perd son nom, donc ses pages aussi.", blank={}
    ),
    **dict.fromkeys(
        (
            "analytics_day",
            "analytics_dimension",
            "analytics_dirty_day",
            "analytics_hour",
            "analytics_month",
            "analytics_page",
        ),
        _nobodys(COUNTED),
    ),
    "view_source": _nobodys(MACHINE),
    "visitor_salt": _nobodys(MACHINE),
    # The house
    "chain_head": _nobodys(MACHINE),
    "content_block": _nobodys(SHOP, "created_by_id"),
    "setting": _nobodys(SHOP, "updated_by_id"),
}


def table(name: str) -> Table:
    """A table of the metadata."""
    return Model.metadata.tables[name]


def exported() -> list[str]:
    """Tables whose rows go into a person's copy, in the order of the list."""
    return [name for name, place in TABLES.items() if place.owner is not None and not place.left_out]


def reasons_to_keep() -> list[str]:
    """Why rows outlive an account, each reason once, the weightiest first."""
    kept = [place.why for place in TABLES.values() if place.fate is Fate.KEPT]
    return sorted(set(kept), key=lambda why: (-kept.count(why), why))


def rows_of(name: str, user_id: int, *columns: ColumnElement[Any]) -> Select[Any]:
    """Query of a person's rows in a table, by its way to its owner; all columns unless some are named."""
    place, start = TABLES[name], table(name)
    if place.owner is None:
        raise ValueError(f"{name} belongs to nobody")
    source: FromClause = start
    here = start
    for step in place.owner[:-1]:
        target = next(iter(here.c[step].foreign_keys)).column
        source = source.join(target.table, here.c[step] == target)
        here = target.table
    person = here.c[place.owner[-1]] if place.owner else here.c.id
    return select(*(columns or start.c)).select_from(source).where(person == user_id)
