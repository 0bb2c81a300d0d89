"""From lines of the bank to validated payments: the house proposes, a person confirms, line by line or many at once."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import joinedload, selectinload

from calmness import clock
from calmness.errors import Conflict, DomainError, NotFound, Text
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.bank import BankAllocation, BankLine, LineState
from calmness.models.billing import Payment
from calmness.services import audit
from calmness.services.billing import purchases, transactions
from calmness.services.billing.bank_matching import Expected, Proposal, Strength, Transfer, names_payment, proposals

SHOWN = 200
TO_SETTLE = (LineState.UNDERPAID, LineState.OVERPAID, LineState.RETURNED)
"""States that ask for a person's hand."""


class LineSettled(Conflict):
    """The line was settled meanwhile, perhaps by a colleague."""

    slug = "line-settled"
    message = _l("Cette ligne du relevé est déjà traitée.")


class AmountsDiffer(Conflict):
    """The transfer is not what was expected: a person must say that it is taken all the same."""

    slug = "amounts-differ"
    message = _l("Le virement ne couvre pas le montant attendu\u00a0: attendez le complément ou refusez.")


@dataclass(frozen=True)
class Suggestion:
    """A line with the payments that it may settle, likeliest first."""

    line: BankLine
    choices: list[tuple[Proposal, Payment]]
    twin: BankLine | None = None
    """The line of a statement in another format that may be the same transfer."""

    @property
    def ticked(self) -> bool:
        """Whether the page ticks it beforehand: strong, no other payment is as likely, and seen for the first time."""
        if self.twin is not None:
            return False
        scores = [proposal.score for proposal, _payment in self.choices[:2]]
        strong = bool(self.choices) and self.choices[0][0].strength is Strength.STRONG
        return strong and self.line.state is LineState.OPEN and (len(scores) == 1 or scores[0] > scores[1])


@dataclass(frozen=True)
class Outcome:
    """What confirming one line gave: the invoice's number, or why not."""

    line_id: int
    invoice: str = ""
    error: Text = ""


