"""How fast one sender may go on the socket: token buckets in the memory of the process that holds the socket.

A socket stays in its process, so no shared count is needed, and an emptied Redis lifts no limit.
"""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from flask_babel import lazy_gettext as _l

from calmness.errors import TooManyAttempts

REMEMBERED = 20_000


@dataclass(frozen=True)
class Rate:
    """``burst`` at once, then ``per_second``."""

    per_second: float
    burst: int


# Every page that is opened connects and opens the room anew, and a company's people share one address: these two are
# generous. What costs a row is not.
RATES = {
    "connect": Rate(5, 200),
    "message": Rate(1, 8),
    "typing": Rate(0.7, 4),
    "history": Rate(4, 20),
    "open": Rate(0.5, 30),
    "read": Rate(2, 10),
    "desk": Rate(5, 30),
}


class TooFast(TooManyAttempts):
    """More than the rate of this kind of event."""

    slug = "rate-limited"
    message = _l("Vous écrivez plus vite que nous ne lisons. Patientez un instant.")


class Buckets:
    """Buckets by sender and kind; the least used are forgotten."""

    def __init__(self) -> None:
        self._levels: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, sender: str, kind: str, now: float | None = None) -> None:
        """Take one token. Raises ``TooFast`` with the seconds to wait."""
        rate, at = RATES[kind], time.monotonic() if now is None else now
        with self._lock:
            level, since = self._levels.pop((sender, kind), (float(rate.burst), at))
            level = min(rate.burst, level + (at - since) * rate.per_second)
            allowed = level >= 1
            self._levels[sender, kind] = (level - 1 if allowed else level, at)
            while len(self._levels) > REMEMBERED:
                self._levels.popitem(last=False)
        if not allowed:
            raise TooFast(max(1, math.ceil((1 - level) / rate.per_second)))


buckets = Buckets()
