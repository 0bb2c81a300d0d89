"""Work about accounts: recovery links, and forgetting what is no longer needed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from calmness import clock
from calmness.extensions import db
from calmness.jobs.handlers import periodic, task
from calmness.models.account import AuthSession, EmailChange, LoginAttempt, OneTimeToken
from calmness.services import accounts

KEEP_ATTEMPTS = timedelta(days=90)
KEEP_TOKENS = timedelta(days=30)
KEEP_SESSIONS = timedelta(days=90)


@task(accounts.RECOVER_TASK)
def recover(payload: dict[str, Any]) -> None:
    """Look the address up and send the link; here, so that the page takes as long for any address."""
    accounts.send_recovery(str(payload["email"]))
    db.session.commit()


@periodic("account.forget", every_seconds=6 * 3600)
def forget() -> None:
    """Delete old tries to log in, old links, and devices that ended long ago with their refresh tokens."""
    now = clock.now()
    for model, ended in (
        (LoginAttempt, LoginAttempt.at < now - KEEP_ATTEMPTS),
        (EmailChange, EmailChange.expires_at < now - KEEP_TOKENS),
        (OneTimeToken, OneTimeToken.expires_at < now - KEEP_TOKENS),
        (AuthSession, AuthSession.expires_at < now - KEEP_SESSIONS),
    ):
        db.session.execute(delete(model).where(ended), execution_options={"synchronize_session": False})
        db.session.commit()
