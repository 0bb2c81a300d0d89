"""Menus of the site, in one place. An entry whose page does not exist, or that the person may not open, is left out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_login import current_user
from werkzeug.routing import BuildError

from calmness import clock
from calmness.permissions import Permission
from calmness.services.account import preferences
from calmness.services.account.preferences import Feature


@dataclass(frozen=True)
class Entry:
    """A place to go."""

    endpoint: str
    label: LazyString
    icon: str = "circle"
    permission: Permission | None = None
    feature: Feature | None = None
    badge: str | None = None
    short: LazyString | None = None
    """Name in the bottom bar of phones, where five stand side by side."""


@dataclass(frozen=True)
class Group:
    """Entries under a heading."""

    label: LazyString | str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Link:
    """An entry as a page shows it."""

    url: str
    label: LazyString
    icon: str
    current: bool
    badge: int = 0
    badge_key: str = ""
    badge_label: LazyString | str = ""
    short: LazyString | str = ""


@dataclass(frozen=True)
class LinkGroup:
    """A group as a page shows it."""

    label: LazyString | str
    entries: list[Link] = field(default_factory=list)


Badge = Callable[[int], int]
BADGES: dict[str, tuple[Badge, LazyString]] = {}
"""Exact counts by key: a function of the person's id. Areas register theirs with ``badge``."""

PUBLIC = (
    Entry("site.formations", _l("Formations"), "graduation-cap"),
    Entry("site.track_record", _l("Signaux"), "zap"),
    Entry("site.pricing", _l("Tarifs"), "tag"),
    Entry("site.faq", _l("Questions"), "circle-question-mark"),
    Entry("site.contact", _l("Contact"), "mail"),
)
LEGAL = (
    Entry("site.legal", _l("Mentions légales")),
    Entry("site.terms", _l("Conditions de vente")),
    Entry("billing.withdrawal_form", _l("Renoncer au contrat ici")),
    Entry("site.privacy", _l("Confidentialité")),
    Entry("site.cookies", _l("Cookies")),
    Entry("site.risks", _l("Avertissement sur les risques")),
)
ESPACE = (
    Group("", (Entry("dashboard.show", _l("Tableau de bord"), "layout-dashboard", short=_l("Accueil")),)),
    Group(
        _l("Apprendre"),
        (
            Entry("training.formations", _l("Formations"), "graduation-cap"),
            Entry("training.agenda", _l("Agenda"), "calendar-days"),
            Entry("signals.index", _l("Signaux"), "zap", feature=Feature.SIGNALS, badge="signals"),
        ),
    ),
    Group(
        _l("Trading"),
        (
            Entry("trading.history", _l("Historique"), "chart-candlestick", feature=Feature.HISTORY),
            Entry("trading.statistics", _l("Statistiques"), "chart-column", feature=Feature.HISTORY),
            Entry("trading.portfolio", _l("Portefeuille"), "wallet", feature=Feature.PORTFOLIO),
            Entry("trading.accounts", _l("MetaTrader"), "plug-zap"),
            Entry("trading.leaderboard", _l("Classement"), "trophy", feature=Feature.HISTORY),
            Entry("trading.follow_up", _l("Suivi par l’école"), "hand-coins"),
        ),
    ),
    Group(
        _l("Compte"),
        (
            Entry("billing.payments", _l("Paiements"), "credit-card"),
            Entry("account.notifications", _l("Notifications"), "bell", badge="notifications"),
            Entry("account.profile", _l("Profil"), "user"),
            Entry("account.overview", _l("Sécurité et compte"), "shield-check"),
            Entry("account.settings", _l("Paramètres"), "settings"),
        ),
    ),
)
ADMIN = (
    Group(
        "",
        (
            Entry(
                "admin_home.show",
                _l("Tableau de bord"),
                "layout-dashboard",
                Permission.SEE_ADMIN,
                short=_l("Accueil"),
            ),
            Entry("admin_analytics.overview", _l("Analytics"), "chart-line", Permission.SEE_ANALYTICS),
        ),
    ),
    Group(
        _l("Exploitation"),
        (
            Entry(
                "admin_support.inbox",
                _l("Support"),
                "messages-square",
                Permission.ANSWER_SUPPORT,
                badge="support_unread",
            ),
            Entry("admin_training.formations", _l("Formations"), "graduation-cap", Permission.MANAGE_FORMATIONS),
            Entry("admin_training.sessions", _l("Séances"), "video", Permission.RECORD_ATTENDANCE),
            Entry("admin_training.schedules", _l("Programmation"), "calendar-clock", Permission.MANAGE_FORMATIONS),
            Entry("admin_signals.index", _l("Signaux"), "zap", Permission.PUBLISH_SIGNALS),
            Entry("admin_results.students", _l("Résultats"), "chart-candlestick", Permission.SEE_CLIENTS),
            Entry("admin_results.metatrader", _l("MetaTrader"), "plug-zap", Permission.SEE_CLIENTS),
        ),
    ),
    Group(
        _l("Ventes"),
        (
            Entry("admin_billing.offers", _l("Offres"), "tag", Permission.MANAGE_CATALOGUE),
            Entry(
                "admin_billing.payments",
                _l("Paiements"),
                "banknote",
                Permission.VALIDATE_PAYMENTS,
                badge="payments_to_validate",
            ),
            Entry("admin_billing.invoices", _l("Factures"), "receipt-euro", Permission.SEE_INVOICES),
            Entry("admin_billing.books", _l("Comptabilité"), "scale", Permission.SEE_BOOKS),
        ),
    ),
    Group(
        _l("Système"),
        (
            Entry("admin_account.users", _l("Utilisateurs"), "users", Permission.MANAGE_USERS),
            Entry("admin_billing.legal_identity", _l("Identité légale"), "building-2", Permission.MANAGE_IDENTITY),
            Entry("admin_system.audit", _l("Journal"), "scroll-text", Permission.SEE_AUDIT),
            Entry("admin_privacy.register", _l("Registre RGPD"), "scale", Permission.SEE_AUDIT),
            Entry("admin_system.health", _l("Santé du système"), "activity", Permission.MANAGE_SYSTEM),
        ),
    ),
)
BARS: dict[str, tuple[str, ...]] = {
    "espace-bar": ("dashboard.show", "training.agenda", "trading.history", "account.notifications"),
    "admin-bar": ("admin_home.show", "admin_support.inbox", "admin_billing.payments", "admin_analytics.overview"),
}
_SINGLE = {"public": PUBLIC, "legal": LEGAL}
_GROUPED = {"espace": ESPACE, "admin": ADMIN}


