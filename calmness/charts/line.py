"""Line charts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from calmness.charts.frame import BOTTOM, LEFT, RIGHT, TOP, WIDTH, axis_text, bounds, framed, grid, scale, steps, svg
from calmness.charts.sampling import Point, downsample


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
) -> Markup:
    """Line with a soft area under it. ``x`` are numbers that grow (seconds, days); empty for fewer than two points."""
    if len(points) < 2:
        return Markup("")
    shown = downsample(points, 400)
    low, high = bounds([y for _, y in shown], zero=zero)
    first, last = shown[0][0], shown[-1][0]
    scale_x = scale(first, last, LEFT, WIDTH - RIGHT)
    scale_y = scale(low, high, height - BOTTOM, TOP)
    path = "M" + "L".join(f"{scale_x(x):.1f} {scale_y(y):.1f}" for x, y in shown)
    floor = scale_y(max(low, 0.0) if zero else low)
    parts = [grid(value, scale_y, format_value) for value in steps(low, high)]
    if zero and low < 0 < high:
        parts.append(
            f'<line class="chart__zero" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{scale_y(0):.1f}" y2="{scale_y(0):.1f}"/>'
        )
    parts.append(
        f'<path class="chart__area" d="{path}L{scale_x(last):.1f} {floor:.1f}L{scale_x(first):.1f} {floor:.1f}Z"/>'
    )
    parts.append(f'<path class="chart__line" d="{path}"/>')
    for tick in ticks:
        if first <= tick.x <= last:
            x = min(max(scale_x(tick.x), LEFT + 16), WIDTH - 40)
            parts.append(axis_text(x, height - 6, tick.label))
    return svg(parts, title, height, identity)


def sparkline(values: Sequence[float], *, title: str, identity: str = "spark") -> Markup:
    """A small line without axes."""
    if len(values) < 2:
        return Markup("")
    low, high = bounds(list(values), zero=False)
    scale_x = scale(0, len(values) - 1, 2, 198)
    scale_y = scale(low, high, 46, 4)
    path = "M" + "L".join(f"{scale_x(i):.1f} {scale_y(y):.1f}" for i, y in enumerate(values))
    return framed([f'<path class="chart__line" d="{path}"/>'], title, identity, 'viewBox="0 0 200 50" role="img"')
