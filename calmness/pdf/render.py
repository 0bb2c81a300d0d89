"""HTML to PDF, with what xhtml2pdf leaves silent turned into errors."""

import io
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from xml.parsers.expat import ExpatError

import pikepdf
import reportlab.rl_config
from reportlab.pdfbase.ttfonts import TTFontFile
from xhtml2pdf import pisa
from xhtml2pdf.config.resources import ResourceAccessPolicy

from calmness.pdf.shortcuts import shortcuts

ASSETS = Path(__file__).resolve().parent
FONT = ASSETS / "fonts" / "Inter-Regular.ttf"
BOLD_FONT = ASSETS / "fonts" / "Inter-Bold.ttf"
REPLACEMENT = "?"
MOST_LAYOUTS = 3
_STROKED = str.maketrans(
    {"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h", "ı": "i", "ĸ": "k", "Ŧ": "T", "ŧ": "t"}
)
"""Letters with a stroke: Unicode knows no base letter for them."""
_IDLE = re.compile(rb"^(1 0 0 1 0 0 cm  )?BT /F\d+ [\d.]+ Tf [\d.]+ TL ET$", re.M)
"""ReportLab begins each page and table with a font that writes nothing. Line breaks inside of texts are escaped."""
_BETWEEN = re.compile(r">\n\s*<")
"""Indentation between tags: a node each for the layout, and nothing to see."""
_EMBEDDED = {"/FontFile", "/FontFile2", "/FontFile3"}


class PdfNotRendered(Exception):
    """xhtml2pdf reported an error or a warning: something (logo, font) would be missing."""


def render(page: Callable[[int], str]) -> bytes:
    """A PDF of our own HTML, as ``draw`` makes it. The same HTML gives the same bytes. Raises ``PdfNotRendered``."""
    out = io.BytesIO()
    with draw(page) as document:
        document.save(out, deterministic_id=True)
    return out.getvalue()


def draw(page: Callable[[int], str]) -> pikepdf.Pdf:
    """The document that ``page`` says, told how many pages there are: mostly one, so that it is laid out once.

    Files are found beside this module; no address is ever fetched. Raises ``PdfNotRendered``.
    """
    pages = 1
    for _layout in range(MOST_LAYOUTS):
        document = pikepdf.open(_drawn(page(pages)))
        if len(document.pages) == pages:
            _keep_own_fonts(document)
            return document
        pages = len(document.pages)
    raise PdfNotRendered("the number of pages changes the number of pages")


def _drawn(html: str) -> io.BytesIO:
    reportlab.rl_config.invariant = 1
    # pikepdf compresses once, at the end.
    reportlab.rl_config.useA85 = 0
    reportlab.rl_config.pageCompression = 0
    buffer = io.BytesIO()
    try:
        with shortcuts():
            result = pisa.CreatePDF(
                _BETWEEN.sub("><", html),
                dest=buffer,
                path=str(ASSETS / "document.html"),
                encoding="utf-8",
                default_css=_elements(),
                resource_policy=ResourceAccessPolicy.server(str(ASSETS), allow_remote=False),
            )
    except ExpatError as error:
        raise PdfNotRendered(f"the page is not well-formed: {error}") from error
    if result.err or result.warn:
        raise PdfNotRendered(f"{result.err} errors, {result.warn} warnings")
    return buffer


def _keep_own_fonts(document: pikepdf.Pdf) -> None:
    """Drop the Helvetica that ReportLab names on every page and never draws: readers report it as missing.

    Pages share one dictionary of fonts, so all streams are cleaned before a name goes. Raises ``PdfNotRendered`` when
    a text needs a font that is not inside.
    """
    named: set[str] = set()
    for page in document.pages:
        content = _IDLE.sub(rb"\1", page.Contents.read_bytes())
        page.Contents = document.make_stream(content)
        named.update(str(parts.operands[0]) for parts in pikepdf.parse_content_stream(page, "Tf"))
    for page in document.pages:
        fonts = page.Resources.Font
        for name in [name for name, font in fonts.items() if not _inside(font)]:
            if name in named:
                raise PdfNotRendered(f"a font of the reader's machine: {fonts[name].BaseFont}")
            del fonts[name]


def _inside(font: pikepdf.Object) -> bool:
    descriptor = font.get("/FontDescriptor")
    return descriptor is not None and not _EMBEDDED.isdisjoint(descriptor.keys())


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
def _elements() -> str:
    """What the library says of the elements that our pages have: parsing its rules for all others takes time."""
    return (ASSETS / "elements.css").read_text()


@lru_cache(maxsize=1)
def _widths() -> dict[int, float]:
    """Widths in thousandths of the size."""
    return dict(TTFontFile(str(BOLD_FONT)).charWidths)


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    return frozenset(TTFontFile(str(FONT)).charToGlyph)
