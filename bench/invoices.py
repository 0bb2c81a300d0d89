"""The staff's list among 100 000 invoices against the same page among fifty: first answer, first paint in Chromium."""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from threading import Thread

from flask import Flask
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import func, insert, select
from werkzeug.serving import WSGIRequestHandler, make_server

from bench.__main__ import in_turn
from bench.school import PASSWORD, application
from calmness import clock
from calmness.extensions import db
from calmness.models.account import Role
from calmness.models.billing import Invoice, InvoiceKind, InvoiceTemplate
from calmness.services.account import accounts
from supervisor.processes import LOOPBACK
from tests.fixtures.browser import FLAGS, program

MANY, FEW, PAGE = 100_000, 50, 50
PAINTS = 11
STAFF = "bench-agent@calmness.test"
ELSEWHERE = 1_000_000
"""Serials that the invoices of other measures on the same database never reach."""


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds among many, seconds among few)."""
    app = application()
    with app.app_context():
        user = accounts.create(STAFF, PASSWORD, ("Bench", "Agent"), Role.AGENT)
        template = _template()
        user_id, template_id = user.id, template.id
        _fill(user_id, template_id, 0, FEW)
        db.session.commit()
    staff = app.test_client()
    staff.post("/connexion", data={"email": STAFF, "password": PASSWORD})
    assert staff.get("/admin/factures").status_code == 200
    few, _again = in_turn(lambda _n: staff.get("/admin/factures"), lambda _n: None)
    with _browser(app) as page:
        few_painted = _painted(page, "/admin/factures")
        with app.app_context():
            _fill(user_id, template_id, FEW, MANY)
            db.session.commit()
            oldest = f"/admin/factures?page=2000&avant={(db.session.scalar(select(func.min(Invoice.id))) or 0) + PAGE}"
        first, last = in_turn(lambda _n: staff.get("/admin/factures"), lambda _n: staff.get(oldest))
        return [
            ("invoice list, newest of 100 000", first, few),
            ("invoice list, oldest of 100 000", last, few),
            ("first paint of the newest of 100 000", _painted(page, "/admin/factures"), few_painted),
            ("first paint of the oldest of 100 000", _painted(page, oldest), few_painted),
        ]


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def _browser(app: Flask) -> Iterator[Page]:
    """A page of Chromium where the agent has logged in, on a server of this process."""
    server = make_server(LOOPBACK, 0, app, threaded=True, request_handler=_Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program(), args=FLAGS)
        page = chromium.new_page(base_url=f"http://{LOOPBACK}:{server.server_port}")
        page.goto("/connexion")
        page.fill("input[name=email]", STAFF)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "connexion" not in url)
        yield page
        chromium.close()
    server.shutdown()


def _painted(page: Page, address: str) -> float:
    """Seconds from asking for the page to its first contents on the screen; the first time does not count."""
    times = []
    for _round in range(PAINTS + 1):
        page.goto(address, wait_until="load")
        while not (paint := page.evaluate(PAINT)):
            page.wait_for_timeout(20)
        times.append(paint / 1000)
    return float(statistics.median(times[1:]))


PAINT = "(performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime"


def _template() -> InvoiceTemplate:
    found = db.session.scalar(select(InvoiceTemplate))
    if found is None:
        words = dict.fromkeys(("company_name", "legal_form", "address", "postcode", "city", "email"), "x")
        found = InvoiceTemplate(
            version=1,
            is_active=True,
            created_at=clock.now(),
            siren="732829320",
            siret="73282932000074",
            iban="FR1420041010050500013M02606",
            bic="PSSTFRPPPAR",
            **words,
        )
        db.session.add(found)
        db.session.flush()
    return found


def _fill(user_id: int, template_id: int, first: int, last: int) -> None:
    """Rows alone: neither lines nor PDF, as the list reads none of them."""
    rows = [
        {
            "number": f"CT-20260101-{rank + 1:06d}",
            "kind": InvoiceKind.INVOICE,
            "serial": ELSEWHERE + rank,
            "user_id": user_id,
            "template_id": template_id,
            "issued_on": date(2026, 1, 1),
            "issued_at": datetime(2026, 1, 1, 9, tzinfo=UTC),
            "buyer": {"name": f"Client {rank}"},
            "mentions": [],
            "total_excl_cents": 4158,
            "total_vat_cents": 832,
            "total_incl_cents": 4990,
            "prev_hash": bytes(32),
            "hash": rank.to_bytes(32, "big"),
        }
        for rank in range(first, last)
    ]
    db.session.execute(insert(Invoice), rows)
