"""Own MetaTrader accounts and their terminals: is the EA heard, its clock, its keys; name, archive, deletion."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Regexp
from flask import Response, current_app
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.blueprints.api.trading import AccountOut, account_of
from calmness.blueprints.trading.words import rejection_in_words
from calmness.extensions import db
from calmness.models.trading import Platform, TradingAccount
from calmness.permissions import Permission
from calmness.services.trading import (
    broker_clocks,
    connections,
    ea_kit,
    sync,
    trading_accounts,
)

NAME = [Length(min=1, max=80), Regexp(r"[\s\S]*\S")]


class NumbersOut(Schema):
    """Rows by what became of them: what was received is the sum of the others."""

    received = Integer(required=True)
    closed = Integer(required=True)
    open = Integer(required=True)
    skipped = Integer(required=True)
    failed = Integer(required=True)


class GapOut(Schema):
    """A time without contact."""

    start = Instant(required=True)
    end = Instant(required=True)


class RefusalOut(Schema):
    """A trade of the terminal that was not taken, and why."""

    ticket = String(required=True)
    reason = String(required=True)
    text = String(required=True)


class KeyInUseOut(Schema):
    """A key that still works: its open half."""

    public_id = String(required=True)
    created_at = Instant(required=True)
    expires_at = Instant(required=True, allow_none=True)
    last_used_at = Instant(required=True, allow_none=True)


class TerminalOut(AccountOut):
    """An account with the state of its EA: ``contact`` is `awaited`, `connected`, `silent` or `archived`.
    ``broker_clock``: what the caller said of the server's clock; ``broker_clock_in_use``: what is reckoned with.
    """

    contact = String(required=True)
    archived_at = Instant(required=True, allow_none=True)
    numbers = Nested(NumbersOut, required=True)
    gaps = List(Nested(GapOut), required=True)
    refusals = List(Nested(RefusalOut), required=True)
    keys = List(Nested(KeyInUseOut), required=True)
    broker_clock = String(required=True, allow_none=True)
    broker_clock_in_use = String(required=True)
    history_start = Instant(required=True, allow_none=True)
    history_cut = Boolean(required=True)
    ea_version = String(required=True, allow_none=True)
    ea_latest_version = String(required=True)
    ea_outdated = Boolean(required=True)


class RenameIn(ClosedSchema):
    """How to call it."""

    name = String(required=True, validate=NAME)


class TerminalClockIn(ClosedSchema):
    """How the server tells time; null leaves it to what the EA measures."""

    broker_clock = String(required=True, allow_none=True, validate=OneOf(list(broker_clocks.CHOICES)))


class ArchiveIn(ClosedSchema):
    """Whether the account is put away."""

    archived = Boolean(required=True)


class RemovalIn(ClosedSchema):
    """The account's name as it is shown: who deletes knows what."""

    name = String(load_default="", validate=Length(max=80))


class KitIn(ClosedSchema):
    """For which terminal."""

    platform = String(required=True, validate=OneOf([platform.value for platform in Platform]))


class ArchivedOut(Schema):
    """Accounts that are put away."""

    items = List(Nested(AccountOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/me/trading/accounts/archived")
@bp.output(ArchivedOut)
@requires(Permission.OWN_SPACE)
def api_archived_accounts() -> ResponseReturnValue:
    """Own accounts that are put away."""
    rows = trading_accounts.archived_of(current_account().id)
    return {"items": [account_of(row) for row in rows], "next": None}


@bp.get("/me/trading/accounts/<int:account_id>")
@bp.output(TerminalOut)
@requires(Permission.OWN_SPACE)
def api_trading_account(account_id: int) -> ResponseReturnValue:
    """One own account, and whether its EA is heard."""
    return _terminal(_own(account_id))


@bp.patch("/me/trading/accounts/<int:account_id>")
@bp.input(RenameIn, arg_name="given")
@bp.output(TerminalOut)
@requires(Permission.OWN_SPACE)
def api_rename_trading_account(account_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Call an own account otherwise."""
    found = _own(account_id)
    trading_accounts.rename(found, given["name"])
    db.session.commit()
    return _terminal(found)


@bp.put("/me/trading/accounts/<int:account_id>/broker-clock")
@bp.input(TerminalClockIn, arg_name="given")
@bp.output(TerminalOut)
@requires(Permission.OWN_SPACE)
def api_set_broker_clock(account_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Say how the broker's server tells time; the times of all trades are converted again."""
    found = _own(account_id)
    broker_clocks.correct(found, given["broker_clock"] or "")
    db.session.commit()
    return _terminal(found)


@bp.delete("/me/trading/accounts/<int:account_id>/keys")
@bp.output(TerminalOut)
@requires(Permission.OWN_SPACE)
def api_revoke_trading_keys(account_id: int) -> ResponseReturnValue:
    """End all keys of an own account at once."""
    found = _own(account_id)
    trading_accounts.revoke_keys(found)
    db.session.commit()
    return _terminal(found)


@bp.put("/me/trading/accounts/<int:account_id>/archive")
@bp.input(ArchiveIn, arg_name="given")
@bp.output(TerminalOut)
@requires(Permission.OWN_SPACE)
def api_archive_trading_account(account_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Put an own account away: its trades stay and count no longer, its keys end. Or bring it back, without a key."""
    found = _own(account_id)
    if given["archived"] is not (found.archived_at is not None):
        (trading_accounts.archive if given["archived"] else trading_accounts.restore)(found)
    db.session.commit()
    return _terminal(found)


@bp.delete("/me/trading/accounts/<int:account_id>")
@bp.input(RemovalIn, location="query", arg_name="given")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_remove_trading_account(account_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Delete an own account with its trades, notes, pictures and statements; its name must come along."""
    found = _own(account_id)
    trading_accounts.remove(found, given["name"])
    db.session.commit()
    return "", 204


@bp.get("/me/trading/ea-kit")
@bp.input(KitIn, location="query", arg_name="wanted")
@requires(Permission.OWN_SPACE)
def api_ea_kit(wanted: dict[str, Any]) -> ResponseReturnValue:
    """A ZIP with the EA's source, the folders of the terminal and a short guide."""
    content = ea_kit.archive(Platform(wanted["platform"]), current_app.config["BASE_URL"])
    return Response(content, mimetype="application/zip")


def _own(account_id: int) -> TradingAccount:
    return trading_accounts.own(current_account().id, account_id)


def _terminal(found: TradingAccount) -> dict[str, Any]:
    numbers = connections.numbers(found)
    return account_of(found) | {
        "contact": connections.contact(found).value,
        "archived_at": instant(found.archived_at),
        "numbers": {name: getattr(numbers, name) for name in ("received", "closed", "open", "skipped", "failed")},
        "gaps": [{"start": instant(gap.start), "end": instant(gap.end)} for gap in connections.gaps(found)],
        "refusals": [
            {"ticket": str(ticket), "reason": reason, "text": rejection_in_words(reason)}
            for ticket, reason in found.refusals.items()
        ],
        "keys": [
            {
                "public_id": key.public_id,
                "created_at": instant(key.created_at),
                "expires_at": instant(key.expires_at),
                "last_used_at": instant(key.last_used_at),
            }
            for key in trading_accounts.keys_of(found.id)
        ],
        "broker_clock": found.broker_clock or None,
        "broker_clock_in_use": broker_clocks.choice_of(broker_clocks.of_account(found)),
        "history_start": instant(connections.history_start(found)),
        "history_cut": connections.is_history_cut(found),
        "ea_version": found.ea_version or None,
        "ea_latest_version": sync.LATEST_VERSION,
        "ea_outdated": connections.is_outdated(found),
    }
