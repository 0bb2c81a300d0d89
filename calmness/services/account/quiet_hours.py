"""Hours in which nothing of the house makes a phone ring; what can wait leaves when they end."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete

from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import Channel, User
from calmness.models.settings import UserSetting
from calmness.services.account import preferences
from calmness.services.account.preferences import NoticeKind

KEY = "quiet_hours"
RINGING = frozenset({Channel.TELEGRAM, Channel.DISCORD, Channel.WHATSAPP, Channel.PUSH})
URGENT = frozenset({NoticeKind.SECURITY, NoticeKind.SESSION})
"""An intruder and a session that begins do not wait until morning."""
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class WrongQuietHours(DomainError):
    """Two different times, or none."""

    slug = "wrong-quiet-hours"
    field = "quiet_hours"
    message = _l("Donnez deux heures différentes, comme 22:00 et 08:00, ou laissez les deux vides.")


@dataclass(frozen=True)
class QuietHours:
    """From when to when, in the person's own zone; the end may be on the next day."""

    start: str
    end: str


def of_user(user_id: int) -> QuietHours | None:
    """Quiet hours of a person; None without any."""
    value = preferences.settings_of(user_id).get(KEY)
    return QuietHours(str(value["start"]), str(value["end"])) if isinstance(value, dict) else None


def choose(user_id: int, start: str, end: str) -> None:
    """Set them; two empty texts take them away. Raises ``WrongQuietHours``."""
    start, end = start.strip(), end.strip()
    if not start and not end:
        db.session.execute(delete(UserSetting).where(UserSetting.user_id == user_id, UserSetting.key == KEY))
        return
    if not _TIME.fullmatch(start) or not _TIME.fullmatch(end) or start == end:
        raise WrongQuietHours
    preferences.keep(user_id, KEY, {"start": start, "end": end})


def until(user: User, kind: NoticeKind, channel: Channel, at: datetime) -> datetime | None:
    """When a message may leave that must wait at ``at``; None when it may leave at once."""
    if channel not in RINGING or kind in URGENT:
        return None
    hours = of_user(user.id)
    if hours is None:
        return None
    start, end = time.fromisoformat(hours.start), time.fromisoformat(hours.end)
    zone = ZoneInfo(user.time_zone)
    local = at.astimezone(zone)
    clock_time = local.time()
    over_night = start > end
    quiet = (clock_time >= start or clock_time < end) if over_night else start <= clock_time < end
    if not quiet:
        return None
    day = local.date() + timedelta(days=1) if over_night and clock_time >= start else local.date()
    return datetime.combine(day, end, tzinfo=zone)
