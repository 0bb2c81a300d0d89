"""Register of processing (GDPR art. 30): what is done with people's data, why, for how long.

The purposes are written here; tables and durations come from ``personal_data`` and ``retention``, so that the page
can't say anything else than what the house does.
"""

from dataclasses import dataclass

from calmness.services.privacy import personal_data, retention
from calmness.services.privacy.personal_data import Fate

SECURITY = (
    "Accès par rôle, mots de passe hachés (argon2id), sessions révocables, chiffrement en transit, journal inviolable, "
    "réseaux tronqués."
)
UNTIL_ERASED = "Jusqu’à la suppression du compte"
TEAM = "Équipe de l’école, selon le rôle"
HOST = "hébergeur"


@dataclass(frozen=True)
class Duration:
    """What is kept how long."""

    what: str
    how_long: str


@dataclass(frozen=True)
class Treatment:
    """One purpose."""

    name: str
    purpose: str
    basis: str
    people: str
    recipients: str
    tables: tuple[str, ...]

    @property
    def durations(self) -> list[Duration]:
        """Durations of its tables, from the two lists."""
        found: dict[str, Duration] = {}
        for table in self.tables:
            for rule in retention.rules_of(table):
                found[rule.name] = Duration(rule.label, f"{rule.duration} après {rule.since}")
            place = personal_data.TABLES[table]
            if place.fate is Fate.KEPT and not retention.rules_of(table):
                found[place.why] = Duration("Pièces et preuves", place.why)
            elif place.fate in {Fate.DELETED, Fate.BLANKED} and not retention.rules_of(table):
                found[UNTIL_ERASED] = Duration("Le reste", UNTIL_ERASED)
        left = found.pop(UNTIL_ERASED, None)
        return [*found.values(), *([left] if left else [])]


TREATMENTS: tuple[Treatment, ...] = (
    Treatment(
        "Comptes et connexions",
        "Ouvrir un compte, reconnaître la personne, protéger l’accès.",
        "Contrat (art. 6-1-b)\u00a0; sécurité\u00a0: intérêt légitime (art. 6-1-f)",
        "Élèves, équipe",
        f"{TEAM}\u00a0; {HOST}",
        (
            "users",
            "auth_session",
            "refresh_token",
            "one_time_token",
            "totp_secret",
            "recovery_code",
            "passkey",
            "email_change",
            "channel_code",
            "factor_removal",
            "api_token",
            "idempotency_key",
            "login_attempt",
            "user_setting",
            "widget_layout",
        ),
    ),
    Treatment(
        "Consentements et demandes de droits",
        "Prouver un accord ou un retrait, répondre aux demandes de copie et d’effacement.",
        "Obligation légale (art. 6-1-c)",
        "Élèves",
        TEAM,
        ("consent", "data_export", "account_deletion"),
    ),
    Treatment(
        "Ventes et facturation",
        "Vendre, encaisser par virement, facturer, tenir la comptabilité, traiter les rétractations.",
        "Contrat (art. 6-1-b)\u00a0; obligation légale (art. 6-1-c)",
        "Acheteurs",
        f"{TEAM}\u00a0; expert-comptable\u00a0; administration fiscale\u00a0; {HOST}",
        (
            "payment",
            "payment_event",
            "payment_reminder",
            "subscription",
            "invoice",
            "invoice_item",
            "invoice_document",
            "withdrawal",
            "bank_allocation",
            "channel_pass",
        ),
    ),
    Treatment(
        "Formations",
        "Inscrire, convoquer, tenir les présences, délivrer les attestations.",
        "Contrat (art. 6-1-b)\u00a0; obligation légale (art. 6-1-c)",
        "Élèves",
        f"{TEAM}\u00a0; financeurs\u00a0; service de visioconférence choisi par l’école",
        (
            "user_formation_enrollment",
            "admin_session_attendance",
            "attendance_evidence",
            "certificate",
            "calendar_feed",
            "review",
        ),
    ),
    Treatment(
        "Suivi du trading",
        "Recevoir les trades de MetaTrader, calculer les statistiques, tenir le journal.",
        "Contrat (art. 6-1-b)",
        "Élèves",
        f"L’élève seul\u00a0; {HOST}",
        (
            "trading_account",
            "trading_key",
            "statement_import",
            "trade",
            "trade_journal",
            "trade_revision",
            "trade_screenshot",
            "trading_chain",
            "leaderboard_entry",
            "account_snapshot",
            "account_symbol",
            "sync_batch",
            "trading_statistics",
        ),
    ),
    Treatment(
        "Support",
        "Répondre aux visiteurs et aux élèves.",
        "Intérêt légitime (art. 6-1-f)\u00a0; contrat (art. 6-1-b)",
        "Visiteurs, élèves",
        f"{TEAM}\u00a0; messagerie choisie par la personne",
        ("chat_room", "chat_message", "chat_attachment", "chat_note", "chat_read", "inbound_event"),
    ),
    Treatment(
        "Messages et notifications",
        "Envoyer factures, rappels de séance, alertes de sécurité et nouvelles choisies.",
        "Contrat (art. 6-1-b)\u00a0; choix de la personne pour le reste (art. 6-1-a)",
        "Élèves",
        "Serveur de messagerie\u00a0; Telegram, Discord, WhatsApp si la personne les a reliés",
        (
            "user_notification",
            "channel_identity",
            "push_subscription",
            "delivery",
            "delivery_attempt",
            "outbox_task",
        ),
    ),
    Treatment(
        "Mesure d’audience",
        "Compter les visites et savoir quelles pages servent.",
        "Intérêt légitime (art. 6-1-f), mesure exemptée de consentement (CNIL)\u00a0; refus possible",
        "Visiteurs, élèves",
        "Administrateurs de l’école\u00a0; aucun tiers",
        ("user_session", "page_view", "visitor_salt"),
    ),
    Treatment(
        "Journal de l’administration",
        "Savoir qui a fait quoi, détecter un abus.",
        "Obligation légale et intérêt légitime (art. 6-1-c et f, art. 32)",
        "Équipe, élèves",
        "Administrateurs de l’école",
        ("audit_entry",),
    ),
)
