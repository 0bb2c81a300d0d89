"""The school's identity on its invoices: logo, living picture, versions that stay as they were."""

import io
import re
import struct
import zlib
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from calmness.extensions import db
from calmness.jobs.billing import render_invoice
from calmness.jobs.invoice_view import document_properties, invoice_page, invoice_view
from calmness.models.account import User
from calmness.models.billing import InvoiceTemplate
from calmness.pdf.facturx import invoice_xml, with_invoice
from calmness.pdf.logo import HEAD
from calmness.pdf.render import draw
from calmness.services.billing import identity, invoice_terms, purchases
from tests import factories
from tests.billing import shop
from tests.pdf import pdfa

ClientFor = Callable[[User], FlaskClient]
PAGE = "/admin/identite"


def picture(form: str = "PNG", size: tuple[int, int] = (1200, 300), mode: str = "RGBA") -> bytes:
    """A gold rectangle, half transparent where the mode knows that."""
    out = io.BytesIO()
    Image.new(mode, size, (212, 175, 55, 128)[: len(mode)]).save(out, form)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 40 000 x 40 000 pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (head, b"IDAT" + zlib.compress(b""), b"IEND")
    )


def typed(**values: object) -> dict[str, object]:
    """What the form sends."""
    return {**shop.IDENTITY, **values}


def given(content: bytes, name: str = "logo.png") -> tuple[io.BytesIO, str]:
    """A file field."""
    return io.BytesIO(content), name


@pytest.mark.parametrize(("form", "mode"), [("PNG", "RGBA"), ("PNG", "RGB"), ("JPEG", "RGB"), ("WEBP", "RGBA")])
def test_a_logo_is_drawn_anew_small_and_on_the_black_of_the_head(
    site: Flask, client_for: ClientFor, form: str, mode: str
) -> None:
    answer = client_for(factories.admin()).post(PAGE, data=typed(logo=given(picture(form, mode=mode))))

    assert answer.status_code == 302
    template = identity.current()
    assert template is not None
    assert template.logo is not None
    with Image.open(io.BytesIO(template.logo)) as kept:
        assert (kept.format, kept.mode, kept.size) == ("PNG", "RGB", (900, 225))
        if mode == "RGBA":
            assert kept.getpixel((5, 5)) not in {HEAD, (212, 175, 55)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "vide"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20 * 1024 * 1024), "dépasse 2\xa0Mo|dépasse 2 Mo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://127.0.0.1/x'/></svg>", "pas une image"),
        (b"%PDF-1.7", "pas une image"),
        (picture()[:120], "abîmée"),
        (bomb(), "25 millions"),
    ],
    ids=["empty", "20 MB", "SVG", "PDF", "cut off", "bomb"],
)
def test_a_file_that_is_no_logo_is_refused_beside_its_field_and_nothing_typed_is_lost(
    site: Flask, client_for: ClientFor, content: bytes, said: str
) -> None:
    answer = client_for(factories.admin()).post(PAGE, data=typed(company_name="Nouveau Nom", logo=given(content)))

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert re.search(rf'id="logo-erreur">.*?({said})', page, re.S)
    assert 'value="Nouveau Nom"' in page
    assert identity.versions() == []


def test_the_logo_stays_with_the_next_version_until_it_is_taken_off(site: Flask, client_for: ClientFor) -> None:
    owner = client_for(factories.admin())
    owner.post(PAGE, data=typed(logo=given(picture())))
    owner.post(PAGE, data=typed(city="Lyon"))
    kept = [version.logo is not None for version in identity.versions()]
    owner.post(PAGE, data=typed(without_logo="y"))

    assert kept == [True, True]
    assert [version.logo is not None for version in identity.versions()] == [False, True, True]


def test_an_invoice_drawn_again_under_the_next_logo_is_the_same_file_of_the_same_shape(
    site: Flask, client_for: ClientFor
) -> None:
    owner = client_for(factories.admin())
    owner.post(PAGE, data=typed(logo=given(picture()), note="Merci de votre confiance."))
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()
    xml = invoice_xml(invoice_terms.terms(invoice))
    with draw(invoice_page(invoice_view(invoice))) as document:
        first = with_invoice(document, xml, document_properties(invoice))

    owner.post(PAGE, data=typed(company_name="Autre", logo=given(picture(size=(300, 300))), note="Autre texte."))
    with draw(invoice_page(invoice_view(invoice))) as document:
        again = with_invoice(document, xml, document_properties(invoice))

    assert again == first
    assert pdfa.faults(first) == []
    page = PdfReader(io.BytesIO(first)).pages[0]
    assert len(page.images) == 1
    assert "Merci de votre confiance." in page.extract_text()
    render_invoice({"invoice_id": invoice.id})


