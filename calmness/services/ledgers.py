"""Every chain of appended facts, to prove that none was changed since."""

from collections.abc import Callable

from calmness.services import audit, signals
from calmness.services.billing import closings, invoice_ledger
from calmness.services.training import attendance

CHAINS: dict[str, Callable[[], int | str | None]] = {
    "attendance": attendance.first_broken,
    "audit": audit.first_broken,
    "closing": closings.first_broken,
    "invoice": invoice_ledger.first_broken,
    "signal": signals.first_broken,
}
"""Each gives where its chain breaks first, None when it is whole."""


def verify() -> dict[str, int | str | None]:
    """Compute every chain anew; where each breaks first, None for one that is whole."""
    return {name: first_broken() for name, first_broken in CHAINS.items()}
