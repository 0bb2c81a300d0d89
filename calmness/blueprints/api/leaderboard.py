"""The leaderboard: seen by students, joined under another name, left at once."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Exact, Instant
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, instant
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import leaderboards


class RankOut(Schema):
    """A place. ``own``: the caller's."""

    rank = Integer(required=True)
    pseudonym = String(required=True)
    score = Exact(required=True)
    days = Integer(required=True)
    trades = Integer(required=True)
    own = Boolean(required=True)


class OwnEntryOut(Schema):
    """The own entry; without a score until the history is long enough."""

    pseudonym = String(required=True)
    score = Exact(required=True, allow_none=True)
    joined_at = Instant(required=True)


class RecordOfPersonOut(Schema):
    """What the own real accounts did in the last year, whether one takes part or not."""

    days = Integer(required=True)
    trades = Integer(required=True)
    span_days = Integer(required=True)
    score = Exact(required=True, allow_none=True)


class MinimumOut(Schema):
    """What it takes to be ranked."""

    days = Integer(required=True)
    trades = Integer(required=True)
    span_days = Integer(required=True)


class LeaderboardOut(Schema):
    """The steadiest first, a hundred at most; never an amount."""

    items = List(Nested(RankOut), required=True)
    own = Nested(OwnEntryOut, required=True, allow_none=True)
    record = Nested(RecordOfPersonOut, required=True)
    minimum = Nested(MinimumOut, required=True)


class EntryIn(ClosedSchema):
    """The name to be ranked under."""

    pseudonym = String(required=True, validate=Length(min=1, max=60))


@bp.get("/me/trading/leaderboard")
@requires_feature(Feature.HISTORY)
@bp.output(LeaderboardOut)
@requires(Permission.OWN_SPACE)
def api_leaderboard() -> ResponseReturnValue:
    """The ranking, the own entry, and what is still missing for one."""
    return _board()


@bp.put("/me/trading/leaderboard/entry")
@requires_feature(Feature.HISTORY)
@bp.input(EntryIn, arg_name="given")
@bp.output(LeaderboardOut)
@requires(Permission.OWN_SPACE)
def api_join_leaderboard(given: dict[str, Any]) -> ResponseReturnValue:
    """Take part under a pseudonym, or take another one; the proof of the yes is kept."""
    leaderboards.join(current_account().id, given["pseudonym"])
    db.session.commit()
    return _board()


@bp.delete("/me/trading/leaderboard/entry")
@requires_feature(Feature.HISTORY)
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_leave_leaderboard() -> ResponseReturnValue:
    """Be gone at once."""
    leaderboards.leave(current_account().id)
    db.session.commit()
    return "", 204


def _board() -> dict[str, Any]:
    user_id = current_account().id
    entry, record = leaderboards.of_user(user_id), leaderboards.record_of(user_id)
    return {
        "items": [
            {
                "rank": rank,
                "pseudonym": row.pseudonym,
                "score": decimal(row.score),
                "days": row.days,
                "trades": row.trades,
                "own": row.user_id == user_id,
            }
            for rank, row in enumerate(leaderboards.ranking(), 1)
        ],
        "own": entry
        and {"pseudonym": entry.pseudonym, "score": decimal(entry.score), "joined_at": instant(entry.joined_at)},
        "record": {
            "days": record.days,
            "trades": record.trades,
            "span_days": record.span_days,
            "score": decimal(record.score),
        },
        "minimum": {
            "days": leaderboards.MIN_DAYS,
            "trades": leaderboards.MIN_TRADES,
            "span_days": leaderboards.MIN_SPAN.days,
        },
    }
