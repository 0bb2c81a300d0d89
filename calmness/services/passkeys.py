"""Passkeys (WebAuthn): in the place of password and code, or as the second step after the password.

The browser signs a challenge for our address only, so a copied page learns nothing that it could use. Alone at the
login a key must have verified its person (finger, face, PIN); after the password its presence suffices.
"""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from calmness import clock
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import Passkey, User
from calmness.services import second_factor, security_notices
from calmness.services.security_notices import SecurityEvent

SCHOOL = "Calmness Trading"
MOST = 10
LONGEST = 20_000
_CREDENTIAL_ID = re.compile(r"[A-Za-z0-9_-]{1,1400}")


class PasskeyRefused(DomainError):
    """Unknown, for another site, for another challenge, copied, or without its person: told in the same words."""

    slug = "passkey-refused"
    field = "credential"
    message = _l("Cette clé d’accès n’a pas été reconnue. Recommencez, ou utilisez votre mot de passe.")


class TooManyPasskeys(DomainError):
    """Nobody has that many devices; they are forgotten ones."""

    slug = "too-many-passkeys"
    field = "name"
    message = _l("Vous avez déjà 10 clés d’accès\u202f: retirez celles qui ne servent plus.")


@dataclass(frozen=True)
class Site:
    """The address that keys belong to: ``rp_id`` is the host, ``origin`` what the browser signs."""

    rp_id: str
    origin: str


@dataclass(frozen=True)
class Challenge:
    """What a key signs, and since when it could."""

    value: bytes
    made_at: datetime


def new_challenge() -> Challenge:
    """256 random bits."""
    return Challenge(secrets.token_bytes(32), clock.now())


def creation_options(user: User, site: Site, challenge: Challenge) -> str:
    """JSON for the browser: make a key that it finds again without a name."""
    options = generate_registration_options(
        rp_id=site.rp_id,
        rp_name=SCHOOL,
        user_id=hashlib.sha256(f"calmness-person:{user.id}".encode()).digest(),
        user_name=user.email,
        user_display_name=user.full_name,
        challenge=challenge.value,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(user.id),
    )
    return options_to_json(options)


def request_options(site: Site, challenge: Challenge, user: User | None = None) -> str:
    """JSON for the browser: sign with any key of this site, or with one of the person's."""
    verification = UserVerificationRequirement.REQUIRED if user is None else UserVerificationRequirement.PREFERRED
    options = generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge.value,
        allow_credentials=_descriptors(user.id) if user else None,
        user_verification=verification,
    )
    return options_to_json(options)


def add(user: User, credential: str, challenge: Challenge, site: Site, name: str) -> list[str]:
    """Keep a new key. Gives recovery codes where it is the first factor, shown this once.

    Raises ``PasskeyRefused``, ``TooManyPasskeys``.
    """
    if len(of(user.id)) >= MOST:
        raise TooManyPasskeys
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge.value,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    first = not second_factor.is_on(user.id)
    key = Passkey(
        user_id=user.id,
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        name=" ".join(name.split())[:80] or str(_l("Clé d’accès")),
        backed_up=made.credential_backed_up,
        created_at=clock.now(),
    )
    try:
        with db.session.begin_nested():
            db.session.add(key)
    except IntegrityError as error:
        raise PasskeyRefused from error
    codes = second_factor.first_recovery_codes(user) if first else []
    security_notices.tell(user, SecurityEvent.PASSKEY_ADDED, name=key.name)
    return codes


def check(credential: str, challenge: Challenge, site: Site, *, user: User | None = None) -> User:
    """The person whose key signed. With ``user`` it must be theirs, and presence suffices; alone it must be verified.

    A signature works once: a key that was used after its challenge was made signed that one, or a later one.
    Raises ``PasskeyRefused``.
    """
    key = db.session.scalar(select(Passkey).where(Passkey.credential_id == _id_in(credential)))
    if key is None or (user is not None and key.user_id != user.id):
        raise PasskeyRefused
    owner = db.session.get_one(User, key.user_id)
    if owner.disabled_at or owner.deleted_at:
        raise PasskeyRefused
    try:
        signed = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge.value,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=user is None,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    unused = Passkey.last_used_at.is_(None) | (Passkey.last_used_at < challenge.made_at)
    same = (Passkey.id == key.id) & (Passkey.sign_count == key.sign_count) & unused
    used = update(Passkey).where(same).values(sign_count=signed.new_sign_count, last_used_at=clock.now())
    done = db.session.execute(used)
    if not done.rowcount:  # type: ignore[attr-defined]
        raise PasskeyRefused
    second_factor.found_again(owner.id)
    return owner


def of(user_id: int) -> list[Passkey]:
    """A person's own keys, newest first."""
    return list(db.session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id.desc())))


def remove_own(user: User, passkey_id: int) -> None:
    """Forget one of a person's own keys. Raises ``NotFound``, ``RequiredByRole`` for the last factor of the team."""
    key = db.session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user.id))
    if key is None:
        raise NotFound
    name = key.name
    second_factor.keep_one(user, without_passkey=key.id)
    db.session.delete(key)
    db.session.flush()
    second_factor.forget_codes_without_factor(user.id)
    security_notices.tell(user, SecurityEvent.PASSKEY_REMOVED, name=name)


def count_of(user_id: int) -> int:
    """How many keys a person has."""
    return db.session.scalar(select(func.count()).select_from(Passkey).where(Passkey.user_id == user_id)) or 0


def _id_in(credential: str) -> str:
    """Which key the browser says it used; empty when it says nothing that could be one."""
    try:
        said = json.loads(credential[:LONGEST])
    except ValueError:
        return ""
    name = said.get("id") if isinstance(said, dict) else None
    return name if isinstance(name, str) and _CREDENTIAL_ID.fullmatch(name) else ""


def _descriptors(user_id: int) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential_id)) for key in of(user_id)]
