"""Legal identity of the school: every change is a new version, so that an old invoice stays the same document."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from stdnum import bic, iban
from stdnum.exceptions import ValidationError
from stdnum.fr import siret

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import InvoiceTemplate
from calmness.services import audit


class MalformedIdentity(DomainError):
    """A number that does not check."""

    slug = "malformed-identity"


def current() -> InvoiceTemplate | None:
    """The version in force."""
    return db.session.scalar(select(InvoiceTemplate).where(InvoiceTemplate.is_active.is_(True)))


def versions() -> list[InvoiceTemplate]:
    """All versions, newest first."""
    return list(db.session.scalars(select(InvoiceTemplate).order_by(InvoiceTemplate.version.desc())))


def save(values: dict[str, str], *, by: User | None) -> InvoiceTemplate:
    """Make a new version and put it in force. Raises ``MalformedIdentity`` at the field that is wrong."""
    checks = {
        "siret": (siret.validate, _l("Ce SIRET n’existe pas : quatorze chiffres.")),
        "iban": (iban.validate, _l("Cet IBAN n’est pas valable.")),
        "bic": (bic.validate, _l("Ce BIC n’est pas valable.")),
    }
    clean = dict(values)
    for name, (check, message) in checks.items():
        try:
            clean[name] = check(values[name])
        except ValidationError as error:
            raise MalformedIdentity(message, field=name) from error
    last = db.session.scalar(select(func.max(InvoiceTemplate.version))) or 0
    db.session.execute(update(InvoiceTemplate).where(InvoiceTemplate.is_active.is_(True)).values(is_active=False))
    template = InvoiceTemplate(
        **clean,
        siren=clean["siret"][:9],
        version=last + 1,
        is_active=True,
        created_at=clock.now(),
        created_by_id=by.id if by else None,
    )
    db.session.add(template)
    db.session.flush()
    audit.record("identity.changed", "invoice_template", template.id, actor=by, changes=tuple(clean))
    return template
