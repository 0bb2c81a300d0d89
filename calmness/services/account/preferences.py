"""Features that a person may switch off, and on which channels each kind of notice arrives.

One registry in code; the database keeps only what differs from the default. A feature that is off is gone: from
menus, pages, API and jobs.
"""

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from sqlalchemy import ColumnElement, Text, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Channel, ChannelIdentity, User
from calmness.models.dialect import upsert
from calmness.models.settings import UserSetting


class Feature(StrEnum):
    """A part of the personal space that can be switched off."""

    HISTORY = "history"
    PORTFOLIO = "portfolio"
    SIGNALS = "signals"
    CHAT_WIDGET = "chat_widget"


class NoticeKind(StrEnum):
    """Why the house writes to a person."""

    SECURITY = "security"
    PAYMENT = "payment"
    INVOICE = "invoice"
    SESSION = "session"
    SIGNAL = "signal"
    SUPPORT = "support"
    TRADING = "trading"


@dataclass(frozen=True)
class Notice:
    """A kind of notice: its name on screen, its default channels, and whether it may be silenced."""

    label: LazyString
    defaults: frozenset[Channel]
    compulsory: frozenset[Channel] = frozenset()


FEATURE_LABELS: dict[Feature, LazyString] = {
    Feature.HISTORY: _l("Historique de trading"),
    Feature.PORTFOLIO: _l("Portefeuille"),
    Feature.SIGNALS: _l("Signaux"),
    Feature.CHAT_WIDGET: _l("Bulle d’aide sur les pages"),
}

_MAIL = frozenset({Channel.SITE, Channel.EMAIL})
_ALL = _MAIL | {Channel.TELEGRAM, Channel.DISCORD, Channel.WHATSAPP, Channel.PUSH}

NOTICES: dict[NoticeKind, Notice] = {
    NoticeKind.SECURITY: Notice(_l("Sécurité du compte"), _MAIL, compulsory=_MAIL),
    NoticeKind.PAYMENT: Notice(_l("Paiements"), _MAIL, compulsory=frozenset({Channel.SITE})),
    NoticeKind.INVOICE: Notice(_l("Factures"), _MAIL, compulsory=_MAIL),
    NoticeKind.SESSION: Notice(_l("Séances et rappels"), _ALL),
    NoticeKind.SIGNAL: Notice(_l("Nouveaux signaux"), frozenset({Channel.SITE, Channel.TELEGRAM, Channel.PUSH})),
    NoticeKind.SUPPORT: Notice(_l("Réponses du support"), frozenset({Channel.SITE})),
    NoticeKind.TRADING: Notice(_l("Compte MetaTrader"), frozenset({Channel.SITE})),
}

NOTICE_FEATURES = {NoticeKind.SIGNAL: Feature.SIGNALS}
"""Notices that go with a feature: who switched it off is not told, on any channel."""


SHOWS_TRADES = (Feature.HISTORY, Feature.PORTFOLIO)
"""With both off, terminals are told so and send nothing (``trading_accounts.IntakeOff``)."""


def settings_of(user_id: int) -> dict[str, object]:
    """What a person set, by key; absent keys are at their default."""
    rows = db.session.execute(select(UserSetting.key, UserSetting.value).where(UserSetting.user_id == user_id))
    return dict(rows.all())


def features_of(user_id: int) -> dict[Feature, bool]:
    """Which features are on for a person."""
    chosen = settings_of(user_id)
    return {feature: chosen.get(f"feature.{feature.value}", True) is True for feature in Feature}


def wants(user_id: int, kind: NoticeKind) -> bool:
    """Whether notices of a kind have a sense for a person: their feature is on."""
    feature = NOTICE_FEATURES.get(kind)
    return feature is None or features_of(user_id)[feature]


def takes_trades(user_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """SQL: whether anything of a person's would show trades. What nobody sees is not collected either.

    Part of the query for the key of an EA: as a question by itself it would be asked ten thousand times a minute.
    """
    off = select(func.count()).where(
        UserSetting.user_id == user_id,
        UserSetting.key.in_([f"feature.{feature.value}" for feature in SHOWS_TRADES]),
        cast(UserSetting.value, Text) != "true",
    )
    return off.scalar_subquery() < len(SHOWS_TRADES)


def notice_matrix(user_id: int) -> dict[NoticeKind, dict[Channel, bool]]:
    """For each kind of notice and each channel whether the person wants it; compulsory cells are always on."""
    chosen = settings_of(user_id)
    return {
        kind: {
            channel: channel in notice.compulsory
            or chosen.get(f"notice.{kind.value}.{channel.value}", channel in notice.defaults) is True
            for channel in Channel
        }
        for kind, notice in NOTICES.items()
    }


def set_feature(user_id: int, feature: Feature, on: bool) -> None:
    """Switch a feature."""
    _set(user_id, f"feature.{feature.value}", on)


def set_notice(user_id: int, kind: NoticeKind, channel: Channel, on: bool) -> None:
    """Choose a channel for a kind of notice."""
    _set(user_id, f"notice.{kind.value}.{channel.value}", on)


def channels_for(user: User, kind: NoticeKind) -> list[tuple[Channel, str]]:
    """Verified ways out of the house to a person for a kind of notice, with their addresses; the site is not one."""
    wanted = notice_matrix(user.id)[kind]
    ways = [(Channel.EMAIL, user.email)] if wanted[Channel.EMAIL] and user.email_verified_at else []
    identities = db.session.scalars(
        select(ChannelIdentity).where(
            ChannelIdentity.user_id == user.id,
            ChannelIdentity.verified_at.is_not(None),
            ChannelIdentity.disabled_at.is_(None),
        )
    )
    return ways + [(way.channel, way.external_id) for way in identities if wanted[way.channel]]


def keep(user_id: int, key: str, value: object) -> None:
    """Keep a choice of another area, which knows its default."""
    _set(user_id, key, value)


def _set(user_id: int, key: str, value: object) -> None:
    row = {"user_id": user_id, "key": key, "value": value, "updated_at": clock.now()}
    upsert(db.session(), UserSetting, [row], key=["user_id", "key"], update_columns=["value", "updated_at"])
