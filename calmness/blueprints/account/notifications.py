"""List of notices."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from calmness.access import current_account, requires, writes
from calmness.blueprints.account import bp
from calmness.extensions import db
from calmness.navigation import badge
from calmness.permissions import Permission
from calmness.services import notifications as rules

PAGE = 30

badge("notifications", _l("notifications non lues"))(rules.unread_count)


@bp.get("/notifications")
@requires(Permission.OWN_SPACE)
def notifications() -> ResponseReturnValue:
    """All notices, newest first."""
    page = max(1, request.args.get("page", 1, type=int))
    rows, total = rules.listing(current_account().id, limit=PAGE, offset=(page - 1) * PAGE)
    return render_template("account/notifications.html", rows=rows, total=total, page=page, size=PAGE)


@bp.get("/notifications/<int:notification_id>")
@requires(Permission.OWN_SPACE)
@writes
def open_notification(notification_id: int) -> ResponseReturnValue:
    """Mark as read and go where it leads."""
    notice = rules.mark_read(current_account().id, notification_id)
    target = notice.url or url_for("account.notifications")
    db.session.commit()
    return redirect(target)


@bp.post("/notifications/lues")
@requires(Permission.OWN_SPACE)
def mark_all_read() -> ResponseReturnValue:
    """Mark all as read."""
    rules.mark_all_read(current_account().id)
    db.session.commit()
    return redirect(url_for("account.notifications"))
