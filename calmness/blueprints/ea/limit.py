"""How many messages a key may send a minute."""

import math
import time
from collections.abc import Callable

MINUTE = 60.0


class MinuteLimit:
    """Counts by key in this process: each of several servers lets as many through.

    A key's minute begins with its first message. Once a minute those that are over are forgotten.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._minutes: dict[str, tuple[float, int]] = {}
        self._tidied_at = now()

    def count(self, key: str, most: int) -> int:
        """Count a message of a key. Gives 0, or how many seconds to wait when there were ``most`` already."""
        now = self._now()
        self._tidy(now)
        begun, count = self._minutes.get(key, (now, 0))
        if now - begun >= MINUTE:
            begun, count = now, 0
        if count >= most:
            return math.ceil(begun + MINUTE - now)
        self._minutes[key] = begun, count + 1
        return 0

    def _tidy(self, now: float) -> None:
        if now - self._tidied_at >= MINUTE:
            self._tidied_at = now
            self._minutes = {key: kept for key, kept in self._minutes.items() if now - kept[0] < MINUTE}
