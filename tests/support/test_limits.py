"""Who goes too fast is told how long to wait, and nobody else is slowed down."""

import pytest

from calmness.blueprints.support.limits import Buckets, TooFast

pytestmark = pytest.mark.once


def test_a_burst_passes_and_what_follows_waits() -> None:
    buckets = Buckets()
    for _turn in range(8):
        buckets.take("visitor:a", "message", now=100.0)

    with pytest.raises(TooFast) as refused:
        buckets.take("visitor:a", "message", now=100.0)

    assert refused.value.retry_after == 1
    buckets.take("visitor:b", "message", now=100.0)
    buckets.take("visitor:a", "message", now=101.0)
