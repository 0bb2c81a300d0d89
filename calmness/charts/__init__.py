"""Charts drawn by the server as SVG: colours by class, no style attribute, no script (see static/css)."""

from calmness.charts.bars import bars
from calmness.charts.line import Tick, line, sparkline
from calmness.charts.sampling import downsample

__all__ = ["Tick", "bars", "downsample", "line", "sparkline"]
