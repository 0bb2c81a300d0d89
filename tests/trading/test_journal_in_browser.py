"""The journal of a trade in a real browser: it saves by itself, two pages lose nothing, it fits a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.fixtures.browser import too_wide
from tests.fixtures.live import LiveSite
from tests.trading.test_in_browser import logged_in, speak, with_account

pytestmark = [pytest.mark.live, pytest.mark.browser]
Contexts = Callable[..., BrowserContext]
PATIENCE_MS = 60_000


def test_what_is_typed_saves_itself_and_a_second_page_loses_nothing(
    live_site: LiveSite, browser_context: Contexts, axe: Callable[[Page], list[str]]
) -> None:
    page = logged_in(live_site, browser_context, viewport={"width": 360, "height": 800})
    speak(live_site, with_account(page))
    page.goto("/espace/historique")
    page.locator("main table a").filter(has_text="4711").click()
    page.wait_for_url("**/espace/historique/*")
    assert too_wide(page) == []
    assert axe(page) == []
    second = page.context.new_page()
    second.goto(page.url)

    page.get_by_label("Note").fill("Patience au bureau")
    expect(page.locator("#journal [data-state]")).to_have_text("Enregistré.", timeout=PATIENCE_MS)
    second.get_by_label("Note").fill("Patience au téléphone")

    expect(second.get_by_text("Patience au bureau")).to_be_visible(timeout=PATIENCE_MS)
    expect(second.get_by_label("Note")).to_have_value("Patience au téléphone")
    page.goto("/espace/historique")
    page.locator("main table a").filter(has_text="4711").click()
    expect(page.get_by_label("Note")).to_have_value("Patience au bureau")
