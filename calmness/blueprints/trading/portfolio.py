"""Portfolio: all accounts together, by currency, beside what was spent at the school."""

from flask import render_template
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.blueprints.trading.statistics import capital_chart
from calmness.blueprints.trading.words import cash_in_words, kind_in_words
from calmness.features import requires_feature
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.billing import payment_history
from calmness.services.trading import cash_movements, portfolios, trading_overview

SCHOOL_CURRENCY = "EUR"


@bp.get("/portefeuille")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.PORTFOLIO)
def portfolio() -> ResponseReturnValue:
    """All accounts together."""
    user = current_account()
    parts = portfolios.of_user(user.id)
    earned, left_out = portfolios.earned(parts, SCHOOL_CURRENCY, clock.paris_today())
    curves = {}
    for part in parts:
        view = trading_overview.overview(user, currency=part.currency)
        curves[part.currency] = capital_chart(view, f"capital-{part.currency}") if view else ""
    return render_template(
        "trading/portfolio.html",
        parts=parts,
        curves=curves,
        accounts={account.id: account for part in parts for account in part.accounts},
        earned=earned,
        left_out=", ".join(left_out),
        school_currency=SCHOOL_CURRENCY,
        spent=sum(cents for _year, cents in payment_history.spent_by_year(user.id)),
        kind_in_words=kind_in_words,
        kind_of=cash_movements.kind_of,
        cash_in_words=cash_in_words,
    )
