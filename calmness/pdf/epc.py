"""SEPA transfer by QR code (EPC069-12) and structured references (ISO 11649)."""

from decimal import Decimal

import segno
from markupsafe import Markup
from stdnum import iso11649


def structured_reference(payment_number: int) -> str:
    """``RF`` reference of a payment: two check digits, then ``P`` and the number with at least seven digits."""
    body = f"P{payment_number:07d}"
    letters = "".join(str(int(character, 36)) for character in body + "RF00")
    reference = f"RF{98 - int(letters) % 97:02d}{body}"
    return str(iso11649.validate(reference))


def transfer_svg(*, name: str, iban: str, bic: str, cents: int, reference: str) -> Markup:
    """QR code that banking apps read, as SVG without style attributes: black on white, four modules of quiet zone.

    The payload is written here, because the library's helper takes binary floats for the amount.
    """
    amount = Decimal(cents) / 100
    payload = "\n".join(
        ("BCD", "002", "1", "SCT", bic, name[:70], iban.replace(" ", ""), f"EUR{amount:.2f}", "", reference)
    )
    code = segno.make(payload, error="m", micro=False, boost_error=False, encoding="utf-8")
    # Drawn from checked digits: no text of a person is in it.
    return Markup(code.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704
