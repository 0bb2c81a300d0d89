"""Which payment a line of the bank's statement settles: proposals with a score and reasons, never a decision.

Reference or transaction number with the amount is strong; the amount with an account seen before is medium; the
amount with the name is weak and never ticked beforehand. Too little or too much is said, not hidden.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from calmness.banking import plain

MIN_NUMBER = 6
"""A shorter transaction number stands in too many labels by chance."""


class Strength(StrEnum):
    """How sure a proposal is."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"


class Reason(StrEnum):
    """Why a payment is proposed for a line."""

    REFERENCE = "reference"
    NUMBER = "number"
    AMOUNT = "amount"
    ACCOUNT = "account"
    NAME = "name"
    TOO_LITTLE = "too_little"
    TOO_MUCH = "too_much"


@dataclass(frozen=True)
class Transfer:
    """What a line says."""

    amount_cents: int
    text: str
    debtor_name: str = ""
    debtor_iban: str = ""


@dataclass(frozen=True)
class Expected:
    """A payment that waits for its transfer. ``accounts``: IBANs that paid for this person before."""

    payment_id: int
    amount_cents: int
    reference: str
    number: str
    name: str
    accounts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Proposal:
    """A payment for a line; ``score`` from 0 to 100 orders them."""

    payment_id: int
    score: int
    strength: Strength
    reasons: tuple[Reason, ...]


def proposals(transfer: Transfer, waiting: Iterable[Expected]) -> list[Proposal]:
    """What the line may settle, likeliest first."""
    if transfer.amount_cents <= 0:
        return []
    text = plain(_ascii(f"{transfer.text} {transfer.debtor_name}"))
    words = _words(f"{transfer.debtor_name} {transfer.text}")
    found = [proposal for expected in waiting if (proposal := _proposal(transfer, text, words, expected))]
    return sorted(found, key=lambda proposal: (-proposal.score, proposal.payment_id))


def names_payment(text: str, reference: str) -> bool:
    """Whether a text holds a reference: with spaces, in lower case, without ``RF`` and its digits, in a sentence."""
    said, wanted = plain(text), plain(reference)
    if wanted in said:
        return True
    # The body alone must stand by itself: a longer number of digits is another payment.
    body = wanted[4:] if wanted.startswith("RF") else wanted
    start = said.find(body)
    while start >= 0 and body:
        after = said[start + len(body) : start + len(body) + 1]
        if not after.isdigit():
            return True
        start = said.find(body, start + 1)
    return False


def _proposal(transfer: Transfer, text: str, words: frozenset[str], expected: Expected) -> Proposal | None:
    named = names_payment(text, expected.reference)
    numbered = len(expected.number) >= MIN_NUMBER and expected.number in text
    exact = transfer.amount_cents == expected.amount_cents
    account = bool(transfer.debtor_iban) and transfer.debtor_iban in expected.accounts
    person = _words(expected.name)
    known_name = bool(person) and person <= words
    reasons = [
        *([Reason.REFERENCE] if named else []),
        *([Reason.NUMBER] if numbered else []),
        *([Reason.AMOUNT] if exact else []),
        *([Reason.ACCOUNT] if account else []),
        *([Reason.NAME] if known_name else []),
    ]
    sure = named or numbered
    if not exact and not sure:
        return None
    if not exact:
        reasons.append(Reason.TOO_LITTLE if transfer.amount_cents < expected.amount_cents else Reason.TOO_MUCH)
    if sure and exact:
        strength, score = Strength.STRONG, 90
    elif sure or account:
        strength, score = Strength.MEDIUM, 60
    elif known_name:
        strength, score = Strength.WEAK, 30
    else:
        return None
    extra = 5 * (named and numbered) + 3 * account + 2 * known_name
    return Proposal(expected.payment_id, min(100, score + extra), strength, tuple(reasons))


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _words(text: str) -> frozenset[str]:
    letters = "".join(character if character.isalnum() else " " for character in _ascii(text).upper())
    return frozenset(word for word in letters.split() if len(word) > 1 and word not in {"M", "MR", "MME", "MLLE"})
