"""What a person says of oneself."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siren as siren_number

from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import AgeBracket, Gender, User
from calmness.models.billing import Payment, PaymentStatus
from calmness.services.account import names
from calmness.services.privacy import consents
from calmness.services.trading import trading_statistics


class WrongSiren(DomainError):
    """Nine digits with a check digit (INSEE)."""

    slug = "wrong-siren"
    field = "siren"
    message = _l("Ce SIREN n’est pas valable\u00a0: neuf chiffres, comme 552\u202f100\u202f554.")


class WrongVatNumber(DomainError):
    """The check of the country that gave the number."""

    slug = "wrong-vat-number"
    field = "vat_number"
    message = _l("Ce numéro de TVA n’est pas valable\u00a0: par exemple FR83\u202f404\u202f833\u202f048.")


class AddressInUse(DomainError):
    """An invoice to come names the address."""

    slug = "address-in-use"
    message = _l("Un achat est en cours\u00a0: son adresse figurera sur la facture, corrigez-la sans l’effacer.")


TIME_ZONES = tuple(
    sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix", "right")))
)
_NO_COUNTRY = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
COUNTRIES = tuple(
    sorted(
        code
        for code in Locale("en").territories.keys() & Locale("fr").territories.keys()
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY
    )
)
"""ISO 3166-1 codes, two letters; the CLDR also names unions and placeholders."""


@dataclass(frozen=True)
class Profile:
    """Fields that a person may change at any time; empty texts mean nothing said."""

    first_name: str
    last_name: str
    time_zone: str
    phone: str | None = None
    address: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str = "FR"
    company: str | None = None
    siren: str | None = None
    vat_number: str | None = None
    gender: str | None = None
    age_bracket: str | None = None
    demographics: bool = False


def update(user: User, profile: Profile) -> None:
    """Save. Demographic answers are kept only with consent, and erased when it is withdrawn.

    Raises ``NameMissing``, ``AddressInUse``, ``WrongSiren``, ``WrongVatNumber``.
    """
    change(user, {name: getattr(profile, name) for name in (*_NAMES, *_TEXTS, *_NUMBERS, *_CHOICES)})
    answers = (profile.gender, profile.age_bracket) if profile.demographics else (None, None)
    set_demographics(user, *answers, source="profile")


def set_demographics(user: User, gender: str | None, age_bracket: str | None, *, source: str) -> None:
    """Keep the answers that a person consented to, or none; the proof is written when there are some, or no more."""
    had = user.gender is not None or user.age_bracket is not None
    user.gender = Gender(gender) if gender else None
    user.age_bracket = AgeBracket(age_bracket) if age_bracket else None
    has = user.gender is not None or user.age_bracket is not None
    if had != has:
        consents.record(user, consents.DEMOGRAPHICS, given=has, source=source)
    db.session.flush()


def change(user: User, values: dict[str, Any]) -> None:
    """Change what is given, nothing when a rule refuses. Choices (country, zone, language) were checked by the caller.

    Raises ``NameMissing``, ``AddressInUse``, ``WrongSiren``, ``WrongVatNumber``.
    """
    ready: dict[str, str | None] = {name: values[name] for name in (*_CHOICES, "locale") if name in values}
    for name in _NAMES:
        if name in values:
            ready[name] = names.own_name(values[name], name)
            if not ready[name]:
                raise names.NameMissing(field=name)
    ready |= {name: _text(values[name]) for name in _TEXTS if name in values}
    _keep_address(user, ready)
    ready |= {name: check(values[name]) for name, check in _NUMBERS.items() if name in values}
    moved = "time_zone" in ready and ready["time_zone"] != user.time_zone
    for name, value in ready.items():
        setattr(user, name, value)
    db.session.flush()
    if moved:
        trading_statistics.move_days(user.id)


def _keep_address(user: User, ready: dict[str, str | None]) -> None:
    """An invoice names its buyer with a whole address: while something is bought, it is mended and not emptied."""
    emptied = [name for name in _ADDRESS if name in ready and not ready[name] and getattr(user, name)]
    if not emptied:
        return
    bought = select(Payment.id).where(
        Payment.user_id == user.id,
        Payment.terms_accepted_at.is_not(None),
        Payment.status.in_((PaymentStatus.DECLARED, PaymentStatus.TRANSACTION_SUBMITTED, PaymentStatus.REJECTED)),
    )
    if db.session.scalar(bought.limit(1)) is not None:
        raise AddressInUse(field=emptied[0])


def _text(value: str | None) -> str | None:
    return names.clean_text(value or "") or None


def checked_siren(value: str | None) -> str | None:
    """Nine digits, or nothing. Raises ``WrongSiren``."""
    if not _text(value):
        return None
    try:
        return str(siren_number.validate(value or ""))
    except ValidationError as error:
        raise WrongSiren from error


def checked_vat_number(value: str | None) -> str | None:
    """A number of a country of the Union, or nothing. Raises ``WrongVatNumber``."""
    if not _text(value):
        return None
    try:
        return str(vat.validate(value or ""))
    except ValidationError as error:
        raise WrongVatNumber from error


_NAMES = ("first_name", "last_name")
_ADDRESS = ("address", "postcode", "city")
_TEXTS = ("phone", "address", "postcode", "city", "company")
_NUMBERS = {"siren": checked_siren, "vat_number": checked_vat_number}
_CHOICES = ("country", "time_zone")
