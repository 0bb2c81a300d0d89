"""First answer of the staff's list among 100 000 invoices against the same page among fifty; newest and oldest page."""

from datetime import UTC, date, datetime

from sqlalchemy import func, insert, select

from bench.__main__ import in_turn
from bench.school import PASSWORD, application
from calmness import clock
from calmness.extensions import db
from calmness.models.account import Role
from calmness.models.billing import Invoice, InvoiceKind, InvoiceTemplate
from calmness.services.account import accounts

MANY, FEW, PAGE = 100_000, 50, 50
STAFF = "bench-agent@calmness.test"


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
    with app.app_context():
        _fill(user_id, template_id, FEW, MANY)
        db.session.commit()
        oldest = (db.session.scalar(select(func.min(Invoice.id))) or 0) + PAGE
    first, last = in_turn(
        lambda _n: staff.get("/admin/factures"), lambda _n: staff.get(f"/admin/factures?page=2000&avant={oldest}")
    )
    return [("invoice list, newest of 100 000", first, few), ("invoice list, oldest of 100 000", last, few)]


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
            "serial": rank + 1,
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
