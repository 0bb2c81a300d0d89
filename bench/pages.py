"""A page of the personal space against a bare Flask page that selects and renders the same rows."""

from flask import Flask, render_template_string
from sqlalchemy import select

from bench.__main__ import in_turn
from bench.school import EMAIL, PASSWORD, application
from calmness.extensions import db
from calmness.models.trading import Trade

ROWS = 50
COLUMNS = (
    Trade.ticket,
    Trade.symbol,
    Trade.kind,
    Trade.volume,
    Trade.open_price,
    Trade.close_price,
    Trade.opened_at,
    Trade.closed_at,
    Trade.net,
)
BARE = """<!doctype html><html lang="fr"><body><table>{% for r in rows %}<tr>{% for c in r %}<td>{{ c }}</td>
{% endfor %}</tr>{% endfor %}</table></body></html>"""


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds of the product, seconds of the floor)."""
    app = application()
    student = app.test_client()
    student.post("/connexion", data={"email": EMAIL, "password": PASSWORD})
    with app.app_context():
        engine = db.engine
    newest = select(*COLUMNS).order_by(Trade.closed_at.desc()).limit(ROWS)

    def bare_page() -> str:
        with engine.connect() as connection:
            return render_template_string(BARE, rows=connection.execute(newest).all())

    bare = Flask("bare")
    bare.add_url_rule("/", "page", bare_page)
    floor = bare.test_client()
    assert floor.get("/").status_code == 200
    assert student.get("/espace/historique").status_code == 200
    product, base = in_turn(lambda _n: student.get("/espace/historique"), lambda _n: floor.get("/"))
    return [(f"history page, {ROWS} rows, logged in", product, base)]
