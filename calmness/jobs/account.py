"""Work about accounts: recovery links, lost second factors whose day is over."""

from typing import Any

from calmness.extensions import db
from calmness.jobs.handlers import periodic, task
from calmness.services import accounts, factor_removals


@task(accounts.RECOVER_TASK)
def recover(payload: dict[str, Any]) -> None:
    """Look the address up and send the link; here, so that the page takes as long for any address."""
    accounts.send_recovery(str(payload["email"]))
    db.session.commit()


@periodic("account.factor_removals", every_seconds=60)
def factor_removals_due() -> None:
    """Take second factors away whose owners were warned a day ago and said nothing, each in its own transaction."""
    waiting = factor_removals.due()
    db.session.commit()
    for removal_id in waiting:
        factor_removals.carry_out(removal_id)
        db.session.commit()
