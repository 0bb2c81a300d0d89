"""The SEPA code as a person's camera sees it: drawn by a browser, read by a reader that is not ours."""

import io
from collections.abc import Callable

import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Browser

from calmness.models.account import User
from calmness.services.billing import purchases
from tests import factories
from tests.billing import shop

ClientFor = Callable[[User], FlaskClient]


def seen(chromium: Browser, markup: str, width: int) -> str:
    """What the reader finds in the picture of a code on a dark page."""
    page = chromium.new_page(viewport={"width": 800, "height": 800})
    try:
        page.set_content(f"<body style='background:#0b0b0c'><div style='width:{width}px'>{markup}</div></body>")
        picture = Image.open(io.BytesIO(page.locator("svg").screenshot()))
    finally:
        page.close()
    (code,) = zxingcpp.read_barcodes(picture)
    assert code.format == zxingcpp.BarcodeFormat.QRCode
    return code.text


@pytest.mark.parametrize(("cents", "printed"), [(1, "EUR0.01"), (4990, "EUR49.90"), (1005, "EUR10.05")])
def test_a_reader_finds_the_transfer_of_the_page(
    site: Flask, client_for: ClientFor, chromium: Browser, cents: int, printed: str
) -> None:
    shop.identity()
    user = factories.student()
    payment = purchases.declare(user, shop.signals_offer(price_cents=cents).slug)
    purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)

    text = client_for(user).get(f"/espace/commandes/{payment.id}?etape=2").text
    markup = text[text.index("<svg", text.index('class="qr"')) :]
    lines = seen(chromium, markup[: markup.index("</svg>") + 6], 240).split("\n")

    assert lines[:4] == ["BCD", "002", "1", "SCT"]
    assert lines[4:7] == ["PSSTFRPPPAR", "Calmness Trading SAS", "FR1420041010050500013M02606"]
    assert lines[7:] == [printed, "", payment.reference], "a reference or a text, never both, and no empty line after"
