"""The components page in Chromium: every macro, accessible in both themes, inside the narrowest screen."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.fixtures.live import wait_until

pytestmark = pytest.mark.browser
Contexts = Callable[..., BrowserContext]


def components(contexts: Contexts, *, theme: str = "dark", width: int = 1440) -> Page:
    """The page with a theme chosen."""
    context = contexts(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/composants")
    context.add_cookies([{"name": "ct_theme", "value": theme, "url": page.url}])
    page.goto("/composants")
    return page


def test_nothing_moves_for_who_wants_no_motion(browser_context: Contexts) -> None:
    page = components(browser_context)
    moving = """() => {
        document.documentElement.dataset.theme = 'light';
        document.querySelector('main .button').focus();
        return document.getAnimations().map((one) => one.animationName ?? one.transitionProperty);
    }"""

    assert page.locator(".skeleton").count() > 0
    assert page.evaluate(moving) == []
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    assert "shimmer" in page.evaluate(moving)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_component_breaks_a_rule_of_axe(browser_context: Contexts, theme: str) -> None:
    page = components(browser_context, theme=theme)

    violations = Axe().run(page).response["violations"]

    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in violations] == []


@pytest.mark.parametrize("width", [320, 768])
def test_nothing_is_wider_than_the_screen(browser_context: Contexts, width: int) -> None:
    page = components(browser_context, width=width)

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_of_a_chart_stay_readable_on_a_phone(browser_context: Contexts) -> None:
    page = components(browser_context, width=360)

    heights = page.eval_on_selector_all(
        ".chart .chart__axis",
        """texts => texts.filter(text => getComputedStyle(text).display !== "none").map(text => {
            const drawing = text.ownerSVGElement;
            const shrunk = drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
            return parseFloat(getComputedStyle(text).fontSize) * shrunk;
        })""",
    )

    assert len(heights) > 2
    assert min(heights) >= 11


def test_a_curve_is_read_by_arrow_keys(browser_context: Contexts) -> None:
    page = components(browser_context)
    curve = page.get_by_role("slider", name="Capital en fin de jour")

    curve.focus()
    curve.press("Home")
    first = curve.get_attribute("aria-valuetext")
    curve.press("ArrowRight")

    assert first is not None
    assert first.endswith("5\u202f000\u00a0€")
    assert curve.get_attribute("aria-valuetext") != first
    expect(page.locator(".chart__reading")).to_be_visible()


def test_the_figures_behind_a_curve_are_a_table(browser_context: Contexts) -> None:
    page = components(browser_context)

    page.get_by_text("Voir les données").click()

    expect(page.get_by_role("table", name="Capital en fin de jour").get_by_role("row")).to_have_count(91)


def test_figures_stand_two_by_two_on_a_phone_and_whole(browser_context: Contexts) -> None:
    page = components(browser_context, width=360)

    boxes = page.eval_on_selector_all(
        ".grid--four .stat-card",
        """cards => cards.map((card) => {
            const value = card.querySelector(".stat-card__value");
            return {top: Math.round(card.getBoundingClientRect().top), cut: value.scrollWidth > value.clientWidth};
        })""",
    )

    assert [box["cut"] for box in boxes] == [False] * 4
    assert boxes[0]["top"] == boxes[1]["top"] < boxes[2]["top"] == boxes[3]["top"]


def test_short_cells_share_a_line_in_a_row_that_became_a_card(browser_context: Contexts) -> None:
    page = components(browser_context, width=360)

    tops = page.eval_on_selector_all(
        "table[role=table] tbody tr:first-child td", "cells => cells.map(cell => Math.round(cell.offsetTop))"
    )

    assert len(tops) > 3
    assert tops[0] == tops[1] < tops[2] == tops[3]


def test_the_chosen_tab_is_in_view_on_a_phone(browser_context: Contexts) -> None:
    page = components(browser_context, width=360)
    page.eval_on_selector(
        ".tabs",
        """nav => {
            const copy = nav.cloneNode(true);
            const links = [...copy.querySelectorAll("a")];
            links[0].removeAttribute("aria-current");
            links.at(-1).after(...links.map((link) => link.cloneNode(true)));
            copy.lastElementChild.setAttribute("aria-current", "page");
            nav.replaceWith(copy);
        }""",
    )

    wait_until(
        lambda: page.eval_on_selector(
            ".tabs [aria-current]", "link => link.getBoundingClientRect().right <= innerWidth"
        ),
        seconds=20,
    )