def suggestions(
    states: tuple[LineState, ...] = (LineState.OPEN,), limit: int = SHOWN, after: BankLine | None = None
) -> list[Suggestion]:
    """Lines in a state, oldest first, with what they (or what is left of them) may settle; those that follow a line."""
    query = (
        select(BankLine)
        .where(BankLine.state.in_(states))
        .options(
            joinedload(BankLine.statement),
            selectinload(BankLine.allocations).joinedload(BankAllocation.payment).joinedload(Payment.user),
        )
        .order_by(BankLine.booked_on, BankLine.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(BankLine.booked_on, BankLine.id) > (after.booked_on, after.id))
    lines = list(db.session.scalars(query))
    waiting = {
        payment.id: payment
        for payment in db.session.scalars(
            select(Payment).where(Payment.status.in_(purchases.OPEN)).options(joinedload(Payment.user))
        )
    }
    accounts = _accounts_by_person() if lines else {}
    received = _received_by_payment(waiting) if lines else {}
    expected = [_expected(payment, accounts, received.get(payment.id, 0)) for payment in waiting.values()]
    expected = [one for one in expected if one.amount_cents > 0]
    twins = _twins(lines)
    return [
        Suggestion(
            line,
            [
                (proposal, waiting[proposal.payment_id])
                for proposal in proposals(transfer_of(line), expected if line.currency == "EUR" else ())[:4]
            ],
            twins.get(line.id),
        )
        for line in lines
    ]


def _is_iban(account: str) -> bool:
    """Whether it names an account: a CSV file whose bank gives none bears the bank's name instead."""
    return account[:2].isalpha() and account[2:4].isdigit()


def _twins(lines: list[BankLine]) -> dict[int, BankLine]:
    """By line, an earlier one of the same day and amount that came in another format: banks number the same transfer
    differently in CAMT and CSV, so nothing but a person can tell whether it is one.
    """
    if not lines:
        return {}
    earlier = db.session.scalars(
        select(BankLine)
        .where(
            BankLine.booked_on.in_({line.booked_on for line in lines}),
            BankLine.amount_cents.in_({line.amount_cents for line in lines}),
        )
        .options(joinedload(BankLine.statement))
        .order_by(BankLine.id)
    ).all()
    return {
        line.id: other
        for line in lines
        for other in earlier
        if other.id < line.id
        and (other.booked_on, other.amount_cents, other.currency) == (line.booked_on, line.amount_cents, line.currency)
        and other.statement.format is not line.statement.format
        and not (_is_iban(line.account) and _is_iban(other.account) and line.account != other.account)
    }


def returned_payment(line: BankLine) -> Payment | None:
    """The validated payment whose transfer the bank took back, as far as the line says it."""
    earlier = db.session.scalars(
        select(BankLine)
        .where(BankLine.account == line.account, BankLine.amount_cents == -line.amount_cents, BankLine.id != line.id)
        .options(selectinload(BankLine.allocations).joinedload(BankAllocation.payment))
    )
    for candidate in earlier:
        same = (candidate.end_to_end_id and candidate.end_to_end_id == line.end_to_end_id) or (
            candidate.label and candidate.label == line.label
        )
        if same and candidate.allocations:
            return candidate.allocations[0].payment
    for payment in db.session.scalars(
        select(Payment).where(Payment.amount_cents == -line.amount_cents, Payment.validated_at.is_not(None))
    ):
        if names_payment(line.label, payment.reference):
            return payment
    return None


def confirm(line_id: int, payment_id: int, *, by: User, at: datetime | None = None) -> Outcome:
    """Validate a payment by a line of the statement, in one transaction.

    Several transfers may make up an amount; less than expected leaves the payment open and the line ``underpaid``,
    more validates it and leaves the line ``overpaid``. Raises ``LineSettled`` and what ``validate_payment`` raises.
    """
    now = at or clock.now()
    line = _locked(line_id)
    if line.state not in {LineState.OPEN, LineState.OVERPAID} or any(
        allocation.payment_id == payment_id for allocation in line.allocations
    ):
        raise LineSettled
    payment = purchases.locked(payment_id)
    if payment.status not in purchases.OPEN:
        raise purchases.PaymentClosed
    left = line.amount_cents - sum(allocation.amount_cents for allocation in line.allocations)
    received = _received(payment_id)
    missing = payment.amount_cents - received
    if left <= 0 or missing <= 0:
        raise LineSettled
    db.session.add(
        BankAllocation(line_id=line.id, payment_id=payment_id, amount_cents=min(left, missing), at=now, by_id=by.id)
    )
    line.settled_at, line.settled_by_id = now, by.id
    if left < missing:
        line.state = LineState.UNDERPAID
        db.session.flush()
        audit.record("bank_line.underpaid", "bank_line", line.id, actor=by, changes=("state",))
        return Outcome(line.id, error=AmountsDiffer.message)
    line.state = LineState.MATCHED if left == missing else LineState.OVERPAID
    db.session.flush()
    _complete(payment_id)
    invoice = purchases.validate_payment(payment_id, payment.transaction_id or number_of(line, payment), by=by, at=now)
    audit.record("bank_line.matched", "bank_line", line.id, actor=by, changes=("state",))
    return Outcome(line.id, invoice=invoice.number)


def confirm_many(chosen: list[tuple[int, int]], *, by: User) -> list[Outcome]:
    """Confirm each by itself: one that fails leaves the others done. Commits after each."""
    done = []
    for line_id, payment_id in chosen:
        try:
            outcome = confirm(line_id, payment_id, by=by)
        except DomainError as error:
            db.session.rollback()
            outcome = Outcome(line_id, error=error.message)
        else:
            db.session.commit()
        done.append(outcome)
    return done


def set_aside(line_id: int, *, by: User) -> BankLine:
    """Say that a line is settled outside of the sale: the rest given back, or none of ours."""
    line = _locked(line_id)
    if line.state in {LineState.MATCHED, LineState.IGNORED}:
        raise LineSettled
    line.state, line.settled_at, line.settled_by_id = LineState.IGNORED, clock.now(), by.id
    db.session.flush()
    audit.record("bank_line.set_aside", "bank_line", line.id, actor=by, changes=("state",))
    return line


def get(line_id: int) -> BankLine:
    """A line. Raises ``NotFound``."""
    line = db.session.get(BankLine, line_id)
    if line is None:
        raise NotFound
    return line


def open_count() -> int:
    """How many lines wait for a person."""
    return db.session.scalar(select(func.count()).select_from(BankLine).where(BankLine.state == LineState.OPEN)) or 0


def number_of(line: BankLine, payment: Payment) -> str:
    """Transaction number of a payment whose student gave none: the bank's own, else the place in the statement.

    One transfer that settles two payments gives two numbers.
    """
    number = line.bank_reference or line.end_to_end_id
    try:
        key = transactions.normalised(number)
    except transactions.TransactionNumberMissing:
        return f"RELEVE {line.booked_on:%Y%m%d} {line.id} P{payment.id}"
    taken = db.session.scalar(select(Payment.id).where(Payment.transaction_key == key, Payment.id != payment.id))
    return f"{number[:50]} P{payment.id}" if taken else number


def transfer_of(line: BankLine) -> Transfer:
    """What matching reads of a line."""
    left = line.amount_cents - sum(allocation.amount_cents for allocation in line.allocations)
    text = f"{line.label} {line.end_to_end_id} {line.bank_reference}"
    return Transfer(left, text, line.debtor_name, line.debtor_iban)


def _complete(payment_id: int) -> None:
    """Lines that were too little by themselves are settled once their sum is enough."""
    for line in db.session.scalars(
        select(BankLine)
        .join(BankAllocation, BankAllocation.line_id == BankLine.id)
        .where(BankAllocation.payment_id == payment_id, BankLine.state == LineState.UNDERPAID)
    ):
        line.state = LineState.MATCHED
    db.session.flush()


def _received(payment_id: int) -> int:
    return sum(db.session.scalars(select(BankAllocation.amount_cents).where(BankAllocation.payment_id == payment_id)))


def _locked(line_id: int) -> BankLine:
    line = db.session.scalar(
        select(BankLine).where(BankLine.id == line_id).with_for_update().execution_options(populate_existing=True)
    )
    if line is None:
        raise NotFound
    return line


def _accounts_by_person() -> dict[int, frozenset[str]]:
    seen: dict[int, set[str]] = defaultdict(set)
    rows = db.session.execute(
        select(Payment.user_id, BankLine.debtor_iban)
        .join(BankAllocation, BankAllocation.payment_id == Payment.id)
        .join(BankLine, BankLine.id == BankAllocation.line_id)
        .where(BankLine.debtor_iban != "", Payment.validated_at.is_not(None))
        .distinct()
    )
    for user_id, account in rows:
        seen[user_id].add(account)
    return {user_id: frozenset(accounts) for user_id, accounts in seen.items()}


def _received_by_payment(waiting: dict[int, Payment]) -> dict[int, int]:
    rows = db.session.execute(
        select(BankAllocation.payment_id, func.sum(BankAllocation.amount_cents))
        .join(Payment, Payment.id == BankAllocation.payment_id)
        .where(Payment.status.in_(purchases.OPEN))
        .group_by(BankAllocation.payment_id)
    )
    return {payment_id: int(total) for payment_id, total in rows if payment_id in waiting}


def _expected(payment: Payment, accounts: dict[int, frozenset[str]], received: int) -> Expected:
    return Expected(
        payment_id=payment.id,
        amount_cents=payment.amount_cents - received,
        reference=payment.reference,
        number=payment.transaction_key or "",
        name=payment.user.full_name,
        accounts=accounts.get(payment.user_id, frozenset()),
    )
