"""HTML to PDF, with what xhtml2pdf leaves silent turned into errors."""

import io
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import reportlab.rl_config
from pypdf import PdfReader, PdfWriter
from reportlab.pdfbase.ttfonts import TTFontFile
from xhtml2pdf import pisa
from xhtml2pdf.builders.preflight import drop_idle_fonts, scan, unembedded_text_fonts
from xhtml2pdf.config.resources import ResourceAccessPolicy

ASSETS = Path(__file__).resolve().parent
FONT = ASSETS / "fonts" / "Inter-Regular.ttf"
BOLD_FONT = ASSETS / "fonts" / "Inter-Bold.ttf"
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
    return _with_own_fonts_only(buffer)


def _with_own_fonts_only(buffer: io.BytesIO) -> bytes:
    """Without the Helvetica that ReportLab names on every page and never draws: readers report it as missing."""
    writer = PdfWriter(clone_from=PdfReader(buffer))
    drop_idle_fonts(writer)
    foreign = unembedded_text_fonts(scan(writer))
    if foreign:
        raise PdfNotRendered(f"fonts of the reader's machine: {foreign}")
    kept = io.BytesIO()
    writer.write(kept)
    return kept.getvalue()


def printable(text: str) -> str:
    """The text with letters that the font lacks brought back to their base letter, or to a question mark.

    A glyph that is missing vanishes without a warning: a name must never be printed with a hole. Accents typed as
    marks of their own are joined to their letters, lines to one.
    """
    known = _known()
    line = re.sub(r"[\t\n\v\f\r\u2028\u2029]+", " ", unicodedata.normalize("NFC", text)).strip()
    return "".join(character if ord(character) in known else _nearest(character, known) for character in line)


def fitting(text: str, points: float, size: float = 9.0) -> str:
    """The text with a blank inside each word that is wider than ``points`` in bold: no line may leave its column."""
    return " ".join(_cut(word, points / size * 1000) for word in text.split(" "))


def _nearest(character: str, known: frozenset[int]) -> str:
    if unicodedata.category(character) in {"Cf", "Cc", "Mn"}:
        return ""
    base = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", character.translate(_STROKED))
        if ord(letter) in known and unicodedata.category(letter) != "Mn"
    )
    return base or REPLACEMENT


def _cut(word: str, widest: float) -> str:
    widths = _widths()
    parts, width = [""], 0.0
    for character in word:
        step = widths.get(ord(character), 700.0)
        if parts[-1] and width + step > widest:
            parts.append("")
            width = 0.0
        parts[-1] += character
        width += step
    return " ".join(parts)


@lru_cache(maxsize=1)
def _widths() -> dict[int, float]:
    """Widths in thousandths of the size."""
    return dict(TTFontFile(str(BOLD_FONT)).charWidths)


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    return frozenset(TTFontFile(str(FONT)).charToGlyph)
