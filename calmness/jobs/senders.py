"""Senders of a lane's turn: which client serves which channel, with the settings of this application."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from calmness.channels import Message, Outcome, OutcomeKind
from calmness.models.account import Channel


class LaneSenders:
    """Clients opened at their first message of a turn and closed with it: one SMTP connection for a batch."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def send(self, channel: Channel, message: Message, address: str, *, key: str) -> Outcome:
        """Send by the channel's client."""
        return Outcome(OutcomeKind.RETRY, code="not-configured", text=f"{channel} {message.subject} {address} {key}")


@contextmanager
def open_lane() -> Iterator[LaneSenders]:
    """Senders for one turn."""
    with ExitStack() as stack:
        yield LaneSenders(stack)
