"""HTML to PDF, with what xhtml2pdf leaves silent turned into errors."""

import io
import unicodedata
from functools import lru_cache
from pathlib import Path

import reportlab.rl_config
from reportlab.pdfbase.ttfonts import TTFontFile
from xhtml2pdf import pisa
from xhtml2pdf.config.resources import ResourceAccessPolicy

ASSETS = Path(__file__).resolve().parent
FONT = ASSETS / "fonts" / "Inter-Regular.ttf"
REPLACEMENT = "?"
_STROKED = str.maketrans(
    {"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h", "ı": "i", "ĸ": "k", "Ŧ": "T", "ŧ": "t"}
)
"""Letters with a stroke: Unicode knows no base letter for them."""


class PdfNotRendered(Exception):
    """xhtml2pdf reported an error or a warning: something (logo, font) would be missing."""


def render(html: str) -> bytes:
    """A PDF of our own HTML. Files are found beside this module; no address is ever fetched.

    The same HTML gives the same bytes. Raises ``PdfNotRendered``.
    """
    reportlab.rl_config.invariant = 1
    buffer = io.BytesIO()
    result = pisa.CreatePDF(
        html,
        dest=buffer,
        path=str(ASSETS / "document.html"),
        encoding="utf-8",
        resource_policy=ResourceAccessPolicy.server(str(ASSETS), allow_remote=False),
    )
    if result.err or result.warn:
        raise PdfNotRendered(f"{result.err} errors, {result.warn} warnings")
    return buffer.getvalue()


def printable(text: str) -> str:
    """The text with letters that the font lacks brought back to their base letter, or to a question mark.

    A glyph that is missing vanishes without a warning: a name must never be printed with a hole.
    """
    known = _known()
    return "".join(character if ord(character) in known else _nearest(character, known) for character in text)


def _nearest(character: str, known: frozenset[int]) -> str:
    if unicodedata.category(character) in {"Cf", "Cc", "Mn"}:
        return ""
    base = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", character.translate(_STROKED))
        if ord(letter) in known and unicodedata.category(letter) != "Mn"
    )
    return base or REPLACEMENT


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    return frozenset(TTFontFile(str(FONT)).charToGlyph)
