"""Bar charts."""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from calmness.charts.frame import BOTTOM, LEFT, RIGHT, TOP, WIDTH, axis_text, bounds, grid, scale, steps, svg

MOST_NAMES, MOST_LETTERS, MOST_LETTERS_ON_A_PHONE = 8, 80, 40
LETTER, LETTER_ON_A_PHONE, GAP = 7, 18, 8
"""Width of a letter where a drawing is wide and where it is narrowest, see ``data.css``."""


def bars(
    values: Sequence[tuple[str, float]],
    *,
    title: str,
    format_value: Callable[[float], str],
    height: int = 220,
    signed: bool = False,
    identity: str = "bars",
) -> Markup:
    """A bar a value, from zero. ``signed`` colours gains and losses; the sign also stands in the axis' figures."""
    if not values:
        return Markup("")
    low, high = bounds([value for _, value in values], zero=True)
    scale_y = scale(low, high, height - BOTTOM, TOP)
    lines = steps([value for _, value in values], low, high)
    parts = [grid(value, scale_y, format_value) for value in lines]
    # The first bar begins where the figures end: it would cover them on a phone.
    widest = LETTER_ON_A_PHONE * max(len(format_value(value)) for value in lines) + GAP
    left = min(max(LEFT, widest), WIDTH // 3)
    slot = (WIDTH - left - RIGHT) / len(values)
    name_room = LETTER * max(len(label) for label, _value in values) + GAP
    every = max(1, len(values) // 12, math.ceil(name_room / slot))
    names = []
    for index, (label, value) in enumerate(values):
        x = left + index * slot + slot * 0.15
        top, bottom = sorted((scale_y(value), scale_y(0)))
        kind = f" chart__bar--{'positive' if value > 0 else 'negative'}" if signed and value else ""
        said = f"{escape(label)}\u00a0: {escape(format_value(value))}"
        parts.append(
            f'<rect class="chart__bar{kind}" x="{x:.1f}" y="{top:.1f}" width="{slot * 0.7:.1f}" '
            f'height="{max(bottom - top, 0.5):.1f}" rx="2"><title>{said}</title></rect>'
        )
        if index % every == 0:
            names.append(axis_text(x + slot * 0.35, height - 6, label))
    # The names of a week fit everywhere; of longer ones a phone shows every other, of many a narrow card shows some.
    # All have the room of the longest.
    letters = max(len(label) for label, _value in values[::every]) * len(names)
    many = " chart__names--many" if len(names) > MOST_NAMES or letters > MOST_LETTERS else ""
    long = " chart__names--long" if letters > MOST_LETTERS_ON_A_PHONE else ""
    parts.append(f'<g class="chart__names{many}{long}">{"".join(names)}</g>')
    return svg(parts, title, height, identity)
