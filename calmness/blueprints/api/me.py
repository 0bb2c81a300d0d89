"""The caller's own account, choices and notices."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp, cursors
from calmness.blueprints.api.conditional import require_unchanged
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db
from calmness.locale import LOCALES, THEMES
from calmness.models.account import Channel, User, UserNotification
from calmness.permissions import Permission
from calmness.services import notifications
from calmness.services.account import preferences, profiles, quiet_hours
from calmness.services.account.preferences import Feature, NoticeKind


class MeOut(Schema):
    """An account, as its owner sees it."""

    id = Integer(required=True)
    email = String(required=True)
    email_verified = Boolean(required=True)
    first_name = String(required=True)
    last_name = String(required=True)
    phone = String(allow_none=True)
    address = String(allow_none=True)
    postcode = String(allow_none=True)
    city = String(allow_none=True)
    country = String(required=True)
    company = String(allow_none=True)
    siren = String(allow_none=True)
    vat_number = String(allow_none=True)
    role = String(required=True)
    locale = String(required=True)
    time_zone = String(required=True)
    created_at = String(required=True)


class MeIn(ClosedSchema):
    """What a person may change of the own account; what is absent stays."""

    first_name = String(validate=Length(min=1, max=100))
    last_name = String(validate=Length(min=1, max=100))
    phone = String(allow_none=True, validate=Length(max=32))
    address = String(allow_none=True, validate=Length(max=200))
    postcode = String(allow_none=True, validate=Length(max=16))
    city = String(allow_none=True, validate=Length(max=100))
    country = String(validate=OneOf(profiles.COUNTRIES))
    company = String(allow_none=True, validate=Length(max=200))
    siren = String(allow_none=True, validate=Length(max=20))
    vat_number = String(allow_none=True, validate=Length(max=24))
    locale = String(validate=OneOf(LOCALES))
    time_zone = String(validate=OneOf(profiles.TIME_ZONES))


class QuietHoursIn(ClosedSchema):
    """Two local times such as `22:00`; the end may be on the next day."""

    start = String(required=True, validate=Regexp(r"^([01]\d|2[0-3]):[0-5]\d$"))
    end = String(required=True, validate=Regexp(r"^([01]\d|2[0-3]):[0-5]\d$"))


class SettingsIn(ClosedSchema):
    """Choices to change: ``{"features": {"signals": false}, "notices": {"session": {"telegram": true}}}``."""

    features = Dict(keys=String(validate=OneOf([feature.value for feature in Feature])), values=Boolean())
    notices = Dict(
        keys=String(validate=OneOf([kind.value for kind in NoticeKind])),
        values=Dict(keys=String(validate=OneOf([channel.value for channel in Channel])), values=Boolean()),
    )
    quiet_hours = Nested(QuietHoursIn, allow_none=True)
    theme = String(validate=OneOf(THEMES))


class QuietHoursOut(Schema):
    """From when to when nothing rings, in the zone of the account."""

    start = String(required=True)
    end = String(required=True)


class SettingsOut(Schema):
    """All choices, defaults filled in."""

    features = Dict(keys=String(), values=Boolean(), required=True)
    notices = Dict(keys=String(), values=Dict(keys=String(), values=Boolean()), required=True)
    quiet_hours = Nested(QuietHoursOut, required=True, allow_none=True)
    theme = String(required=True)


class PageIn(ClosedSchema):
    """Which part of a list."""

    limit = Integer(load_default=25, validate=Range(min=1, max=100))
    cursor = String(validate=Length(max=300))


class NoticeOut(Schema):
    """A notice."""

    id = Integer(required=True)
    kind = String(required=True)
    title = String(required=True)
    body = String(required=True)
    url = String(required=True)
    created_at = String(required=True)
    read_at = String(allow_none=True)


class NoticesOut(Schema):
    """A part of the own notices."""

    items = List(Nested(NoticeOut), required=True)
    next = String(allow_none=True)


class CountOut(Schema):
    """A number of notices."""

    count = Integer(required=True)


@bp.get("/me")
@bp.output(MeOut)
@requires(Permission.OWN_SPACE)
def api_me() -> ResponseReturnValue:
    """Who the token's owner is."""
    return _me(current_account())


