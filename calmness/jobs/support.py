"""Work of the support that waits a moment: answers to people who have left the page."""

from typing import Any

from calmness.extensions import db
from calmness.jobs.handlers import task
from calmness.services.support import chat_away
from calmness.services.support.chat_news import AWAY_TASK


@task(AWAY_TASK)
def tell_away(payload: dict[str, Any]) -> None:
    """Tell the owner of a room, unless they read the answer meanwhile."""
    chat_away.tell(payload["room_id"])
    db.session.commit()
