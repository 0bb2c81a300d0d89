"""Mails of the support."""

from calmness.channels import Message
from calmness.extensions import db
from calmness.jobs.handlers import NotWanted, composer
from calmness.jobs.messages.letter import letter
from calmness.models.delivery import Delivery
from calmness.models.support import ChatRoom
from calmness.services.support import chat_away


@composer(chat_away.MAIL)
def answer_waiting(delivery: Delivery) -> Message:
    """The answers themselves, for a visitor who left an address; nothing when they were read meanwhile."""
    room = db.session.get(ChatRoom, delivery.params["room_id"])
    answers = chat_away.unread_answers(room) if room is not None else ()
    if not answers:
        raise NotWanted
    return letter(
        delivery,
        "Notre réponse à votre question",
        ["Voici ce que nous vous avons répondu :", *(answer.body for answer in answers)],
        path=chat_away.PATH,
        action="Répondre dans la conversation",
        after=["La conversation s’ouvre dans le navigateur où vous l’avez commencée."],
    )
