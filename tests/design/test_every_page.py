"""Every page that a link leads to, of a school with a past, as each kind of person: accessible and whole on a phone.

Not by a list that somebody must keep: the walk follows the links of the pages themselves. Dark on a desk, light on a
phone; the fixture fails on a request to another origin and on anything that the policy refuses. An agent's pages are
an administrator's with less on them: they are looked at on the phone alone.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize
from sqlalchemy import select

from calmness import demo
from calmness.demo.size import SMALL
from calmness.extensions import db
from calmness.models.account import User
from tests.fakes.providers import Providers
from tests.fixtures.browser import with_cookies
from tests.fixtures.live import House, LiveSite, application_of, house_with, session_cookies, wait_until
from tests.fixtures.servers import Mailbox

pytestmark = [pytest.mark.live, pytest.mark.browser]

Contexts = Callable[..., BrowserContext]
PLACES = {
    "visitor": ("/", "/connexion", "/inscription", "/mot-de-passe-oublie", "/support", "/composants", "/nulle-part"),
    "camille@calmness.test": ("/espace", "/espace?modifier=1"),
    "agent@calmness.test": ("/admin",),
    "admin@calmness.test": ("/admin",),
}
NO_PAGE = re.compile(
    r"^/(static|m|healthz|readyz|metrics)\b|\.(pdf|csv|xlsx|json|xml|txt|zip|mq4|mq5|ics)\b|/rejoindre|export"
)
NAMED = "formations|espace/formations|problems|admin/identite/mentions"
"""Views whose pages have names instead of numbers."""

DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 800}
LIGHT = "document.documentElement.dataset.theme = 'light'"
"""The theme that the server would have written."""
FIELDS = """[...document.querySelectorAll('main form[data-module~=once]')].filter((form) => !('detour' in form.dataset))
    .flatMap((form) => [...form.elements])
    .filter((field) => field.name && !field.readOnly && field.autocomplete != 'one-time-code')
    .filter((field) => field.matches('textarea, [type=text], [type=email]'))"""
TYPE = f"""{FIELDS}.map((field) => {{
    field.value = field.type == 'email' ? 'eva@example.test' : 'L’Haÿ';
    field.dispatchEvent(new Event('input', {{bubbles: true}}));
    return field.value;
}})"""
KEPT = "Object.keys(sessionStorage).some((key) => key.startsWith('ct.draft'))"
READ = f"{FIELDS}.map((field) => field.value)"


@pytest.fixture(scope="module")
def school(
    tmp_path_factory: pytest.TempPathFactory, _smtp_server: Mailbox, _provider_servers: Providers
) -> Iterator[LiveSite]:
    """A house of its own with the small demo in it."""
    house: House = house_with(tmp_path_factory, _smtp_server, _provider_servers).open()
    site = LiveSite(house, *application_of(house))
    with site.inside():
        demo.load(size=SMALL)
    yield site
    house.close()


@pytest.fixture
def live_site(school: LiveSite) -> LiveSite:
    """What the browsers of these tests look at."""
    return school


@pytest.mark.parametrize("who", PLACES)
def test_every_page_is_accessible_and_fits(
    live_site: LiveSite, browser_context: Contexts, axe: Callable[[Page], list[str]], who: str
) -> None:
    cookies = {}
    if "@" in who:
        with live_site.inside():
            person = db.session.scalars(select(User).where(User.email == who)).one()
            cookies = session_cookies(live_site, person)
    page = browser_with(live_site, browser_context, {**cookies, "ct_theme": "dark"})
    faults: list[str] = []
    todo = list(PLACES[who])
    seen = {kind_of(path) for path in todo}

    while todo:
        path = todo.pop(0)
        page.set_viewport_size(DESK)
        answer = page.goto(path)
        assert answer is not None
        if answer.status >= 400 and path != "/nulle-part":
            faults.append(f"{path} answers {answer.status}")
            continue
        if who != "agent@calmness.test":
            faults += [f"{path} dark: {fault}" for fault in axe(page)]
            faults += forgotten(page, path)
        page.set_viewport_size(PHONE)
        page.evaluate(LIGHT)
        faults += [f"{path} light: {fault}" for fault in axe(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append(f"{path} is wider than a phone")
        for link in page.evaluate(
            "[...document.querySelectorAll('a[href^=\"/\"]')].map((a) => a.getAttribute('href'))"
        ):
            target = link.split("#")[0].split("?")[0]
            kind = kind_of(target)
            if target and kind not in seen and not NO_PAGE.search(target) and is_own(target, who):
                seen.add(kind)
                todo.append(target)

    assert faults == []
    assert len(seen) > 9


def forgotten(page: Page, path: str) -> list[str]:
    """What is typed into the page's forms and not sent is there again after a reload; gives those where it is not."""
    typed = page.evaluate(TYPE)
    if not typed:
        return []
    try:
        # The script comes after the page: what nobody has noticed yet can't be kept.
        wait_until(lambda: page.evaluate(KEPT), seconds=2)
        page.goto(path)
        wait_until(lambda: page.evaluate(READ) == typed, seconds=2)
    except AssertionError:
        return [f"{path} keeps {page.evaluate(READ)} of {typed}"]
    finally:
        page.evaluate("sessionStorage.clear()")
    return []


def browser_with(site: LiveSite, contexts: Contexts, cookies: dict[str, str]) -> Page:
    """A browser that is somebody's, in a theme. Nothing moves in it: each frame of a fade is drawn by the processor."""
    context = contexts(viewport=DESK, reduced_motion="reduce")
    page = with_cookies(context, site.url, cookies).new_page()
    page.set_default_timeout(60_000)
    return page


def kind_of(path: str) -> str:
    """Pages of one view are of a kind: one of them is looked at."""
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "N", path)
    return re.sub(f"^/({NAMED})/[^/]+$", r"/\1/N", re.sub(r"\d+", "N", path))


def is_own(path: str, who: str) -> bool:
    """The part of the site that this person's walk looks at: what is public is the visitor's."""
    inside = path.startswith(("/espace", "/admin"))
    return inside if "@" in who else not inside
