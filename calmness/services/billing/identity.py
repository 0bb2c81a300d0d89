"""Legal identity of the school: every change is a new version, so that an old invoice stays the same document."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from stdnum import bic, iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siret

from calmness import clock
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import InvoiceTemplate
from calmness.pdf.logo import Fault, LogoRefused, logo_png
from calmness.services import audit


class MalformedIdentity(DomainError):
    """A number that does not check."""

    slug = "malformed-identity"


TEXTS = (
    "company_name",
    "legal_form",
    "capital",
    "address",
    "postcode",
    "city",
    "siret",
    "rcs",
    "vat_number",
    "training_number",
    "email",
    "iban",
    "bic",
    "footer",
    "note",
)
"""What an admin writes of an identity."""
LOGO_FAULTS = {
    Fault.EMPTY: _l("Ce fichier est vide."),
    Fault.TOO_HEAVY: _l("Ce fichier dépasse 2 Mo\u00a0: exportez le logo en plus petit (900 × 240 pixels suffisent)."),
    Fault.NOT_A_PICTURE: _l("Ce fichier n’est pas une image PNG, JPEG ou WebP."),
    Fault.TOO_LARGE: _l("Cette image dépasse 25 millions de pixels\u00a0: 900 × 240 suffisent."),
    Fault.BROKEN: _l("Cette image est abîmée\u00a0: exportez-la de nouveau."),
}


def current() -> InvoiceTemplate | None:
    """The version in force."""
    return db.session.scalar(select(InvoiceTemplate).where(InvoiceTemplate.is_active.is_(True)))


def versions() -> list[InvoiceTemplate]:
    """All versions, newest first."""
    return list(db.session.scalars(select(InvoiceTemplate).order_by(InvoiceTemplate.version.desc())))


def version(number: int) -> InvoiceTemplate:
    """A version by its number. Raises ``NotFound``."""
    template = db.session.scalar(select(InvoiceTemplate).where(InvoiceTemplate.version == number))
    if template is None:
        raise NotFound
    return template


def logo_of(given: bytes | None, *, without: bool = False) -> bytes | None:
    """The logo to print: none when one goes without, made of the file given, or the one in force.

    Raises ``MalformedIdentity`` at the field of the logo.
    """
    if without:
        return None
    if given is None:
        template = current()
        return template.logo if template else None
    try:
        return logo_png(given)
    except LogoRefused as error:
        raise MalformedIdentity(LOGO_FAULTS[error.fault], field="logo") from error


def save(
    values: dict[str, str], *, by: User | None, logo: bytes | None = None, without_logo: bool = False
) -> InvoiceTemplate:
    """Make a new version and put it in force; the logo as ``logo_of`` takes it.

    Raises ``MalformedIdentity`` at the field that is wrong.
    """
    checks = {
        "siret": (siret.validate, _l("Ce SIRET n’existe pas\u00a0: quatorze chiffres.")),
        "iban": (iban.validate, _l("Cet IBAN n’est pas valable.")),
        "bic": (bic.validate, _l("Ce BIC n’est pas valable.")),
    }
    clean = {name: value.strip() for name, value in values.items()}
    if clean.get("vat_number"):
        checks["vat_number"] = (vat.validate, _l("Ce numéro de TVA n’existe pas\u00a0: par exemple FR44 732 829 320."))
    for name, (check, message) in checks.items():
        try:
            clean[name] = check(clean[name])
        except ValidationError as error:
            raise MalformedIdentity(message, field=name) from error
    picture = logo_of(logo, without=without_logo)
    last = db.session.scalar(select(func.max(InvoiceTemplate.version))) or 0
    db.session.execute(update(InvoiceTemplate).where(InvoiceTemplate.is_active.is_(True)).values(is_active=False))
    template = InvoiceTemplate(
        **clean,
        siren=clean["siret"][:9],
        logo=picture,
        version=last + 1,
        is_active=True,
        created_at=clock.now(),
        created_by_id=by.id if by else None,
    )
    db.session.add(template)
    db.session.flush()
    audit.record("identity.changed", "invoice_template", template.id, actor=by, changes=tuple(clean))
    return template
