"""What the floating widget shows with the page, before any script runs: hours, badge, other ways to write."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from flask import current_app, request
from flask_babel import gettext as _

from calmness import clock, locale, presentation
from calmness.blueprints.support import bp
from calmness.blueprints.support.visitors import person_of_request
from calmness.services.account import preferences
from calmness.services.account.preferences import Feature
from calmness.services.support import chat_rooms, chat_unread, support_hours
from calmness.services.support.chat_rooms import Person
from calmness.services.support.support_hours import Opening


@dataclass(frozen=True)
class Way:
    """Another way to reach the school."""

    label: str
    url: str
    icon: str


@dataclass(frozen=True)
class Widget:
    """State of the widget on a page."""

    opening: Opening
    hours: str
    unread: int
    has_conversation: bool
    ways: list[Way]


def support_widget(anonymous_page: bool = False) -> Widget | None:
    """The widget of this page; None where there is none: on the chat's own page, or switched off by the person.

    A page that is cached for everybody shows nothing of a person: there the script asks.
    """
    if request.blueprint == "support":
        return None
    person = Person() if anonymous_page else person_of_request()
    if person.user is not None and not preferences.features_of(person.user.id)[Feature.CHAT_WIDGET]:
        return None
    opening = support_hours.now_open()
    return Widget(
        opening,
        hours_text(opening),
        chat_unread.unread_of(person) if person.is_known else 0,
        person.is_known and bool(chat_rooms.own_rooms(person, limit=1)),
        ways(),
    )


def hours_text(opening: Opening, at: datetime | None = None) -> str:
    """``Nous vous répondons jusqu’à 19 h 00``, ``De retour demain à 9 h 00``: in the reader's zone, which is named
    when it is not the school's.
    """
    now = at or clock.now()
    zone = locale.zone()
    if opening.is_open and opening.until is not None:
        text = _("Nous vous répondons jusqu’à %(hour)s", hour=presentation.hour(opening.until))
    elif opening.next_open is not None:
        text = _("De retour %(when)s", when=_when(opening.next_open, now, zone))
    else:
        return str(_("Laissez-nous un message, nous vous répondrons."))
    return str(text) if zone.key == support_hours.ZONE else f"{text} {_('(votre heure)')}"


def ways() -> list[Way]:
    """Ways that the school has set up."""
    config = current_app.config
    found = []
    if config["WHATSAPP_NUMBER"]:
        found.append(Way("WhatsApp", f"https://wa.me/{config['WHATSAPP_NUMBER'].lstrip('+')}", "phone"))
    if config["TELEGRAM_BOT_NAME"]:
        found.append(Way("Telegram", f"https://t.me/{config['TELEGRAM_BOT_NAME'].lstrip('@')}", "send"))
    if config["DISCORD_INVITE_URL"]:
        found.append(Way("Discord", config["DISCORD_INVITE_URL"], "messages-square"))
    address = parseaddr(config["MAIL_DEFAULT_SENDER"])[1]
    if address:
        found.append(Way(_("E-mail"), f"mailto:{address}", "mail"))
    return found


@bp.app_context_processor
def _template_functions() -> dict[str, object]:
    return {"support_widget": support_widget}


def _when(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    hour = presentation.hour(moment)
    days = (moment.astimezone(zone).date() - now.astimezone(zone).date()).days
    if days == 0:
        text = _("aujourd’hui à %(hour)s", hour=hour)
    elif days == 1:
        text = _("demain à %(hour)s", hour=hour)
    else:
        text = _("%(day)s à %(hour)s", day=presentation.weekday_day(moment), hour=hour)
    return str(text)
