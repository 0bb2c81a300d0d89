"""Visitor and agent in two browsers: the widget, the inbox, the badges, live."""

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import factories
from tests.fixtures.browser import with_cookies
from tests.fixtures.live import LiveSite, session_cookies

pytestmark = [pytest.mark.live, pytest.mark.browser]

Contexts = Callable[..., BrowserContext]


@pytest.fixture
def desk(live_site: LiveSite, browser_context: Contexts) -> Page:
    """The inbox of an agent named Nadia."""
    with live_site.inside():
        nadia = factories.agent(first_name="Nadia", email=f"{uuid.uuid4().hex}@example.test")
        cookies = session_cookies(live_site, nadia)
    context = browser_context(viewport={"width": 1440, "height": 900})
    page = with_cookies(context, live_site.url, cookies).new_page()
    page.goto("/admin/support")
    return page


def open_widget(page: Page) -> None:
    page.locator("[data-chat-launcher][role=button]").click()
    expect(page.get_by_role("dialog", name="Une question\u202f?")).to_be_visible()


def write(page: Page, text: str) -> None:
    page.locator("[data-chat-form] textarea").fill(text)
    page.locator("[data-chat-form] textarea").press("Enter")


def test_visitor_and_agent_talk_and_both_badges_are_right(
    live_site: LiveSite, desk: Page, browser_context: Contexts
) -> None:
    mark = uuid.uuid4().hex[:8]
    visitor = browser_context(viewport={"width": 360, "height": 740}, has_touch=False).new_page()
    visitor.goto("/connexion")
    open_widget(visitor)
    write(visitor, f"Bonjour {mark}")
    expect(visitor.locator(".bubble--mine")).to_contain_text("Envoyé")

    line = desk.locator(".inbox-line", has_text=mark)
    expect(line.locator(".count")).to_be_visible()
    expect(line.locator("[data-count-shown]")).to_have_text("1")
    badge = desk.locator(".sidebar [data-count=support_unread]")
    expect(badge).to_be_visible()
    before = int(badge.locator("[data-count-said]").inner_text().split()[0])

    line.get_by_role("link").click()
    expect(visitor.locator(".bubble--mine")).to_contain_text("Lu")
    expect(visitor.locator("[data-chat-status]")).to_contain_text("En ligne")
    expect(badge.locator("[data-count-said]")).to_have_text(re.compile(rf"^{before - 1} "))

    visitor.locator("[data-chat-close]").click()
    desk.locator("[data-chat-form] textarea").press_sequentially("Bonjour !")
    write(desk, "Bonjour, je vous écoute.")
    answers = visitor.locator("[data-chat-launcher] [data-count-shown]")
    expect(answers).to_have_text("1")
    expect(visitor.locator("[data-chat-launcher]")).to_have_attribute("aria-label", re.compile("1 messages? non lu"))

    # Who answers has the conversation: the choice below says so as well.
    expect(desk.get_by_label("Confier à").locator("option:checked")).to_contain_text("Nadia")
    open_widget(visitor)
    expect(visitor.locator("[data-chat-launcher] .count")).to_be_hidden()
    expect(visitor.locator(".bubble:not(.bubble--mine)")).to_contain_text("Nadia")
    expect(desk.locator(".bubble--mine")).to_contain_text("Lu")


def test_keys_are_told_where_there_is_a_keyboard(live_site: LiveSite, desk: Page, browser_context: Contexts) -> None:
    phone = browser_context(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    cookies = {str(cookie.get("name")): str(cookie.get("value")) for cookie in desk.context.cookies()}
    hand = with_cookies(phone, live_site.url, cookies).new_page()
    hand.goto("/admin/support")

    expect(desk.get_by_text("Touches :")).to_be_visible()
    expect(hand.get_by_text("Touches :")).to_be_hidden()


def test_what_is_written_without_connection_leaves_when_it_is_back(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    context = browser_context()
    page = context.new_page()
    page.goto("/connexion")
    open_widget(page)
    write(page, "Premier")
    expect(page.locator(".bubble--mine")).to_contain_text("Envoyé")

    context.set_offline(True)
    write(page, "Écrit dans le tunnel")
    expect(page.locator(".bubble--waiting")).to_have_count(1)
    context.set_offline(False)
    page.reload()

    page.locator("[data-chat-launcher][role=button]").click()
    expect(page.locator(".bubble--mine")).to_have_count(2)
    expect(page.locator(".bubble--mine").last).to_contain_text("Envoyé", timeout=15_000)


def test_a_student_who_is_live_already_writes_on_the_same_connection(
    live_site: LiveSite, desk: Page, browser_context: Contexts
) -> None:
    with live_site.inside():
        camille = factories.student(email=f"{uuid.uuid4().hex}@example.test")
        cookies = session_cookies(live_site, camille)
    context = browser_context(viewport={"width": 360, "height": 740})
    page = with_cookies(context, live_site.url, cookies).new_page()
    page.goto("/espace/notifications")
    open_widget(page)
    mark = uuid.uuid4().hex[:8]

    write(page, f"Ma facture {mark} ?")

    expect(page.locator(".bubble--mine")).to_contain_text("Envoyé")
    desk.set_viewport_size({"width": 360, "height": 740})
    desk.locator(".inbox-line", has_text=mark).get_by_role("link").click()
    expect(page.locator(".bubble--mine")).to_contain_text("Lu")
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_escape_closes_the_panel_and_gives_the_focus_back(live_site: LiveSite, page: Page) -> None:
    page.goto("/connexion")
    page.locator("[data-chat-launcher][role=button]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-chat-form] textarea")).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.locator("[data-chat-panel]")).to_be_hidden()
    expect(page.locator("[data-chat-launcher]")).to_be_focused()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_panel_is_accessible_and_breaks_no_layout(
    live_site: LiveSite, browser_context: Contexts, axe: Callable[[Page], list[str]], width: int
) -> None:
    page = browser_context(viewport={"width": width, "height": 640}).new_page()
    page.goto("/connexion")
    open_widget(page)
    write(page, "Un-mot-tres-long-sans-espace" * 12)
    expect(page.locator(".bubble--mine")).to_contain_text("Envoyé")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe(page) == []
