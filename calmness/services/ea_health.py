"""How the EAs of all students are: silent, out of date, refused, or told another time. No amount and no trade here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, String, cast, func, or_, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import TradingAccount
from calmness.services import broker_clocks, connections, sync
from calmness.services.connections import Contact, Gap

RECENT = timedelta(days=14)


class Trouble(StrEnum):
    """What the board is filtered by."""

    SILENT = "silent"
    OUTDATED = "outdated"
    REFUSED = "refused"
    OTHER_ACCOUNT = "other_account"
    AWAITED = "awaited"


@dataclass(frozen=True)
class Line:
    """One account on the board."""

    account: TradingAccount
    owner: User
    contact: Contact
    is_outdated: bool
    gaps: list[Gap]
    refused: int
    refused_batches: int
    is_other_login: bool
    clock_in_use: str

    @property
    def longest_gap(self) -> float | None:
        """Longest hole of the last days, in seconds."""
        return max((gap.seconds for gap in self.gaps), default=None)


def counts() -> dict[Trouble, int]:
    """How many living accounts have each trouble."""
    return {
        trouble: db.session.scalar(
            select(func.count()).select_from(TradingAccount).where(TradingAccount.archived_at.is_(None), _has(trouble))
        )
        or 0
        for trouble in Trouble
    }


def listing(trouble: Trouble | None, *, limit: int, offset: int) -> tuple[list[Line], int]:
    """Living accounts, those without contact for longest first, with their total."""
    wanted = [TradingAccount.archived_at.is_(None), *([_has(trouble)] if trouble else [])]
    total = db.session.scalar(select(func.count()).select_from(TradingAccount).where(*wanted)) or 0
    rows = db.session.execute(
        select(TradingAccount, User)
        .join(User, User.id == TradingAccount.user_id)
        .where(*wanted)
        .order_by(TradingAccount.last_sync_at.asc().nulls_last(), TradingAccount.id)
        .limit(limit)
        .offset(offset)
    )
    return [_line(account, owner) for account, owner in rows], total


def _line(account: TradingAccount, owner: User) -> Line:
    in_use = broker_clocks.choice_of(broker_clocks.of_account(account))
    return Line(
        account=account,
        owner=owner,
        contact=connections.contact(account),
        is_outdated=connections.is_outdated(account),
        gaps=connections.gaps(account),
        refused=len(account.refusals),
        refused_batches=account.refused_batches if _is_recent(account.refused_batch_at) else 0,
        is_other_login=_is_recent(account.other_login_at),
        clock_in_use=in_use or "",
    )


def _is_recent(moment: datetime | None) -> bool:
    return moment is not None and clock.now() - moment < RECENT


def _has(trouble: Trouble) -> ColumnElement[bool]:
    now, seen = clock.now(), TradingAccount.last_sync_at
    ways: dict[Trouble, ColumnElement[bool]] = {
        Trouble.AWAITED: seen.is_(None),
        Trouble.SILENT: seen < now - sync.SILENT_AFTER,
        Trouble.OUTDATED: TradingAccount.ea_version.in_(_older_versions()),
        Trouble.REFUSED: or_(
            cast(TradingAccount.refusals, String) != "{}", TradingAccount.refused_batch_at > now - RECENT
        ),
        Trouble.OTHER_ACCOUNT: TradingAccount.other_login_at > now - RECENT,
    }
    return ways[trouble]


def _older_versions() -> list[str]:
    versions = db.session.scalars(select(TradingAccount.ea_version).distinct())
    return [version for version in versions if version and connections.is_older(version)]
