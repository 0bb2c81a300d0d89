"""Journal and health of the system."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness import clock
from calmness.access import current_account, requires
from calmness.extensions import db
from calmness.permissions import Permission
from calmness.services import delivery, journal, second_tries

bp = Blueprint("admin_system", __name__, url_prefix="/admin")
PAGE = 50


@bp.get("/journal")
@requires(Permission.SEE_AUDIT)
def audit() -> ResponseReturnValue:
    """What staff did, and security events."""
    page, text = max(1, request.args.get("page", 1, type=int)), request.args.get("q", "").strip()
    rows, total = journal.listing(text, limit=PAGE, offset=(page - 1) * PAGE)
    return render_template("admin/system/audit.html", rows=rows, total=total, page=page, size=PAGE, q=text)


@bp.get("/systeme")
@requires(Permission.MANAGE_SYSTEM)
def health() -> ResponseReturnValue:
    """Processes, queues, messages."""
    return render_template(
        "admin/system/health.html",
        processes=delivery.heartbeats(),
        states=delivery.counts_by_state(),
        failed=second_tries.failed_tasks(),
        uncertain=second_tries.uncertain_messages(),
        now=clock.now(),
    )


@bp.post("/systeme/taches/<int:task_id>/reprise")
@requires(Permission.MANAGE_SYSTEM)
def create_retry(task_id: int) -> ResponseReturnValue:
    """Try a piece of work again."""
    second_tries.retry_task(task_id, by=current_account())
    db.session.commit()
    flash(_("La tâche est relancée."), "success")
    return redirect(url_for("admin_system.health"))


@bp.post("/systeme/messages/<int:delivery_id>/renvoi")
@requires(Permission.MANAGE_SYSTEM)
def create_second_sending(delivery_id: int) -> ResponseReturnValue:
    """Send an uncertain message again."""
    second_tries.send_again(delivery_id, by=current_account())
    db.session.commit()
    flash(_("Le message repart."), "success")
    return redirect(url_for("admin_system.health"))
