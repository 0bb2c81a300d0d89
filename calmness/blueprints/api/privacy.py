"""What the house holds of the caller: a copy of it, consents and demographic answers, its end."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires, requires_fresh
from calmness.blueprints.account.privacy import export_response
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db, limiter
from calmness.models.account import AgeBracket, Gender
from calmness.models.privacy import DataExport
from calmness.permissions import Permission
from calmness.services.account import profiles
from calmness.services.privacy import consents, data_exports, erasure


class ExportOut(Schema):
    """A copy: `asked`, then `ready` for a week, then `expired`."""

    id = Integer(required=True)
    state = String(required=True)
    asked_at = String(required=True)
    ready_at = String(required=True, allow_none=True)
    expires_at = String(required=True, allow_none=True)
    size_bytes = Integer(required=True, allow_none=True)


class ExportsOut(Schema):
    """The newest copies; there is one a day at most."""

    items = List(Nested(ExportOut), required=True)


class ConsentProofOut(Schema):
    """One yes or no: when, to which words, where."""

    given = Boolean(required=True)
    at = Instant(required=True)
    version = String(required=True)
    source = String(required=True)


class ConsentOut(Schema):
    """A purpose, whether the newest answer is yes, whether it can be taken back here, and the proof, newest first."""

    key = String(required=True)
    label = String(required=True)
    given = Boolean(required=True)
    revocable = Boolean(required=True)
    proof = List(Nested(ConsentProofOut), required=True)


class ConsentsOut(Schema):
    """Every purpose of this site, and every other that was answered."""

    items = List(Nested(ConsentOut), required=True)


class WithdrawalIn(ClosedSchema):
    """The purpose whose consent is taken back."""

    key = String(required=True, validate=OneOf(list(consents.PURPOSES)))


class DemographicsIn(ClosedSchema):
    """Both answers are free; without consent there is none."""

    gender = String(load_default=None, allow_none=True, validate=OneOf([value.value for value in Gender]))
    age_bracket = String(load_default=None, allow_none=True, validate=OneOf([value.value for value in AgeBracket]))
    consent = Boolean(required=True, validate=OneOf([True]))


class DemographicsOut(Schema):
    """The answers; null where nothing was said."""

    gender = String(required=True, allow_none=True)
    age_bracket = String(required=True, allow_none=True)


class DeletionIn(ClosedSchema):
    """The person knows that it is for ever."""

    understood = Boolean(required=True, validate=OneOf([True]))


class DeletionOut(Schema):
    """When the account goes; logging in before cancels it."""

    due_at = Instant(required=True)


@bp.post("/me/export")
@once
@bp.output(ExportOut, status_code=202)
@requires_fresh
@requires(Permission.OWN_SPACE)
def api_ask_export() -> ResponseReturnValue:
    """Have a copy of everything made, once a day; needs a recent proof of identity."""
    return _export(data_exports.ask(current_account()))


@bp.get("/me/export")
@bp.output(ExportsOut)
@requires(Permission.OWN_SPACE)
def api_exports() -> ResponseReturnValue:
    """Own copies, newest first."""
    return {"items": [_export(row) for row in data_exports.of_user(current_account().id)]}


@bp.get("/me/export/<int:export_id>/file")
@requires_fresh
@requires(Permission.OWN_SPACE)
def api_export_file(export_id: int) -> ResponseReturnValue:
    """The archive of an own copy that is ready; needs a recent proof of identity."""
    return export_response(data_exports.own_file(current_account(), export_id))


@bp.get("/me/consents")
@bp.output(ConsentsOut)
@requires(Permission.OWN_SPACE)
def api_consents() -> ResponseReturnValue:
    """What the caller agreed to, with the proof."""
    return _consents()


@bp.post("/me/consents/withdrawals")
@bp.input(WithdrawalIn, arg_name="given")
@bp.output(ConsentsOut)
@requires(Permission.OWN_SPACE)
def api_withdraw_consent(given: dict[str, Any]) -> ResponseReturnValue:
    """Take a consent back: what it allowed ends at once."""
    consents.withdraw(current_account(), given["key"])
    db.session.commit()
    return _consents()


@bp.get("/me/demographics")
@bp.output(DemographicsOut)
@requires(Permission.OWN_SPACE)
def api_demographics() -> ResponseReturnValue:
    """The own answers."""
    return _demographics()


@bp.put("/me/demographics")
@bp.input(DemographicsIn, arg_name="given")
@bp.output(DemographicsOut)
@requires(Permission.OWN_SPACE)
def api_set_demographics(given: dict[str, Any]) -> ResponseReturnValue:
    """Answer with consent; `POST /me/consents/withdrawals` takes them back."""
    profiles.set_demographics(current_account(), given["gender"], given["age_bracket"], source="api")
    db.session.commit()
    return _demographics()


@bp.post("/me/deletion")
@bp.input(DeletionIn, arg_name="_given")
@bp.output(DeletionOut, status_code=202)
@limiter.limit("10 per hour")
@requires_fresh
@requires(Permission.OWN_SPACE)
def api_ask_deletion(_given: dict[str, Any]) -> ResponseReturnValue:
    """Begin the thirty days: every session and token of the caller ends now; needs a recent proof of identity."""
    wish = erasure.ask(current_account())
    db.session.commit()
    return {"due_at": instant(wish.due_at)}, 202


def _consents() -> dict[str, Any]:
    return {"items": [_consent(state) for state in consents.states_of(current_account().id)]}


def _consent(state: consents.State) -> dict[str, Any]:
    return {
        "key": state.key,
        "label": state.purpose.label,
        "given": state.given,
        "revocable": state.revocable,
        "proof": [
            {"given": row.given, "at": instant(row.at), "version": row.text_version, "source": row.source}
            for row in state.rows
        ],
    }


def _demographics() -> dict[str, Any]:
    user = current_account()
    return {
        "gender": user.gender.value if user.gender else None,
        "age_bracket": user.age_bracket.value if user.age_bracket else None,
    }


def _export(row: DataExport) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state.value,
        "asked_at": instant(row.asked_at),
        "ready_at": instant(row.ready_at),
        "expires_at": instant(row.expires_at),
        "size_bytes": row.size_bytes,
    }
