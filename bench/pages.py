"""A page of the personal space against a bare Flask page that renders the same rows."""

from flask import Flask, render_template_string

from bench.__main__ import in_turn
from bench.school import EMAIL, PASSWORD, application
from calmness.extensions import db
from calmness.models.trading import Trade

ROWS = 50
BARE = """<!doctype html><html lang="fr"><body><table>{% for r in rows %}<tr>{% for c in r %}<td>{{ c }}</td>
{% endfor %}</tr>{% endfor %}</table></body></html>"""


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds of the product, seconds of the floor)."""
    app = application()
    student = app.test_client()
    student.post("/connexion", data={"email": EMAIL, "password": PASSWORD})
    with app.app_context():
        trades = db.session.query(Trade).limit(ROWS).all()
        rows = [
            (t.ticket, t.symbol, t.kind.value, t.volume, t.open_price, t.close_price, t.closed_at, t.closed_at, t.net)
            for t in trades
        ]
    bare = Flask("bare")
    bare.add_url_rule("/", "page", lambda: render_template_string(BARE, rows=rows))
    floor = bare.test_client()
    assert student.get("/espace/historique").status_code == 200
    product, base = in_turn(lambda _n: student.get("/espace/historique"), lambda _n: floor.get("/"))
    return [(f"history page, {ROWS} rows, logged in", product, base)]
