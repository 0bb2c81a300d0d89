"""What is drawn with the quicker parts looks like what the library draws alone."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageChops
from pypdf import PdfReader
from xhtml2pdf import document, parser, pisa, util
from xhtml2pdf.config.resources import ResourceAccessPolicy
from xhtml2pdf.xhtml2pdf_reportlab import PmlFrame, PmlParagraph

from calmness.pdf.render import ASSETS, PdfNotRendered, _drawn, _elements, render
from calmness.pdf.shortcuts import _Context, shortcuts
from tests.pdf.test_documents import HOSTILE, html, view

pytestmark = pytest.mark.once
DOTS = 2.0
"""Pixels a point."""
ROOT = Path(__file__).parents[2]


def alone(page: str) -> bytes:
    """The page by the library, nothing of ours in it."""
    out = io.BytesIO()
    result = pisa.CreatePDF(
        page,
        dest=out,
        path=str(ASSETS / "document.html"),
        encoding="utf-8",
        default_css=_elements(),
        resource_policy=ResourceAccessPolicy.server(str(ASSETS), allow_remote=False),
    )
    assert (result.err, result.warn) == (0, 0)
    return out.getvalue()


def texts(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def pictures(pdf: bytes) -> list[Image.Image]:
    with pypdfium2.PdfDocument(pdf) as opened:
        return [page.render(scale=DOTS).to_pil() for page in opened]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(html(view())(1), id="one line"),
        pytest.param(html(view(5, buyer=HOSTILE))(1), id="hostile name"),
        pytest.param(html(view(60))(3), id="several pages"),
        pytest.param(html(view(title="Avoir"))(1), id="credit note"),
    ],
)
def test_each_page_looks_as_the_library_draws_it_alone(page: str) -> None:
    # Twice: what the first has left for the second is right as well.
    _drawn(page)
    ours, theirs = _drawn(page).getvalue(), alone(page)

    assert texts(ours) == texts(theirs)
    for mine, other in zip(pictures(ours), pictures(theirs), strict=True):
        assert ImageChops.difference(mine, other).getbbox() is None


def test_the_library_is_as_it_was_after_each_document_and_after_each_failure() -> None:
    def parts() -> list[object]:
        return [
            parser.html5lib,
            parser.getCSSAttrCacheKey,
            document.pisaContext,
            document.reset_caches,
            PmlFrame.__dict__.get("__deepcopy__"),
            PmlParagraph.__dict__["wrap"],
        ]

    before = parts()
    render(html(view()))
    with pytest.raises(PdfNotRendered):
        render(lambda _pages: "<html><body><p>Helvetica</p></body></html>")
    with pytest.raises(ValueError, match="of the test"), shortcuts():
        raise ValueError("of the test")

    assert parts() == before


def test_other_rules_of_style_are_not_taken_for_those_of_an_earlier_page() -> None:
    page = html(view())(1)
    other = page.replace("color: #d4af37; }", "color: #00ff00; }")
    assert other != page
    _drawn(page)

    assert pictures(_drawn(other).getvalue())[0].tobytes() == pictures(alone(other))[0].tobytes()


def test_a_page_that_is_not_well_formed_is_refused() -> None:
    with pytest.raises(PdfNotRendered, match="well-formed"):
        render(lambda _pages: '<html lang="fr"><body><p>Bonjour</body></html>')


def test_no_word_of_a_person_stays_in_memory() -> None:
    render(html(view(buyer="Zéphyrine Quincampoix")))

    assert not util._string_widths
    assert "Quincampoix" not in repr((_Context.sheets, _Context.results))


MADE_ELSEWHERE = """
import hashlib, sys
import time_machine
from datetime import UTC, datetime
from calmness.pdf.render import draw
from calmness.pdf.facturx import with_invoice
from calmness.pdf.invoice import Properties
from tests.pdf.test_documents import html, view
with time_machine.travel(sys.argv[1]):
    with draw(html(view(3))) as drawn:
        file = with_invoice(drawn, b"<a/>", Properties("t", "a", "s", datetime(2026, 11, 24, tzinfo=UTC)))
    print(hashlib.sha256(file).hexdigest())
"""


def test_another_process_on_another_day_makes_the_same_bytes() -> None:
    """What a library seeds with the clock or with the order of a set must not be in the file."""
    made = [
        subprocess.run(
            [sys.executable, "-c", MADE_ELSEWHERE, day],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for day, seed in (("2026-11-24", "1"), ("2031-02-03", "2"))
    ]

    assert made[0] == made[1] != ""
