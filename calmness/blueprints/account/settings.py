"""Features, notices, language, theme."""

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import current_account, requires
from calmness.blueprints.account import bp, discord, whatsapp
from calmness.errors import Text
from calmness.extensions import db
from calmness.locale import LOCALE_COOKIE, LOCALES, THEME_COOKIE, THEMES
from calmness.models.account import Channel, User
from calmness.permissions import Permission
from calmness.services import contacts, preferences, quiet_hours
from calmness.services.preferences import FEATURE_LABELS, NOTICES, Feature, NoticeKind

YEAR_SECONDS = 31_536_000
CHANNELS = (Channel.SITE, Channel.EMAIL, Channel.TELEGRAM, Channel.DISCORD, Channel.WHATSAPP)


@bp.get("/parametres")
@requires(Permission.OWN_SPACE)
def settings() -> ResponseReturnValue:
    """All choices."""
    user = current_account()
    hours = quiet_hours.of_user(user.id)
    return _page(user, (hours.start, hours.end) if hours else ("", ""))


def _page(user: User, quiet: tuple[str, str], quiet_error: Text | None = None) -> str:
    return render_template(
        "account/settings.html",
        user=user,
        features=preferences.features_of(user.id),
        feature_labels=FEATURE_LABELS,
        matrix=preferences.notice_matrix(user.id),
        notices=NOTICES,
        channels=_channels(user),
        linked=_linked(user),
        quiet=quiet,
        quiet_error=quiet_error,
    )


@bp.post("/parametres")
@requires(Permission.OWN_SPACE)
def update_settings() -> ResponseReturnValue:
    """Save all choices of the page."""
    user = current_account()
    for feature in Feature:
        preferences.set_feature(user.id, feature, f"feature.{feature.value}" in request.form)
    for kind in NoticeKind:
        for channel in _channels(user):
            preferences.set_notice(user.id, kind, channel, f"notice.{kind.value}.{channel.value}" in request.form)
    if "quiet_start" in request.form:
        quiet = request.form["quiet_start"], request.form.get("quiet_end", "")
        try:
            quiet_hours.choose(user.id, *quiet)
        except quiet_hours.WrongQuietHours as error:
            # What was chosen on the page stays on it; nothing of it is kept.
            page = _page(user, quiet, error.message)
            db.session.rollback()
            return page, error.status
    response = make_response(redirect(url_for("account.settings")))
    chosen = request.form.get("locale")
    if chosen in LOCALES:
        user.locale = chosen
        response.set_cookie(LOCALE_COOKIE, chosen, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure)
    theme = request.form.get("theme")
    if theme in THEMES:
        user.theme = theme
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure)
    db.session.commit()
    flash(_("Vos paramètres sont enregistrés."), "success")
    return response


def _channels(user: User) -> list[Channel]:
    """Columns of the table: channels that the school has set up, and those that the person has linked."""
    config, linked = current_app.config, _linked(user)
    offered = {
        Channel.TELEGRAM: bool(config["TELEGRAM_BOT_NAME"]),
        Channel.DISCORD: discord.is_offered(),
        Channel.WHATSAPP: whatsapp.is_offered(),
    }
    return [channel for channel in CHANNELS if channel in linked or offered.get(channel, True)]


def _linked(user: User) -> set[Channel]:
    """Channels that reach the person today; for the others the choice waits until they are linked."""
    ways = {identity.channel for identity in contacts.identities_of(user.id) if identity.verified_at}
    return ways | {Channel.SITE} | ({Channel.EMAIL} if user.email_verified_at else set())
