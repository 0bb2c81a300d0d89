"""Transaction numbers as banks print them, brought to one form so that the same transfer is recognised."""

import unicodedata

from flask_babel import lazy_gettext as _l

from calmness.errors import DomainError

MIN_LENGTH = 4
MAX_LENGTH = 64


class TransactionNumberMissing(DomainError):
    """The number is mandatory: without it nobody finds the transfer on the statement."""

    slug = "transaction-number-missing"
    field = "transaction_id"
    message = _l("Entrez le numéro de transaction du virement, tel qu’il figure sur le relevé (4 caractères au moins).")


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
