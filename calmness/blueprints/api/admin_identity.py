"""Legal identity of the school and the texts of its invoices: versions, logo, specimens."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length
from flask import Response
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.admin.identity import specimen_response
from calmness.blueprints.api import bp
from calmness.blueprints.api.base64_files import File, decoded
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.inputs import Written
from calmness.blueprints.api.once import once
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.jobs.invoice_specimen import specimen, specimen_of
from calmness.models.billing import InvoiceTemplate
from calmness.permissions import Permission
from calmness.services.billing import identity


class SchoolIdentityIn(ClosedSchema):
    """The identity whole. Without ``logo`` the one in force stays; ``without_logo`` prints the name in its place."""

    company_name = Written(200, required=True)
    legal_form = Written(100, required=True)
    capital = String(load_default="", validate=Length(max=60))
    address = Written(200, required=True)
    postcode = Written(16, required=True)
    city = Written(100, required=True)
    siret = Written(40, required=True)
    rcs = String(load_default="", validate=Length(max=100))
    vat_number = String(load_default="", validate=Length(max=20))
    training_number = String(load_default="", validate=Length(max=40))
    email = Written(320, required=True)
    iban = Written(60, required=True)
    bic = Written(40, required=True)
    footer = String(load_default="", validate=Length(max=200))
    note = String(load_default="", validate=Length(max=600))
    logo = File(load_default=None, allow_none=True)
    without_logo = Boolean(load_default=False)


class SchoolIdentityOut(Schema):
    """A version of the identity. Old ones stay as they are: invoices refer to them."""

    version = Integer(required=True)
    active = Boolean(required=True)
    company_name = String(required=True)
    legal_form = String(required=True)
    capital = String(required=True)
    address = String(required=True)
    postcode = String(required=True)
    city = String(required=True)
    siren = String(required=True)
    siret = String(required=True)
    rcs = String(required=True)
    vat_number = String(required=True)
    training_number = String(required=True)
    email = String(required=True)
    iban = String(required=True)
    bic = String(required=True)
    footer = String(required=True)
    note = String(required=True)
    has_logo = Boolean(required=True)
    created_at = Instant(required=True)
    created_by_id = Integer(required=True, allow_none=True)


class SchoolIdentitiesOut(Schema):
    """All versions, newest first; the active one counts."""

    items = List(Nested(SchoolIdentityOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/admin/identity/versions")
@bp.output(SchoolIdentitiesOut)
@requires(Permission.MANAGE_IDENTITY)
def api_identities() -> ResponseReturnValue:
    """The identity in force and all before it."""
    return {"items": [_identity(row) for row in identity.versions()], "next": None}


@bp.post("/admin/identity/versions")
@once
@bp.input(SchoolIdentityIn, arg_name="given")
@bp.output(SchoolIdentityOut, status_code=201)
@requires(Permission.MANAGE_IDENTITY)
def api_save_identity(given: dict[str, Any]) -> ResponseReturnValue:
    """Save a new version and put it in force; issued invoices keep theirs."""
    logo, without = _logo(given)
    return _identity(identity.save(given, logo=logo, without_logo=without, by=current_account()))


@bp.get("/admin/identity/versions/<int:version>")
@bp.output(SchoolIdentityOut)
@requires(Permission.MANAGE_IDENTITY)
def api_identity(version: int) -> ResponseReturnValue:
    """One version."""
    return _identity(identity.version(version))


@bp.get("/admin/identity/versions/<int:version>/logo")
@bp.doc(responses={204: "No logo."})
@requires(Permission.MANAGE_IDENTITY)
def api_identity_logo(version: int) -> ResponseReturnValue:
    """The logo of a version, as it is printed."""
    logo = identity.version(version).logo
    return Response(logo, mimetype="image/png") if logo else ("", 204)


@bp.get("/admin/identity/versions/<int:version>/specimen")
@requires(Permission.MANAGE_IDENTITY)
def api_identity_specimen(version: int) -> ResponseReturnValue:
    """A specimen invoice under a version, old ones too."""
    return specimen_response(specimen_of(identity.version(version)))


@bp.post("/admin/identity/specimen")
@bp.input(SchoolIdentityIn, arg_name="given")
@requires(Permission.MANAGE_IDENTITY)
def api_preview_identity(given: dict[str, Any]) -> ResponseReturnValue:
    """A specimen invoice with what is given; nothing is saved."""
    logo, without = _logo(given)
    return specimen_response(specimen(given, identity.logo_of(logo, without=without)))


def _logo(given: dict[str, Any]) -> tuple[bytes | None, bool]:
    """Take the picture out of the texts."""
    text, without = given.pop("logo"), given.pop("without_logo")
    return decoded(text, "logo") if text is not None else None, without


def _identity(row: InvoiceTemplate) -> dict[str, Any]:
    same = (*identity.TEXTS, "version", "siren", "created_by_id")
    return {name: getattr(row, name) for name in same} | {
        "active": row.is_active,
        "has_logo": row.logo is not None,
        "created_at": instant(row.created_at),
    }
