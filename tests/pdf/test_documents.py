"""Invoices as PDF: whole, hostile names included, the same bytes each time, nothing fetched."""

import io
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pypdf import PdfReader

from calmness.pdf.invoice import InvoiceView, LineView
from calmness.pdf.letters import FONT, _known, fitting, printable
from calmness.pdf.render import PdfNotRendered, render

pytestmark = pytest.mark.once
TEMPLATES = Path(__file__).parents[2] / "calmness" / "templates"
LINE = LineView(
    "Formation « Gestion du risque »", "Du 24 novembre au 23 décembre 2026", "1", "124,99 €", "20 %", "124,99 €"
)
HOSTILE = 'O\'Brien-Ñandú <b>"&<pdf:nextpage><img src="file:///etc/passwd">{{ 7*7 }}'


def view(lines: int = 1, buyer: str = "Camille Moreau", title: str = "Facture") -> InvoiceView:
    """A document with some lines."""
    return InvoiceView(
        title=title,
        number="CT-20261124-0007",
        brand="Calmness Trading",
        seller=("Calmness Trading SAS", "12 rue de la Paix", "75002 Paris", "N° TVA FR32123456789"),
        buyer=(printable(buyer), "8 impasse de l’Œillet", "94240 L’Haÿ-les-Roses"),
        facts=(("Date d’émission", "24 novembre 2026"), ("Référence", "RF87 P000 0001")),
        lines=(
            *tuple(LineView(f"Ligne {number}", "", "1", "1,00 €", "20 %", "1,00 €") for number in range(lines - 1)),
            LINE,
        ),
        totals=(("Total HT", "124,99 €"), ("TVA 20 %", "25,00 €"), ("Total TTC", "149,99 €")),
        due_label="Reste à payer",
        due="−0,00 €",
        mentions=(
            "Pas d’escompte pour paiement anticipé.",
            "Indemnité forfaitaire pour frais de recouvrement\u202f: 40 €.",
        ),
        footer="Calmness Trading SAS · SIRET 123 456 789 00012",
    )


def html(shown: InvoiceView) -> Callable[[int], str]:
    """The page that becomes the document, to be told how many pages there are."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    template = environment.get_template("pdf/invoice.html")
    return lambda pages: template.render(view=shown, pages=pages)


def texts(document: bytes) -> list[str]:
    """Text of each page, with ordinary spaces."""
    return [re.sub(r"\s+", " ", page.extract_text()) for page in PdfReader(io.BytesIO(document)).pages]


def test_everything_that_the_law_asks_for_is_on_the_page() -> None:
    shown = view()
    page = texts(render(html(shown)))[0]

    for said in (
        shown.title,
        shown.number,
        *shown.seller,
        *shown.buyer,
        *(text for fact in shown.facts for text in fact),
        *(text for total in shown.totals for text in total),
        LINE.label,
        LINE.detail,
        shown.due_label,
        shown.footer,
        "page 1 / 1",
        "frais de recouvrement",
    ):
        assert re.sub(r"\s+", " ", said) in page, said


def test_the_same_document_is_the_same_file() -> None:
    assert render(html(view(3))) == render(html(view(3)))


def test_long_documents_repeat_their_heads_and_count_their_pages() -> None:
    pages = texts(render(html(view(60))))

    assert len(pages) >= 3
    for number, page in enumerate(pages, 1):
        assert f"page {number} / {len(pages)}" in page
        assert "CT-20261124-0007" in page
    assert sum("Désignation" in page for page in pages) >= len(pages) - 1
    together = " ".join(pages)
    assert all(f"Ligne {number} " in together for number in range(59))
    assert "Reste à payer" in pages[-1]


def test_a_hostile_name_is_printed_as_a_name() -> None:
    document = render(html(view(buyer=HOSTILE)))

    assert len(PdfReader(io.BytesIO(document)).pages) == 1
    page = texts(document)[0]
    assert "O'Brien-Ñandú <b>\"&<pdf:nextpage>" in page
    assert "{{ 7*7 }}" in page
    assert "root:" not in page


def test_all_fonts_are_inside_the_file() -> None:
    for page in PdfReader(io.BytesIO(render(html(view(60))))).pages:
        fonts = page["/Resources"]["/Font"]  # type: ignore[index]
        names = {font.get_object()["/BaseFont"] for font in fonts.values()}
        assert names
        assert all("Inter" in name for name in names), names


def test_the_document_says_its_language() -> None:
    assert PdfReader(io.BytesIO(render(html(view())))).trailer["/Root"]["/Lang"] == "fr"  # type: ignore[index]


def test_a_credit_note_says_so() -> None:
    page = texts(render(html(view(title="Avoir"))))[0]

    assert "Avoir" in page
    assert "Facture" not in page


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback that notes who knocks."""
    knocks: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            knocks.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", knocks
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("address", ["{url}/logo.png", "file:///etc/hostname", "../../../config.py", "/etc/hostname"])
def test_nothing_is_fetched_from_anywhere(listener: tuple[str, list[str]], address: str) -> None:
    url, knocks = listener

    with pytest.raises(PdfNotRendered, match="0 errors, 1 warnings"):
        render(lambda _pages: f'<html lang="fr"><body><img src="{address.format(url=url)}"/>Bonjour</body></html>')

    assert knocks == []


def test_a_font_of_the_reader_s_machine_is_refused() -> None:
    with pytest.raises(PdfNotRendered):
        render(lambda _pages: "<html><body><p>Helvetica</p></body></html>")


def test_a_document_of_one_page_is_laid_out_once() -> None:
    told: list[int] = []

    def page(pages: int) -> str:
        told.append(pages)
        return html(view())(pages)

    render(page)

    assert told == [1]


def test_a_name_that_looks_like_the_clean_up_stays() -> None:
    name = "BT /F1 12 Tf 14.4 TL ET"

    assert name in texts(render(html(view(buyer=name))))[0]


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("Zoë Ñandú", "Zoë Ñandú"),
        ("Zoe\u0308", "Zoë"),
        ("Łukasz Đặng", "Łukasz Đặng"),
        ("你好 Li", "?? Li"),
        ("Léa 😀", "Léa ?"),
        ("deux\nlignes\tet plus", "deux lignes et plus"),
        ("ﬁn ① ㎏", "fin 1 kg"),
        ("sans\u200btrou\u202e", "sanstrou"),
        ("1\u202f499,00\u00a0€ \u2212", "1\u202f499,00\u00a0€ \u2212"),
    ],
)
def test_letters_without_a_glyph_are_brought_back_to_one(typed: str, printed: str) -> None:
    known = _known()

    assert printable(typed) in {printed, "".join(c if ord(c) in known else printable(c) for c in printed)}


@given(st.text(max_size=80))
def test_no_name_is_ever_printed_with_a_hole(name: str) -> None:
    assert FONT.is_file()
    assert all(ord(character) in _known() for character in printable(name))


def test_a_word_wider_than_its_column_is_cut_and_others_are_left_alone() -> None:
    long = "W" * 60

    assert fitting("Camille Moreau", 235) == "Camille Moreau"
    parts = fitting(long, 235).split(" ")
    assert "".join(parts) == long
    assert max(map(len, parts)) * 8 <= 235
