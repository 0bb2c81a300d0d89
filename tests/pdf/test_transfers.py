"""SEPA codes and structured references."""

from xml.etree import ElementTree as ET

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from segno import helpers
from stdnum import iso11649

from calmness.pdf.epc import structured_reference, transfer_payload, transfer_svg

pytestmark = pytest.mark.once
IBAN = "FR76 3000 6000 0112 3456 7890 189"
NAME = "Calmness Trading SAS"
REFERENCE = structured_reference(1)


def payload(cents: int = 14_999, name: str = NAME, bic: str = "AGRIFRPP", iban: str = IBAN) -> list[str]:
    """Lines of a code."""
    return transfer_payload(name=name, iban=iban, bic=bic, cents=cents, reference=REFERENCE).split("\n")


def test_the_code_says_the_ten_lines_of_the_standard() -> None:
    assert payload() == [
        "BCD",
        "002",
        "1",
        "SCT",
        "AGRIFRPP",
        NAME,
        "FR7630006000011234567890189",
        "EUR149.99",
        "",
        "RF87P0000001",
    ]


@given(st.integers(1, 99_999_999_999))
def test_every_amount_is_exact(cents: int) -> None:
    amount = payload(cents)[7].removeprefix("EUR")

    assert int(amount.replace(".", "")) == cents
    assert amount[-3] == "."


@pytest.mark.parametrize("cents", [0, -5, 100_000_000_000])
def test_an_amount_that_no_transfer_can_have_is_refused(cents: int) -> None:
    with pytest.raises(ValueError, match="amount"):
        payload(cents)


def test_a_wrong_account_is_refused_and_draws_nothing() -> None:
    with pytest.raises(ValueError, match="checksum"):
        payload(iban="FR76 3000 6000 0112 3456 7890 188")

    assert transfer_svg(name=NAME, iban="", bic="", cents=100, reference=REFERENCE) == ""


def test_a_name_can_add_no_line_and_is_cut() -> None:
    lines = payload(name="Calmness\nEUR1.00\n" + "x" * 100)

    assert len(lines) == 10
    assert len(lines[5]) == 70


def test_the_drawing_is_the_one_that_the_library_makes_of_the_same_transfer() -> None:
    ours = segno.make("\n".join(payload()), error="m", micro=False, boost_error=False, encoding="utf-8")
    theirs = helpers.make_epc_qr(
        name=NAME,
        iban="FR7630006000011234567890189",
        amount=149.99,
        reference="RF87P0000001",
        bic="AGRIFRPP",
        encoding=1,
    )

    assert ours.matrix == theirs.matrix


def test_the_drawing_is_black_on_white_with_a_quiet_zone_and_no_style() -> None:
    drawn = transfer_svg(name=NAME, iban=IBAN, bic="", cents=14_999, reference=REFERENCE)
    root = ET.fromstring(drawn)  # noqa: S314

    assert root.get("viewBox")
    assert "style=" not in drawn
    assert 'fill="#fff"' in drawn
    assert 'stroke="#000"' in drawn


@pytest.mark.parametrize(("number", "reference"), [(1, "RF87P0000001"), (12_345_678, None)])
def test_a_reference_has_its_check_digits(number: int, reference: str | None) -> None:
    made = structured_reference(number)

    assert reference in {made, None}
    assert iso11649.is_valid(made)


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_references_are_valid_and_belong_to_one_payment(first: int, second: int) -> None:
    assert iso11649.is_valid(structured_reference(first))
    assert (structured_reference(first) == structured_reference(second)) == (first == second)
