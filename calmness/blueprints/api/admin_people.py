"""The staff's view: accounts and the journal."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Regexp
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Day, Instant
from calmness.blueprints.api.pages import Place, PlaceIn
from calmness.blueprints.api.serialisers import instant
from calmness.models.account import Role, User
from calmness.models.audit import AuditEntry
from calmness.permissions import Permission
from calmness.services import journal
from calmness.services.account import accounts


class UsersIn(PlaceIn):
    """Which accounts."""

    q = String(validate=Length(max=100))
    role = String(validate=OneOf([role.value for role in Role]))


class UserOut(Schema):
    """An account as the staff sees it."""

    id = Integer(required=True)
    email = String(required=True)
    first_name = String(required=True)
    last_name = String(required=True)
    role = String(required=True)
    email_verified = Boolean(required=True)
    disabled = Boolean(required=True)
    created_at = Instant(required=True)
    last_seen_at = Instant(required=True, allow_none=True)


class UsersOut(Schema):
    """Accounts, newest first."""

    items = List(Nested(UserOut), required=True)
    next = String(required=True, allow_none=True)


class JournalIn(PlaceIn):
    """Which entries. ``q``: a word of the action, of the object's kind or of the actor's name, or an object's number.

    ``area`` is the first part of the action's name; days are those of Paris, both included.
    """

    q = String(validate=Length(max=100))
    area = String(validate=[Length(max=40), Regexp(r"^[a-z_]*$")])
    from_ = Day(data_key="from")
    to = Day()


class EntryOut(Schema):
    """An entry of the journal; ``hash`` chains it to the one before."""

    seq = Integer(required=True)
    at = Instant(required=True)
    actor_id = Integer(required=True, allow_none=True)
    actor_role = String(required=True)
    action = String(required=True)
    object_type = String(required=True)
    object_id = String(required=True)
    changes = List(String(), required=True)
    request_id = String(required=True, allow_none=True)
    ip_truncated = String(required=True, allow_none=True)
    hash = String(required=True)


class EntriesOut(Schema):
    """Entries, newest first."""

    items = List(Nested(EntryOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/admin/users")
@bp.input(UsersIn, location="query", arg_name="page")
@bp.output(UsersOut)
@requires(Permission.MANAGE_USERS)
def api_users(page: dict[str, Any]) -> ResponseReturnValue:
    """Accounts by name, address and role."""
    place = Place.at(page, "users")
    role = Role(page["role"]) if "role" in page else None
    rows, total = accounts.search(page.get("q", "").strip(), role, limit=place.limit, offset=place.offset)
    return {"items": [user_json(row) for row in rows], "next": place.next(total)}


@bp.get("/admin/users/<int:user_id>")
@bp.output(UserOut)
@requires(Permission.MANAGE_USERS)
def api_user(user_id: int) -> ResponseReturnValue:
    """One account."""
    return user_json(accounts.get(user_id))


@bp.get("/admin/audit")
@bp.input(JournalIn, location="query", arg_name="page")
@bp.output(EntriesOut)
@requires(Permission.SEE_AUDIT)
def api_audit(page: dict[str, Any]) -> ResponseReturnValue:
    """What staff did, and security events."""
    place = Place.at(page, "audit")
    wanted = journal.Wanted(page.get("q", "").strip(), page.get("area", ""), page.get("from_"), page.get("to"))
    rows, total = journal.listing(wanted, clock.PARIS, limit=place.limit, offset=place.offset)
    return {"items": [_entry(entry) for entry, _actor in rows], "next": place.next(total)}


def user_json(user: User) -> dict[str, Any]:
    """An account as ``UserOut`` has it."""
    return {
        "id": user.id,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "role": user.role.value,
        "email_verified": user.email_verified_at is not None,
        "disabled": user.disabled_at is not None,
        "created_at": instant(user.created_at),
        "last_seen_at": instant(user.last_seen_at),
    }


def _entry(entry: AuditEntry) -> dict[str, Any]:
    same = ("seq", "actor_id", "actor_role", "action", "object_type", "object_id", "request_id", "ip_truncated")
    return {name: getattr(entry, name) for name in same} | {
        "at": instant(entry.at),
        "changes": [str(name) for name in entry.changes],
        "hash": entry.hash.hex(),
    }
