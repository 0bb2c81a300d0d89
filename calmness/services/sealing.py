"""Keeps secrets unreadable for who reads the database alone: sealed with ``DATA_KEYS``, bound to their place.

A sealed text names its key (``kid.…``), so that keys can change: the first of the list seals, all open. The place, such
as ``totp:17``, is part of the seal: a text moved to another person's row does not open there.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from config import JwtKey

_NONCE_LENGTH = 12


class Unreadable(Exception):
    """No key of ours opens the text here: the key was dropped, or the text was changed or moved."""


def seal(text: str, place: str) -> str:
    """The text under the first key, for one place. AES-256-GCM with a random nonce."""
    key = _keys()[0]
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    sealed = AESGCM(_derived(key, b"seal")).encrypt(nonce, text.encode(), place.encode())
    return f"{key.kid}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, place: str) -> str:
    """What was sealed for this place. Raises ``Unreadable``."""
    kid, _dot, body = sealed.partition(".")
    for key in _keys():
        if key.kid == kid:
            try:
                raw = base64.urlsafe_b64decode(body)
                nonce, rest = raw[:_NONCE_LENGTH], raw[_NONCE_LENGTH:]
                return AESGCM(_derived(key, b"seal")).decrypt(nonce, rest, place.encode()).decode()
            except (InvalidTag, ValueError, binascii.Error) as error:
                raise Unreadable from error
    raise Unreadable


def is_current(sealed: str) -> bool:
    """Whether the first key sealed the text, so that older ones are not needed for it."""
    return sealed.partition(".")[0] == _keys()[0].kid


def fingerprints(text: str, place: str) -> list[str]:
    """Keyed hashes of a short secret for one place, under each key; the first is the one to store.

    A plain hash of 50 random bits can be searched through; without the key this one can't.
    """
    message = f"{place}:{text}".encode()
    return [hmac.new(_derived(key, b"fingerprint"), message, hashlib.sha256).hexdigest() for key in _keys()]


def _derived(key: JwtKey, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"calmness:" + purpose).derive(key.secret.encode())


def _keys() -> list[JwtKey]:
    # Production refuses to start without keys of its own.
    return current_app.config["DATA_KEYS"] or [JwtKey("local", current_app.config["SECRET_KEY"])]
