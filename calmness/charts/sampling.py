"""Fewer points, same shape: Largest-Triangle-Three-Buckets (Steinarsson, 2013), which also keeps both extremes."""

from collections.abc import Sequence

Point = tuple[float, float]


def downsample(points: Sequence[Point], limit: int) -> list[Point]:
    """At most ``limit`` points (and the two extremes), in order. First, last, lowest and highest are always kept."""
    if len(points) <= limit or limit < 3:
        return list(points)
    size = (len(points) - 2) / (limit - 2)
    kept = [0]
    for bucket in range(limit - 2):
        start, end = int(bucket * size) + 1, int((bucket + 1) * size) + 1
        following = points[end : min(int((bucket + 2) * size) + 1, len(points))] or points[-1:]
        mean_x = sum(x for x, _ in following) / len(following)
        mean_y = sum(y for _, y in following) / len(following)
        last_x, last_y = points[kept[-1]]
        kept.append(
            max(
                range(start, end),
                key=lambda i: abs(
                    (last_x - mean_x) * (points[i][1] - last_y) - (last_x - points[i][0]) * (mean_y - last_y)
                ),
            )
        )
    kept.append(len(points) - 1)
    indexes = range(len(points))
    kept += [min(indexes, key=lambda i: points[i][1]), max(indexes, key=lambda i: points[i][1])]
    return [points[i] for i in sorted(set(kept))]
