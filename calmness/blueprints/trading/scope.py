"""Which accounts and days a page of figures is about, by its address; what cannot be read is left out."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import gettext as _

from calmness import clock
from calmness.models.account import User
from calmness.models.trading import TradingAccount
from calmness.services.trading import converted_report, exchange_rates, trading_accounts
from calmness.services.trading.converted_report import Converter
from calmness.services.trading.trading_report import Scope

PERIODS = {"30": 30, "90": 90, "365": 365, "tout": None}
DEFAULT = "365"
TOGETHER = "toutes"
"""In the address: accounts of all currencies, converted."""


@dataclass(frozen=True)
class Chosen:
    """What a page of figures is about."""

    accounts: list[TradingAccount]
    account: TradingAccount | None
    currency: str
    currencies: list[str]
    period: str
    scope: Scope
    today: date
    is_together: bool = False
    """Accounts of several currencies, each amount at the rate of its day."""

    def converter(self) -> Converter:
        """The rates of a page about accounts together."""
        return converted_report.converter(
            self.scope, self.currency, {account.id: account.currency for account in self.accounts}
        )

    @property
    def query(self) -> dict[str, str]:
        """What links of the page carry on."""
        currency = TOGETHER if self.is_together else self.currency
        own = {"periode": self.period, "devise": currency if len(self.currencies) > 1 else ""}
        own["compte"] = str(self.account.id) if self.account else ""
        if self.period == "dates":
            own |= {"du": _iso(self.scope.start), "au": _iso(self.scope.end)}
        return {name: value for name, value in own.items() if value}


@dataclass(frozen=True)
class Wish:
    """What somebody asks for; what does not exist is left out, as an address may be old."""

    account: str = ""
    currency: str = ""
    period: str = DEFAULT
    start: date | None = None
    end: date | None = None
    is_together: bool = False


def of_request(user: User, *, may_convert: bool = False) -> Chosen | None:
    """The choice in the address; None without an account. ``may_convert``: whether the page can show accounts of
    several currencies together.
    """
    given = request.args
    currency = given.get("devise", "")
    wish = Wish(
        account=given.get("compte", ""),
        currency=currency,
        period=given.get("periode", DEFAULT),
        start=day_of_request("du"),
        end=day_of_request("au"),
        is_together=may_convert and currency == TOGETHER,
    )
    return chosen(user, wish)


def chosen(user: User, wish: Wish) -> Chosen | None:
    """The accounts and days of a wish; None without an account."""
    every = trading_accounts.of_user(user.id)
    if not every:
        return None
    currencies = [name for name, _count in Counter(account.currency for account in every).most_common()]
    account = next((row for row in every if str(row.id) == wish.account), None)
    currency = account.currency if account else wish.currency
    currency = currency if currency in currencies else currencies[0]
    accounts = [row for row in every if row.currency == currency]
    today = clock.now().astimezone(ZoneInfo(user.time_zone)).date()
    period, start, end = _days(wish, today)
    is_together = wish.is_together and account is None and len(currencies) > 1
    if is_together:
        currency, accounts = exchange_rates.currency_of(user.id), every
    counted = [account] if account else accounts
    scope = Scope(tuple(row.id for row in counted), user.time_zone, start, end)
    return Chosen(accounts, account, currency, currencies, period, scope, today, is_together)


def day_of_request(name: str) -> date | None:
    """A day in the address."""
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    # At the ends of the calendar midnight of Paris has no instant in UTC.
    return day if 1970 <= day.year < 2200 else None


def period_names() -> list[tuple[str, str]]:
    """(value, name) of the periods that a click chooses."""
    return [("30", _("30 j")), ("90", _("90 j")), ("365", _("Un an")), ("tout", _("Tout"))]


def _days(wish: Wish, today: date) -> tuple[str, date | None, date | None]:
    start, end = wish.start, wish.end
    if start or end:
        if start and end and start > end:
            start, end = end, start
        return "dates", start, end
    period = wish.period if wish.period in PERIODS else DEFAULT
    days = PERIODS[period]
    return period, None if days is None else today - timedelta(days=days), None


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
