"""Charts drawn by the server as SVG: colours by class, no style attribute, no script (see static/css)."""

from calmness.charts.bars import bars
from calmness.charts.frame import Drawing
from calmness.charts.line import Tick, line, sparkline
from calmness.charts.sampling import downsample
from calmness.charts.tiles import Tile, tiles
from calmness.charts.time_axis import Unit, time_ticks

__all__ = ["Drawing", "Tick", "Tile", "Unit", "bars", "downsample", "line", "sparkline", "tiles", "time_ticks"]
