"""The factors of login in a real browser: without scripts, with a keyboard's Enter, accessible, fitting the screen."""

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from calmness import clock
from calmness.extensions import db
from calmness.models.account import TotpSecret
from calmness.services.account import one_time_codes
from tests.account.people import PASSWORD, with_password
from tests.fixtures.browser import too_wide
from tests.fixtures.live import LiveSite

pytestmark = [pytest.mark.live, pytest.mark.browser]
Contexts = Callable[..., BrowserContext]
PAGE = "/espace/compte/double-authentification"


def someone(live_site: LiveSite) -> tuple[int, str]:
    address = f"zoe+{secrets.token_hex(4)}@example.test"
    with live_site.inside():
        return with_password(email=address).id, address


def enter(page: Page, address: str, path: str = "/connexion") -> None:
    page.goto(path)
    page.get_by_label("Adresse e-mail").fill(address)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Se connecter").click()
    page.wait_for_url(lambda url: "/connexion?" not in url and not url.endswith("/connexion"))


def set_up(page: Page) -> None:
    """Set the app up."""
    page.goto(PAGE)
    page.get_by_role("button", name="Commencer").click()
    finish(page)


def finish(page: Page) -> None:
    """Take the key by hand, as a person without a camera does, and enter what the app shows."""
    key = "".join(page.locator("[data-copy-source]").first.inner_text().split())
    page.get_by_label("Code", exact=True).fill(one_time_codes.code_of(key, one_time_codes.step_at(clock.now())))
    page.get_by_role("button", name="Activer").click()
    expect(page.get_by_role("heading", name="Vos codes de secours")).to_be_visible()


def test_without_scripts_a_person_sets_it_up_and_logs_in_with_it(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    number, address = someone(live_site)
    page = browser_context(java_script_enabled=False).new_page()
    enter(page, address)
    set_up(page)
    code = page.locator(".codes code").first.inner_text()
    page.get_by_role("button", name="Se déconnecter").first.click()

    enter(page, address, "/connexion?next=/espace/profil")
    page.get_by_role("link", name="Utiliser un code de secours").click()
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_label("Code", exact=True).press("Enter")

    page.wait_for_url(re.compile(r"\d/espace/profil$"))
    with live_site.inside():
        assert db.session.get_one(TotpSecret, number).confirmed_at is not None


def test_its_pages_are_accessible_and_fit_a_dark_phone(
    live_site: LiveSite, browser_context: Contexts, axe: Callable[[Page], list[str]]
) -> None:
    _number, address = someone(live_site)
    context = browser_context(viewport={"width": 360, "height": 800})
    context.add_cookies([{"name": "ct_theme", "value": "dark", "url": live_site.url}])
    page = context.new_page()

    def look() -> None:
        assert axe(page) == [], page.url
        assert too_wide(page) == [], page.url

    enter(page, address)
    page.goto(PAGE)
    look()
    page.get_by_role("button", name="Commencer").click()
    expect(page.locator(".qr svg")).to_be_visible()
    look()
    finish(page)
    look()
    for path in (PAGE, "/espace/compte", "/espace/compte/adresse", "/confirmation", "/changement-adresse/unknown"):
        page.goto(path)
        look()
    context.clear_cookies(name=re.compile("ct_session|ct_refresh"))
    enter(page, address)
    look()
    page.get_by_label("Code", exact=True).fill("000000")
    page.locator("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_text("Ce code ne convient pas").first).to_be_visible()
    look()
