"""What a pip of a symbol is: the school's own rules, else the broker's digits for pairs of currencies, else the table.

A pair with three or five digits has ten points in a pip, with two or four one. Of metals, oil, indices and crypto the
digits say nothing: brokers write gold with two or three.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness import clock
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.instruments import base_symbol, is_forex, pip_size
from calmness.models.account import User
from calmness.models.dialect import upsert
from calmness.models.trading import AccountSymbol, PipRule
from calmness.services import audit

WITH_FRACTION = frozenset({3, 5})
"""Digits of a pair whose last one is the tenth of a pip."""
LARGEST = Decimal(10_000)
_PATTERN = re.compile(r"[A-Z0-9][A-Z0-9./_#+-]{0,30}\*?")


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
    contracts: Mapping[str, tuple[int, Decimal]] = field(default_factory=dict)
    """(digits, point) of symbols as the EA says them."""
    _known: dict[str, Decimal] = field(default_factory=dict)

    def size(self, symbol: str) -> Decimal:
        """Price of one pip."""
        if symbol not in self._known:
            self._known[symbol] = self._find(symbol)
        return self._known[symbol]

    def rule_of(self, symbol: str) -> str:
        """The rule that counts for a symbol, or nothing: its very name before its base, then the longest beginning."""
        names = (symbol.strip().upper(), base_symbol(symbol))
        exact = next((name for name in names if name in self.rules), "")
        beginnings = [
            rule for rule in self.rules if rule.endswith("*") and any(name.startswith(rule[:-1]) for name in names)
        ]
        return exact or max(beginnings, key=len, default="")

    def _find(self, symbol: str) -> Decimal:
        rule = self.rule_of(symbol)
        if rule:
            return self.rules[rule]
        if symbol in self.contracts and is_forex(base_symbol(symbol)):
            digits, point = self.contracts[symbol]
            return point * 10 if digits in WITH_FRACTION else point
        return pip_size(symbol)


def of_accounts(account_ids: Sequence[int]) -> PipTable:
    """Sizes of pips for trades of accounts; without any, those of the school alone."""
    contracts = {}
    if account_ids:
        query = select(AccountSymbol).where(AccountSymbol.account_id.in_(account_ids)).order_by(AccountSymbol.seen_at)
        contracts = {row.symbol: (row.digits, row.point) for row in db.session.scalars(query)}
    return PipTable({row.pattern: row.pip for row in rules()}, contracts)


def rules() -> list[PipRule]:
    """The school's own rules, by name."""
    return list(db.session.scalars(select(PipRule).order_by(PipRule.pattern)))


def set_rule(pattern: str, pip: Decimal | None, *, by: User) -> PipRule:
    """Say what a pip is; another size for the same pattern takes its place. Raises ``BadPattern``, ``BadPip``.

    Statistics tell pips when they are asked: they follow at once. Signals that have ended keep what was told of them.
    """
    name = pattern.strip().upper()
    if not _PATTERN.fullmatch(name):
        raise BadPattern
    if pip is None or not pip.is_finite() or not 0 < pip <= LARGEST or pip != round(pip, 8):
        raise BadPip
    row = {"pattern": name, "pip": pip, "changed_at": clock.now()}
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
