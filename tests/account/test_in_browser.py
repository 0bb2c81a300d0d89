"""Accounts in a real browser: the silent token, log-out in all tabs, what was typed, accessibility."""

import os
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from calmness.extensions import db
from calmness.models.account import Role, User
from calmness.services import notifications
from calmness.services.account import sessions
from calmness.services.account.preferences import NoticeKind
from tests.account.people import PASSWORD, with_factor, with_password
from tests.fixtures.browser import too_wide
from tests.fixtures.live import LiveSite, wait_until

pytestmark = [pytest.mark.live, pytest.mark.browser]
Contexts = Callable[..., BrowserContext]
KEPT = "Object.keys(sessionStorage).filter((key) => key.startsWith('ct.draft'))"
TOKEN = "JSON.parse(localStorage.getItem('ct.access') ?? 'null')?.token"


def someone(live_site: LiveSite, **values: object) -> tuple[int, str]:
    """A person of the house: number and address."""
    address = f"O.Brien+{secrets.token_hex(4)}@Example.test"
    with live_site.inside():
        user = with_password(email=address, **values)
        for number in range(3):
            notifications.notify(
                user.id, NoticeKind.PAYMENT, f"n{number}", title="Votre paiement est validé", message_kind=None
            )
        return user.id, address


def log_in(page: Page, address: str) -> None:
    page.goto("/connexion")
    page.get_by_label("Adresse e-mail").fill(address.upper())
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Se connecter").click()
    page.wait_for_url(lambda url: "/connexion" not in url)


