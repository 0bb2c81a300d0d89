"""Names and addresses as people type them: made clean, compared folded, refused when they could pass for another."""

import re
import unicodedata

from flask_babel import lazy_gettext as _l

from calmness import look_alikes
from calmness.errors import DomainError

_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"]+\.[^\s@<>()\[\]\\,;:\"]+")


class MalformedEmail(DomainError):
    """Not an address that mail could reach."""

    slug = "malformed-email"
    field = "email"
    message = _l("Entrez une adresse e-mail complète, par exemple camille@exemple.fr.")


class LookAlikeEmail(MalformedEmail):
    """Letters of several scripts: the address could pass for somebody else's."""

    slug = "look-alike-email"
    message = _l("Cette adresse mélange des alphabets qui se ressemblent\u00a0: retapez-la lettre par lettre.")


class NameMissing(DomainError):
    """Nothing readable is left of a name."""

    slug = "name-missing"
    field = "first_name"
    message = _l("Entrez votre prénom et votre nom.")


class LookAlikeName(NameMissing):
    """A word of several scripts, or a letter under a tower of accents: the name could pass for another."""

    slug = "look-alike-name"
    message = _l("Ce nom mélange des alphabets ou des signes\u00a0: retapez-le lettre par lettre.")


def email_key(email: str) -> str:
    """The address folded: compatibility letters, case and international domains compare equal.

    Raises ``MalformedEmail``.
    """
    text = unicodedata.normalize("NFKC", email.strip())
    if len(text) > 254 or not _ADDRESS.fullmatch(text) or any(unicodedata.category(c).startswith("C") for c in text):
        raise MalformedEmail
    local, _separator, domain = text.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
        readable = domain.encode("ascii").decode("idna")
    except UnicodeError as error:
        raise MalformedEmail from error
    # One script for all before the last dot: Cyrillic beside @gmail.com is a trick far more often than a name.
    letters = local + readable.rpartition(".")[0]
    if look_alikes.mixes_scripts(letters) or look_alikes.has_odd_latin(letters):
        raise LookAlikeEmail
    return f"{local.casefold()}@{domain.lower()}"


def clean_text(text: str) -> str:
    """A line that a person typed, without control or direction characters, single spaces; any language stays."""
    kept = "".join(c if not unicodedata.category(c).startswith("C") else " " for c in text)
    return " ".join(kept.split())


def clean_name(name: str) -> str:
    """A name as ``clean_text``, 100 characters at most."""
    return clean_text(unicodedata.normalize("NFC", look_alikes.visible(name)))[:100].strip()


def own_name(name: str, field: str) -> str:
    """The name of an account: ``clean_name`` that cannot pass for another. Raises ``LookAlikeName``."""
    cleaned = clean_name(name)
    if any(look_alikes.mixes_scripts(word) for word in cleaned.split()) or look_alikes.is_tower(cleaned):
        raise LookAlikeName(field=field)
    return cleaned
