"""The open house answers a real browser, and its database is in reach of the tests."""

import pytest
from playwright.sync_api import Page

from calmness.extensions import db
from calmness.models.delivery import Heartbeat
from tests.fixtures.live import LiveSite, wait_until


@pytest.mark.live
@pytest.mark.browser
def test_a_browser_reaches_the_house(live_site: LiveSite, page: Page) -> None:
    answer = page.goto("/readyz")

    assert answer is not None
    assert answer.status == 200
    assert "Content-Security-Policy".lower() in answer.headers


@pytest.mark.live
def test_worker_and_clock_give_signs_of_life(live_site: LiveSite) -> None:
    def kinds() -> set[str]:
        with live_site.inside():
            return set(db.session.scalars(db.select(Heartbeat.kind)))

    wait_until(lambda: kinds() == {"worker", "clock"}, seconds=20)
