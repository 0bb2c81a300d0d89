"""Which letters the documents' font has, and how wide they are."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reportlab.pdfbase.ttfonts import TTFontFile

FONTS = Path(__file__).resolve().parent / "fonts"
FONT = FONTS / "Inter-Regular.ttf"
BOLD_FONT = FONTS / "Inter-Bold.ttf"
REPLACEMENT = "?"
_STROKED = str.maketrans(
    {"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h", "ı": "i", "ĸ": "k", "Ŧ": "T", "ŧ": "t"}
)
"""Letters with a stroke: Unicode knows no base letter for them."""


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
    return dict(_read(BOLD_FONT).charWidths)


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    return frozenset(_read(FONT).charToGlyph)


def _read(font: Path) -> "TTFontFile":
    # ReportLab is slow to import: web and clock start without it.
    from reportlab.pdfbase.ttfonts import TTFontFile

    return TTFontFile(str(font))
