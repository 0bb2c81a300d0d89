"""List of notices."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from calmness.access import current_account, requires, writes
from calmness.blueprints.account import bp
from calmness.extensions import db
from calmness.navigation import badge
from calmness.paging import page_number
from calmness.permissions import Permission
from calmness.services import notifications as rules

PAGE = 30

badge("notifications", _l("notifications non lues"))(rules.unread_count)


@bp.get("/notifications")
@requires(Permission.OWN_SPACE)
def notifications() -> ResponseReturnValue:
    """All notices, newest first."""
    page = page_number()
    rows, total = rules.listing(current_account().id, limit=PAGE, offset=(page - 1) * PAGE)
    if not rows and total:
        return redirect(url_for("account.notifications", page=-(-total // PAGE)))
    unread = rules.unread_count(current_account().id)
    return render_template("account/notifications.html", rows=rows, total=total, page=page, size=PAGE, unread=unread)


@bp.get("/notifications/<int:notification_id>")
@requires(Permission.OWN_SPACE)
@writes
def open_notification(notification_id: int) -> ResponseReturnValue:
    """Mark as read and go where it leads."""
    notice = rules.mark_read(current_account().id, notification_id)
    target = notice.url or url_for("account.notifications")
    db.session.commit()
    return redirect(target)


@bp.post("/notifications/<int:notification_id>/lue")
@requires(Permission.OWN_SPACE)
def mark_read(notification_id: int) -> ResponseReturnValue:
    """Mark one as read and stay on the list."""
    rules.mark_read(current_account().id, notification_id)
    db.session.commit()
    return redirect(url_for("account.notifications", page=page_number()))


@bp.post("/notifications/lues")
@requires(Permission.OWN_SPACE)
def mark_all_read() -> ResponseReturnValue:
    """Mark all as read."""
    rules.mark_all_read(current_account().id)
    db.session.commit()
    return redirect(url_for("account.notifications"))
