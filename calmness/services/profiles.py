"""What a person says of oneself."""

from dataclasses import dataclass

from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import AgeBracket, Gender, User
from calmness.services import accounts


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
    gender: str | None = None
    age_bracket: str | None = None
    demographics: bool = False


def update(user: User, profile: Profile) -> None:
    """Save. Demographic answers are kept only with consent, and erased when it is withdrawn."""
    names = accounts.clean_name(profile.first_name), accounts.clean_name(profile.last_name)
    if not all(names):
        raise DomainError(field="first_name")
    user.first_name, user.last_name = names
    user.time_zone = profile.time_zone
    user.phone = (profile.phone or "").strip() or None
    user.address = (profile.address or "").strip() or None
    user.postcode = (profile.postcode or "").strip() or None
    user.city = (profile.city or "").strip() or None
    had = user.gender is not None or user.age_bracket is not None
    user.gender = Gender(profile.gender) if profile.demographics and profile.gender else None
    user.age_bracket = AgeBracket(profile.age_bracket) if profile.demographics and profile.age_bracket else None
    has = user.gender is not None or user.age_bracket is not None
    if had != has:
        accounts.record_consent(user.id, "demographics", given=has, source="profile")
    db.session.flush()
