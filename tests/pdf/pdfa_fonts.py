"""Fonts as ISO 19005-3 asks (6.2.11): inside, with the widths that are drawn, and a glyph for each letter shown.

TrueType files are read here by themselves, with nothing of the library that wrote them.
"""

import struct
from collections.abc import Iterator
from typing import Any

import pikepdf

SYMBOLIC, NONSYMBOLIC = 4, 32
SHOWS_TEXT = {"Tj", "TJ", "'", '"'}
NEAR = 1.0
"""Thousandths of the size by which a width may differ from the font's."""


class TrueType:
    """Widths and glyphs of a TrueType file: ``head``, ``hhea``, ``hmtx`` and the table of codes for (1, 0)."""

    def __init__(self, data: bytes) -> None:
        count = struct.unpack_from(">H", data, 4)[0]
        self._tables = {}
        for rank in range(count):
            tag, _sum, offset, length = struct.unpack_from(">4sLLL", data, 12 + 16 * rank)
            self._tables[tag.decode()] = data[offset : offset + length]
        self._per_em = struct.unpack_from(">H", self._tables["head"], 18)[0]
        metrics = struct.unpack_from(">H", self._tables["hhea"], 34)[0]
        hmtx = self._tables["hmtx"]
        self._advances = [struct.unpack_from(">H", hmtx, 4 * rank)[0] for rank in range(metrics)]
        self.cmaps = [struct.unpack_from(">HHL", self._tables["cmap"], 4 + 8 * rank) for rank in range(self._count())]

    def _count(self) -> int:
        return int(struct.unpack_from(">H", self._tables["cmap"], 2)[0])

    def glyph(self, code: int) -> int:
        """Number of the glyph of a code; 0 is the one for what is missing."""
        cmap, offset = self._tables["cmap"], self.cmaps[0][2]
        kind = struct.unpack_from(">H", cmap, offset)[0]
        if kind == 0:
            return cmap[offset + 6 + code] if code < 256 else 0
        if kind == 6:
            first, count = struct.unpack_from(">HH", cmap, offset + 6)
            inside = first <= code < first + count
            return int(struct.unpack_from(">H", cmap, offset + 10 + 2 * (code - first))[0]) if inside else 0
        raise AssertionError(f"a table of codes of format {kind}")

    def width(self, glyph: int) -> float:
        """Advance in thousandths of the size."""
        return float(self._advances[min(glyph, len(self._advances) - 1)]) * 1000 / self._per_em


def faults(pdf: pikepdf.Pdf) -> Iterator[str]:
    """What is wrong with any font that a page shows."""
    for page in pdf.pages:
        shown = _codes(page)
        for name, font in page.Resources.get("/Font", {}).items():
            yield from (f"{font.BaseFont}: {fault}" for fault in _font_faults(font, shown.get(name, set())))
        yield from (
            f"text in a font that the page does not name: {name}" for name in shown if name not in page.Resources.Font
        )


def _font_faults(font: Any, codes: set[int]) -> Iterator[str]:
    descriptor = font.get("/FontDescriptor")
    if descriptor is None or not {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor.keys()):
        yield "not inside the file"
        return
    if "/ToUnicode" not in font:
        yield "gives no text"
    if font.Subtype != "/TrueType" or "/FontFile2" not in descriptor:
        yield f"{font.Subtype}, of which these checks know nothing"
        return
    if descriptor.FontName != font.BaseFont or str(font.BaseFont)[7:8] != "+":
        yield "a subset that is not named like one"
    data = bytes(descriptor.FontFile2.read_bytes())
    if int(descriptor.FontFile2.Length1) != len(data):
        yield "another length than is said"
    yield from _glyph_faults(font, TrueType(data), codes)


def _glyph_faults(font: Any, inside: TrueType, codes: set[int]) -> Iterator[str]:
    flags = int(font.FontDescriptor.Flags)
    if not flags & SYMBOLIC or flags & NONSYMBOLIC:
        yield "neither symbolic nor otherwise"
    if "/Encoding" in font:
        yield "an encoding beside the font's own codes"
    if len(inside.cmaps) != 1:
        yield f"{len(inside.cmaps)} tables of codes in a symbolic font"
    first, last, widths = int(font.FirstChar), int(font.LastChar), list(font.Widths)
    if len(widths) != last - first + 1:
        yield "more or fewer widths than codes"
    for code in sorted(codes):
        glyph = inside.glyph(code)
        if glyph == 0:
            yield f"code {code} shows the glyph for what is missing"
        if not first <= code <= last:
            yield f"code {code} has no width"
        elif abs(float(widths[code - first]) - inside.width(glyph)) > NEAR:
            yield f"code {code} is {widths[code - first]} wide, its glyph {inside.width(glyph):.1f}"


def _codes(page: pikepdf.Page) -> dict[str, set[int]]:
    """Codes that a page shows, by the name of their font."""
    shown: dict[str, set[int]] = {}
    name = ""
    instructions: Any = pikepdf.parse_content_stream(page)
    for operands, operator in instructions:
        if str(operator) == "Tf":
            name = str(operands[0])
        elif str(operator) in SHOWS_TEXT:
            parts = operands[0] if str(operator) == "TJ" else [operands[-1]]
            for part in parts:
                if isinstance(part, pikepdf.String):
                    shown.setdefault(name, set()).update(bytes(part))
    return shown
