"""The message of a plain notice: its title, its text, its link."""

from flask import current_app

from calmness.channels import Message
from calmness.jobs.handlers import composer
from calmness.models.delivery import Delivery
from calmness.services.notifications import GENERIC_MESSAGE


@composer(GENERIC_MESSAGE)
def notification(delivery: Delivery) -> Message:
    """Notice written by ``notifications.notify``."""
    params = delivery.params
    url = current_app.config["BASE_URL"] + params["url"] if params.get("url") else None
    text = "\n\n".join(part for part in (params["title"], params.get("body"), url) if part)
    return Message(subject=params["title"], text=text, url=url)
