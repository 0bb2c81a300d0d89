"""Mentions of the law on invoices: what is printed from which day on, the next wording, how it will look."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from apiflask.validators import Length
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.admin.identity import specimen_response
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Day, Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.errors import NotFound
from calmness.jobs.invoice_specimen import with_wording
from calmness.models.mention import MentionKind
from calmness.permissions import Permission
from calmness.services.billing import invoicing, mentions


class MentionTextIn(ClosedSchema):
    """A wording to look at."""

    wording = String(required=True, validate=Length(max=mentions.LONGEST))


class WordingIn(MentionTextIn):
    """A wording and its days: printed from ``valid_from`` on, taken by the law until ``accepted_until``."""

    valid_from = Day(required=True)
    accepted_until = Day(load_default=None, allow_none=True)


class WordingOut(Schema):
    """A wording. ``valid_from`` is null for the house's own that was always there, ``version`` then 0."""

    version = Integer(required=True)
    wording = String(required=True)
    valid_from = Date(required=True, allow_none=True)
    accepted_until = Date(required=True, allow_none=True)
    at = Instant(required=True, allow_none=True)
    by = String(required=True)


class MentionOut(Schema):
    """A mention as it is printed today, and what comes next. ``ending``: the law soon takes it no more, and nobody has
    prepared the next one.
    """

    kind = String(required=True)
    current = Nested(WordingOut, required=True)
    following = Nested(WordingOut, required=True, allow_none=True)
    ending = Boolean(required=True)


class MentionsOut(Schema):
    """All mentions."""

    items = List(Nested(MentionOut), required=True)
    next = String(required=True, allow_none=True)


class WordingsOut(Schema):
    """The wordings of a mention, the one that holds last at the top."""

    items = List(Nested(WordingOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/admin/identity/mentions")
@bp.output(MentionsOut)
@requires(Permission.MANAGE_IDENTITY)
def api_mentions() -> ResponseReturnValue:
    """Each mention as it is printed today, what comes next, what ends."""
    today = clock.paris_today()
    ending = {found.wording.kind for found in mentions.ending(today)}
    items = []
    for kind in MentionKind:
        following = mentions.following(kind, today)
        items.append(
            {
                "kind": kind.value,
                "current": _wording(mentions.in_force(kind, today)),
                "following": _wording(following) if following else None,
                "ending": kind in ending,
            }
        )
    return {"items": items, "next": None}


@bp.get("/admin/identity/mentions/<mention>")
@bp.output(WordingsOut)
@requires(Permission.MANAGE_IDENTITY)
def api_wordings(mention: str) -> ResponseReturnValue:
    """The wordings of a mention."""
    return {"items": [_wording(row) for row in mentions.of_kind(_kind(mention))[::-1]], "next": None}


@bp.post("/admin/identity/mentions/<mention>")
@once
@bp.input(WordingIn, arg_name="given")
@bp.output(WordingOut, status_code=201)
@requires(Permission.MANAGE_IDENTITY)
def api_word_mention(mention: str, given: dict[str, Any]) -> ResponseReturnValue:
    """Let a wording hold from a day on; invoices already issued keep theirs."""
    text = given.pop("wording")
    return _wording(mentions.add(_kind(mention), text, **given, by=current_account()))


@bp.post("/admin/identity/mentions/<mention>/specimen")
@bp.input(MentionTextIn, arg_name="given")
@requires(Permission.MANAGE_IDENTITY)
def api_preview_mention(mention: str, given: dict[str, Any]) -> ResponseReturnValue:
    """A specimen invoice with a wording; nothing is saved."""
    text = mentions.tidy(given["wording"])
    return specimen_response(with_wording(invoicing.active_template(), _kind(mention), text))


def _kind(mention: str) -> MentionKind:
    if mention not in set(MentionKind):
        raise NotFound
    return MentionKind(mention)


def _wording(row: mentions.Wording) -> dict[str, Any]:
    return {
        "version": row.version,
        "wording": row.text,
        "valid_from": None if row.valid_from == mentions.ALWAYS else row.valid_from,
        "accepted_until": row.accepted_until,
        "at": instant(row.at),
        "by": row.by,
    }
