"""Signals whose time is over."""

from calmness.extensions import db
from calmness.jobs.handlers import periodic
from calmness.services import signals


@periodic("signals.expire", every_seconds=60)
def expire() -> None:
    """End pending signals whose validity is over."""
    signals.expire_due()
    db.session.commit()
