"""Keep the English catalogue true to the code: `make translations` takes new texts in, drops dead ones and compiles.

French is the source language, so English is the one catalogue. What is not translated yet is shown in French.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "calmness" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
COMPILED = CATALOGUE.with_suffix(".mo")
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
HEADER = rb"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


def extract() -> Catalog:
    """All texts of code and templates that people read, with the files that use them."""
    found = Catalog(project="Calmness Trading", charset="utf-8", fuzzy=False)
    source = ROOT / "calmness"
    for name, _line, text, comments, context in extract_from_dir(
        str(source), method_map=METHODS, keywords=KEYWORDS, strip_comment_tags=True
    ):
        # No line numbers: a catalogue must not change with every line that moves.
        found.add(text, None, [(name, 0)], auto_comments=comments, context=context)
    return found


def read() -> Catalog:
    """The English catalogue as it lies in the repository."""
    if not CATALOGUE.exists():
        return Catalog(locale="en", charset="utf-8", fuzzy=False)
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


def renewed(catalogue: Catalog) -> Catalog:
    """The catalogue with exactly the texts of today's code; a text that changed is a new one, never guessed."""
    fresh = extract()
    for message in fresh:
        known = catalogue.get(message.id, message.context) if message.id else None
        if known is not None:
            message.string = known.string
    fresh.locale = catalogue.locale
    fresh.fuzzy = False
    return fresh


def missing(catalogue: Catalog) -> list[str]:
    """Texts without their English."""
    return [_first(message.id) for message in catalogue if message.id and not _is_whole(message.string)]


def faults(catalogue: Catalog) -> list[str]:
    """Translations that lost or misspelt a place holder."""
    return [f"{_first(message.id)}: {error}" for message, errors in catalogue.check() for error in errors]


def compiled(catalogue: Catalog) -> bytes:
    """The form that the product reads; without the hour of its making, so that the same texts give the same bytes."""
    catalogue.creation_date = catalogue.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def text_of(catalogue: Catalog) -> bytes:
    """The form that people edit: by text, without dates, so that two branches meet line by line."""
    file = io.BytesIO()
    write_po(file, catalogue, sort_output=True, omit_header=True, include_lineno=False, width=120)
    return HEADER + file.getvalue()


def _first(text: str | tuple[str, ...] | list[str]) -> str:
    return text if isinstance(text, str) else text[0]


def _is_whole(text: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(text) if isinstance(text, str) or text is None else all(text)


def main() -> int:
    """Renew and compile the catalogue; tell what waits for its English."""
    catalogue = renewed(read())
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    CATALOGUE.write_bytes(text_of(catalogue))
    COMPILED.write_bytes(compiled(read()))
    waiting = missing(catalogue)
    for text in [*waiting, *faults(catalogue)]:
        print(text)
    print(f"{len(catalogue)} texts, {len(waiting)} without their English.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
