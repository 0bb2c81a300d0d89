"""The page for when the site cannot be reached, and the service worker that keeps it."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext, expect

from calmness.models.account import User
from tests.factories import student

KEPT = re.compile(r'^ *"(/static/[^"]+)",$', re.MULTILINE)


def test_every_file_that_is_to_be_kept_exists(visitor: FlaskClient) -> None:
    answer = visitor.get("/sw.js")
    files = KEPT.findall(answer.text)
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert len(files) == 9
    assert {visitor.get(file, buffered=True).status_code for file in files} == {200}


def test_the_worker_changes_with_the_language_so_that_the_page_is_kept_anew(visitor: FlaskClient) -> None:
    french = visitor.get("/sw.js").text
    visitor.set_cookie("ct_locale", "en")
    assert visitor.get("/sw.js").text != french
    assert "The site does not answer" in visitor.get("/hors-ligne").text


def test_the_kept_page_names_nobody(client_for: Callable[[User], FlaskClient]) -> None:
    person = student(first_name="Hortense")
    page = client_for(person).get("/hors-ligne").text
    assert "Hortense" not in page
    assert 'name="user"' not in page
    assert "csrf-token" not in page


@pytest.mark.browser
@pytest.mark.parametrize("told", [True, False], ids=["told that it is back", "told nothing"])
def test_without_network_a_page_says_so_and_comes_by_itself_when_it_is_back(
    browser_context: Callable[..., BrowserContext], told: bool
) -> None:
    context = browser_context(service_workers="allow")
    if not told:
        # The browser may say it before the page listens, and says nothing of a site that was being updated.
        context.add_init_script("addEventListener('online', (event) => event.stopImmediatePropagation(), true)")
    page = context.new_page()
    page.goto("/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    context.set_offline(True)
    page.goto("/faq")
    expect(page.get_by_role("heading", name="Le site ne répond pas")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith("Inter")
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px Inter'))")
    context.set_offline(False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Questions fréquentes")
