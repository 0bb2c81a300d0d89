"""The message of a plain notice: its title, its text, its link."""

from calmness.channels import Message
from calmness.jobs.handlers import composer
from calmness.jobs.messages.letter import letter
from calmness.models.account import Channel
from calmness.models.delivery import Delivery
from calmness.services.notifications import GENERIC_MESSAGE


@composer(GENERIC_MESSAGE)
def notification(delivery: Delivery) -> Message:
    """Notice written by ``notifications.notify``."""
    params = delivery.params
    paragraphs = [params["body"]] if params.get("body") else [params["title"]]
    message = letter(
        delivery,
        params["title"],
        paragraphs,
        path=params.get("url") or None,
        action="Ouvrir dans mon espace",
        transactional=False,
    )
    if delivery.channel is Channel.EMAIL:
        return message
    lines = [params["title"], params.get("body"), message.url]
    return Message(subject=params["title"], text="\n\n".join(line for line in lines if line), url=message.url)
