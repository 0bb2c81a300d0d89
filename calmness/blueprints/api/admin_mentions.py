"""Mentions of the law on invoices by program: the wordings of each, and a new one from a day on."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, List, Nested, String
from apiflask.validators import Length
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Day
from calmness.blueprints.api.once import once
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.errors import NotFound
from calmness.models.mention import MentionKind
from calmness.permissions import Permission
from calmness.services.billing import mentions


class WordingIn(ClosedSchema):
    """A wording: empty prints nothing, which only the option for debits may."""

    text = String(required=True, validate=Length(max=mentions.LONGEST))
    valid_from = Day(required=True)
    accepted_until = Day(load_default=None, allow_none=True)


class WordingOut(Schema):
    """A wording and its days. Without ``valid_from`` it holds since ever; one of ``house`` came with the product."""

    text = String(required=True)
    valid_from = Date(required=True, allow_none=True)
    accepted_until = Date(required=True, allow_none=True)
    house = Boolean(required=True)
    in_force = Boolean(required=True)


class MentionOut(Schema):
    """A mention; ``ending`` says that the law will soon take its wording no more and nobody prepared the next."""

    kind = String(required=True)
    ending = Boolean(required=True)
    wordings = List(Nested(WordingOut), required=True)


class MentionsOut(Schema):
    """All mentions."""

    items = List(Nested(MentionOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/admin/identity/mentions")
@bp.output(MentionsOut)
@requires(Permission.MANAGE_IDENTITY)
def api_mentions() -> ResponseReturnValue:
    """What invoices say by law, from which day on."""
    return {"items": [_mention(kind) for kind in MentionKind], "next": None}


@bp.post("/admin/identity/mentions/<kind>")
@once
@bp.input(WordingIn, arg_name="given")
@bp.output(MentionOut, status_code=201)
@requires(Permission.MANAGE_IDENTITY)
def api_word_mention(kind: str, given: dict[str, Any]) -> ResponseReturnValue:
    """Let a wording hold from a day on; issued invoices keep theirs."""
    if kind not in set(MentionKind):
        raise NotFound
    try:
        mentions.add(
            MentionKind(kind),
            given["text"],
            valid_from=given["valid_from"],
            accepted_until=given["accepted_until"],
            by=current_account(),
        )
    except mentions.WordingRefused as error:
        error.field = "text" if error.field == "wording" else error.field
        raise
    return _mention(MentionKind(kind))


def _mention(kind: MentionKind) -> dict[str, Any]:
    today = clock.paris_today()
    current = mentions.in_force(kind, today)
    return {
        "kind": kind.value,
        "ending": any(each.wording.kind is kind for each in mentions.ending(today)),
        "wordings": [
            {
                "text": each.text,
                "valid_from": each.valid_from if each.valid_from != mentions.ALWAYS else None,
                "accepted_until": each.accepted_until,
                "house": not each.version,
                "in_force": each == current,
            }
            for each in mentions.of_kind(kind)
        ],
    }
