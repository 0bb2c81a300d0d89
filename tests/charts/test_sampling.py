"""Fewer points, same shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness.charts import downsample

pytestmark = pytest.mark.once
values = st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=1, max_size=600)


@given(values, st.integers(3, 120))
def test_first_last_lowest_and_highest_survive(heights: list[float], limit: int) -> None:
    points = [(float(x), y) for x, y in enumerate(heights)]

    kept = downsample(points, limit)

    assert len(kept) <= max(limit + 2, 3)
    assert kept == sorted(kept, key=lambda point: point[0])
    assert set(kept) <= set(points)
    assert {kept[0], kept[-1]} == {points[0], points[-1]}
    assert min(y for _, y in kept) == min(heights)
    assert max(y for _, y in kept) == max(heights)


def test_a_lonely_spike_in_ten_thousand_points_stays() -> None:
    points = [(float(x), 100.0) for x in range(10_000)]
    points[7_777] = (7_777.0, -250.0)

    assert (7_777.0, -250.0) in downsample(points, 200)


def test_few_points_are_left_alone() -> None:
    points = [(0.0, 1.0), (1.0, 2.0)]

    assert downsample(points, 400) == points
