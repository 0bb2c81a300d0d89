"""Transaction numbers as banks print them, in one form by which a transfer is known again, and given once."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from calmness.errors import Conflict, DomainError
from calmness.extensions import db
from calmness.models.billing import Payment

MIN_LENGTH = 4
MAX_LENGTH = 64


class TransactionNumberMissing(DomainError):
    """The number is mandatory: without it nobody finds the transfer on the statement."""

    slug = "transaction-number-missing"
    field = "transaction_id"
    message = _l("Entrez le numéro de transaction du virement, tel qu’il figure sur le relevé (4 caractères au moins).")


class TransactionNumberTaken(Conflict):
    """Another payment has this number. ``payment`` is for the staff only."""

    slug = "transaction-number-taken"
    field = "transaction_id"
    message = _l("Ce numéro de transaction est déjà attribué à un autre paiement.")

    def __init__(self, payment: Payment | None = None) -> None:
        super().__init__()
        self.payment = payment


def normalised(number: str | None) -> str:
    """Upper-case letters and digits only. Raises ``TransactionNumberMissing`` when too little is left."""
    text = unicodedata.normalize("NFKC", number or "").upper()
    key = "".join(character for character in text if character.isascii() and character.isalnum())
    if not MIN_LENGTH <= len(key) <= MAX_LENGTH:
        raise TransactionNumberMissing
    return key


def alike(left: str, right: str) -> bool:
    """Whether two normalised numbers differ by one character only: a typing error to look at."""
    if abs(len(left) - len(right)) > 1 or left == right:
        return False
    if len(left) == len(right):
        return sum(a != b for a, b in zip(left, right, strict=True)) == 1
    short, long = sorted((left, right), key=len)
    return any(long[:index] + long[index + 1 :] == short for index in range(len(long)))


@contextmanager
def numbered(payment: Payment, transaction_id: str | None) -> Iterator[None]:
    """Give a payment its transaction number, in one write with what the block changes.

    Raises ``TransactionNumberMissing``, ``TransactionNumberTaken``.
    """
    key = normalised(transaction_id)
    if key == payment.transaction_key:
        yield
        return
    other = _other_with(key, payment)
    if other is not None:
        raise TransactionNumberTaken(other)
    try:
        with db.session.begin_nested():
            payment.transaction_id = (transaction_id or "").strip()[:80]
            payment.transaction_key = key
            yield
    except IntegrityError as error:
        # Somebody took the number between the look and the write: the unique constraint saw it.
        other = _other_with(key, payment)
        if other is None:
            raise
        raise TransactionNumberTaken(other) from error


def _other_with(key: str, payment: Payment) -> Payment | None:
    return db.session.scalar(select(Payment).where(Payment.transaction_key == key, Payment.id != payment.id))
