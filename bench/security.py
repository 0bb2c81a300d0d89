"""Log in, the check of a token, and a page with all headers, each against the least that could do the same."""

from argon2 import PasswordHasher
from flask import Flask, Response, jsonify
from sqlalchemy import select

from bench.__main__ import in_turn
from bench.school import EMAIL, PASSWORD, application
from calmness.extensions import db
from calmness.models.account import User

LOGIN = "/api/v1/auth/login"
PLAIN = "/.well-known/security.txt"
"""The least of a page: what it costs is access, headers, measure and log."""


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds of the product, seconds of the floor)."""
    app = application()
    client = app.test_client()
    hasher = PasswordHasher(
        time_cost=app.config["ARGON2_TIME"], memory_cost=app.config["ARGON2_MEMORY_KIB"], parallelism=1
    )
    hashed = hasher.hash(PASSWORD)
    body = {"email": EMAIL, "password": PASSWORD, "refresh": "body"}
    first = client.post(LOGIN, json=body)
    assert first.status_code == 200
    bearer = {"Authorization": f"Bearer {first.get_json()['access_token']}"}
    assert client.get("/api/v1/me", headers=bearer).status_code == 200
    with app.app_context():
        engine = db.engine

    def bare_json() -> object:
        with engine.connect() as connection:
            row = connection.execute(select(User.id, User.email, User.role).where(User.email == EMAIL)).one()
        return jsonify(id=row.id, email=row.email, role=row.role.value)

    text = client.get(PLAIN).text
    bare = Flask("bare")
    bare.add_url_rule("/me", "me", bare_json)
    bare.add_url_rule("/page", "page", lambda: Response(text, mimetype="text/plain"))
    floor = bare.test_client()
    assert floor.get("/me").status_code == floor.get("/page").status_code == 200

    login = in_turn(lambda _n: client.post(LOGIN, json=body), lambda _n: hasher.verify(hashed, PASSWORD))
    token = in_turn(lambda _n: client.get("/api/v1/me", headers=bearer), lambda _n: floor.get("/me"))
    headers = in_turn(lambda _n: client.get(PLAIN), lambda _n: floor.get("/page"))
    return [
        ("log in by the API / argon2 alone", *login),
        ("a call with its token / bare Flask, same row", *token),
        ("an answer with all headers / bare Flask, same text", *headers),
    ]
