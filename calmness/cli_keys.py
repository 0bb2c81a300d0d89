"""Operators' commands for the keys that sign tokens."""

import secrets
from datetime import date, datetime, timedelta

import click
from flask import current_app

from calmness import clock
from config import JwtKey


@click.group()
def keys() -> None:
    """Keys that sign the API's tokens."""


@keys.command("rotate")
def rotate_command() -> None:
    """Print the next JWT_KEYS: a new first key signs, those that no living token needs are dropped.

    The process that prints is not the one that serves: put the line into its environment, then restart it.
    """
    lifetime: timedelta = current_app.config["JWT_REFRESH_TOKEN_EXPIRES"]
    following = rotated(current_app.config["JWT_KEYS"], clock.now().date(), lifetime)
    click.echo("JWT_KEYS=" + ",".join(f"{key.kid}:{key.secret}" for key in following))


def rotated(known: list[JwtKey], today: date, lifetime: timedelta) -> list[JwtKey]:
    """A new key, then those that may still have signed a living token.

    A key signs until its successor is made; the last token that it signed lives one ``lifetime`` longer. The day of
    making stands in the id (``k20261126-1a2b``); a key without a day is kept until its successor has been old enough.
    """
    fresh = JwtKey(f"k{today:%Y%m%d}-{secrets.token_hex(2)}", secrets.token_urlsafe(48))
    kept, successor_made_on = [], today
    for key in known:
        if today - successor_made_on > lifetime:
            break
        kept.append(key)
        successor_made_on = _made_on(key) or successor_made_on
    return [fresh, *kept]


def _made_on(key: JwtKey) -> date | None:
    try:
        return datetime.strptime(key.kid[:9], "k%Y%m%d").replace(tzinfo=None).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
