"""Reminders of sessions, worded at the moment they leave."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from calmness import clock
from calmness.channels import Message
from calmness.extensions import db
from calmness.jobs.handlers import NotWanted, composer
from calmness.jobs.messages.letter import letter
from calmness.models.account import Channel, User
from calmness.models.delivery import Delivery
from calmness.models.training import AdminFormationSession
from calmness.presentation import duration, moment_in
from calmness.services.training import reminders


@composer("training.reminder")
def reminder(delivery: Delivery) -> Message:
    """Reminder of a session, with the site's own join link. Looks once more whether it is still wanted."""
    session = db.session.get(AdminFormationSession, delivery.params["session_id"])
    user = db.session.get(User, delivery.user_id or 0)
    if (
        session is None
        or user is None
        or not reminders.still_wanted(session, user, delivery.channel, delivery.params["seq"])
    ):
        raise NotWanted
    when = _when(session.start_at, ZoneInfo(user.time_zone))
    moment = moment_in(session.start_at, user.time_zone)
    subject = f"{session.title}\u00a0: {when}"
    message = letter(
        delivery,
        subject,
        [
            f"Votre séance « {session.title} » avec {session.trainer_name} commence {when}, {moment}.",
            "Le bouton ouvre la salle un quart d’heure avant le début ; votre présence est enregistrée.",
        ],
        path=f"/espace/seances/{session.id}/rejoindre",
        action="Rejoindre la séance",
        transactional=False,
    )
    if delivery.channel is Channel.EMAIL:
        return message
    return Message(
        subject=subject,
        text=f"{subject}\n{moment[0].upper()}{moment[1:]}, avec {session.trainer_name}\n{message.url}",
        url=message.url,
    )


def _when(start_at: datetime, zone: ZoneInfo) -> str:
    """``demain``, ``dans 1 h`` or ``maintenant``, at the moment that the message leaves."""
    now = clock.now()
    minutes = math.ceil((start_at - now).total_seconds() / 60)
    if minutes <= 1:
        return "maintenant"
    if minutes <= 12 * 60:
        return f"dans {duration(minutes * 60)}"
    days = (start_at.astimezone(zone).date() - now.astimezone(zone).date()).days
    return {0: "aujourd’hui", 1: "demain"}.get(days, f"dans {days} jours")
