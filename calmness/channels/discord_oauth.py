"""Discord's OAuth2, as far as it says who somebody is: authorise, exchange the code, ask for the name, give back.

State and PKCE tie the answer to the browser that asked. The token is used once and revoked: none is kept.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests

from calmness.channels.http import TIMEOUT, json_of

SCOPE = "identify"
_SNOWFLAKE = re.compile(r"[0-9]{5,20}")


class DiscordRefused(Exception):
    """Discord does not take the code: used, too old, or for another browser."""


class DiscordAway(Exception):
    """Discord does not answer, or not as it should; later it may."""


@dataclass(frozen=True)
class DiscordApp:
    """The school's OAuth2 application."""

    client_id: str
    client_secret: str
    redirect_uri: str
    api_url: str = "https://discord.com/api/v10"
    authorize_url: str = "https://discord.com/oauth2/authorize"


@dataclass(frozen=True)
class DiscordPerson:
    """Who gave the authorisation. The name is theirs to choose: only the number is trusted."""

    id: str
    name: str


def authorisation_url(app: DiscordApp, state: str, verifier: str) -> str:
    """Where to send the browser. ``verifier`` stays here; only its SHA-256 leaves (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "scope": SCOPE,
        "redirect_uri": app.redirect_uri,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{app.authorize_url}?{urlencode(query)}"


def person_of(app: DiscordApp, code: str, verifier: str) -> DiscordPerson:
    """Who stands behind an authorisation code. Raises ``DiscordRefused``, ``DiscordAway``."""
    with requests.Session() as session:
        session.trust_env = False
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": app.redirect_uri,
            "code_verifier": verifier,
        }
        login = (app.client_id, app.client_secret)
        token = _asked(session, "POST", f"{app.api_url}/oauth2/token", data=form, auth=login).get("access_token")
        if not isinstance(token, str) or not token:
            raise DiscordAway
        me = _asked(session, "GET", f"{app.api_url}/users/@me", headers={"Authorization": f"Bearer {token}"})
        _give_back(session, app, token)
    number, name = me.get("id"), me.get("global_name") or me.get("username")
    if not isinstance(number, str) or not _SNOWFLAKE.fullmatch(number):
        raise DiscordAway
    return DiscordPerson(number, name if isinstance(name, str) else "")


def _asked(session: requests.Session, method: str, url: str, **options: Any) -> dict[str, Any]:
    try:
        answer = session.request(method, url, timeout=TIMEOUT, allow_redirects=False, **options)
    except requests.RequestException as error:
        raise DiscordAway from error
    content = json_of(answer)
    if answer.status_code in {400, 401} and content.get("error") != "invalid_client":
        raise DiscordRefused
    if not answer.ok:
        raise DiscordAway
    return content


def _give_back(session: requests.Session, app: DiscordApp, token: str) -> None:
    """Revoke the token; when Discord does not answer it ends by itself, and we have forgotten it."""
    try:
        session.post(
            f"{app.api_url}/oauth2/token/revoke",
            data={"token": token, "token_type_hint": "access_token"},
            auth=(app.client_id, app.client_secret),
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.RequestException:
        return
