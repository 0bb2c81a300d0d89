"""What all charts share: size, scales, grid, frame."""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

WIDTH = 800
LEFT = 64
RIGHT = 8
TOP = 10
BOTTOM = 26


def svg(parts: Sequence[str], title: str, height: int, identity: str) -> Markup:
    """The drawing with its name for screen readers."""
    name = escape(identity)
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-t">'
        f'<title id="{name}-t">{escape(title)}</title>{"".join(parts)}</svg>'
    )


def grid(value: float, scale_y: Callable[[float], float], format_value: Callable[[float], str]) -> str:
    """A line of the grid with its figure."""
    y = scale_y(value)
    return (
        f'<line class="chart__grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="chart__axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(format_value(value))}</text>'
    )


def bounds(values: Sequence[float], *, zero: bool) -> tuple[float, float]:
    """Lowest and highest value; a flat series gets some air."""
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        margin = abs(low) * 0.05 or 1.0
        return low - margin, high + margin
    return low, high


def steps(low: float, high: float) -> list[float]:
    """Three to six round values between two bounds."""
    rough = (high - low) / 3
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
    start = math.ceil(low / step)
    return [number * step for number in range(start, math.floor(high / step) + 1)]


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Function from values to places."""
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)
