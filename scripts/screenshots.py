"""Pictures of the real product for the README: ``make screenshots`` while the site of ``make run`` is open.

Each is reduced to a palette, so that the repository stays light.
"""

import io
import os
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
PASSWORD = "calmness-demo"  # noqa: S105 - the demo's
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURES = (
    ("home", "", "/", 1440, "dark"),
    ("dashboard", "camille@calmness.test", "/espace", 1440, "dark"),
    ("statistics", "camille@calmness.test", "/espace/statistiques", 1440, "dark"),
    ("dashboard-phone", "camille@calmness.test", "/espace", 360, "light"),
    ("analytics", "admin@calmness.test", "/admin/analytics", 1440, "dark"),
    ("inbox", "agent@calmness.test", "/admin/support", 1440, "light"),
)


def main(port: str = "8000") -> None:
    """Take every picture, with the Chromium of the tests."""
    address = f"http://127.0.0.1:{port}"
    chromium = (
        os.environ.get("CALMNESS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-headless-shell")
    )
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, email, path, width, theme in PICTURES:
            context = browser.new_context(viewport={"width": width, "height": 900}, locale="fr-FR")
            context.add_cookies([{"name": "ct_theme", "value": theme, "url": address}])
            page = context.new_page()
            if email:
                log_in(page, address, email)
            page.goto(address + path, wait_until="networkidle")
            save(page.screenshot(), IMAGES / f"{name}.png")
            context.close()
        browser.close()


def log_in(page: Page, address: str, email: str) -> None:
    """Log in as a demo account."""
    page.goto(f"{address}/connexion")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/connexion" not in url)


def save(content: bytes, path: Path) -> None:
    """Write a picture with 128 colours."""
    Image.open(io.BytesIO(content)).convert("RGB").quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
