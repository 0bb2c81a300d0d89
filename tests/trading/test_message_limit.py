"""How many messages a key may send a minute, from its first one on."""

import pytest

from calmness.blueprints.ea import limit
from calmness.blueprints.ea.limit import MinuteLimit

pytestmark = pytest.mark.once


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the limit's clock shows."""
    now = [1000.0]
    monkeypatch.setattr(limit.time, "monotonic", lambda: now[0])
    return now


def test_a_minute_begins_with_the_first_message_and_says_how_long_it_lasts(clock: list[float]) -> None:
    messages = MinuteLimit()
    clock[0] += 59.0
    assert [messages.count("one", 2) for _turn in range(2)] == [0, 0]

    clock[0] += 20.5
    assert messages.count("one", 2) == 40
    assert messages.count("another", 2) == 0
    clock[0] += 39.5
    assert messages.count("one", 2) == 0


def test_keys_that_came_once_are_forgotten(clock: list[float]) -> None:
    messages = MinuteLimit()
    for number in range(1000):
        messages.count(str(number), 1)

    clock[0] += 60.0
    messages.count("one", 1)

    assert len(messages._minutes) == 1
