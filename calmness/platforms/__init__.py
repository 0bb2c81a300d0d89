"""Approved platforms (plateformes agréées): one port to send invoices and reports, read their states, take what came.

Shaped after the flow service of AFNOR XP Z12-013 (flows with a tracking id of ours, acknowledgement, life cycle codes).
"""

from dataclasses import dataclass
from typing import Protocol


class PlatformAway(Exception):
    """No answer, or not now (429, 5xx): try again, after ``retry_after`` seconds when the platform says so."""

    def __init__(self, what: str, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class PlatformRefused(Exception):
    """The platform will never take this: the text says why."""


@dataclass(frozen=True)
class OutgoingFlow:
    """What is sent. ``tracking_id`` is ours: the platform finds a flow again by it."""

    tracking_id: str
    name: str
    flow_type: str
    syntax: str
    content: bytes


@dataclass(frozen=True)
class FlowStatus:
    """Where a flow stands: a code of the life cycle (200 deposited to 213 rejected), and why when it is refused."""

    code: int
    reason: str = ""


@dataclass(frozen=True)
class IncomingFlow:
    """Something that arrived for us."""

    flow_id: str
    name: str


class Platform(Protocol):
    """What the product asks of a platform. Calls raise ``PlatformAway`` or ``PlatformRefused``."""

    def send(self, flow: OutgoingFlow) -> str:
        """Give a flow; its id. A flow with the same tracking id is given back, not taken twice."""

    def find(self, tracking_id: str) -> str | None:
        """Id of a flow that was given before."""

    def status(self, flow_id: str) -> FlowStatus:
        """Where a flow stands."""

    def incoming(self, after: str | None) -> list[IncomingFlow]:
        """Invoices of suppliers, oldest first, after one that is known."""

    def content(self, flow_id: str) -> bytes:
        """The file of a flow."""
