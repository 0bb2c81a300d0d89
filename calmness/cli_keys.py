"""Operators' commands for the keys that sign tokens and seal secrets."""

import secrets
from datetime import date, datetime, timedelta

import click
from flask import current_app

from calmness import clock
from calmness.extensions import db
from calmness.services import sealing
from calmness.services.account import second_factor
from config import JwtKey


@click.group()
def keys() -> None:
    """Keys that sign the API's tokens and seal what the database keeps encrypted."""


@keys.command("rotate")
def rotate_command() -> None:
    """Print the next JWT_KEYS: a new first key signs, those that no living token needs are dropped.

    The process that prints is not the one that serves: put the line into its environment, then restart it.
    """
    lifetime: timedelta = current_app.config["JWT_REFRESH_TOKEN_EXPIRES"]
    following = rotated(current_app.config["JWT_KEYS"], clock.now().date(), lifetime)
    click.echo("JWT_KEYS=" + ",".join(f"{key.kid}:{key.secret}" for key in following))


@keys.command("reseal")
def reseal_command() -> None:
    """Seal what is kept encrypted with the first of DATA_KEYS; older ones may then be dropped.

    Recovery codes hang on the key of their day: a person whose key is dropped makes new ones.
    """
    try:
        changed = second_factor.reseal_all()
    except sealing.Unreadable as error:
        raise click.ClickException("A secret opens with none of DATA_KEYS: put the dropped key back.") from error
    db.session.commit()
    click.echo(f"{changed} secrets sealed anew")


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
