"""How long what is kept: one table of durations, and the job that keeps to it.

The register of processing and ``docs/privacy.md`` are made from the same table. Rows go in small portions, so that
nobody waits for a purge. What the law asks for (sales, consents, journal) has no rule here: triggers protect it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Text, and_, cast, delete, exists, or_, select, tuple_, update

from calmness import clock
from calmness.database import reading
from calmness.extensions import Model, db
from calmness.files import store
from calmness.models.account import (
    AuthSession,
    ChannelCode,
    ChannelIdentity,
    EmailChange,
    FactorRemoval,
    LoginAttempt,
    OneTimeToken,
    PushSubscription,
    UserNotification,
)
from calmness.models.analytics import UserSession
from calmness.models.api import ApiToken, IdempotencyKey
from calmness.models.delivery import Delivery, DeliveryAttempt, DeliveryState, OutboxTask, TaskState
from calmness.models.privacy import DataExport, ExportState
from calmness.models.sale import ChannelPass, ChannelPassState
from calmness.models.support import ChatAttachment, ChatRoom, InboundEvent
from calmness.models.trading import SyncBatch
from calmness.services.account import accounts, login_limits

log = structlog.get_logger(__name__)

PORTION = 500
MOST_PORTIONS = 200
_OPEN_MESSAGES = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.SENDING)


@dataclass(frozen=True)
class Rule:
    """What of a table goes, how long after what. ``blank`` empties columns instead of deleting the row."""

    name: str
    model: type[Model]
    days: int
    label: str
    since: str
    over: Callable[[datetime], ColumnElement[bool]]
    blank: dict[str, Any] | None = None
    files: Callable[[list[Any]], Iterable[str]] | None = None

    @property
    def table(self) -> str:
        """Name of the table."""
        return str(self.model.__tablename__)

    @property
    def duration(self) -> str:
        """Duration as people say it."""
        if self.days % 365 == 0:
            return "1\u00a0an" if self.days == 365 else f"{self.days // 365}\u00a0ans"
        if self.days > 365:
            return f"{round(self.days / 30.4)}\u00a0mois"
        return f"{self.days}\u00a0jour{'s' if self.days > 1 else ''}"


def _files_of_rooms(room_ids: list[Any]) -> Iterable[str]:
    return db.session.scalars(select(ChatAttachment.file_key).where(ChatAttachment.room_id.in_(room_ids))).all()


def _last_word(before: datetime) -> ColumnElement[bool]:
    return or_(
        ChatRoom.last_message_at < before, and_(ChatRoom.last_message_at.is_(None), ChatRoom.created_at < before)
    )


def _ended_message(before: datetime) -> ColumnElement[bool]:
    return and_(Delivery.created_at < before, Delivery.state.not_in(_OPEN_MESSAGES))


RULES: tuple[Rule, ...] = (
    Rule(
        "idempotency_key",
        IdempotencyKey,
        1,
        "Réponses gardées pour une requête répétée",
        "la requête",
        lambda before: IdempotencyKey.created_at < before,
    ),
    Rule(
        "login_attempt",
        LoginAttempt,
        90,
        "Essais de connexion (empreinte de l’adresse, réseau tronqué)",
        "l’essai",
        lambda before: LoginAttempt.at < before,
    ),
    Rule(
        "one_time_token",
        OneTimeToken,
        30,
        "Liens de confirmation et de mot de passe",
        "l’expiration du lien",
        lambda before: OneTimeToken.expires_at < before,
    ),
    Rule(
        "email_change",
        EmailChange,
        30,
        "Changements d’adresse qui attendaient une confirmation",
        "l’expiration des liens",
        lambda before: EmailChange.expires_at < before,
    ),
    Rule(
        "channel_code",
        ChannelCode,
        1,
        "Numéros WhatsApp en attente de leur code",
        "l’expiration du code",
        lambda before: ChannelCode.expires_at < before,
    ),
    Rule(
        "factor_removal",
        FactorRemoval,
        365,
        "Demandes de retrait d’une double authentification perdue",
        "la fin de la demande",
        lambda before: FactorRemoval.ended_at < before,
    ),
    Rule(
        "auth_session",
        AuthSession,
        90,
        "Appareils et leurs jetons",
        "la fin de la session",
        lambda before: or_(AuthSession.expires_at < before, AuthSession.revoked_at < before),
    ),
    Rule(
        "api_token",
        ApiToken,
        365,
        "Jetons d’API qui n’ouvrent plus rien",
        "la fin du jeton",
        lambda before: or_(ApiToken.expires_at < before, ApiToken.revoked_at < before),
    ),
    Rule(
        "channel_identity",
        ChannelIdentity,
        30,
        "Canaux déliés (Telegram, Discord, WhatsApp)",
        "la déliaison",
        lambda before: ChannelIdentity.disabled_at < before,
    ),
    Rule(
        "push_subscription",
        PushSubscription,
        30,
        "Navigateurs qui ne veulent plus de notifications",
        "l’arrêt",
        lambda before: PushSubscription.disabled_at < before,
    ),
    Rule(
        "user_notification",
        UserNotification,
        395,
        "Notifications du site",
        "la notification",
        lambda before: UserNotification.created_at < before,
    ),
    Rule(
        "delivery.content",
        Delivery,
        90,
        "Contenu et adresse des messages envoyés",
        "le message",
        lambda before: and_(
            _ended_message(before),
            Delivery.user_id.is_not(None),
            or_(Delivery.address.is_not(None), Delivery.error.is_not(None), cast(Delivery.params, Text) != "{}"),
        ),
        blank={"address": None, "params": {}, "error": None},
    ),
    Rule(
        "delivery.without_account",
        Delivery,
        90,
        "Messages à une adresse sans compte",
        "le message",
        lambda before: and_(_ended_message(before), Delivery.user_id.is_(None)),
    ),
    Rule(
        "delivery",
        Delivery,
        3 * 365,
        "Trace d’envoi, sans contenu",
        "le message",
        _ended_message,
    ),
    Rule(
        "delivery_attempt",
        DeliveryAttempt,
        90,
        "Réponses des messageries à chaque essai d’envoi",
        "l’essai",
        lambda before: DeliveryAttempt.at < before,
    ),
    Rule(
        "outbox_task.recover",
        OutboxTask,
        30,
        "Mots de passe oubliés ou devinés (adresse tapée)",
        "la demande",
        lambda before: and_(
            OutboxTask.kind.in_([accounts.RECOVER_TASK, login_limits.GUESSED_TASK]),
            OutboxTask.created_at < before,
            OutboxTask.state.in_([TaskState.DONE, TaskState.FAILED]),
        ),
    ),
    Rule(
        "inbound_event",
        InboundEvent,
        30,
        "Appels bruts des messageries",
        "la réception",
        lambda before: InboundEvent.received_at < before,
    ),
    Rule(
        "chat_room.visitor",
        ChatRoom,
        365,
        "Conversations de visiteurs sans compte, avec leurs fichiers",
        "le dernier message",
        lambda before: and_(ChatRoom.user_id.is_(None), _last_word(before)),
        files=_files_of_rooms,
    ),
    Rule(
        "chat_room",
        ChatRoom,
        3 * 365,
        "Conversations d’un compte avec le support",
        "le dernier message",
        lambda before: and_(ChatRoom.user_id.is_not(None), _last_word(before)),
        files=_files_of_rooms,
    ),
    Rule(
        "sync_batch",
        SyncBatch,
        30,
        "Lots reçus du robot MetaTrader et réponses",
        "la réception",
        lambda before: SyncBatch.received_at < before,
    ),
    Rule(
        "user_session.person",
        UserSession,
        395,
        "Lien entre une visite et un compte",
        "la visite",
        lambda before: and_(UserSession.day < before.date(), UserSession.user_id.is_not(None)),
        blank={"user_id": None},
    ),
    Rule(
        "user_session",
        UserSession,
        760,
        "Visites et pages vues, une par une",
        "la visite",
        lambda before: UserSession.day < before.date(),
    ),
    Rule(
        "channel_pass",
        ChannelPass,
        90,
        "Séjours terminés dans le canal privé",
        "la sortie",
        lambda before: and_(ChannelPass.state == ChannelPassState.GONE, ChannelPass.gone_at < before),
    ),
    Rule(
        "data_export",
        DataExport,
        365,
        "Trace d’une copie de données (l’archive elle-même\u00a0: 7\u00a0jours)",
        "la demande",
        lambda before: and_(DataExport.asked_at < before, DataExport.state == ExportState.EXPIRED),
    ),
)


def enforce(at: datetime | None = None) -> dict[str, int]:
    """Keep to every rule. Commits by itself, a portion at a time; gives how many rows went, by rule."""
    now = at or clock.now()
    counts = {rule.name: _enforce(rule, now - timedelta(days=rule.days)) for rule in RULES}
    gone = {name: count for name, count in counts.items() if count}
    if gone:
        log.info("retention_enforced", **gone)
    return gone


def rules_of(table: str) -> list[Rule]:
    """Durations of a table."""
    return [rule for rule in RULES if rule.table == table]


def overdue(at: datetime | None = None) -> list[str]:
    """What is older than its rule says by more than two days, in words: the job does not run."""
    now = at or clock.now()
    return [
        rule.label
        for rule in RULES
        if db.session.scalar(select(exists().where(rule.over(now - timedelta(days=rule.days + 2)))))
    ]


def _enforce(rule: Rule, before: datetime) -> int:
    key = tuple(Model.metadata.tables[rule.table].primary_key.columns)
    total = 0
    for _portion in range(MOST_PORTIONS):
        # Looking for what is old reads whole tables: on SQLite in a transaction that nobody waits for.
        db.session.rollback()
        with reading():
            rows = db.session.execute(select(*key).where(rule.over(before)).limit(PORTION)).all()
            db.session.rollback()
        if not rows:
            break
        values = [tuple(row) for row in rows]
        found = key[0].in_([value[0] for value in values]) if len(key) == 1 else tuple_(*key).in_(values)
        files = list(rule.files([value[0] for value in values])) if rule.files else []
        statement = update(rule.model).values(**rule.blank) if rule.blank is not None else delete(rule.model)
        # Asked once more: a conversation may have been taken up again meanwhile.
        db.session.execute(statement.where(found, rule.over(before)), execution_options={"synchronize_session": False})
        db.session.commit()
        for file in files:
            store().delete(file)
        total += len(rows)
    return total
