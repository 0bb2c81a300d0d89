"""Draw the pictures of the brand that must be PNG: icons of the web app and the card that links show elsewhere.

Run by hand after a change of ``img/logo.svg``; the results are committed. Needs Chromium, like the browser tests.
"""

import base64
import os
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

STATIC = Path(__file__).resolve().parent.parent / "calmness" / "static"
ICONS = {"icon-192.png": 192, "icon-512.png": 512, "apple-touch-icon.png": 180}
CARD = (1200, 630)


def main() -> None:
    """Write every picture again."""
    chromium = os.environ.get("CALMNESS_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        for name, size in ICONS.items():
            draw(page, icon(), (size, size), name)
        draw(page, card(), CARD, "card.png")
        browser.close()


def draw(page: Page, body: str, size: tuple[int, int], name: str) -> None:
    """One picture of a body."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.set_content(f"<!doctype html><style>{style()}</style>{body}")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=STATIC / "img" / name)


def style() -> str:
    """The tokens of the site, and its two families."""
    faces = "".join(
        f'@font-face{{font-family:{family};font-weight:100 900;src:url("data:font/woff2;base64,{encoded(file)}")}}'
        for family, file in (("Fraunces", "fraunces.woff2"), ("Inter", "inter.woff2"))
    )
    return (
        faces + (STATIC / "css" / "tokens.css").read_text() + "*{margin:0}body{height:100vh;background:var(--ground)}"
        "body{display:grid;font-family:Inter;color:var(--text)}svg{display:block}"
        ".icon{place-self:center;width:72vmin}"
        ".card{padding:84px;display:grid;align-content:space-between;border-bottom:14px solid var(--gold)}"
        ".brand{display:flex;gap:24px;align-items:center;font:600 44px Fraunces}.brand svg{width:72px}"
        "h1{font:600 98px/1.08 Fraunces}p{font-size:32px;line-height:1.4;color:var(--text-quiet)}"
    )


def encoded(file: str) -> str:
    """A font as text."""
    return base64.b64encode((STATIC / "fonts" / file).read_bytes()).decode()


def icon() -> str:
    """The mark on the ground, with the margin that launchers cut round."""
    return f'<div class="icon">{logo()}</div>'


def card() -> str:
    """What a shared link shows."""
    return (
        f'<div class="card"><div class="brand">{logo()}Calmness Trading</div><h1>Trader avec calme s’apprend.</h1>'
        "<p>Formations en direct, signaux au palmarès public,<br>suivi de vos résultats réels.</p></div>"
    )


def logo() -> str:
    """The mark."""
    return (STATIC / "img" / "logo.svg").read_text()


if __name__ == "__main__":
    main()
