"""Journal and health of the system."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness import clock, locale
from calmness.access import current_account, requires
from calmness.blueprints.admin.journal_words import ACTIONS, AREAS, CHANGES, OBJECTS
from calmness.extensions import db
from calmness.paging import page_number
from calmness.permissions import Permission
from calmness.services import audit as audit_chain
from calmness.services import delivery, journal, second_tries

bp = Blueprint("admin_system", __name__, url_prefix="/admin")
PAGE = 50


@bp.get("/journal")
@requires(Permission.SEE_AUDIT)
def audit() -> ResponseReturnValue:
    """What staff did, and security events."""
    return _journal_page()


@bp.get("/journal/preuve")
@requires(Permission.SEE_AUDIT)
def proof() -> ResponseReturnValue:
    """The same page, with the chain of all entries computed anew."""
    return _journal_page(checked=True, broken=audit_chain.first_broken())


def _journal_page(*, checked: bool = False, broken: int | None = None) -> str:
    area, page = request.args.get("area", ""), page_number()
    wanted = journal.Wanted(
        request.args.get("q", "").strip()[:100],
        area if area in AREAS else "",
        _day(request.args.get("from", "")),
        _day(request.args.get("to", "")),
    )
    rows, total = journal.listing(wanted, locale.zone(), limit=PAGE, offset=(page - 1) * PAGE)
    chosen = {"q": wanted.text, "area": wanted.area, "from": wanted.first or "", "to": wanted.last or ""}
    return render_template(
        "admin/system/audit.html",
        rows=rows,
        total=total,
        page=page,
        size=PAGE,
        chosen=chosen,
        actions=ACTIONS,
        objects=OBJECTS,
        changes=CHANGES,
        areas=sorted(AREAS.items(), key=lambda item: str(item[1])),
        checked=checked,
        broken=broken,
        entries=journal.size() if checked else 0,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


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