def badge(key: str, label: LazyString) -> Callable[[Badge], Badge]:
    """Register the function that counts what a badge shows."""

    def register(function: Badge) -> Badge:
        BADGES[key] = (function, label)
        return function

    return register


def init_app(app: Flask) -> None:
    """Give templates the menus."""
    app.jinja_env.globals.update(
        navigation=navigation,
        navigation_groups=navigation_groups,
        url_if=url_if,
        feature_on=feature_on,
        current_year=lambda: clock.paris_today().year,
    )


def url_if(endpoint: str, **values: Any) -> str:
    """Address of a page, ``#`` when the page does not exist in this application."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return "#"


def feature_on(name: str) -> bool:
    """Whether the person of this page has a feature; a link to one that is off would lead to a 404."""
    return _features().get(Feature(name), True)


def navigation(menu: str) -> list[Link]:
    """Entries of a flat menu: ``public``, ``legal``, ``espace-bar``, ``admin-bar``."""
    if menu in _SINGLE:
        return [link for entry in _SINGLE[menu] if (link := _link(entry))]
    wanted = BARS[menu]
    by_endpoint = {entry.endpoint: entry for group in _GROUPED[menu.removesuffix("-bar")] for entry in group.entries}
    return [link for endpoint in wanted if (link := _link(by_endpoint[endpoint]))]


def navigation_groups(menu: str) -> list[LinkGroup]:
    """Groups of the ``espace`` or ``admin`` menu that hold at least one entry."""
    return list(_groups(_GROUPED[menu]))


def _groups(groups: tuple[Group, ...]) -> Iterator[LinkGroup]:
    for group in groups:
        links = [link for entry in group.entries if (link := _link(entry))]
        if links:
            yield LinkGroup(group.label, links)


def _link(entry: Entry) -> Link | None:
    if entry.endpoint not in current_app.view_functions:
        return None
    if entry.permission and not current_user.may(entry.permission):
        return None
    if entry.feature and not _features().get(entry.feature, True):
        return None
    count, label = _badge(entry.badge)
    url = url_for(entry.endpoint)
    return Link(
        url,
        entry.label,
        entry.icon,
        _is_current(entry, url),
        count,
        entry.badge or "",
        label,
        entry.short or entry.label,
    )


def _is_current(entry: Entry, url: str) -> bool:
    if entry.endpoint in {"dashboard.show", "admin_home.show", "site.home"}:
        return request.endpoint == entry.endpoint
    return request.path == url or request.path.startswith(url + "/")


def _badge(key: str | None) -> tuple[int, LazyString | str]:
    if key is None or key not in BADGES or not current_user.is_authenticated:
        return 0, ""
    counts: dict[str, int] = g.setdefault("badge_counts", {})
    function, label = BADGES[key]
    if key not in counts:
        counts[key] = function(current_user.user.id)
    return counts[key], label


def _features() -> dict[Feature, bool]:
    if not current_user.is_authenticated:
        return {}
    if "features" not in g:
        g.features = preferences.features_of(current_user.user.id)
    features: dict[Feature, bool] = g.features
    return features
