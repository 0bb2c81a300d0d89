"""The one way channel clients talk to a provider: short time-outs, answers sorted by what they mean for the row."""

import logging
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from calmness.channels import Outcome, OutcomeKind

# At DEBUG it writes each path, and Telegram's path holds the bot's token.
logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)

TIMEOUT = (3.05, 10.0)
"""Seconds to connect and to answer."""
TOKEN_PAUSE = 300.0


def post(
    session: requests.Session, url: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> requests.Response | Outcome:
    """Post JSON. Gives the answer, or the outcome when there is none.

    A refused connection sent nothing; a broken or silent one may have: the row's policy decides.
    """
    try:
        return session.post(url, json=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
    except requests.ConnectTimeout:
        return Outcome(OutcomeKind.RETRY, code="connect-timeout")
    except requests.Timeout:
        return Outcome(OutcomeKind.UNKNOWN, code="timeout")
    except requests.exceptions.SSLError:
        return Outcome(OutcomeKind.RETRY, code="tls")
    except requests.ConnectionError as error:
        cause = getattr(error.args[0], "reason", None) if error.args else None
        refused = isinstance(cause, NewConnectionError)
        return Outcome(OutcomeKind.RETRY if refused else OutcomeKind.UNKNOWN, code="connection")
    except requests.RequestException as error:
        # Its text holds the address, and so the token: the name of the class is enough.
        return Outcome(OutcomeKind.UNKNOWN, code=type(error).__name__)


def json_of(response: requests.Response) -> dict[str, Any]:
    """Body as an object; empty when it is not JSON."""
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def too_many(response: requests.Response, retry_after: object) -> Outcome:
    """Outcome of a 429, with the pause that the provider asks for."""
    try:
        pause = float(str(retry_after or response.headers.get("Retry-After") or 5))
    except ValueError:
        pause = 5.0
    return Outcome(OutcomeKind.RETRY, retry_after=pause, code="429")


def failed(response: requests.Response, code: object = None) -> Outcome:
    """Outcome of any other refusal: a provider's own trouble passes, a wrong message does not.

    A wrong token is the school's trouble, not the message's: it waits until somebody has set the right one.
    """
    if response.status_code == 401:
        return Outcome(OutcomeKind.RETRY, retry_after=TOKEN_PAUSE, code="401")
    kind = OutcomeKind.RETRY if response.status_code >= 500 else OutcomeKind.PERMANENT
    return Outcome(kind, code=str(code or response.status_code))
