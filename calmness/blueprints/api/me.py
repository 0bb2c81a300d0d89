"""The caller's own account and notices."""

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db
from calmness.models.account import UserNotification
from calmness.permissions import Permission
from calmness.services import notifications, preferences

MAX_LIMIT = 100


@bp.get("/me")
@requires(Permission.OWN_SPACE)
def api_me() -> ResponseReturnValue:
    """Who the token's owner is."""
    user = current_account()
    return {
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified_at is not None,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "role": user.role.value,
        "locale": user.locale,
        "time_zone": user.time_zone,
        "created_at": instant(user.created_at),
    }


@bp.get("/me/settings")
@requires(Permission.OWN_SPACE)
def api_settings() -> ResponseReturnValue:
    """Features and notices."""
    user_id = current_account().id
    return {
        "features": {feature.value: on for feature, on in preferences.features_of(user_id).items()},
        "notices": {
            kind.value: {channel.value: on for channel, on in row.items()}
            for kind, row in preferences.notice_matrix(user_id).items()
        },
    }


@bp.get("/me/notifications")
@requires(Permission.OWN_SPACE)
def api_notifications() -> ResponseReturnValue:
    """Own notices, newest first."""
    limit = min(max(request.args.get("limit", 25, type=int), 1), MAX_LIMIT)
    rows, _total = notifications.listing(current_account().id, limit=limit)
    return {"items": [_notice(row) for row in rows], "next": None}


@bp.get("/me/notifications/unread-count")
@requires(Permission.OWN_SPACE)
def api_unread_count() -> ResponseReturnValue:
    """Exact number of unread notices."""
    return {"count": notifications.unread_count(current_account().id)}


@bp.post("/me/notifications/<int:notification_id>/read")
@requires(Permission.OWN_SPACE)
def api_mark_read(notification_id: int) -> ResponseReturnValue:
    """Mark one as read."""
    notice = _notice(notifications.mark_read(current_account().id, notification_id))
    db.session.commit()
    return notice


@bp.post("/me/notifications/read-all")
@requires(Permission.OWN_SPACE)
def api_mark_all_read() -> ResponseReturnValue:
    """Mark all as read."""
    notifications.mark_all_read(current_account().id)
    db.session.commit()
    return {"count": 0}


def _notice(row: UserNotification) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "title": row.title,
        "body": row.body,
        "url": row.url,
        "created_at": instant(row.created_at),
        "read_at": instant(row.read_at),
    }
