"""Reminders of sessions, worded at the moment they leave."""

from calmness import clock
from calmness.channels import Message
from calmness.extensions import db
from calmness.jobs.handlers import NotWanted, composer
from calmness.jobs.messages.letter import letter
from calmness.models.account import Channel
from calmness.models.delivery import Delivery
from calmness.models.training import AdminFormationSession
from calmness.presentation import duration, hour, weekday_day
from calmness.services import reminders


@composer("training.reminder")
def reminder(delivery: Delivery) -> Message:
    """Reminder of a session, with the site's own join link. Looks once more whether it is still wanted."""
    session = db.session.get(AdminFormationSession, delivery.params["session_id"])
    if session is None or not reminders.still_wanted(session, delivery.user_id or 0, delivery.params["seq"]):
        raise NotWanted
    left = (session.start_at - clock.now()).total_seconds()
    when = f"dans {duration(left)}" if left > 60 else "maintenant"
    moment = f"{weekday_day(session.start_at)} à {hour(session.start_at)}"
    subject = f"{session.title} : {when}"
    message = letter(
        delivery,
        subject,
        [
            f"Votre séance « {session.title} » avec {session.trainer_name} commence {when}, {moment} (heure de Paris).",
            "Le bouton ouvre la salle un quart d’heure avant le début ; votre présence est enregistrée.",
        ],
        path=f"/espace/seances/{session.id}/rejoindre",
        action="Rejoindre la séance",
        transactional=False,
    )
    if delivery.channel is Channel.EMAIL:
        return message
    return Message(
        subject=subject, text=f"{subject}\n{moment} avec {session.trainer_name}\n{message.url}", url=message.url
    )
