"""Work about people's own data: copies made and thrown away, accounts erased, durations kept to."""

from typing import Any

from calmness.extensions import db
from calmness.jobs.handlers import periodic, task
from calmness.services import data_exports, dormancy, erasure, retention


@task(data_exports.MAKE)
def make_export(payload: dict[str, Any]) -> None:
    """Write the copy of a person's data, then tell that person."""
    data_exports.make(payload["export_id"])


@periodic("privacy.exports", every_seconds=3600)
def expire_exports() -> None:
    """Throw away copies whose week is over."""
    data_exports.expire()


@periodic("privacy.erasure", every_seconds=3600)
def erase_accounts() -> None:
    """Erase the accounts whose thirty days are over."""
    erasure.erase_due()


@periodic("privacy.unused", every_seconds=24 * 3600)
def write_to_unused() -> None:
    """Write to people whose account nobody has used for three years, a portion a day."""
    found = dormancy.unused()
    db.session.commit()
    for user_id in found:
        dormancy.write_to(user_id)
        db.session.commit()


@periodic("privacy.retention", every_seconds=6 * 3600)
def keep_to_durations() -> None:
    """Delete what is older than its duration."""
    retention.enforce()
