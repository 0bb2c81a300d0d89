"""Files of statements: kept while an import may need them, and no longer."""

from datetime import timedelta

from sqlalchemy import select

from calmness import clock, files
from calmness.extensions import db
from calmness.models.statement import ImportState, StatementImport

GIVEN_UP_AFTER = timedelta(days=7)


def sweep() -> None:
    """Throw away files that nobody said yes to for a week, and those that a crash left behind."""
    now = clock.now()
    rows = db.session.scalars(select(StatementImport).where(StatementImport.created_at < now - GIVEN_UP_AFTER)).all()
    for row in rows:
        if row.state is not ImportState.CONFIRMED:
            files.delete_after_commit(row.file_key)
        if row.state in {ImportState.RECEIVED, ImportState.READ, ImportState.REFUSED}:
            db.session.delete(row)


def forget_files(account_id: int) -> None:
    """Delete the files of an account that is about to go, after the commit."""
    of_account = select(StatementImport.file_key).where(StatementImport.account_id == account_id)
    files.delete_after_commit(*db.session.scalars(of_account))
