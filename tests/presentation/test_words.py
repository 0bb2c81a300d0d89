"""Names, account numbers and typed texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness import presentation
from calmness.presentation import NARROW, NO_BREAK

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Camille Moreau", "CM"),
        ("Jean de La Fontaine", "JF"),
        ("Zoé", "Z"),
        ("O'Brien-Ñandú <b>", "O"),
        ("élise Ærø", "ÉÆ"),
        ("😀", "?"),
        ("", "?"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert presentation.initials(name) == letters


def test_numbers_are_masked_but_for_their_end() -> None:
    assert presentation.masked("12344451") == "••4451"
    assert presentation.masked("445") == "••5"
    assert presentation.masked(None) == ""


@given(st.text(min_size=2, max_size=40))
def test_a_mask_never_shows_more_than_half(text: str) -> None:
    assert len(presentation.masked(text)) - 2 <= max(1, len(text) // 2)


def test_an_iban_is_grouped_by_four() -> None:
    assert presentation.iban("FR7630006000011234567890189").split(NO_BREAK) == [
        "FR76", "3000", "6000", "0112", "3456", "7890", "189",
    ]  # fmt: skip


def test_typed_texts_get_french_spaces() -> None:
    assert presentation.spaced("Bonjour ! « Ça va » : oui ?") == (
        f"Bonjour{NARROW}! «{NO_BREAK}Ça va{NO_BREAK}»{NO_BREAK}: oui{NARROW}?"
    )
    assert presentation.spaced("https://calmness.test/a?b=1;c") == "https://calmness.test/a?b=1;c"


def test_tones_follow_the_sign() -> None:
    assert [presentation.tone(value) for value in (2, -2, 0, None)] == ["positive", "negative", "", ""]


def test_the_number_of_an_invoice_stays_on_one_line_and_nothing_else_of_a_text_becomes_markup() -> None:
    assert presentation.unbroken("Votre facture CT-20261128-0003 <b>est</b> là") == (
        'Votre facture <span class="nowrap">CT-20261128-0003</span> &lt;b&gt;est&lt;/b&gt; là'
    )
