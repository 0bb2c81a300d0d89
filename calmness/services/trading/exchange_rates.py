"""Amounts of several currencies made one, each at the reference rate of its own day.

No rate is made up: on a closed day the last one known counts, for ten days at most; where there is none the amount is
left out and named.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness.banking.ecb import Rate
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.dialect import upsert
from calmness.models.rates import ReferenceRate
from calmness.services.account import preferences

EURO = "EUR"
CENTS = {"USC": "USD", "EUC": "EUR"}
"""Cent accounts: their unit is the hundredth part of a currency's."""
TARGETS = ("EUR", "USD", "GBP", "CHF", "CAD", "JPY")
LONGEST_GAP = timedelta(days=10)
"""Christmas and Easter leave five days without a rate; after ten the file has not been brought."""
CHUNK = 5_000
SETTING = "currency"


class UnknownCurrency(DomainError):
    """A total can be had in a few currencies."""

    slug = "unknown-currency"
    field = "currency"
    message = _l("Choisissez une devise de la liste.")


@dataclass
class Rates:
    """Rates by currency, in order of day: read once for a period, asked for each amount."""

    days: dict[str, list[date]] = field(default_factory=dict)
    values: dict[str, list[Decimal]] = field(default_factory=dict)

    def per_euro(self, currency: str, day: date) -> tuple[Decimal, date] | None:
        """(what one euro is worth, day of that rate); None without a rate of the ten days before."""
        if currency == EURO:
            return Decimal(1), day
        known = self.days.get(currency, [])
        place = bisect_right(known, day) - 1
        if place < 0 or day - known[place] > LONGEST_GAP:
            return None
        return self.values[currency][place], known[place]

    def convert(self, amount: Decimal, source: str, target: str, day: date) -> tuple[Decimal, date] | None:
        """(amount in the target's unit, day of the older of the two rates used); None when a rate is missing."""
        scale = 100 if source in CENTS else 1
        source = CENTS.get(source, source)
        if source == target:
            return amount / scale, day
        given, wanted = self.per_euro(source, day), self.per_euro(target, day)
        if given is None or wanted is None:
            return None
        return amount / scale / given[0] * wanted[0], min(given[1], wanted[1])


@dataclass
class Total:
    """A sum in one currency. ``oldest`` and ``newest`` are days of the rates that were used, ``missing`` the
    currencies with an amount that found no rate and was left out, with the days concerned.
    """

    currency: str
    amount: Decimal = Decimal(0)
    oldest: date | None = None
    newest: date | None = None
    missing: dict[str, list[date]] = field(default_factory=dict)


def store(rates: Iterable[Rate]) -> int:
    """Keep rates; one that is published again takes the place of the old one. Gives how many there were."""
    rows = list({(rate.currency, rate.day): rate._asdict() for rate in rates}.values())
    for first in range(0, len(rows), CHUNK):
        part = rows[first : first + CHUNK]
        upsert(db.session(), ReferenceRate, part, key=["currency", "day"], update_columns=["per_euro"])
    return len(rows)


def between(currencies: Iterable[str], first: date, last: date) -> Rates:
    """Rates of currencies that may be asked for between two days."""
    wanted = {CENTS.get(currency, currency) for currency in currencies} - {EURO}
    found = Rates()
    query = (
        select(ReferenceRate.currency, ReferenceRate.day, ReferenceRate.per_euro)
        .where(ReferenceRate.currency.in_(wanted), ReferenceRate.day.between(first - LONGEST_GAP, last))
        .order_by(ReferenceRate.day)
    )
    for currency, day, per_euro in db.session.execute(query):
        found.days.setdefault(currency, []).append(day)
        found.values.setdefault(currency, []).append(per_euro)
    return found


def total(amounts: Sequence[tuple[str, date, Decimal]], target: str) -> Total:
    """Sum of (currency, day, amount), each at the rate of its day. Nothing is rounded before the end."""
    made = Total(target)
    if not amounts:
        return made
    days = [day for _currency, day, _amount in amounts]
    rates = between({currency for currency, _day, _amount in amounts} | {target}, min(days), max(days))
    for currency, day, amount in amounts:
        if not amount:
            continue
        converted = rates.convert(amount, currency, target, day)
        if converted is None:
            made.missing.setdefault(currency, []).append(day)
            continue
        made.amount += converted[0]
        if CENTS.get(currency, currency) != target:
            made.oldest = min(made.oldest or converted[1], converted[1])
            made.newest = max(made.newest or converted[1], converted[1])
    return made


def currency_of(user_id: int) -> str:
    """The currency in which a person wants totals; the euro until told otherwise."""
    chosen = preferences.settings_of(user_id).get(SETTING)
    return str(chosen) if chosen in TARGETS else EURO


def choose_currency(user_id: int, currency: str) -> None:
    """Keep the currency of a person's totals. Raises ``UnknownCurrency``."""
    if currency not in TARGETS:
        raise UnknownCurrency
    preferences.keep(user_id, SETTING, currency)