def test_a_version_never_changes_and_never_goes(site: Flask) -> None:
    shop.identity()
    db.session.commit()

    for statement in (
        update(InvoiceTemplate).values(company_name="Autre"),
        InvoiceTemplate.__table__.delete(),  # type: ignore[attr-defined]
    ):
        with pytest.raises(IntegrityError):
            db.session.execute(statement)
        db.session.rollback()

    assert db.session.scalar(select(InvoiceTemplate.company_name)) == shop.IDENTITY["company_name"]


def test_the_picture_shows_what_is_typed_and_nothing_is_saved(site: Flask, client_for: ClientFor) -> None:
    owner = client_for(factories.admin())
    ask = {"headers": {"Accept": "image/png"}}

    plain = owner.post(f"{PAGE}/apercu", data=typed(), **ask)
    other = owner.post(f"{PAGE}/apercu", data=typed(company_name="Un tout autre nom"), **ask)
    logo = owner.post(f"{PAGE}/apercu", data=typed(logo=given(picture())), **ask)
    refused = owner.post(f"{PAGE}/apercu", data=typed(logo=given(b"%PDF-1.7")), **ask)

    assert {answer.mimetype for answer in (plain, other, logo)} == {"image/png"}
    assert len({plain.data, other.data, logo.data}) == 3
    with Image.open(io.BytesIO(plain.data)) as drawn:
        assert drawn.width == 900
    assert (refused.status_code, "pas une image" in refused.get_data(as_text=True)) == (422, True)
    assert identity.versions() == []


def test_without_scripts_a_button_draws_the_picture_in_the_page(site: Flask, client_for: ClientFor) -> None:
    answer = client_for(factories.admin()).post(f"{PAGE}/apercu?format=page", data=typed(city="Trifouilly"))

    page = answer.get_data(as_text=True)
    assert 'src="data:image/png;base64,' in page
    assert 'value="Trifouilly"' in page


def test_each_version_can_be_seen(site: Flask, client_for: ClientFor) -> None:
    owner = client_for(factories.admin())
    owner.post(PAGE, data=typed())
    owner.post(PAGE, data=typed(company_name="Second Nom"))

    page = owner.get(PAGE).get_data(as_text=True)
    old = owner.get(f"{PAGE}/versions/1/specimen.pdf")

    assert f"{PAGE}/versions/1/specimen.pdf" in page
    assert shop.IDENTITY["company_name"] in PdfReader(io.BytesIO(old.data)).pages[0].extract_text()
    assert owner.get(f"{PAGE}/versions/9/specimen.pdf").status_code == 404


def test_the_number_of_a_training_organisation_is_printed_when_there_is_one(site: Flask, client_for: ClientFor) -> None:
    owner = client_for(factories.admin())
    owner.post(PAGE, data=typed())
    owner.post(PAGE, data=typed(training_number="11 75 12345 75"))

    texts = [
        PdfReader(io.BytesIO(owner.get(f"{PAGE}/versions/{number}/specimen.pdf").data)).pages[0].extract_text()
        for number in (1, 2)
    ]

    assert ["Déclaration d’activité n° 11 75 12345 75" in re.sub(r"\s+", " ", text) for text in texts] == [False, True]


@pytest.mark.parametrize(
    ("field", "value"),
    [("siret", "73282932000075"), ("iban", "FR00"), ("bic", "X"), ("vat_number", "FR00732829320")],
)
def test_a_number_that_does_not_check_is_refused_beside_its_field(
    site: Flask, client_for: ClientFor, field: str, value: str
) -> None:
    answer = client_for(factories.admin()).post(PAGE, data=typed(**{field: value}))

    assert answer.status_code == 422
    assert f'id="{field}-erreur"' in answer.get_data(as_text=True)
    assert identity.versions() == []
