"""The leaderboard: who wants to, under another name, ranked by steadiness and never by an amount.

The score is the yearly Sharpe ratio of daily returns, made hard to win by luck (docs/trading.md):

1. return of a day = net of the day / balance before it, on real accounts that an EA feeds; archived ones count too, so
   that a loss can't be put away; the day's return is the mean of the accounts' returns;
2. the best day is left out;
3. each other day counts at most three times the typical day (the median of the absolute returns), up and down;
4. mean / deviation x sqrt(252), times n / (n + 60) for n days: a short history proves less.

One lucky day is left out by the second rule, a few are cut by the third, and what remains must repeat itself.
"""

import math
import re
import statistics
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.sharing import LeaderboardEntry
from calmness.models.trading import TradingAccount, TradingStatistics
from calmness.services.account import accounts
from calmness.services.trading import trading_statistics

PURPOSE, TEXT_VERSION = "leaderboard", "2026-11"
WINDOW = timedelta(days=365)
MIN_SPAN, MIN_DAYS, MIN_TRADES = timedelta(days=90), 30, 50
CAP, SHRINK, YEAR = 3.0, 60, 252
SHOWN = 100
SHORTEST, LONGEST = 3, 24
_NAME = re.compile(r"^[A-Za-zÀ-ÖØ-öø-ÿ0-9][A-Za-zÀ-ÖØ-öø-ÿ0-9 ._-]+$")
_SAME_LOOK = str.maketrans(
    {"0": "o", "1": "l", "i": "l", "|": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g"}
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("œ", "oe"), ("æ", "ae"), ("ß", "ss"))
_RESERVED = ("admln", "calmness", "support", "equlpe", "staff", "moderateur", "formateur", "formatrlce")


class PseudonymRefused(DomainError):
    """Too short, too long, of other letters, or like somebody of the school."""

    slug = "pseudonym-refused"
    field = "pseudonym"
    message = _l("De 3 à 24 lettres ou chiffres, et rien qui ressemble au nom de l’école ou de son équipe.")


class PseudonymTaken(DomainError):
    """Somebody has it, or one that looks like it."""

    slug = "pseudonym-taken"
    field = "pseudonym"
    message = _l("Ce pseudonyme existe déjà, ou ressemble trop à un autre.")


@dataclass(frozen=True)
class Record:
    """What a person's history says. ``score`` is None while it is too short."""

    score: Decimal | None
    days: int
    trades: int
    span_days: int


def join(user_id: int, pseudonym: str) -> LeaderboardEntry:
    """Be ranked under a name, or change it. The proof of the yes is kept.

    Raises ``PseudonymRefused``, ``PseudonymTaken``.
    """
    name = " ".join(pseudonym.split())
    look = look_of(name)
    if not SHORTEST <= len(name) <= LONGEST or not _NAME.match(name) or len(look) < SHORTEST:
        raise PseudonymRefused
    if any(word in look for word in map(look_of, _RESERVED)):
        raise PseudonymRefused
    taken = db.session.scalar(select(LeaderboardEntry.user_id).where(LeaderboardEntry.look == look))
    if taken is not None and taken != user_id:
        raise PseudonymTaken
    entry = of_user(user_id)
    try:
        with db.session.begin_nested():
            if entry is None:
                entry = LeaderboardEntry(user_id=user_id, pseudonym=name, look=look, joined_at=clock.now())
                db.session.add(entry)
                accounts.record_consent(user_id, PURPOSE, given=True, source="leaderboard", version=TEXT_VERSION)
            entry.pseudonym, entry.look = name, look
    except IntegrityError as error:
        raise PseudonymTaken from error
    _compute(entry)
    return entry


def leave(user_id: int) -> None:
    """Be gone at once; the proof of the no is kept."""
    gone = db.session.execute(
        delete(LeaderboardEntry).where(LeaderboardEntry.user_id == user_id).returning(LeaderboardEntry.user_id)
    )
    if gone.all():
        accounts.record_consent(user_id, PURPOSE, given=False, source="leaderboard", version=TEXT_VERSION)
    db.session.flush()


def of_user(user_id: int) -> LeaderboardEntry | None:
    """A person's own entry."""
    return db.session.get(LeaderboardEntry, user_id)


def ranking() -> list[LeaderboardEntry]:
    """Those whose history is long enough, the steadiest first."""
    return list(
        db.session.scalars(
            select(LeaderboardEntry)
            .where(LeaderboardEntry.score.is_not(None))
            .order_by(LeaderboardEntry.score.desc(), LeaderboardEntry.joined_at, LeaderboardEntry.user_id)
            .limit(SHOWN)
        )
    )


def recompute_all() -> None:
    """Score everybody again."""
    for entry in db.session.scalars(select(LeaderboardEntry)):
        _compute(entry)


def record_of(user_id: int) -> Record:
    """What a person's real accounts did in the last year."""
    today = clock.now().date()
    returns: dict[date, list[float]] = defaultdict(list)
    trades, first = 0, today
    ids = db.session.scalars(
        select(TradingAccount.id).where(
            TradingAccount.user_id == user_id,
            TradingAccount.mode == "real",
            TradingAccount.last_sync_at.is_not(None),
        )
    ).all()
    for row in trading_statistics.day_rows(ids, today - WINDOW):
        if not row.exits:
            continue
        trades, first = trades + row.trades, min(first, row.day)
        found = return_of(row)
        if found is not None:
            returns[row.day].append(found)
    days = [statistics.fmean(values) for _day, values in sorted(returns.items())]
    span = (today - first).days
    is_long = len(days) >= MIN_DAYS and trades >= MIN_TRADES and timedelta(days=span) >= MIN_SPAN
    return Record(score_of(days) if is_long else None, len(days), trades, span)


def return_of(row: TradingStatistics) -> float | None:
    """Result of a day over what it began with; None without any.

    What a person says of a cash row may cost a place and never wins one: a deposit called a dividend is no gain here.
    """
    before = row.balance_end - row.net
    return float((row.net - max(row.booked, Decimal(0))) / before) if before > 0 else None


def score_of(returns: Sequence[float]) -> Decimal | None:
    """Score of daily returns; None when nothing varies."""
    if len(returns) < 3:
        return None
    others = sorted(returns)[:-1]
    typical = statistics.median(abs(value) for value in others)
    cut = [max(-CAP * typical, min(CAP * typical, value)) for value in others]
    deviation = statistics.stdev(cut)
    if deviation == 0:
        return None
    score = statistics.fmean(cut) / deviation * math.sqrt(YEAR) * len(cut) / (len(cut) + SHRINK)
    return Decimal(str(round(score, 4)))


def look_of(name: str) -> str:
    """What a name looks like: no accents, case, separators or doubled letters, one letter for those that resemble."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(letter)
    )
    for pair, single in _PAIRS:
        plain = plain.replace(pair, single)
    letters = re.sub(r"[^a-z0-9]", "", plain).translate(_SAME_LOOK)
    return re.sub(r"(.)\1+", r"\1", letters)


def _compute(entry: LeaderboardEntry) -> None:
    record = record_of(entry.user_id)
    entry.score, entry.days, entry.trades = record.score, record.days, record.trades
    entry.computed_at = clock.now()
    db.session.flush()
