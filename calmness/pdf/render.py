"""HTML to PDF, with what xhtml2pdf leaves silent turned into errors."""

import io
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from xml.parsers.expat import ExpatError

import pikepdf
import reportlab.rl_config
from xhtml2pdf import pisa
from xhtml2pdf.config.resources import ResourceAccessPolicy

from calmness.pdf.shortcuts import shortcuts

ASSETS = Path(__file__).resolve().parent
MOST_LAYOUTS = 3
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


@lru_cache(maxsize=1)
def _elements() -> str:
    """What the library says of the elements that our pages have: parsing its rules for all others takes time."""
    return (ASSETS / "elements.css").read_text()
