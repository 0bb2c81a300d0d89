"""Work about accounts: recovery links, lost second factors whose day is over."""

from typing import Any

from calmness.extensions import db
from calmness.jobs.handlers import periodic, task
from calmness.services.account import accounts, factor_removals, login_limits, security_notices
from calmness.services.account.security_notices import SecurityEvent


@task(accounts.RECOVER_TASK)
def recover(payload: dict[str, Any]) -> None:
    """Look the address up and send the link; here, so that the page takes as long for any address."""
    accounts.send_recovery(str(payload["email"]))
    db.session.commit()


@task(login_limits.GUESSED_TASK)
def tell_of_guesses(payload: dict[str, Any]) -> None:
    """Warn the owner of an address whose password somebody guesses at; nobody where it has no account."""
    user = accounts.find_by_email(str(payload["email"]))
    if user is not None and not user.disabled_at:
        security_notices.tell(user, SecurityEvent.PASSWORD_GUESSED, own=False)
    db.session.commit()


@periodic("account.factor_removals", every_seconds=60)
def factor_removals_due() -> None:
    """Take second factors away whose owners were warned a day ago and said nothing, each in its own transaction."""
    waiting = factor_removals.due()
    db.session.commit()
    for removal_id in waiting:
        factor_removals.carry_out(removal_id)
        db.session.commit()