@bp.patch("/me")
@bp.input(MeIn, arg_name="given")
@bp.output(MeOut)
@requires(Permission.OWN_SPACE)
def api_update_me(given: dict[str, Any]) -> ResponseReturnValue:
    """Change the own account; what is absent stays as it is."""
    user = current_account()
    require_unchanged(MeOut, _me(user))
    profiles.change(user, given)
    db.session.commit()
    return _me(user)


@bp.get("/me/settings")
@bp.output(SettingsOut)
@requires(Permission.OWN_SPACE)
def api_settings() -> ResponseReturnValue:
    """Features and notices."""
    return _settings(current_account().id)


@bp.patch("/me/settings")
@bp.input(SettingsIn, arg_name="given")
@bp.output(SettingsOut)
@requires(Permission.OWN_SPACE)
def api_update_settings(given: dict[str, Any]) -> ResponseReturnValue:
    """Change choices; what is absent stays as it is."""
    user_id = current_account().id
    require_unchanged(SettingsOut, _settings(user_id))
    for feature, on in given.get("features", {}).items():
        preferences.set_feature(user_id, Feature(feature), on)
    for kind, row in given.get("notices", {}).items():
        for channel, on in row.items():
            preferences.set_notice(user_id, NoticeKind(kind), Channel(channel), on)
    if "quiet_hours" in given:
        hours = given["quiet_hours"] or {"start": "", "end": ""}
        quiet_hours.choose(user_id, hours["start"], hours["end"])
    if "theme" in given:
        current_account().theme = given["theme"]
    db.session.commit()
    return _settings(user_id)


@bp.get("/me/notifications")
@bp.input(PageIn, location="query", arg_name="page")
@bp.output(NoticesOut)
@requires(Permission.OWN_SPACE)
def api_notifications(page: dict[str, Any]) -> ResponseReturnValue:
    """Own notices, newest first."""
    user_id, limit = current_account().id, page["limit"]
    of = f"notifications:{user_id}"
    before = cursors.read(page["cursor"], of=of) if "cursor" in page else None
    rows = notifications.before(user_id, before, limit=limit + 1)
    following = cursors.make(rows[limit - 1].id, of=of) if len(rows) > limit else None
    return {"items": [_notice(row) for row in rows[:limit]], "next": following}


@bp.get("/me/notifications/unread-count")
@bp.output(CountOut)
@requires(Permission.OWN_SPACE)
def api_unread_count() -> ResponseReturnValue:
    """Exact number of unread notices."""
    return {"count": notifications.unread_count(current_account().id)}


@bp.post("/me/notifications/<int:notification_id>/read")
@bp.output(NoticeOut)
@requires(Permission.OWN_SPACE)
def api_mark_read(notification_id: int) -> ResponseReturnValue:
    """Mark one as read."""
    notice = _notice(notifications.mark_read(current_account().id, notification_id))
    db.session.commit()
    return notice


@bp.post("/me/notifications/read-all")
@bp.output(CountOut)
@requires(Permission.OWN_SPACE)
def api_mark_all_read() -> ResponseReturnValue:
    """Mark all as read."""
    notifications.mark_all_read(current_account().id)
    db.session.commit()
    return {"count": 0}


def _me(user: User) -> dict[str, Any]:
    same = ("id", "email", "first_name", "last_name", "phone", "address", "postcode", "city", "country", "company")
    return {name: getattr(user, name) for name in (*same, "siren", "vat_number", "locale", "time_zone")} | {
        "email_verified": user.email_verified_at is not None,
        "role": user.role.value,
        "created_at": instant(user.created_at),
    }


def _settings(user_id: int) -> dict[str, Any]:
    hours = quiet_hours.of_user(user_id)
    return {
        "features": {feature.value: on for feature, on in preferences.features_of(user_id).items()},
        "notices": {
            kind.value: {channel.value: on for channel, on in row.items()}
            for kind, row in preferences.notice_matrix(user_id).items()
        },
        "quiet_hours": {"start": hours.start, "end": hours.end} if hours else None,
        "theme": current_account().theme,
    }


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
