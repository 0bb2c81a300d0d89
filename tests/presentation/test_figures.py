"""Figures as French and English readers write them."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness import locale, presentation
from calmness.presentation import MINUS, NARROW, NO_BREAK

pytestmark = pytest.mark.once
cents = st.integers(-(10**12), 10**12)
ratios = st.floats(-100, 100, allow_nan=False)


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who chose English."""
    monkeypatch.setattr(locale, "language", lambda: "en")


@pytest.mark.parametrize(
    ("given_cents", "written"),
    [
        (14_999, "149,99_€"),
        (149_900, "1.499,00_€"),
        (-6_127, "−61,27_€"),
        (0, "0,00_€"),
        (5, "0,05_€"),
        (123_456_789, "1.234.567,89_€"),
        (None, "–"),
    ],
)
def test_money(given_cents: int | None, written: str) -> None:
    assert presentation.money(given_cents) == written.replace(".", NARROW).replace("_", NO_BREAK)


@pytest.mark.parametrize(("given_cents", "sign"), [(14_999, "+"), (-14_999, MINUS), (0, "")])
def test_a_result_always_wears_its_sign_and_zero_none(given_cents: int, sign: str) -> None:
    assert presentation.signed_money(given_cents) == f"{sign}{presentation.money(abs(given_cents))}"


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert presentation.signed_number(-0.004, 2) == "0,00"
    assert presentation.signed_number(0.004, 2) == "0,00"
    assert presentation.amount(-0.004) == f"0,00{NO_BREAK}€"
    assert presentation.signed_amount(0.004) == f"0,00{NO_BREAK}€"


def test_other_currencies() -> None:
    assert presentation.amount(Decimal("1284.5"), "USD") == f"1{NARROW}284,50{NO_BREAK}$"
    assert presentation.amount(1284, "JPY") == f"1{NARROW}284{NO_BREAK}¥"
    assert presentation.amount(12, "AUD") == f"12,00{NO_BREAK}AUD"


def test_rates() -> None:
    assert presentation.percent(0.5842) == f"58,4{NO_BREAK}%"
    assert presentation.percent(0) == f"0,0{NO_BREAK}%"
    assert presentation.percent(None) == "–"
    assert presentation.points(0.061) == f"+6,1{NO_BREAK}pts"
    assert presentation.points(-0.2) == f"{MINUS}20,0{NO_BREAK}pts"


def test_what_no_division_gives_is_a_dash() -> None:
    assert presentation.number(float("inf")) == "–"
    assert presentation.number(Decimal("NaN")) == "–"
    assert presentation.signed_number(None) == "–"


def test_halves_go_up_as_in_a_shop() -> None:
    assert presentation.number(Decimal("0.125"), 2) == "0,13"
    assert presentation.number(2.5) == "3"


def test_a_price_keeps_the_digits_that_the_broker_gave() -> None:
    assert presentation.price(Decimal("1.08505")) == "1,08505"
    assert presentation.price(Decimal("1.08500"), 5) == "1,08500"
    assert presentation.price(Decimal(2650), 2) == f"2{NARROW}650,00"
    assert presentation.price(Decimal("1E+3")) == f"1{NARROW}000"


def test_a_volume_has_two_digits_or_three_when_needed() -> None:
    assert presentation.volume(Decimal("0.1")) == "0,10"
    assert presentation.volume(Decimal("0.015")) == "0,015"


def test_sizes_of_files() -> None:
    assert presentation.file_size(999) == f"999{NO_BREAK}o"
    assert presentation.file_size(48_200) == f"48{NO_BREAK}ko"
    assert presentation.file_size(999_999) == f"1,0{NO_BREAK}Mo"
    assert presentation.file_size(1_240_000) == f"1,2{NO_BREAK}Mo"


@pytest.mark.usefixtures("english")
def test_english_readers() -> None:
    assert presentation.money(149_900) == "€1,499.00"
    assert presentation.money(-6_127) == f"{MINUS}€61.27"
    assert presentation.signed_money(6_127) == "+€61.27"
    assert presentation.percent(0.584) == "58.4%"
    assert presentation.file_size(48_200) == f"48{NO_BREAK}kB"


@given(cents)
def test_money_reads_back_to_the_same_cents(value: int) -> None:
    written = presentation.money(value)
    digits = re.sub(r"\D", "", written)

    assert int(digits) * (-1 if written.startswith(MINUS) else 1) == value


@given(cents, ratios)
def test_a_figure_and_its_unit_are_never_parted(value: int, ratio: float) -> None:
    for written in (
        presentation.money(value),
        presentation.signed_money(value),
        presentation.percent(ratio),
        presentation.points(ratio),
        presentation.number(value),
        presentation.duration(abs(value)),
        presentation.file_size(abs(value)),
    ):
        assert not re.search(r"[ \t\n-]", written), written


@given(ratios, st.integers(0, 4))
def test_opposite_values_differ_by_their_sign_only(value: float, digits: int) -> None:
    plus, minus = presentation.number(abs(value), digits), presentation.number(-abs(value), digits)

    assert minus in {MINUS + plus, plus}
    assert (minus == plus) == (not re.search("[1-9]", plus))


def test_a_short_figure_fits_a_calendar() -> None:
    assert presentation.signed_short(Decimal("97.4")) == "+97"
    assert presentation.signed_short(Decimal(-4866)) == "−4,9\u00a0k"
    assert presentation.signed_short(Decimal(11768)) == "+12\u00a0k"
    assert presentation.signed_short(None) == "–"
