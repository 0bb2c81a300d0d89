"""SEPA transfer by QR code (EPC069-12) and structured references (ISO 11649)."""

from decimal import Decimal

import segno
from markupsafe import Markup
from stdnum import iban as stdnum_iban
from stdnum import iso11649

MAX_CENTS = 99_999_999_999


def structured_reference(payment_number: int) -> str:
    """``RF`` reference of a payment: two check digits, then ``P`` and the number with at least seven digits."""
    body = f"P{payment_number:07d}"
    letters = "".join(str(int(character, 36)) for character in body + "RF00")
    reference = f"RF{98 - int(letters) % 97:02d}{body}"
    return str(iso11649.validate(reference))


def transfer_payload(*, name: str, iban: str, bic: str, cents: int, reference: str) -> str:
    """The ten lines that the code says. Written here, because the library's helper takes binary floats for the amount.

    Raises ValueError for an amount outside 0.01 to 999 999 999.99, an IBAN or a reference with a wrong check digit.
    """
    if not 1 <= cents <= MAX_CENTS:
        raise ValueError("amount out of range")
    account = stdnum_iban.validate(iban)
    lines = ("BCD", "002", "1", "SCT", bic.replace(" ", ""), " ".join(name.split())[:70], account)
    return "\n".join((*lines, f"EUR{Decimal(cents) / 100:.2f}", "", iso11649.validate(reference)))


def transfer_svg(*, name: str, iban: str, bic: str, cents: int, reference: str) -> Markup:
    """QR code that banking apps read, as SVG without style attributes: black on white, four modules of quiet zone.

    Empty when such a transfer cannot be coded: account and reference stand beside it in letters anyway.
    """
    try:
        payload = transfer_payload(name=name, iban=iban, bic=bic, cents=cents, reference=reference)
    except ValueError:
        return Markup("")
    code = segno.make(payload, error="m", micro=False, boost_error=False, encoding="utf-8")
    # Drawn from checked digits: no text of a person is in it.
    return Markup(code.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704
