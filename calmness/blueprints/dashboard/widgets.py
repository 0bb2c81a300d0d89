"""The cards of the dashboard: each asks the services of its area and renders its own template."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import render_template
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from calmness import clock
from calmness.blueprints.billing.payments import STATES as PAYMENT_STATES
from calmness.blueprints.signals import STATES as SIGNAL_STATES
from calmness.blueprints.trading.statistics import capital_chart, month_cells
from calmness.models.account import User
from calmness.models.billing import Payment, PaymentStatus
from calmness.services import notifications, signals
from calmness.services.account import preferences
from calmness.services.account.preferences import Feature
from calmness.services.billing import payment_history, subscriptions
from calmness.services.trading import trade_history, trading_accounts, trading_overview
from calmness.services.training import formations


@dataclass(frozen=True)
class Widget:
    """A card: its name on screen, how wide it is, how it renders. Empty text: nothing to show."""

    label: LazyString
    render: Callable[[User], str]
    wide: bool = False


def first_steps(user: User) -> str:
    """What is left to do in the beginning; gone when all is done."""
    accounts = trading_accounts.of_user(user.id)
    steps = [
        (_l("Confirmer votre adresse"), user.email_verified_at is not None, "account.overview"),
        (_l("Compléter votre profil"), bool(user.address and user.city), "account.profile"),
        (_l("Choisir une formation ou un abonnement"), payment_history.any_of(user.id), "site.pricing"),
        (_l("Relier MetaTrader"), bool(accounts), "trading.accounts"),
        (_l("Recevoir vos premiers trades"), any(account.last_sync_at for account in accounts), "trading.accounts"),
    ]
    if all(done for _label, done, _endpoint in steps):
        return ""
    return render_template("dashboard/first_steps.html", steps=steps)


def next_session(user: User) -> str:
    """The next session with its door."""
    now = clock.now()
    coming = formations.agenda(user.id, now, now + timedelta(days=60))
    session = next((row for row in coming if row.status.value == "scheduled"), None)
    return render_template("dashboard/next_session.html", session=session, now=now)


def figures(user: User) -> str:
    """Four figures at a glance."""
    rows = formations.progress_of(user.id)
    view = trading_overview.overview(user, 31)
    return render_template("dashboard/figures.html", rows=rows, view=view, running=subscriptions.running(user.id))


def capital(user: User) -> str:
    """Balance curve of the accounts."""
    if not preferences.features_of(user.id)[Feature.PORTFOLIO]:
        return ""
    view = trading_overview.overview(user)
    return render_template("dashboard/capital.html", view=view, curve=capital_chart(view) if view else "")


def calendar(user: User) -> str:
    """Results of the month by day."""
    if not preferences.features_of(user.id)[Feature.HISTORY]:
        return ""
    view = trading_overview.overview(user, 31)
    return render_template("dashboard/calendar.html", view=view, cells=month_cells(view)) if view else ""


def trades(user: User) -> str:
    """Last trades."""
    if not preferences.features_of(user.id)[Feature.HISTORY]:
        return ""
    currencies = {account.id: account.currency for account in trading_accounts.of_user(user.id)}
    return render_template("dashboard/trades.html", rows=trade_history.latest(user, 5), currencies=currencies)


def my_formations(user: User) -> str:
    """Formations under way."""
    rows = [row for row in formations.progress_of(user.id) if row.enrollment.status.value == "active"]
    return render_template("dashboard/formations.html", rows=rows[:4])


def living_signals(user: User) -> str:
    """Signals to follow, for subscribers; the record for all."""
    if not preferences.features_of(user.id)[Feature.SIGNALS]:
        return ""
    opened = signals.may_read(user.id)
    record = signals.track_record(clock.now() - timedelta(days=90))
    return render_template(
        "dashboard/signals.html",
        opened=opened,
        living=signals.living()[:3] if opened else [],
        record=record,
        states=SIGNAL_STATES,
    )


def my_subscriptions(user: User) -> str:
    """Subscriptions with the days left."""
    return render_template("dashboard/subscriptions.html", rows=subscriptions.running(user.id), now=clock.now())


def last_notifications(user: User) -> str:
    """Last notices."""
    rows, _total = notifications.listing(user.id, limit=4)
    return render_template("dashboard/notifications.html", rows=rows)


def payments(user: User) -> str:
    """Payments of the month and those that wait for something."""
    now = clock.now()
    waits = Payment.status.in_((PaymentStatus.DECLARED, PaymentStatus.REJECTED, PaymentStatus.TRANSACTION_SUBMITTED))
    rows = payment_history.of_user(user.id, waits | (Payment.created_at > now - timedelta(days=31)), limit=4)
    return render_template("dashboard/payments.html", rows=rows, states=PAYMENT_STATES)


WIDGETS: dict[str, Widget] = {
    "first_steps": Widget(_l("Premiers pas"), first_steps, wide=True),
    "next_session": Widget(_l("Prochaine séance"), next_session),
    "figures": Widget(_l("En un coup d’œil"), figures, wide=True),
    "capital": Widget(_l("Capital"), capital, wide=True),
    "calendar": Widget(_l("Résultats du mois"), calendar),
    "trades": Widget(_l("Derniers trades"), trades, wide=True),
    "formations": Widget(_l("Formations en cours"), my_formations),
    "signals": Widget(_l("Signaux"), living_signals),
    "subscriptions": Widget(_l("Abonnements"), my_subscriptions),
    "notifications": Widget(_l("Notifications"), last_notifications),
    "payments": Widget(_l("Paiements"), payments),
}
