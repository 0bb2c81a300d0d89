"""A page that was not listening when the news came is right all the same as soon as it listens."""

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from calmness.extensions import db
from calmness.models.billing import InvoiceTemplate, Payment
from calmness.models.trading import Platform
from calmness.services.billing import purchases
from calmness.services.support import chat_messages, chat_rooms
from calmness.services.support.chat_rooms import Person
from calmness.services.trading import trading_accounts
from tests import factories
from tests.billing import shop
from tests.chaos.people import Terminal
from tests.fixtures.browser import with_cookies
from tests.fixtures.live import LiveSite, session_cookies, wait_until

pytestmark = [pytest.mark.live, pytest.mark.browser]
Contexts = Callable[..., BrowserContext]
SWITCH = """
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
        constructor(address, ...more) {
            super(window.isCut ? address.replace(/socket.io.*/, "nobody") : address, ...more);
            window.sockets.push(this);
            this.addEventListener("message", ({ data }) => window.isLive ||= String(data).startsWith("40/live"));
            if (window.isCut) setTimeout(() => this.dispatchEvent(new Event("error")));
        }
    };
"""
"""A browser set offline keeps the sockets that it has; the server takes any and closes what it does not know."""
CUT = "window.isCut = true;"
CLOSE = "for (const socket of sockets) socket.close()"


def open_page(contexts: Contexts, address: str, cookies: dict[str, str], *, is_cut: bool = False) -> Page:
    """A page on the screen of who has the cookies; a mark in it tells whether it was loaded again."""
    page = with_cookies(contexts(), address, cookies).new_page()
    page.add_init_script(SWITCH + (CUT if is_cut else ""))
    page.goto(address)
    page.evaluate("window.neverReloaded = true")
    if not is_cut:
        wait_until(lambda: page.evaluate("window.isLive"), seconds=20)
    return page


def test_after_a_lost_connection_an_open_page_shows_what_happened_meanwhile(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    mark = uuid.uuid4().hex[:8]
    with live_site.inside():
        if db.session.scalar(db.select(InvoiceTemplate.id)) is None:
            shop.identity()
        buyer = factories.student(email=f"{mark}@example.test")
        payment_id = shop.submitted(buyer, shop.signals_offer(slug=f"signaux-{mark}"), f"VIR {mark}").id
        cookies = session_cookies(live_site, buyer)
    page = open_page(browser_context, f"{live_site.url}/espace/paiements/{payment_id}", cookies)
    expect(page.get_by_text("En cours de vérification").first).to_be_visible()

    page.evaluate(CUT + CLOSE)
    with live_site.inside():
        agent = factories.agent(email=f"agent-{mark}@example.test")
        purchases.validate_payment(payment_id, db.session.get_one(Payment, payment_id).transaction_id, by=agent)
    with live_site.inside():
        wait_until(lambda: has_its_document(payment_id), seconds=30)
    page.evaluate("isCut = false")

    expect(page.get_by_role("link", name=re.compile("Télécharger la facture"))).to_be_visible()
    assert page.evaluate("window.neverReloaded") is True


def test_what_came_between_a_page_and_its_connection_is_seen_where_something_was_expected(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    with live_site.inside():
        owner = factories.student(email=f"{uuid.uuid4().hex}@example.test")
        account, key = trading_accounts.add(owner, "Compte réel", Platform.MT4, "EUR")
        account_id, cookies = account.id, session_cookies(live_site, owner)
    # The list asks by no clock of its own.
    page = open_page(browser_context, f"{live_site.url}/espace/metatrader", cookies, is_cut=True)
    expect(page.get_by_text("En attente du premier contact")).to_be_visible()

    Terminal(live_site, key).sync(1)
    page.evaluate("isCut = false")

    line = page.locator(f"#comptes a[href$='/{account_id}']")
    expect(line.get_by_text("Connecté")).to_be_visible()
    assert page.evaluate("window.neverReloaded") is True


def test_a_conversation_is_read_while_no_connection_comes_and_is_not_doubled_by_it(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    with live_site.inside():
        writer = factories.student(email=f"{uuid.uuid4().hex}@example.test")
        room = chat_rooms.open_own(Person(writer, None))
        chat_messages.send(Person(writer, None), room.public_id, client_id=uuid.uuid4().hex, body="Bonjour ?")
        address = f"{live_site.url}/admin/support/{room.public_id}"
        cookies = session_cookies(live_site, factories.agent(email=f"{uuid.uuid4().hex}@example.test"))
    page = open_page(browser_context, address, cookies, is_cut=True)
    bubbles = page.locator(".bubble")
    expect(page.locator("[data-chat-status]")).to_contain_text("Connexion perdue")

    expect(bubbles).to_contain_text("Bonjour ?")
    page.locator("[data-chat-form] textarea").fill("Bonjour !")
    page.locator("[data-chat-form] textarea").press("Enter")
    expect(bubbles).to_contain_text(["Bonjour ?", "Bonjour !"])
    page.evaluate("isCut = false")

    expect(bubbles.last).to_contain_text("Envoyé", timeout=20_000)
    expect(bubbles).to_contain_text(["Bonjour ?", "Bonjour !"])


def test_a_page_whose_new_cookie_is_a_moment_late_stays_and_listens_again(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    with live_site.inside():
        owner = factories.student(email=f"{uuid.uuid4().hex}@example.test")
        cookies = session_cookies(live_site, owner)
    page = open_page(browser_context, f"{live_site.url}/espace/agenda", cookies)
    refusals: list[int] = []

    def answer_late(route: Route) -> None:
        """Refuse without the cookie; when the answer comes, the browser has it."""
        refusal = route.fetch(max_redirects=0)
        refusals.append(refusal.status)
        with_cookies(page.context, live_site.url, cookies)
        route.fulfill(response=refusal)

    page.route("**/espace/notifications", answer_late, times=1)
    page.context.clear_cookies()
    page.evaluate(f"isLive = false; {CLOSE}")

    wait_until(lambda: page.evaluate("window.isLive"), seconds=20)
    assert refusals == [302]
    assert page.url.endswith("/espace/agenda")


def has_its_document(payment_id: int) -> bool:
    db.session.rollback()
    invoice = db.session.get_one(Payment, payment_id).invoice
    return invoice is not None and invoice.document is not None
