"""A passkey in software: signs what a browser would have a real one sign, and whatever a forger would like it to."""

import base64
import hashlib
import json
import secrets

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Passkey, User

PRESENT, VERIFIED, NEW_KEY = 0x01, 0x04, 0x40
ORIGIN, HOST = "http://localhost", "localhost"


def coded(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def made(challenge: str, *, origin: str = ORIGIN, host: str = HOST) -> dict[str, object]:
    """What a browser gives for a challenge when it makes a key, without attestation."""
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
    identity = secrets.token_bytes(16)
    said = json.dumps({"type": "webauthn.create", "challenge": challenge, "origin": origin}).encode()
    flags = bytes([PRESENT | VERIFIED | NEW_KEY])
    new_key = bytes(16) + len(identity).to_bytes(2, "big") + identity + cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
    facts = hashlib.sha256(host.encode()).digest() + flags + bytes(4) + new_key
    statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": facts})
    response = {"clientDataJSON": coded(said), "attestationObject": coded(statement)}
    return {"id": coded(identity), "rawId": coded(identity), "type": "public-key", "response": response}


class SoftKey:
    """A P-256 key of a person, already known to the house."""

    def __init__(self, user: User) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self.count = 0
        numbers = self._private.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        self.row = Passkey(
            user_id=user.id,
            credential_id=coded(secrets.token_bytes(16)),
            public_key=coded(cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})),
            sign_count=0,
            name="Clé",
            backed_up=False,
            created_at=clock.now(),
        )
        db.session.add(self.row)
        db.session.commit()
        self.credential_id = self.row.credential_id

    def sign(
        self,
        challenge: str,
        *,
        origin: str = ORIGIN,
        host: str = HOST,
        flags: int = PRESENT | VERIFIED,
        count: int | None = None,
    ) -> str:
        """What the browser posts for a challenge; the counter rises by one unless told otherwise."""
        self.count = self.count + 1 if count is None else count
        said = json.dumps({"type": "webauthn.get", "challenge": challenge, "origin": origin}).encode()
        facts = hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")
        signature = self._private.sign(facts + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        parts = {"clientDataJSON": said, "authenticatorData": facts, "signature": signature}
        response = {name: coded(part) for name, part in parts.items()}
        return json.dumps(
            {"id": self.credential_id, "rawId": self.credential_id, "type": "public-key", "response": response}
        )
