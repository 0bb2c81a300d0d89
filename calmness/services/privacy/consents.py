"""Consents with proof (GDPR art. 7): which words, which version, when and how given, when withdrawn.

A purpose's words stand here with their version. Changing the words needs a new version: a test keeps the fingerprints.
Rows are appended, the newest of a purpose holds; withdrawing is one click, as giving was.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from sqlalchemy import select

from calmness.errors import Conflict, NotFound
from calmness.extensions import db
from calmness.models.account import Consent, User
from calmness.services import audit
from calmness.services.account import accounts
from calmness.services.billing import withdrawal_period

DEMOGRAPHICS = "demographics"


class NotRevocable(Conflict):
    """An agreement that carries the contract ends with the account."""

    slug = "consent-not-revocable"
    message = _l("Cet accord porte votre contrat\u00a0: il prend fin avec votre compte.")


@dataclass(frozen=True)
class Purpose:
    """What is agreed to. ``withdrawn`` does what a withdrawal must do at once; None: it can't be withdrawn alone."""

    label: LazyString
    version: str
    words: str
    withdrawn: Callable[[User], None] | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the words, the proof of what was read."""
        return hashlib.sha256(self.words.encode()).hexdigest()


@dataclass(frozen=True)
class State:
    """Where a person stands with a purpose. ``rows`` is the proof, newest first."""

    key: str
    purpose: Purpose
    rows: list[Consent]

    @property
    def given(self) -> bool:
        """Whether the newest row says yes."""
        return bool(self.rows) and self.rows[0].given

    @property
    def revocable(self) -> bool:
        """Whether the person may take it back here."""
        return self.given and self.purpose.withdrawn is not None


def _forget_demographics(user: User) -> None:
    user.gender = user.age_bracket = None


PURPOSES: dict[str, Purpose] = {
    "terms": Purpose(
        _l("Conditions générales du compte"),
        accounts.TERMS_VERSION,
        "J’accepte les conditions générales",
    ),
    DEMOGRAPHICS: Purpose(
        _l("Genre et tranche d’âge pour les statistiques"),
        "2026-11",
        "J’accepte que ces deux réponses servent aux statistiques anonymes de l’école (groupes de cinq au moins)",
        _forget_demographics,
    ),
    "early_start": Purpose(
        _l("Début de l’accès pendant le délai de rétractation"),
        withdrawal_period.TEXT_VERSION,
        "Je demande que l’accès commence avant la fin du délai de rétractation de 14 jours",
    ),
}
"""Purposes by key, with the words beside their box."""

ELSEWHERE = {
    "leaderboard": _l("Classement des élèves, sous pseudonyme"),
    "trading_figures": _l("Chiffres de trading montrés à l’école"),
    "trading_trades": _l("Trades montrés à l’école"),
}
"""Purposes that are given and taken back on the pages of their area."""

SOURCES: dict[str, LazyString] = {
    "register": _l("à l’inscription"),
    "profile": _l("depuis le profil"),
    "consents": _l("depuis la page des consentements"),
    "api": _l("par un programme"),
    "payment": _l("pendant un achat"),
    "follow_up": _l("depuis la page du suivi"),
    "leaderboard": _l("depuis le classement"),
}
"""How it was said, by the first part of ``consent.source``."""


def record(user: User, key: str, *, given: bool, source: str) -> None:
    """Append the proof of a yes or of a no to the words in force."""
    accounts.record_consent(user.id, key, given=given, source=source, version=PURPOSES[key].version)


def states_of(user_id: int) -> list[State]:
    """Every purpose of the list, and every other that the person has answered, with the proof."""
    rows = db.session.scalars(select(Consent).where(Consent.user_id == user_id).order_by(Consent.id.desc())).all()
    by_key: dict[str, list[Consent]] = {key: [] for key in PURPOSES}
    for row in rows:
        by_key.setdefault(row.purpose, []).append(row)
    return [State(key, PURPOSES.get(key) or _other(key), found) for key, found in by_key.items()]


def _other(key: str) -> Purpose:
    """A purpose of another area, which is taken back on the pages of that area."""
    return Purpose(ELSEWHERE.get(key) or _l("Autre accord\u00a0: %(name)s", name=key), "", "")


def withdraw(user: User, key: str) -> None:
    """Take a consent back: what it allowed ends at once. Twice is once. Raises ``NotFound``, ``NotRevocable``."""
    purpose = PURPOSES.get(key)
    if purpose is None:
        raise NotFound
    if purpose.withdrawn is None:
        raise NotRevocable
    purpose.withdrawn(user)
    newest = db.session.scalar(
        select(Consent).where(Consent.user_id == user.id, Consent.purpose == key).order_by(Consent.id.desc()).limit(1)
    )
    if newest is not None and newest.given:
        record(user, key, given=False, source="consents")
        audit.record("privacy.consent_withdrawn", "user", user.id, actor=user, changes=(key,))
    db.session.flush()
