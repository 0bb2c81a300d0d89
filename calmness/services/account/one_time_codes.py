"""Codes of an authenticator app (RFC 6238): six digits, SHA-1, 30 seconds, as all apps know them. No database here."""

import base64
import hmac
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

ISSUER = "Calmness Trading"
STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
"""RFC 4226 asks for 128 bits at least and recommends 160."""

TOLERATED_STEPS = 1
"""A clock may be half a minute off, and typing takes time."""


def new_secret() -> str:
    """160 random bits in base32, as people type them into an app."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def step_at(at: datetime) -> int:
    """Number of the time step of an instant."""
    return int(at.timestamp()) // STEP_SECONDS


def code_of(secret: str, step: int) -> str:
    """Code of a time step."""
    return _totp(secret).generate(step * STEP_SECONDS).decode()


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """Time step, at most one away from now, whose code this is; None when it is none."""
    now, found = step_at(at), None
    for step in range(now - TOLERATED_STEPS, now + TOLERATED_STEPS + 1):
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode("utf-8", "surrogatepass")):
            found = step
    return found


def app_address(secret: str, account: str) -> str:
    """``otpauth://`` address that an app reads from the QR code."""
    return _totp(secret).get_provisioning_uri(account, ISSUER)


def _totp(secret: str) -> TOTP:
    # SHA-1 inside of HMAC is sound, and the only one that every app knows.
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS, enforce_key_length=False)  # noqa: S303
