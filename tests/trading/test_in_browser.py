"""A first evening in a real browser: key, guide, connection turning green by itself, history, export, statement."""

import json
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.account.people import PASSWORD, with_password
from tests.fixtures.browser import too_wide
from tests.fixtures.live import LiveSite
from tests.trading.statements import mt4

pytestmark = [pytest.mark.live, pytest.mark.browser]
Contexts = Callable[..., BrowserContext]
PATIENCE_MS = 30_000
WORDS = """() => [...document.querySelectorAll(".dialog-drawing text")].map((text) => {
    const box = text.getBBox();
    const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
    return [text.textContent, size, box.x + box.width > 276];
})"""


def logged_in(live_site: LiveSite, browser_context: Contexts, **options: object) -> Page:
    address = f"camille+{secrets.token_hex(4)}@example.test"
    with live_site.inside():
        with_password(email=address)
    page = browser_context(**options).new_page()
    page.goto("/connexion")
    page.get_by_label("Adresse e-mail").fill(address)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Se connecter").click()
    page.wait_for_url(lambda url: "/connexion" not in url)
    return page


def with_account(page: Page, platform: str = "MetaTrader 4") -> str:
    """Add an account; the key that its page shows."""
    page.goto("/espace/metatrader")
    page.get_by_label("Nom du compte").fill("Compte réel")
    page.get_by_label("Plateforme").select_option(label=platform)
    page.get_by_role("button", name="Créer la clé").click()
    key = page.locator("code", has_text=re.compile(r"^ct_ea_\w{8}_\w{32}$")).inner_text()
    assert key
    return key


def speak(live_site: LiveSite, key: str) -> None:
    """What the EA sends: a first batch with one trade."""
    now = int(time.time())
    body = {
        "v": 2,
        "ea": "2.0.0",
        "batch_id": secrets.token_hex(8),
        "account": {"login": "80012345", "server": "Broker-Live", "company": "Broker Ltd", "currency": "EUR"},
        "clock": {"gmt": now, "server": now + 7200, "server_age_s": 1},
        "snapshot": {"balance": "1012.50", "equity": "1012.50"},
        "history": {"total": 1, "complete": True},
        "trades": [
            {
                "ticket": "4711",
                "type": 0,
                "symbol": "XAUUSD",
                "lots": "0.10",
                "open_time": now - 900,
                "close_time": now - 300,
                "open_price": "2400.50",
                "close_price": "2401.75",
                "profit": "12.50",
            }
        ],
    }
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    with urlopen(Request(f"{live_site.url}/ea/v1/sync", json.dumps(body).encode(), headers), timeout=30) as answer:
        assert json.load(answer)["accepted"] == 1


def test_from_the_key_to_the_export(live_site: LiveSite, browser_context: Contexts, tmp_path: Path) -> None:
    page = logged_in(live_site, browser_context)
    key = with_account(page)
    page.get_by_role("link", name="Guide d’installation").click()
    expect(page.locator("svg.dialog-drawing")).to_have_count(6)
    with page.expect_download() as kit:
        page.get_by_role("link", name="Télécharger le kit").click()
    assert kit.value.suggested_filename.endswith(".zip")
    page.get_by_role("link", name="Voir la page de").click()
    expect(page.get_by_text("En attente du premier contact")).to_be_visible()
    expect(page.get_by_text(key)).to_have_count(0)
    page.evaluate("window.neverReloaded = true")

    speak(live_site, key)

    expect(page.locator("#connexion").get_by_text("Connecté")).to_be_visible(timeout=75_000)
    assert page.evaluate("window.neverReloaded") is True
    page.goto("/espace/historique")
    expect(page.locator("main table").get_by_text("XAUUSD").first).to_be_visible()
    with page.expect_download() as export:
        page.locator("a[href*='historique.csv']").first.click()
    export.value.save_as(tmp_path / "history.csv")
    assert "4711" in (tmp_path / "history.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("width", [360, 1440])
def test_a_statement_goes_from_the_file_to_the_history_on_a_phone_too(
    live_site: LiveSite, browser_context: Contexts, axe: Callable[[Page], list[str]], width: int
) -> None:
    page = logged_in(live_site, browser_context, viewport={"width": width, "height": 800})
    with_account(page)
    assert too_wide(page) == []
    assert axe(page) == []
    page.get_by_role("link", name="Importer un relevé").click()
    content = mt4.statement([mt4.closed(11, "10.00"), mt4.cancelled(12)]).encode("cp1252")
    page.get_by_label("Relevé de MetaTrader").set_input_files(
        {"name": "releve.htm", "mimeType": "text/html", "buffer": content}
    )
    page.get_by_role("button", name="Lire le relevé").click()

    expect(page.get_by_text("Contrôle des sommes")).to_be_visible(timeout=PATIENCE_MS)
    assert too_wide(page) == []
    assert axe(page) == []
    page.get_by_role("button", name="Importer", exact=True).click()
    expect(page.get_by_text("Un trade ajouté.")).to_be_visible(timeout=PATIENCE_MS)
    page.goto("/espace/historique")
    expect(page.locator("main table").get_by_text("EURUSD").first).to_be_visible()


@pytest.mark.parametrize("platform", ["mt4", "mt5"])
def test_the_guide_fits_a_phone(
    live_site: LiveSite, browser_context: Contexts, axe: Callable[[Page], list[str]], platform: str
) -> None:
    page = logged_in(live_site, browser_context, viewport={"width": 360, "height": 800})
    page.goto(f"/espace/metatrader/installation?plateforme={platform}")

    assert too_wide(page) == []
    assert axe(page) == []


@pytest.mark.parametrize("platform", ["mt4", "mt5"])
def test_the_words_of_the_guide_s_drawings_can_be_read_on_a_phone(
    live_site: LiveSite, browser_context: Contexts, platform: str
) -> None:
    page = logged_in(live_site, browser_context, viewport={"width": 360, "height": 740})

    page.goto(f"/espace/metatrader/installation?plateforme={platform}")

    drawn = page.evaluate(WORDS)
    assert len(drawn) > 30
    assert [text for text, size, _cut in drawn if size < 12] == []
    assert [text for text, _size, is_cut in drawn if is_cut] == []
