"""What a pip of a symbol is: the school's own rules, else what the broker's contract says, else the table.

A pair with three or five digits has ten points in a pip, with two or four one. Of metals, oil, indices and big coins
the digits say nothing (brokers write gold with two or three): there the table says the size, and the contract only
whether the broker's prices move in finer steps. A small coin is counted in whole units where it has two digits at most.
Where nothing true can be said there is no size.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness import clock
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.instruments import InstrumentClass, base_symbol, instrument_class, pip_size
from calmness.models.account import User
from calmness.models.dialect import upsert
from calmness.models.trading import AccountSymbol, PipRule
from calmness.services import audit

WITH_FRACTION = frozenset({3, 5})
"""Digits of a pair whose last one is the tenth of a pip."""
WHOLE_DIGITS = 2
"""Most digits of a small coin that is still counted in whole units."""
LARGEST = Decimal(10_000)
_PATTERN = re.compile(r"[A-Z0-9][A-Z0-9./_#+-]{0,30}\*?")


class NoPip(StrEnum):
    """Why there is no size."""

    NO_HABIT = "no_habit"
    COARSE = "coarse"


@dataclass(frozen=True)
class Contract:
    """What an EA says of a symbol's prices."""

    digits: int
    point: Decimal
    tick: Decimal | None = None

    @property
    def step(self) -> Decimal:
        """Least move of the price."""
        return max(self.point, self.tick or self.point)


class BadPattern(DomainError):
    """What cannot be the name of a symbol or its beginning."""

    slug = "pip-bad-pattern"
    field = "pattern"
    message = _l("Entrez un symbole comme US30, ou son début suivi d’une étoile comme US*.")


class BadPip(DomainError):
    """No size that a pip can have."""

    slug = "pip-bad-size"
    field = "pip"
    message = _l("Entrez une taille plus grande que zéro, de huit décimales au plus et de 10 000 au plus.")


@dataclass
class PipTable:
    """Sizes of pips, as they are now."""

    rules: Mapping[str, Decimal]
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    _known: dict[str, Decimal | NoPip] = field(default_factory=dict)

    def size(self, symbol: str) -> Decimal | None:
        """Price of one pip; None where nothing true can be said (see ``silence``)."""
        found = self._of(symbol)
        return None if isinstance(found, NoPip) else found

    def silence(self, symbol: str) -> NoPip | None:
        """Why there is no size; None when there is one."""
        found = self._of(symbol)
        return found if isinstance(found, NoPip) else None

    def rule_of(self, symbol: str) -> str:
        """The rule that counts for a symbol, or nothing: its very name before its base, then the longest beginning."""
        names = (symbol.strip().upper(), base_symbol(symbol))
        exact = next((name for name in names if name in self.rules), "")
        beginnings = [
            rule for rule in self.rules if rule.endswith("*") and any(name.startswith(rule[:-1]) for name in names)
        ]
        return exact or max(beginnings, key=len, default="")

    def _of(self, symbol: str) -> Decimal | NoPip:
        if symbol not in self._known:
            self._known[symbol] = self._find(symbol)
        return self._known[symbol]

    def _find(self, symbol: str) -> Decimal | NoPip:
        rule = self.rule_of(symbol)
        if rule:
            return self.rules[rule]
        contract, kind, usual = self.contracts.get(symbol), instrument_class(symbol), pip_size(symbol)
        if contract is not None and kind is InstrumentClass.FOREX:
            return contract.point * 10 if contract.digits in WITH_FRACTION else contract.point
        if contract is not None and kind is InstrumentClass.SMALL_COIN and contract.digits <= WHOLE_DIGITS:
            usual = Decimal(1)
        if usual is None:
            return NoPip.NO_HABIT
        # An index moves by five points at some brokers, and is still counted in points.
        step = None if contract is None else contract.point if kind is InstrumentClass.INDEX else contract.step
        return NoPip.COARSE if step is not None and step > usual else usual


def of_accounts(account_ids: Sequence[int]) -> PipTable:
    """Sizes of pips for trades of accounts; without any, those of the school alone."""
    contracts = {}
    if account_ids:
        query = select(AccountSymbol).where(AccountSymbol.account_id.in_(account_ids)).order_by(AccountSymbol.seen_at)
        contracts = {row.symbol: Contract(row.digits, row.point, row.tick_size) for row in db.session.scalars(query)}
    return PipTable({row.pattern: row.pip for row in rules()}, contracts)


def rules() -> list[PipRule]:
    """The school's own rules, by name."""
    return list(db.session.scalars(select(PipRule).order_by(PipRule.pattern)))


def pattern_of(text: str) -> str:
    """The name of a symbol or its beginning, as rules are kept. Raises ``BadPattern``."""
    name = text.strip().upper()
    if not _PATTERN.fullmatch(name):
        raise BadPattern
    return name


def size_of(pip: Decimal | None) -> Decimal:
    """A size that a pip can have. Raises ``BadPip``."""
    if pip is None or not pip.is_finite() or not 0 < pip <= LARGEST or pip != round(pip, 8):
        raise BadPip
    return pip


def set_rule(pattern: str, pip: Decimal | None, *, by: User) -> PipRule:
    """Say what a pip is; another size for the same pattern takes its place. Raises ``BadPattern``, ``BadPip``.

    Statistics tell pips when they are asked: they follow at once. Signals that have ended keep what was told of them.
    """
    name = pattern_of(pattern)
    row = {"pattern": name, "pip": size_of(pip), "changed_at": clock.now()}
    upsert(db.session(), PipRule, [row], key=["pattern"], update_columns=["pip", "changed_at"])
    audit.record("pip.changed", "pip_rule", name, actor=by, changes=("pip",))
    return db.session.get_one(PipRule, name, populate_existing=True)


def remove_rule(pattern: str, *, by: User) -> None:
    """Leave a pattern to the table again. Raises ``NotFound``."""
    rule = db.session.get(PipRule, pattern, with_for_update=True)
    if rule is None:
        raise NotFound
    db.session.delete(rule)
    audit.record("pip.removed", "pip_rule", pattern, actor=by)
