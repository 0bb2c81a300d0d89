"""A page that was not listening when the news came is right all the same as soon as it listens."""

import re
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import InvoiceTemplate, Payment
from calmness.models.trading import Platform
from calmness.services.billing import purchases
from calmness.services.trading import trading_accounts
from tests import factories
from tests.billing import shop
from tests.chaos.people import Terminal
from tests.fixtures.live import LiveSite, wait_until
from tests.support.chat_client import session_cookies

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


def page_of(live_site: LiveSite, contexts: Contexts, user: User) -> Page:
    cookies = session_cookies(live_site, user)
    context = contexts()
    context.add_cookies([{"name": name, "value": value, "url": live_site.url} for name, value in cookies.items()])
    return context.new_page()


def test_after_a_lost_connection_an_open_page_shows_what_happened_meanwhile(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    mark = uuid.uuid4().hex[:8]
    with live_site.inside():
        if db.session.scalar(db.select(InvoiceTemplate.id)) is None:
            shop.identity()
        buyer = factories.student(email=f"{mark}@example.test")
        payment_id = shop.submitted(buyer, shop.signals_offer(slug=f"signaux-{mark}"), f"VIR {mark}").id
        page = page_of(live_site, browser_context, buyer)
    page.add_init_script(SWITCH)
    page.goto(f"/espace/paiements/{payment_id}")
    expect(page.get_by_text("En cours de vérification").first).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    wait_until(lambda: page.evaluate("window.isLive"), seconds=20)

    page.evaluate("isCut = true; for (const socket of sockets) socket.close()")
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
        account_id = account.id
        page = page_of(live_site, browser_context, owner)
    page.add_init_script(SWITCH + "window.isCut = true")
    # The list asks by no clock of its own.
    page.goto("/espace/metatrader")
    expect(page.get_by_text("En attente du premier contact")).to_be_visible()
    page.evaluate("window.neverReloaded = true")

    Terminal(live_site, key).sync(1)
    page.evaluate("isCut = false")

    line = page.locator(f"#comptes a[href$='/{account_id}']")
    expect(line.get_by_text("Connecté")).to_be_visible()
    assert page.evaluate("window.neverReloaded") is True


def test_a_page_whose_new_cookie_is_a_moment_late_stays_and_listens_again(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    with live_site.inside():
        owner = factories.student(email=f"{uuid.uuid4().hex}@example.test")
        page = page_of(live_site, browser_context, owner)
    page.add_init_script(SWITCH)
    page.goto("/espace/agenda")
    wait_until(lambda: page.evaluate("window.isLive"), seconds=20)
    good, refusals = page.context.cookies(), list[int]()

    def answer_late(route: Route) -> None:
        """Refuse without the cookie; when the answer comes, the browser has it."""
        refusal = route.fetch(max_redirects=0)
        refusals.append(refusal.status)
        page.context.add_cookies([{"name": one["name"], "value": one["value"], "url": live_site.url} for one in good])
        route.fulfill(response=refusal)

    page.route("**/espace/notifications", answer_late, times=1)
    page.context.clear_cookies()
    page.evaluate("isLive = false; for (const socket of sockets) socket.close()")

    wait_until(lambda: page.evaluate("window.isLive"), seconds=20)
    assert refusals == [302]
    assert page.url.endswith("/espace/agenda")


def has_its_document(payment_id: int) -> bool:
    db.session.rollback()
    invoice = db.session.get_one(Payment, payment_id).invoice
    return invoice is not None and invoice.document is not None
