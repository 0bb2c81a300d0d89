"""SQLite that is busy: who waits longest for the lock asks most often."""

import pytest

from calmness import database

pytestmark = pytest.mark.once


def test_who_waits_longer_asks_more_often() -> None:
    pauses = [database.pause_after(waited) for waited in (0.0, 0.5, 2.0, 10.0, 29.0)]

    assert pauses == sorted(pauses, reverse=True)
    assert pauses[0] == database.LOCK_PAUSE_SECONDS
    assert pauses[-1] == database.SHORTEST_PAUSE_SECONDS
