"""The mail server refuses for an hour: what had to leave leaves later, once, and nobody waits for it meanwhile."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.delivery import Delivery, DeliveryAttempt, DeliveryState
from tests.chaos.steps import Letters, Sales
from tests.fixtures.live import LiveSite, wait_until
from tests.fixtures.servers import Mailbox

pytestmark = pytest.mark.live


def an_hour_passes(letters: Letters, site: LiveSite) -> None:
    """Move what waits an hour into the past, as if the hour were over: the next try is due now."""
    with site.inside():
        hour = timedelta(hours=1)
        waiting = Delivery.user_id.in_(letters.user_ids), Delivery.state == DeliveryState.PENDING
        for row in db.session.scalars(select(Delivery).where(*waiting)):
            row.created_at, row.due_at = row.created_at - hour, clock.now()


def test_invoices_leave_once_when_the_server_is_back(live_site: LiveSite, mailbox: Mailbox) -> None:
    mailbox.refuse = "451 4.3.2 come back later"
    with live_site.inside():
        sales = Sales(live_site, mailbox, count=3)
    letters = sales.letters

    def tried(times: int) -> bool:
        with live_site.inside():
            rows = db.session.execute(
                select(Delivery.id, func.count(DeliveryAttempt.id))
                .join(DeliveryAttempt, DeliveryAttempt.delivery_id == Delivery.id)
                .where(Delivery.user_id.in_(letters.user_ids), Delivery.kind == letters.kind)
                .group_by(Delivery.id)
            ).all()
            return len(rows) == 3 and all(count >= times for _id, count in rows)

    for act in sales.acts():
        act()
    wait_until(lambda: tried(2), seconds=40)
    an_hour_passes(letters, live_site)
    wait_until(lambda: tried(3), seconds=40)
    assert mailbox.messages == []

    mailbox.refuse = None
    an_hour_passes(letters, live_site)

    with live_site.inside():
        uncertain = sales.check()
    assert uncertain == 0
