"""A map without outlines: one square a region, darker with more."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from calmness.charts.frame import framed

LEVELS = 5
SIZE = 60
GAP = 6


@dataclass(frozen=True)
class Tile:
    """A square of the grid. ``url`` leads to its list, so that the grid works with the keyboard."""

    column: int
    row: float
    short: str
    name: str
    value: float
    url: str | None = None


def tiles(grid: Sequence[Tile], *, title: str, format_value: Callable[[float], str], identity: str = "tiles") -> Markup:
    """The grid as SVG. Level 0 is nothing, 5 the highest; the figure stands in each square, colour only repeats it."""
    if not grid:
        return Markup("")
    highest = max(tile.value for tile in grid)
    width = (max(tile.column for tile in grid) + 1) * (SIZE + GAP) - GAP
    height = round((max(tile.row for tile in grid) + 1) * (SIZE + GAP) - GAP)
    parts = [_square(tile, highest, format_value) for tile in sorted(grid, key=lambda tile: (tile.row, tile.column))]
    # A drawing with links inside is a group: an image would hide them from screen readers.
    role = "group" if any(tile.url for tile in grid) else "img"
    return framed(parts, title, identity, f'class="chart__tiles" viewBox="0 0 {width} {height}" role="{role}"')


def level(value: float, highest: float) -> int:
    """Which of the five shades a value has; 0 for nothing. By square root: Paris leaves shades to the others."""
    if value <= 0 or highest <= 0:
        return 0
    return max(1, min(LEVELS, round(math.sqrt(value / highest) * LEVELS)))


def _square(tile: Tile, highest: float, format_value: Callable[[float], str]) -> str:
    x, y = tile.column * (SIZE + GAP), round(tile.row * (SIZE + GAP))
    figure = escape(format_value(tile.value))
    square = (
        f'<g class="chart__tile chart__tile--{level(tile.value, highest)}">'
        f"<title>{escape(tile.name)}\u00a0: {figure}</title>"
        f'<rect x="{x}" y="{y}" width="{SIZE}" height="{SIZE}" rx="8"/>'
        f'<text x="{x + SIZE / 2:g}" y="{y + 26}" text-anchor="middle">{escape(tile.short)}</text>'
        f'<text class="chart__tile-value" x="{x + SIZE / 2:g}" y="{y + 44}" text-anchor="middle">{figure}</text></g>'
    )
    return f'<a href="{escape(tile.url)}">{square}</a>' if tile.url else square
