"""Passwords: argon2id, a real estimate of strength, and the same cost for an unknown address as for a wrong password."""

import threading
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from flask_babel import lazy_gettext as _l
from zxcvbn import zxcvbn

from calmness.errors import DomainError

MIN_LENGTH = 12
MAX_LENGTH = 128
MIN_SCORE = 3
ESTIMATOR_LENGTH = 72
"""The estimator refuses longer texts; what follows can only make a password stronger."""

_slots = threading.BoundedSemaphore(4)
"""Hashing is the dearest thing that a visitor can ask for: four at a time in a process."""


class WeakPassword(DomainError):
    """Too short, too long, or too easy to guess."""

    slug = "weak-password"
    field = "password"
    message = _l("Choisissez un mot de passe plus difficile à deviner : quatre mots sans lien entre eux conviennent.")


def check_strength(password: str, personal: tuple[str, ...]) -> None:
    """Refuse a password that can be guessed. ``personal``: words that an attacker knows of the person."""
    password = normalised(password)
    if len(password) < MIN_LENGTH:
        raise WeakPassword(_l("Le mot de passe doit compter au moins 12 caractères."))
    if len(password) > MAX_LENGTH:
        raise WeakPassword(_l("Le mot de passe ne peut pas dépasser 128 caractères."))
    known = [word for text in personal for word in text.replace("@", " ").replace(".", " ").split()]
    estimate = zxcvbn(password[:ESTIMATOR_LENGTH], user_inputs=[*known, "calmness", "trading"])
    if estimate["score"] < MIN_SCORE:
        raise WeakPassword


def hash_password(password: str) -> str:
    """Argon2id hash. Call it outside of a transaction."""
    with _slots:
        return _hasher(*_cost()).hash(normalised(password))


def matches(password: str, hashed: str | None) -> bool:
    """Whether the password is right. Without a hash the same work is done, and the answer is no."""
    with _slots:
        try:
            _hasher(*_cost()).verify(hashed or _dummy(*_cost()), normalised(password))
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None


def needs_rehash(hashed: str) -> bool:
    """Whether the cost has been raised since the hash was made."""
    return _hasher(*_cost()).check_needs_rehash(hashed)


def normalised(password: str) -> str:
    """Same letters, same bytes, whatever the keyboard made of an accent (NFC)."""
    return unicodedata.normalize("NFC", password)


def _cost() -> tuple[int, int]:
    return current_app.config["ARGON2_TIME"], current_app.config["ARGON2_MEMORY_KIB"]


@lru_cache(maxsize=4)
def _hasher(time_cost: int, memory_kib: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)


@lru_cache(maxsize=4)
def _dummy(time_cost: int, memory_kib: int) -> str:
    return _hasher(time_cost, memory_kib).hash("no account has this password")
