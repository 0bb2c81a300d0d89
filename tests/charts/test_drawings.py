"""Drawings that a strict policy and a screen reader accept."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from calmness.charts import Tick, Tile, bars, line, sparkline, tiles

pytestmark = pytest.mark.once
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert("x")</script> & \' "'
heights = st.floats(-1e12, 1e12, allow_nan=False)


def figure(value: float) -> str:
    """A plain figure."""
    return f"{value:.2f}"


def tree(drawing: Markup) -> ET.Element:
    """The drawing read by a strict parser."""
    return ET.fromstring(str(drawing).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314


def numbers(drawing: Markup) -> list[float]:
    """All coordinates of a drawing."""
    return [
        float(number)
        for attribute in re.findall(r' (?:d|x|y|x1|x2|y1|y2|width|height)="([^"]+)"', str(drawing))
        for number in re.findall(r"-?\d+(?:\.\d+)?", attribute)
    ]


def drawings() -> list[Markup]:
    """One of each kind, with names from hostile people."""
    points = [(float(x), float(x % 7) - 3) for x in range(30)]
    return [
        line(
            points, title=HOSTILE, format_value=lambda _: HOSTILE, ticks=[Tick(3, HOSTILE)], zero=True, identity=HOSTILE
        ),
        bars(
            [(HOSTILE, 3.0), ("b", -2.0)], title=HOSTILE, format_value=lambda _: HOSTILE, signed=True, identity=HOSTILE
        ),
        sparkline([1, 3, 2], title=HOSTILE, identity=HOSTILE),
        tiles(
            [Tile(0, 0, HOSTILE, HOSTILE, 2, url='/x?a="b"&c')],
            title=HOSTILE,
            format_value=lambda _: HOSTILE,
            identity=HOSTILE,
        ),
    ]


@pytest.mark.parametrize("index", range(4))
def test_a_drawing_is_well_formed_named_and_without_style_or_script(index: int) -> None:
    root = tree(drawings()[index])
    title = root.find(f"{SVG}title")

    assert title is not None
    assert title.text == HOSTILE
    assert title.get("id") == root.get("aria-labelledby")
    for element in root.iter():
        assert element.tag != f"{SVG}script"
        assert not any(
            name == "style" or name.startswith("on") or name in {"fill", "stroke"} for name in element.attrib
        )


@given(st.lists(heights, min_size=2, max_size=80), st.booleans())
def test_a_line_stays_inside_its_frame(values: list[float], zero: bool) -> None:
    drawing = line([(float(x), y) for x, y in enumerate(values)], title="t", format_value=figure, zero=zero)

    tree(drawing)
    assert all(-0.5 <= number <= 800.5 for number in numbers(drawing))


@given(st.lists(st.tuples(st.text(max_size=8), heights), min_size=1, max_size=60))
def test_bars_start_at_zero_and_stay_inside(rows: list[tuple[str, float]]) -> None:
    drawing = bars([(f"{index}", value) for index, (_, value) in enumerate(rows)], title="t", format_value=figure)

    assert len(tree(drawing).findall(f"{SVG}rect")) == len(rows)
    assert all(-0.5 <= number <= 800.5 for number in numbers(drawing))


@given(st.lists(heights, min_size=2, max_size=60))
def test_a_sparkline_stays_inside(values: list[float]) -> None:
    assert all(-0.5 <= number <= 200.5 for number in numbers(sparkline(values, title="t")))


def test_a_nearly_flat_series_is_drawn() -> None:
    for values in ([0.0, 5e-324], [1e12, 1e12 + 1e-3], [0.0, 0.0], [-3.0, -3.0]):
        tree(line(list(enumerate(values)), title="t", format_value=figure))


def test_of_nothing_but_zeros_only_the_zero_has_a_figure() -> None:
    for drawing in (
        line([(0, 0.0), (1, 0.0)], title="t", format_value=lambda value: f"<{value}>", zero=True),
        bars([("a", 0.0)], title="t", format_value=lambda value: f"<{value}>"),
    ):
        assert set(re.findall(r"&lt;([-\d.]+)&gt;", drawing)) == {"0.0"}


def test_nothing_to_draw_gives_nothing() -> None:
    assert line([(0, 1)], title="t", format_value=figure) == ""
    assert bars([], title="t", format_value=figure) == ""
    assert sparkline([1], title="t") == ""
    assert tiles([], title="t", format_value=figure) == ""


def test_the_zero_line_is_drawn_on_results() -> None:
    assert "chart__zero" in line([(0, -5), (1, 5)], title="t", format_value=figure, zero=True)
    assert "chart__zero" not in line([(0, 4), (1, 5)], title="t", format_value=figure)


def test_a_day_without_result_is_neither_gain_nor_loss() -> None:
    drawing = bars([("a", 1.0), ("b", 0.0), ("c", -1.0)], title="t", format_value=figure, signed=True)

    assert str(drawing).count("chart__bar--positive") == 1
    assert str(drawing).count("chart__bar--negative") == 1


def test_tiles_shade_by_value_and_say_the_figure() -> None:
    grid = [Tile(0, 0, "A", "Alpha", 100), Tile(1, 0, "B", "Bêta", 1), Tile(2, 1, "C", "Gamma", 0)]

    drawing = str(tiles(grid, title="t", format_value=figure))

    assert 'chart__tile--5"><title>Alpha\u00a0: 100.00' in drawing
    assert 'chart__tile--1"><title>Bêta\u00a0: 1.00' in drawing
    assert 'chart__tile--0"><title>Gamma\u00a0: 0.00' in drawing
    assert 'role="img"' in drawing


def test_tiles_with_links_can_be_walked_by_keyboard() -> None:
    drawing = str(tiles([Tile(0, 0, "A", "Alpha", 1, url="/x")], title="t", format_value=figure))

    assert '<a href="/x">' in drawing
    assert 'role="group"' in drawing


def test_a_line_says_its_points_in_words() -> None:
    points = [(float(x), float(x * x)) for x in range(1000)]

    drawing = line(points, title="t", format_value=figure, read_x=lambda x: f"jour <{x:.0f}>")

    assert len(drawing.readings) <= 122
    assert drawing.readings[0] == ("jour <0>", "0.00")
    assert drawing.readings[-1] == ("jour <999>", "998001.00")
    assert "\tjour &lt;0&gt;\t0.00\n" in drawing


def test_a_line_without_words_for_its_places_is_only_looked_at() -> None:
    assert line([(0, 1), (1, 2)], title="t", format_value=figure).readings == ()


@pytest.mark.parametrize(
    ("names", "long"),
    [
        (("lun.", "mar.", "mer.", "jeu.", "ven.", "sam."), False),
        (("0 s", "1 min", "5 min", "15 min", "1 h", "4 h", "1 j", "7 j"), True),
    ],
)
def test_names_that_a_phone_has_no_room_for_are_marked(names: tuple[str, ...], long: bool) -> None:
    """Each has as much room as the longest needs; of marked ones a narrow card shows every other."""
    drawing = bars([(name, 1.0) for name in names], title="Trades", format_value=str)

    assert ("chart__names--long" in drawing) is long


def test_names_that_even_a_desk_has_no_room_for_stand_under_every_other_bar() -> None:
    def named(names: list[str]) -> list[str]:
        drawing = tree(bars([(name, 9000.0) for name in names], title="Semaines", format_value="{:.0f} €".format))
        return [element.text or "" for element in drawing.findall(f"{SVG}g/{SVG}text")]

    weeks = [f"{day} sept." for day in range(10, 22)]

    assert named(weeks) == weeks[::2]
    assert named(["mars"] * 12) == ["mars"] * 12


def test_no_bar_stands_where_the_figures_of_the_grid_are() -> None:
    rows = [("EURUSD", 41_000.0), ("DAX", -900.0)]
    drawing = tree(bars(rows, title="Net", format_value=lambda value: f"{value:.0f} €"))
    figures = [element.text or "" for element in drawing.findall(f"{SVG}text")]
    first = min(float(element.get("x", "0")) for element in drawing.findall(f"{SVG}rect"))

    assert "40000 €" in figures
    # A letter on a phone is 34 units high and about half as wide.
    assert first > 17 * max(map(len, figures))
