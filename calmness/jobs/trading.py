"""Statistics computed after a sync, statements read and taken, times converted again."""

from typing import Any

import requests
import structlog
from flask import current_app
from sqlalchemy import select

from calmness import clock
from calmness.banking import ecb
from calmness.extensions import db
from calmness.jobs.handlers import periodic, task
from calmness.models.trading import TradingAccount
from calmness.services import live
from calmness.services.trading import (
    broker_clocks,
    exchange_rates,
    leaderboards,
    snapshot_thinning,
    statement_files,
    statement_imports,
    sync,
    trading_statistics,
)

log = structlog.get_logger(__name__)


@task("trading.statistics")
def compute_statistics(payload: dict[str, Any]) -> None:
    """Compute what changed in an account; several syncs at once need it once."""
    trading_statistics.recompute(payload["account_id"])
    db.session.commit()


@task("trading.read_statement")
def read_statement(payload: dict[str, Any]) -> None:
    """Read a file for its preview."""
    statement_imports.read(payload["import_id"])
    db.session.commit()


@task("trading.take_statement")
def take_statement(payload: dict[str, Any]) -> None:
    """Write the trades of a confirmed file."""
    statement_imports.take(payload["import_id"])
    db.session.commit()


@task("trading.convert_times")
def convert_times(payload: dict[str, Any]) -> None:
    """Convert the times of an account's trades after its clock changed."""
    account = db.session.scalar(
        select(TradingAccount).where(TradingAccount.id == payload["account_id"]).with_for_update()
    )
    if account is not None:
        earliest = broker_clocks.convert(account)
        if earliest is not None:
            sync.mark_dirty(account, earliest, None)
        live.emit_after_commit("account:updated", {"account_id": account.id}, room=f"user:{account.user_id}")
    db.session.commit()


@periodic("trading.reference_rates", every_seconds=21_600)
def fetch_reference_rates() -> None:
    """Bring the reference rates when an address is set. The next run makes good what this one could not read."""
    url = current_app.config["REFERENCE_RATES_URL"]
    if not url:
        return
    try:
        rates = ecb.fetch(url)
    except (ecb.UnreadableRates, requests.RequestException) as error:
        log.warning("reference_rates_unreadable", reason=str(error)[:200])
        return
    log.info("reference_rates_stored", rates=exchange_rates.store(rates))
    db.session.commit()


@periodic("trading.statements", every_seconds=86_400)
def forget_statements() -> None:
    """Throw away files that nobody took."""
    statement_files.sweep()
    db.session.commit()


@periodic("trading.snapshots", every_seconds=86_400)
def thin_snapshots() -> None:
    """Make old readings fewer, account by account: what was done stays done when the job ends early."""
    now = clock.now()
    for account_id in snapshot_thinning.due(now):
        gone = snapshot_thinning.thin(account_id, now)
        db.session.commit()
        if gone:
            log.info("snapshots_thinned", account=account_id, gone=gone)


@periodic("trading.leaderboard", every_seconds=3_600)
def score_leaderboard() -> None:
    """Score everybody on the leaderboard again."""
    leaderboards.recompute_all()
    db.session.commit()
