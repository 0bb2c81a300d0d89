"""How every mail of the house is written: the same clothes, a text part from the same words."""

from collections.abc import Sequence

from flask import current_app, render_template

from calmness.channels import Attachment, Message
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.delivery import Delivery


def letter(
    delivery: Delivery,
    subject: str,
    paragraphs: Sequence[str],
    *,
    path: str | None = None,
    action: str = "",
    after: Sequence[str] = (),
    attachments: tuple[Attachment, ...] = (),
    transactional: bool = True,
) -> Message:
    """A message to the person of a delivery. ``path`` is on our own site; links always start with ``BASE_URL``."""
    base_url = current_app.config["BASE_URL"]
    user = db.session.get(User, delivery.user_id) if delivery.user_id else None
    url = base_url + path if path else None
    settings_url = None if transactional else f"{base_url}/espace/parametres"
    context = {
        "subject": subject,
        "preheader": paragraphs[0][:90] if paragraphs else "",
        "first_name": user.first_name if user else "",
        "paragraphs": paragraphs,
        "url": url,
        "action": action,
        "after": after,
        "settings_url": settings_url,
    }
    return Message(
        subject=subject,
        text=render_template("mail/base.txt", **context),
        html=render_template("mail/base.html", **context),
        attachments=attachments,
        url=url,
        unsubscribe_url=settings_url,
    )
