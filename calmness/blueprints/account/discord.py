"""Linking one's Discord account by OAuth2: state and PKCE in the signed cookie, the code exchanged by the server."""

import hmac
import secrets
from datetime import datetime, timedelta

from flask import current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness import clock
from calmness.access import current_account, requires, writes
from calmness.blueprints.account import bp
from calmness.channels.discord_oauth import (
    DiscordApp,
    DiscordAway,
    DiscordRefused,
    authorisation_url,
    person_of,
)
from calmness.errors import NotFound
from calmness.extensions import db, limiter
from calmness.models.account import Channel
from calmness.permissions import Permission
from calmness.services.account import contacts, names

STARTED = "discord"
PATIENCE = timedelta(minutes=10)


def is_offered() -> bool:
    """Whether the school has set up both the application that asks and the bot that writes."""
    config = current_app.config
    return all(config[name] for name in ("DISCORD_BOT_TOKEN", "DISCORD_CLIENT_ID", "DISCORD_CLIENT_SECRET"))


@bp.post("/profil/discord")
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
def create_discord_link() -> ResponseReturnValue:
    """A link to Discord's own page. Not a redirect: ``form-action`` would stop a form that ends on another site."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    url = authorisation_url(_app(), state, verifier)
    session[STARTED] = {
        "state": state,
        "verifier": verifier,
        "user": current_account().id,
        "until": (clock.now() + PATIENCE).isoformat(),
    }
    return render_template("account/discord.html", url=url, invite=current_app.config["DISCORD_INVITE_URL"])


@bp.get("/profil/discord/retour")
@limiter.limit("60 per hour")
@requires(Permission.OWN_SPACE)
@writes
def finish_discord_link() -> ResponseReturnValue:
    """Where Discord sends the browser back, with a code for who started here, or without when the person said no."""
    app, note = _app(), session.pop(STARTED, None)
    back = redirect(url_for("account.profile"))
    back.headers["Referrer-Policy"] = "no-referrer"
    given = request.args.get("state", "")
    mine = note and note["user"] == current_account().id and datetime.fromisoformat(note["until"]) >= clock.now()
    if not mine or not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), note["state"].encode()):
        flash(_("Cette demande a expiré ou vient d’un autre navigateur\u202f: recommencez ici."), "error")
        return back
    if "code" not in request.args:
        flash(_("Discord n’a pas été relié\u00a0: l’autorisation n’a pas été donnée."), "warning")
        return back
    # The provider may take seconds: no transaction waits for it, and SQLite has one writer.
    db.session.rollback()
    try:
        person = person_of(app, request.args["code"][:200], note["verifier"])
    except DiscordRefused:
        flash(_("Discord n’a pas accepté la demande\u202f: recommencez."), "error")
        return back
    except DiscordAway:
        flash(_("Discord ne répond pas pour l’instant\u202f: réessayez dans quelques minutes."), "error")
        return back
    contacts.tie(current_account(), Channel.DISCORD, person.id, names.clean_name(person.name))
    db.session.commit()
    flash(_("Discord est relié. Un message vient d’y partir."), "success")
    return back


def _app() -> DiscordApp:
    """The school's application. Raises ``NotFound`` where it is not set up."""
    if not is_offered():
        raise NotFound
    config = current_app.config
    return DiscordApp(
        client_id=config["DISCORD_CLIENT_ID"],
        client_secret=config["DISCORD_CLIENT_SECRET"],
        redirect_uri=config["BASE_URL"].rstrip("/") + url_for("account.finish_discord_link"),
        api_url=config["DISCORD_API_URL"],
        authorize_url=config["DISCORD_AUTHORIZE_URL"],
    )
