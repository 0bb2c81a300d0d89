"""How much of everything the demo holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Numbers of rows; trades and page views come out at about that many."""

    students: int = 397
    payments: int = 900
    waiting: int = 6
    signals: int = 120
    accounts: int = 80
    trades: int = 30_000
    own_trades: int = 1_450
    rooms: int = 250
    views: int = 150_000


FULL = Size()
SMALL = Size(
    students=40, payments=96, waiting=3, signals=14, accounts=4, trades=400, own_trades=120, rooms=12, views=1_500
)
"""The same school in a few seconds."""
