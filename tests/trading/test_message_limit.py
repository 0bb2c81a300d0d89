"""How many messages a key may send a minute, from its first one on."""

import pytest

from calmness.blueprints.ea.limit import MinuteLimit

pytestmark = pytest.mark.once


def test_a_minute_begins_with_the_first_message_and_says_how_long_it_lasts() -> None:
    now = [1000.0]
    messages = MinuteLimit(lambda: now[0])
    now[0] += 59.0
    assert [messages.count("one", 2) for _turn in range(2)] == [0, 0]

    now[0] += 20.5
    assert messages.count("one", 2) == 40
    assert messages.count("another", 2) == 0
    now[0] += 39.5
    assert messages.count("one", 2) == 0


def test_keys_that_came_once_are_forgotten() -> None:
    now = [1000.0]
    messages = MinuteLimit(lambda: now[0])
    for number in range(1000):
        messages.count(str(number), 1)

    now[0] += 60.0
    messages.count("one", 1)

    assert len(messages._minutes) == 1
