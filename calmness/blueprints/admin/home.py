"""The staff's dashboard."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from calmness import charts, clock
from calmness.access import requires
from calmness.blueprints.admin.mentions import KINDS
from calmness.models.billing import PaymentStatus
from calmness.permissions import Permission
from calmness.presentation import amount, day_and_month, money
from calmness.services.billing import mentions, payment_queue, takings
from calmness.services.dashboard import school

bp = Blueprint("admin_home", __name__, url_prefix="/admin")


@bp.get("")
@requires(Permission.SEE_ADMIN)
def show() -> ResponseReturnValue:
    """What waits for somebody, and how the school does."""
    waiting, total = payment_queue.listing(PaymentStatus.TRANSACTION_SUBMITTED, "", limit=6, offset=0)
    weeks = takings.by_week(clock.now())
    drawing = charts.bars(
        [(day_and_month(week.monday), week.cents / 100) for week in weeks],
        title=_("Chiffre d’affaires par semaine"),
        format_value=lambda value: amount(value, digits=0),
        identity="weeks",
    )
    return render_template(
        "admin/home.html",
        figures=school.figures(),
        waiting=waiting,
        waiting_total=total,
        # A school that has sold nothing yet has no bars to look at.
        chart=drawing if any(week.cents for week in weeks) else None,
        weeks=[(day_and_month(week.monday), money(week.cents)) for week in weeks],
        sessions=school.next_sessions() if current_user.may(Permission.RECORD_ATTENDANCE) else [],
        mentions_ending=mentions.ending(clock.paris_today()) if current_user.may(Permission.MANAGE_IDENTITY) else [],
        mention_kinds=KINDS,
        newcomers=school.newcomers() if current_user.may(Permission.SEE_CLIENTS) else [],
    )
