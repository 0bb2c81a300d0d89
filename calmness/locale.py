"""Which language and which zone a request speaks: the account's choice, then the cookie, then the browser's wish."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from flask import Flask, has_request_context, request
from flask_babel import get_locale, get_translations
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

LOCALES = ("fr", "en")
LOCALE_COOKIE = "ct_locale"
THEME_COOKIE = "ct_theme"
THEMES = ("dark", "light", "auto")


def select_locale() -> str:
    """``fr`` or ``en`` for this request; French outside of requests."""
    if not has_request_context():
        return "fr"
    chosen = request.cookies.get(LOCALE_COOKIE)
    if chosen in LOCALES:
        return chosen
    if not request.path.startswith(("/espace", "/admin")):
        # Public pages stay cacheable: they never touch the session.
        return request.accept_languages.best_match(LOCALES, "fr") or "fr"
    return current_user.locale if current_user.is_authenticated else "fr"


def language() -> str:
    """Language of what is being written: that of the request, or of the person whose mail a worker composes."""
    current = get_locale()
    return current.language if current is not None else "fr"


def select_timezone() -> str:
    """IANA name of the zone that hours are shown in; Paris unless the person chose another."""
    if has_request_context() and current_user and current_user.is_authenticated:
        zone: str = current_user.time_zone
        return zone if _exists(zone) else "Europe/Paris"
    return "Europe/Paris"


@lru_cache(maxsize=600)
def _exists(name: str) -> bool:
    """Whether a zone has this name. The list of all zones walks the whole folder of zone files at each call."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def zone() -> ZoneInfo:
    """Zone of the current request."""
    return ZoneInfo(select_timezone())


def current_theme() -> str:
    """``dark``, ``light`` or ``auto``: from the cookie, so that the first byte has the right colours."""
    chosen = request.cookies.get(THEME_COOKIE, "dark") if has_request_context() else "dark"
    return chosen if chosen in THEMES else "dark"


def plural(singular: str, plural_form: str, number: float) -> str:
    """The right form of a counted word. French takes the singular up to 1.99: gettext without a catalogue does not."""
    if language() == "fr":
        return singular if abs(number) < 2 else plural_form
    text: str = get_translations().ungettext(singular, plural_form, number)
    return text


def translated(text: str) -> str:
    """The text in the language of the request. French is the source: it needs no look-up."""
    return text if language() == "fr" else str(get_translations().ugettext(text))


@pass_eval_context
def underscore(scope: EvalContext, text: str, /, **variables: object) -> str:
    """``_()`` of templates: Jinja's own costs three calls through its context, six hundred times a page."""
    shown = translated(text)
    safe = Markup(shown) if scope.autoescape else shown  # noqa: S704 - a text of our own templates; values are escaped
    return safe % variables if variables or "%" in shown else safe


def init_app(app: Flask) -> None:
    """Give templates the language, the theme and the languages on offer."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=translated, ngettext=plural, newstyle=True
    )
    app.jinja_env.globals["_"] = underscore
    app.jinja_env.globals.update(current_theme=current_theme, current_locale=select_locale, locales=LOCALES)
