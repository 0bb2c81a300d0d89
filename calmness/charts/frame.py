"""What all charts share: size, scales, grid, frame."""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

WIDTH = 800
LEFT = 64
RIGHT = 8
TOP = 18
BOTTOM = 26


class Drawing(Markup):
    """A chart as SVG, with what can be read off it: (place in words, value in words), for the table behind it."""

    readings: tuple[tuple[str, str], ...] = ()


def svg(parts: Sequence[str], title: str, height: int, identity: str, values: str = "") -> Markup:
    """The drawing with its name for screen readers. ``values``: what the script reads out, see ``line``."""
    data = f' data-values="{escape(values)}"' if values else ""
    return framed(parts, title, identity, f'viewBox="0 0 {WIDTH} {height}" role="img"{data}')


def framed(parts: Sequence[str], title: str, identity: str, attributes: str) -> Markup:
    """Parts, already escaped by who drew them, in an ``svg`` that says its title."""
    name = escape(identity)
    head = f'<svg {attributes} aria-labelledby="{name}-t"><title id="{name}-t">{escape(title)}</title>'
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704


def axis_text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    """A word of an axis."""
    return f'<text class="chart__axis" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def grid(value: float, scale_y: Callable[[float], float], format_value: Callable[[float], str]) -> str:
    """A line of the grid with its figure above it, inside the frame: there no amount is too long."""
    y = scale_y(value)
    rule = f'<line class="chart__grid" x1="0" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return rule + axis_text(0, y - 5, format_value(value), "start")


def bounds(values: Sequence[float], *, zero: bool) -> tuple[float, float]:
    """Lowest and highest value; a flat series gets some air."""
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= max(abs(low), abs(high)) * 1e-12 or high - low < 1e-9:
        margin = max(abs(low) * 0.05, 1e-6) if abs(low) > 1e-6 else 1.0
        return low - margin, high + margin
    return low, high


def steps(values: Sequence[float], low: float, high: float) -> list[float]:
    """Two to five round values between two bounds; of nothing but zeros the zero: the air around it says nothing."""
    if not any(values):
        return [0.0]
    rough = (high - low) / 4
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
    start = math.ceil(low / step)
    return [number * step for number in range(start, math.floor(high / step) + 1)]


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Function from values to places."""
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)
