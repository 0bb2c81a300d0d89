"""Work about accounts: recovery links."""

from typing import Any

from calmness.extensions import db
from calmness.jobs.handlers import task
from calmness.services import accounts


@task(accounts.RECOVER_TASK)
def recover(payload: dict[str, Any]) -> None:
    """Look the address up and send the link; here, so that the page takes as long for any address."""
    accounts.send_recovery(str(payload["email"]))
    db.session.commit()
