"""Matching a transfer with what is expected: what is strong, medium, weak, and what must never be proposed."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness.pdf.epc import structured_reference
from calmness.services.billing.bank_matching import Expected, Reason, Strength, Transfer, names_payment, proposals

PAYMENT = Expected(7, 4990, structured_reference(7), "VIR20261124", "Élodie O'Brien-Ñandú", frozenset({"DE89"}))


@pytest.mark.parametrize(
    ("transfer", "strength", "reasons"),
    [
        (Transfer(4990, "RF12 x " + PAYMENT.reference), Strength.STRONG, {Reason.REFERENCE, Reason.AMOUNT}),
        (Transfer(4990, "p 000 0007"), Strength.STRONG, {Reason.REFERENCE, Reason.AMOUNT}),
        (Transfer(4990, "vir-2026-1124"), Strength.STRONG, {Reason.NUMBER, Reason.AMOUNT}),
        (Transfer(4990, "x", debtor_iban="DE89"), Strength.MEDIUM, {Reason.AMOUNT, Reason.ACCOUNT}),
        (Transfer(4000, PAYMENT.reference), Strength.MEDIUM, {Reason.REFERENCE, Reason.TOO_LITTLE}),
        (Transfer(6000, PAYMENT.reference), Strength.MEDIUM, {Reason.REFERENCE, Reason.TOO_MUCH}),
        (Transfer(4990, "x", "MME ELODIE O BRIEN NANDU"), Strength.WEAK, {Reason.AMOUNT, Reason.NAME}),
    ],
)
def test_strength_and_reasons(transfer: Transfer, strength: Strength, reasons: set[Reason]) -> None:
    proposal = proposals(transfer, [PAYMENT])[0]

    assert proposal.strength is strength
    assert set(proposal.reasons) == reasons


@pytest.mark.parametrize(
    "transfer",
    [
        Transfer(4990, "cours"),
        Transfer(5000, "x", "ELODIE O BRIEN NANDU"),
        Transfer(5000, "x", debtor_iban="DE89"),
        Transfer(-4990, PAYMENT.reference),
        Transfer(4990, "P00000071"),
    ],
)
def test_what_is_not_proposed(transfer: Transfer) -> None:
    assert proposals(transfer, [PAYMENT]) == []


def test_the_likeliest_comes_first() -> None:
    weak = Expected(8, 4990, structured_reference(8), "", "Jean Test")

    found = proposals(Transfer(4990, PAYMENT.reference, "JEAN TEST"), [weak, PAYMENT])

    assert [proposal.payment_id for proposal in found] == [7, 8]


@given(st.integers(1, 10**9), st.text(alphabet=string.ascii_letters + " ./-", max_size=40), st.booleans())
def test_a_reference_is_found_however_it_is_written(number: int, around: str, lower: bool) -> None:
    reference = structured_reference(number)
    spaced = " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))
    text = f"{around} {spaced.lower() if lower else spaced} {around}"

    assert names_payment(text, reference)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_no_reference_is_mistaken_for_another(one: int, other: int) -> None:
    if one != other:
        assert not names_payment(f"VIR {structured_reference(one)} MERCI", structured_reference(other))


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_only_the_exact_amount_is_strong(received: int, expected: int) -> None:
    payment = Expected(1, expected, structured_reference(1), "", "A B")

    found = proposals(Transfer(received, structured_reference(1)), [payment])[0]

    assert (found.strength is Strength.STRONG) == (received == expected)
