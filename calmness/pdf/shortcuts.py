"""What xhtml2pdf does anew for each document and need not: a page looks the same, in two thirds of the time.

The library is written for pages that it has never seen. Ours are of one template: well-formed, with the same rules of
style each time. ``shortcuts`` puts quicker parts in place of the library's while one of our pages is drawn, and takes
them out again. ``tests/pdf/test_shortcuts.py`` compares the pages with those that the library draws alone; a new
version of it must pass there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from xml.dom.minidom import Document, Element

from defusedxml import expatbuilder
from xhtml2pdf import document, parser, util
from xhtml2pdf.context import pisaContext
from xhtml2pdf.xhtml2pdf_reportlab import DeepCopiedDirectly, PmlFrame, PmlParagraph

DECIMALS = 4
"""Widths count in ten thousandths of a point: a column as measured and as placed differ by the machine's rounding."""


@contextmanager
def shortcuts() -> Iterator[None]:
    """The quicker parts, for what is drawn inside: one document at a time, as the library's own lock has it."""
    with document._RENDER_LOCK:
        theirs = [(owner, name, getattr(owner, name)) for owner, name, _part in _PARTS]
        try:
            for owner, name, part in _PARTS:
                setattr(owner, name, part)
            yield
        finally:
            for owner, name, part in theirs:
                setattr(owner, name, part)


class _Parsers:
    """In place of html5lib, which guesses what broken pages mean: ours are well-formed, so expat reads them."""

    class HTMLParser:
        def __init__(self, tree: Any) -> None:
            """``tree`` is the library's way to say what it wants, a minidom."""

        def parse(self, source: Any, **_encoding: str) -> Document:
            """Raises ``ExpatError`` for a page that is not well-formed."""
            found: Document = expatbuilder.parseString(source.read(), namespaces=False, forbid_dtd=True)
            return found


class _Results(dict[int, Any]):
    """Styles by place in a page, for all pages of the same rules; the library empties its own after each document."""

    def clear(self) -> None:
        """Keep what is known."""


class _Context(pisaContext):
    """Remembers rules of style, and what they say of each place in a page."""

    sheets: ClassVar[dict[str, Any]] = {}
    results: ClassVar[dict[tuple[str, ...], _Results]] = {}

    def parseCSS(self) -> None:  # noqa: N802 - the library's name
        """Read the rules, then take the results of earlier pages with the same ones."""
        super().parseCSS()
        rules = (self.cssDefaultText, *(text for text, _name in self.cssSources))
        self.cssAttrCache = self.results.setdefault(rules, _Results())

    def _parseCSSSource(self, text: str, name: str) -> Any:  # noqa: N802 - the library's name
        """Read what tells the context of frames and fonts (``@``) each time, other rules once."""
        if "@" in text:
            return super()._parseCSSSource(text, name)
        if text not in self.sheets:
            self.sheets[text] = super()._parseCSSSource(text, name)
        return self.sheets[text]


_PLACES: dict[tuple[Any, ...], int] = {}
"""As many as our templates have kinds of places: what a person types is never a tag, a class or an id."""


def _place(node: Element, positional: set[str], attributes: frozenset[str]) -> int:
    """A number for all elements that any rules treat alike: same tag, class, id, style and such parents.

    The library's key holds the parent itself, so that the cells of each row are worked out again.
    """
    at = parser.getElementPosition(node) if positional and {node.tagName, "*"} & positional else None
    own = tuple(node.getAttribute(name) for name in ("class", "id", "style"))
    selected = tuple((name, node.getAttribute(name), node.hasAttribute(name)) for name in sorted(attributes))
    place = (getattr(node.parentNode, "place", 0), node.tagName, *own, at, selected)
    number = _PLACES.setdefault(place, len(_PLACES) + 1)
    node.place = number  # type: ignore[attr-defined]
    return number


def _copied_frame(frame: PmlFrame, memo: dict[int, Any]) -> Any:
    """A frame is copied for each cell that is measured, and only its numbers are used: not those of a static frame."""
    if "pisaStaticStory" in frame.__dict__:
        return DeepCopiedDirectly.__deepcopy__(frame, memo)
    copied = frame.__class__.__new__(frame.__class__)
    copied.__dict__.update(frame.__dict__)
    return copied


_WRAP = PmlParagraph.wrap


def _wrapped(paragraph: PmlParagraph, width: float, height: float) -> tuple[float, float]:
    """Size of a paragraph: each cell is asked three times for the same width."""
    width = round(width, DECIMALS)
    own = paragraph.__dict__
    known = own.get("measured")
    if known is not None and known[0] == width and own.get("blPara") is known[1]:
        paragraph.width, paragraph.height = known[2]
        return known[2]  # type: ignore[no-any-return]
    size: tuple[float, float] = _WRAP(paragraph, width, height)
    if not any(_depends(part) for part in paragraph.frags):
        paragraph.measured = (width, paragraph.blPara, size)
    return size


def _depends(part: Any) -> bool:
    """Whether a part of a paragraph is other than letters: an image, or the number of a page."""
    return getattr(part, "cbDefn", None) is not None or hasattr(getattr(part, "text", None), "resolve")


def _forget_words() -> None:
    """What was measured of a person's words goes with the document; sizes and colours of the rules stay."""
    util._string_widths.clear()


_PARTS: tuple[tuple[Any, str, Any], ...] = (
    (parser, "html5lib", _Parsers),
    (parser, "getCSSAttrCacheKey", _place),
    (document, "pisaContext", _Context),
    (document, "reset_caches", _forget_words),
    (PmlFrame, "__deepcopy__", _copied_frame),
    (PmlParagraph, "wrap", _wrapped),
)
