"""Cash rows of an account, and what the student says they are."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import UnprocessableEntity

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.blueprints.trading.words import cash_in_words, effect_in_words
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.trading import CashKind
from calmness.permissions import Permission
from calmness.services.trading import cash_movements, trading_accounts


@bp.get("/metatrader/<int:account_id>/mouvements")
@requires(Permission.OWN_SPACE)
def movements(account_id: int) -> ResponseReturnValue:
    """Deposits, withdrawals, credits and costs that the broker booked."""
    return _page(account_id), 200


@bp.post("/metatrader/mouvements/<int:trade_id>")
@requires(Permission.OWN_SPACE)
def create_cash_kind(trade_id: int) -> ResponseReturnValue:
    """Say what a row is; nothing chosen leaves it to the broker's sign again."""
    trade, chosen = cash_movements.own(current_account().id, trade_id), request.form.get("kind", "")
    if chosen and chosen not in set(CashKind):
        raise UnprocessableEntity
    try:
        cash_movements.correct(trade, CashKind(chosen) if chosen else None)
    except DomainError as error:
        db.session.rollback()
        return _page(trade.account_id, {trade_id: (chosen, str(error.message))}), 422
    db.session.commit()
    flash(_("C’est noté\u00a0: vos chiffres suivent dans un instant."), "success")
    after = request.form.get("apres", 0, type=int)
    address = url_for("trading.movements", account_id=trade.account_id, apres=after or None)
    return redirect(f"{address}#mouvement-{trade_id}")


def _page(account_id: int, errors: dict[int, tuple[str, str]] | None = None) -> str:
    """``errors``: (what was chosen, why not) by row."""
    account = trading_accounts.own(current_account().id, account_id)
    after = request.values.get("apres", 0, type=int)
    found = cash_movements.of_account(account.id, after)
    return render_template(
        "trading/movements.html",
        account=account,
        page=found,
        after=after,
        errors=errors or {},
        guess=cash_movements.guess,
        kind_of=cash_movements.kind_of,
        told_by_broker=cash_movements.told_by_broker,
        kinds_for=cash_movements.kinds_for,
        cash_in_words=cash_in_words,
        effect_in_words=effect_in_words,
    )
