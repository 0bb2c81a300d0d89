"""Line charts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from calmness.charts.frame import BOTTOM, TOP, WIDTH, Drawing, axis_text, bounds, framed, grid, scale, steps, svg
from calmness.charts.sampling import Point, downsample

LETTER = 8.4
"""Room of a letter at the largest size that shows all marks (15 px, see ``data.css``)."""
READINGS = 120
"""Points that can be read one by one, by pointer, keyboard or in the table."""


@dataclass(frozen=True)
class Tick:
    """A mark of the time axis: where, and what it says."""

    x: float
    label: str


def line(
    points: Sequence[Point],
    *,
    title: str,
    format_value: Callable[[float], str],
    ticks: Sequence[Tick] = (),
    height: int = 280,
    zero: bool = False,
    identity: str = "chart",
    read_x: Callable[[float], str] | None = None,
) -> Drawing:
    """Line with a soft area under it. ``x`` are numbers that grow (seconds, days); empty for fewer than two points.

    With ``read_x``, which puts an ``x`` in words, points can be read: a line each, as place x, place y, words, value.
    """
    if len(points) < 2:
        return Drawing("")
    shown = downsample(points, 400)
    heights = [y for _, y in shown]
    low, high = bounds(heights, zero=zero)
    first, last = shown[0][0], shown[-1][0]
    scale_x = scale(first, last, 0, WIDTH)
    scale_y = scale(low, high, height - BOTTOM, TOP)
    path = "M" + "L".join(f"{scale_x(x):.1f} {scale_y(y):.1f}" for x, y in shown)
    floor = scale_y(max(low, 0.0) if zero else low)
    rules = [grid(value, scale_y, format_value) for value in steps(heights, low, high)]
    parts = []
    if zero and low < 0 < high:
        parts.append(f'<line class="chart__zero" x1="0" x2="{WIDTH}" y1="{scale_y(0):.1f}" y2="{scale_y(0):.1f}"/>')
    parts.append(
        f'<path class="chart__area" d="{path}L{scale_x(last):.1f} {floor:.1f}L{scale_x(first):.1f} {floor:.1f}Z"/>'
    )
    parts.append(f'<path class="chart__line" d="{path}"/>')
    marks = [tick for tick in ticks if first <= tick.x <= last]
    names = "".join(_marks([(scale_x(tick.x), tick.label) for tick in marks], height - 6))
    parts += [f'<g class="chart__values">{"".join(rules)}</g>', f'<g class="chart__marks">{names}</g>']
    if read_x is None:
        return Drawing(svg(parts, title, height, identity))
    read = [(x, y, read_x(x), format_value(y)) for x, y in downsample(points, READINGS)]
    values = "\n".join(f"{scale_x(x):.1f}\t{scale_y(y):.1f}\t{words}\t{value}" for x, y, words, value in read)
    drawing = Drawing(svg(parts, title, height, identity, values))
    drawing.readings = tuple((words, value) for _x, _y, words, value in read)
    return drawing


def _marks(places: Sequence[tuple[float, str]], y: float) -> Iterator[str]:
    """Words of the time axis; near an edge they stand inside, and one that would touch the last is left out."""
    free = 0.0
    for x, label in places:
        room = len(label) * LETTER
        anchor, start = "middle", x - room / 2
        if x < WIDTH * 0.06:
            anchor, start = "start", x
        elif x > WIDTH * 0.94:
            anchor, start = "end", x - room
        if start >= free:
            free = start + room + LETTER
            yield axis_text(x, y, label, anchor)


def sparkline(values: Sequence[float], *, title: str, identity: str = "spark") -> Markup:
    """A small line without axes."""
    if len(values) < 2:
        return Markup("")
    low, high = bounds(list(values), zero=False)
    scale_x = scale(0, len(values) - 1, 2, 198)
    scale_y = scale(low, high, 46, 4)
    path = "M" + "L".join(f"{scale_x(i):.1f} {scale_y(y):.1f}" for i, y in enumerate(values))
    return framed([f'<path class="chart__line" d="{path}"/>'], title, identity, 'viewBox="0 0 200 50" role="img"')