def test_pages_get_their_token_silently_and_a_log_out_empties_all_tabs(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    _number, address = someone(live_site)
    context = browser_context()
    first, second = context.new_page(), context.new_page()
    log_in(first, address)
    wait_until(lambda: first.evaluate(TOKEN))
    second.goto("/espace/notifications")
    wait_until(lambda: second.evaluate(TOKEN))

    first.get_by_role("button", name="Se déconnecter").first.click()

    for page in (first, second):
        expect(page).to_have_url(re.compile("/connexion"))
    assert second.evaluate(TOKEN) is None
    second.goto("/espace/profil")
    assert "/connexion?next=/espace/profil" in second.url


def test_a_session_that_ends_meanwhile_loses_nothing_that_was_typed(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    number, address = someone(live_site)
    page = browser_context().new_page()
    log_in(page, address)
    page.goto("/espace/profil")
    page.get_by_label("Ville").fill("L’Haÿ-les-Roses")
    wait_until(lambda: page.evaluate(TOKEN))
    # The script that keeps it may come after the one that has the token.
    wait_until(lambda: page.evaluate("Object.keys(sessionStorage).some((key) => key.startsWith('ct.draft'))"))
    with live_site.inside():
        sessions.revoke_all(number, "test")

    expect(page).to_have_url(re.compile("/connexion"))
    log_in(page, address)
    page.goto("/espace/profil")

    expect(page.get_by_label("Ville")).to_have_value("L’Haÿ-les-Roses")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Votre profil est enregistré.")).to_be_visible()
    with live_site.inside():
        assert db.session.get_one(User, number).city == "L’Haÿ-les-Roses"


def test_what_was_found_again_can_be_wiped_and_what_was_taken_does_not_come_back(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    _number, address = someone(live_site)
    page = browser_context().new_page()
    log_in(page, address)
    city, found = page.get_by_label("Ville"), page.get_by_text("Votre saisie, pas encore envoyée, a été retrouvée.")
    page.goto("/espace/profil")
    city.fill("Lyon")
    wait_until(lambda: page.evaluate(f"{KEPT}.length"))

    page.goto("/espace/profil")
    expect(found).to_be_visible()
    expect(city).to_have_value("Lyon")
    page.get_by_role("button", name="Effacer").click()
    expect(found).to_be_hidden()
    expect(city).to_have_value("")

    city.fill("Brest")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Votre profil est enregistré.")).to_be_visible()
    # The words of the server are there before the page's scripts are.
    wait_until(lambda: page.evaluate(KEPT) == [])
    expect(found).to_be_hidden()


def test_without_scripts_a_person_logs_in_changes_choices_and_leaves(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    _number, address = someone(live_site)
    page = browser_context(java_script_enabled=False).new_page()

    log_in(page, address)
    page.goto("/espace/parametres")
    page.locator("input[name='feature.portfolio']").uncheck()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Vos paramètres sont enregistrés.")).to_be_visible()
    expect(page.locator("input[name='feature.portfolio']")).not_to_be_checked()
    page.get_by_role("button", name="Se déconnecter").first.click()

    expect(page.get_by_text("Vous êtes déconnecté.")).to_be_visible()


# The walk over every page looks at a dark desk and a light phone.
def test_account_pages_are_accessible_and_fit_a_dark_phone(
    live_site: LiveSite, browser_context: Contexts, axe: Callable[[Page], list[str]]
) -> None:
    number, address = someone(live_site, role=Role.ADMIN)
    context = browser_context(viewport={"width": 360, "height": 800})
    context.add_cookies([{"name": "ct_theme", "value": "dark", "url": live_site.url}])
    page = context.new_page()
    folder = os.environ.get("CALMNESS_SCREENSHOTS")

    def look(path: str) -> None:
        page.goto(path)
        if folder:
            name = path.strip("/").replace("/", "-")
            page.screenshot(path=Path(folder) / f"{name}-360-dark.png", full_page=True)
        assert axe(page) == [], path
        assert too_wide(page) == [], path

    for path in ("/connexion", "/inscription", "/mot-de-passe-oublie", "/verification/unknown"):
        look(path)
    log_in(page, address)
    for path in ("/espace/profil", "/espace/parametres", "/espace/compte", "/espace/notifications"):
        look(path)
    page.goto("/espace/profil")
    if page.get_by_role("link", name="Relier WhatsApp").count():
        look("/espace/profil/whatsapp")
        page.get_by_label("Numéro WhatsApp").fill("06 12")
        page.get_by_role("button", name="Recevoir un code").click()
        expect(page.get_by_text("Entrez un numéro comme").first).to_be_visible()
        assert axe(page) == []
        page.get_by_label("Numéro WhatsApp").fill("06 98 76 54 32")
        page.get_by_role("button", name="Recevoir un code").click()
        expect(page.get_by_label("Code reçu")).to_be_visible()
        look("/espace/profil/whatsapp")
    look("/admin/utilisateurs")
    page.goto(f"/admin/utilisateurs/{number}")
    assert axe(page) == []
    with live_site.inside():
        other = with_factor(email=f"{secrets.token_hex(4)}@example.test")[0].id
    page.goto(f"/admin/utilisateurs/{other}")
    page.get_by_role("button", name="Retirer la double authentification").click()
    expect(page.get_by_text("Écrivez en une phrase")).to_be_visible()
    assert axe(page) == []
    page.get_by_label("Téléphone et codes perdus").fill("Appel au numéro connu, pièce d’identité vue en visio")
    page.get_by_role("button", name="Retirer la double authentification").click()
    expect(page.get_by_role("button", name="Abandonner le retrait")).to_be_visible()
    look(f"/admin/utilisateurs/{other}")
    page.goto("/facteur-garde/unknown")
    assert axe(page) == []


def test_a_tab_left_alone_and_a_restarted_browser_go_on_without_a_login(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    _number, address = someone(live_site)
    context = browser_context()
    page = context.new_page()
    page.goto("/connexion")
    page.get_by_label("Adresse e-mail").fill(address)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    # Ticked unless the person says otherwise: nobody logs in again within thirty days of use.
    expect(page.get_by_label("Rester connecté sur cet appareil")).to_be_checked()
    page.locator("main").get_by_role("button", name="Se connecter").click()
    page.wait_for_url(lambda url: "/connexion" not in url)
    wait_until(lambda: page.evaluate(TOKEN))
    first = page.evaluate(TOKEN)

    # Eleven minutes pass for the tab while nobody touches it: its token is over before it looks again.
    page.clock.install()
    page.clock.fast_forward("11:00")
    page.evaluate("localStorage.setItem('ct.access', JSON.stringify({token: 'over', until: 0, user: ''}))")
    page.goto("/espace/notifications")
    wait_until(lambda: page.evaluate(TOKEN) not in {None, "over", first})

    # The browser ends: what was to live with it only is gone.
    kept = context.storage_state()
    kept["cookies"] = [cookie for cookie in kept["cookies"] if cookie["expires"] > 0]
    context.close()
    again = browser_context(storage_state=kept).new_page()
    again.goto("/espace/profil")

    expect(again).to_have_url(re.compile("/espace/profil"))
    wait_until(lambda: again.evaluate(TOKEN))
    answer = again.evaluate(
        "async (token) => (await fetch('/api/v1/me', {headers: {Authorization: `Bearer ${token}`}})).status",
        again.evaluate(TOKEN),
    )
    assert answer == 200


@pytest.mark.parametrize("seconds", [-7200, -90, 90, 7200])
def test_a_computer_whose_clock_is_wrong_renews_once_and_works(
    live_site: LiveSite, browser_context: Contexts, seconds: int
) -> None:
    _number, address = someone(live_site)
    page = browser_context().new_page()
    renewals: list[str] = []
    page.on("request", lambda request: renewals.append(request.url) if "auth/refresh" in request.url else None)
    page.clock.install(time=datetime.now(UTC) + timedelta(seconds=seconds))
    log_in(page, address)
    wait_until(lambda: page.evaluate(TOKEN))

    page.goto("/espace/notifications")
    page.goto("/espace/profil")

    token = page.evaluate(TOKEN)
    answer = page.evaluate(
        "async (token) => (await fetch('/api/v1/me', {headers: {Authorization: `Bearer ${token}`}})).status", token
    )
    assert (answer, len(renewals)) == (200, 1)


def test_a_token_is_renewed_before_it_ends_and_a_network_that_was_gone_for_longer_asks_for_no_login(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    _number, address = someone(live_site)
    context = browser_context()
    page = context.new_page()
    page.clock.install()
    log_in(page, address)
    wait_until(lambda: page.evaluate(TOKEN))
    first = page.evaluate(TOKEN)

    page.clock.run_for("09:05")
    wait_until(lambda: page.evaluate(TOKEN) != first)
    second = page.evaluate(TOKEN)
    context.set_offline(True)
    page.clock.run_for("12:00")
    kept = page.evaluate(TOKEN)
    context.set_offline(False)

    assert kept == second
    wait_until(lambda: page.evaluate(TOKEN) not in {None, second})
    expect(page).not_to_have_url(re.compile("/connexion"))


def test_a_confirmation_in_one_tab_leaves_the_others_at_work(live_site: LiveSite, browser_context: Contexts) -> None:
    """The secret of the cookie changes under them: sockets come back, tokens are renewed, what was typed is sent."""
    number, address = someone(live_site)
    context = browser_context()
    first, second = context.new_page(), context.new_page()
    log_in(first, address)
    second.goto("/espace/profil")
    wait_until(lambda: second.evaluate(TOKEN))
    second.get_by_label("Ville").fill("L’Haÿ-les-Roses")

    first.goto("/confirmation")
    first.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    first.locator("main").get_by_role("button").first.click()
    first.wait_for_url(lambda url: "/confirmation" not in url)
    with live_site.inside():
        notifications.notify(number, NoticeKind.PAYMENT, "later", title="Encore un paiement", message_kind=None)

    # The notice is heard, or asked for, by the socket that came back with the new cookie.
    badge = second.locator("[data-count=notifications] [data-count-shown]").first
    expect(badge).to_have_text("4", timeout=30_000)
    expect(second).to_have_url(re.compile("/espace/profil$"))
    second.get_by_role("button", name="Enregistrer").click()
    expect(second.get_by_text("Votre profil est enregistré.")).to_be_visible()
    wait_until(lambda: second.evaluate(TOKEN))
