"""A copy of everything about a person: asked, made by a worker, fetched by its owner alone."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from calmness import clock
from calmness.extensions import db
from calmness.files import store
from calmness.jobs import privacy as jobs
from calmness.jobs.drain import drain_everything
from calmness.models.account import AuthSession, User
from calmness.models.billing import Invoice
from calmness.models.catalogue import Offer
from calmness.models.privacy import DataExport, ExportState
from calmness.models.trading import Trade
from calmness.models.training import Formation
from calmness.services.privacy import data_exports
from tests import factories
from tests.api.belongings import belongings
from tests.api.conftest import ApiFor, api_for  # noqa: F401 - the fixture
from tests.fixtures.servers import Mailbox

LogIn = Callable[[User], FlaskClient]


def asked(browser: FlaskClient) -> DataExport:
    """Ask by the page and let the worker work."""
    browser.post("/espace/compte/donnees/copies")
    drain_everything()
    db.session.expire_all()
    return db.session.scalars(select(DataExport).order_by(DataExport.id.desc())).first() or pytest.fail("no copy")


def archive_of(browser: FlaskClient, export: DataExport) -> zipfile.ZipFile:
    with browser.get(f"/espace/compte/donnees/copies/{export.id}.zip") as answer:
        assert answer.status_code == 200, answer.location
        return zipfile.ZipFile(io.BytesIO(answer.data))


def test_the_copy_holds_ones_own_rows_and_files_and_nobody_elses(site: Flask, client_for: LogIn) -> None:
    school = belongings()
    db.session.query(DataExport).delete()
    other = factories.student(first_name="Somebody", last_name="Else")
    db.session.scalars(select(Trade).filter_by(ticket="7001")).one().comment = '=HYPERLINK("http://evil.test")'
    db.session.commit()
    browser = client_for(school.owner)

    archive = archive_of(browser, asked(browser))

    names = set(archive.namelist())
    people = json.loads(archive.read("json/users.json"))
    trades = json.loads(archive.read("json/trade.json"))
    number = db.session.scalars(select(Invoice.number)).one()
    assert archive.testzip() is None
    assert [person["email"] for person in people] == [school.owner.email]
    assert 12.5 in [float(trade["net"]) for trade in trades]
    assert archive.read(f"fichiers/factures/{number}.pdf").startswith(b"%PDF-")
    assert {"LISEZMOI.txt", "csv/payment.csv", "json/consent.json", "csv/audit_entry.csv"} <= names
    whole = b"".join(archive.read(name) for name in names)
    assert other.email.encode() not in whole
    assert b'password_hash":' not in whole
    assert school.owner.password_hash.encode() not in whole
    assert not any(name.startswith(("/", "..")) or ".." in name for name in names)


def test_a_spreadsheet_runs_nothing_of_the_copy(site: Flask, client_for: LogIn) -> None:
    school = belongings()
    db.session.query(DataExport).delete()
    db.session.scalars(select(Trade).filter_by(ticket="7001")).one().comment = "=1+1"
    db.session.commit()
    browser = client_for(school.owner)

    archive = archive_of(browser, asked(browser))

    rows = csv.DictReader(io.StringIO(archive.read("csv/trade.csv").decode("utf-8-sig")), delimiter=";")
    shown = {row["ticket"]: row for row in rows}["7001"]
    kept = {row["ticket"]: row for row in json.loads(archive.read("json/trade.json"))}["7001"]
    assert shown["comment"] == "'=1+1"
    assert float(shown["net"].replace(",", ".")) == 12.5
    assert kept["comment"] == "=1+1"


def test_a_mail_and_a_notice_lead_to_the_page(site: Flask, client_for: LogIn, mailbox: Mailbox) -> None:
    user = factories.student()
    browser = client_for(user)

    asked(browser)

    body = mailbox.to(user.email)[-1].get_body(("plain",))
    assert body is not None
    assert "/espace/compte/donnees" in body.get_content()
    assert ".zip" not in body.get_content()
    assert "Télécharger" in browser.get("/espace/compte/donnees").text


def test_one_copy_a_day(site: Flask, client_for: LogIn) -> None:
    user = factories.student()
    browser = client_for(user)
    asked(browser)

    asked(browser)
    first = db.session.scalars(select(DataExport.id)).all()
    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1), tick=False):
        asked(client_for(user))

    assert len(first) == 1
    assert len(db.session.scalars(select(DataExport.id)).all()) == 2


def test_nobody_else_gets_it(site: Flask, client_for: LogIn, visitor: FlaskClient) -> None:
    export = asked(client_for(factories.student()))
    path = f"/espace/compte/donnees/copies/{export.id}.zip"

    assert visitor.get(path).location.startswith("/connexion")
    assert client_for(factories.student()).get(path).status_code == 404
    assert client_for(factories.admin()).get(path).status_code == 404


def test_a_stale_session_confirms_before_asking_and_before_fetching(site: Flask, client_for: LogIn) -> None:
    browser = client_for(factories.student())
    export = asked(browser)
    for row in db.session.scalars(select(AuthSession)):
        row.fresh_at = None
    db.session.commit()

    assert browser.get(f"/espace/compte/donnees/copies/{export.id}.zip").location.startswith("/confirmation")
    assert browser.post("/espace/compte/donnees/copies").location.startswith("/confirmation")


def test_after_a_week_the_file_is_gone(site: Flask, client_for: LogIn) -> None:
    user = factories.student()
    export = asked(client_for(user))
    key = export.file_key
    assert key is not None
    assert store().exists(key)

    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1), tick=False):
        jobs.expire_exports()
        later = client_for(user)
        assert later.get(f"/espace/compte/donnees/copies/{export.id}.zip").status_code == 404
        assert "Effacée" in later.get("/espace/compte/donnees").text

    db.session.expire_all()
    assert not store().exists(key)
    assert db.session.scalars(select(DataExport.state)).one() is ExportState.EXPIRED


def test_made_twice_it_is_one_copy(site: Flask, client_for: LogIn) -> None:
    export = asked(client_for(factories.student()))
    key = export.file_key

    data_exports.make(export.id)

    db.session.expire_all()
    assert db.session.get_one(DataExport, export.id).file_key == key


def test_a_program_asks_and_fetches(site: Flask, api_for: ApiFor) -> None:  # noqa: F811
    user = factories.student()
    call = api_for(user)

    answer = call("POST", "/me/export")
    again = call("POST", "/me/export")
    drain_everything()

    assert (answer.status_code, answer.get_json()["state"]) == (202, "asked")
    assert again.get_json()["type"] == "/problems/export-too-soon"
    ready = call("GET", "/me/export").get_json()["items"][0]
    assert ready["state"] == "ready"
    with call("GET", f"/me/export/{ready['id']}/file") as file:
        assert file.mimetype == "application/zip"
        assert zipfile.is_zipfile(io.BytesIO(file.data))


def test_a_long_history_is_written_in_little_memory(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come in portions: no table is read whole."""
    school = belongings()
    trade = db.session.scalars(select(Trade).filter_by(ticket="7001")).one()
    values = {
        column.name: getattr(trade, column.name)
        for column in Trade.__table__.columns
        if column.name != "id" and column.computed is None
    }
    db.session.execute(insert(Trade), [values | {"ticket": str(8000 + number)} for number in range(1200)])
    db.session.commit()
    largest = []

    class Measured(io.BytesIO):
        def write(self, data: object) -> int:
            largest.append(len(data))  # type: ignore[arg-type]
            return super().write(data)  # type: ignore[arg-type]

    target = Measured()
    data_exports.write(target, school.owner.id)

    archive = zipfile.ZipFile(target)
    assert len(json.loads(archive.read("json/trade.json"))) == 1202
    assert max(largest) < 200_000


def test_numbers_of_formations_offers_and_sessions_stand_beside_what_they_are_called(
    site: Flask, client_for: LogIn
) -> None:
    school = belongings()
    db.session.query(DataExport).delete()
    browser = client_for(school.owner)

    archive = archive_of(browser, asked(browser))

    [enrollment] = json.loads(archive.read("json/user_formation_enrollment.json"))
    assert enrollment["formation_title"] == db.session.get_one(Formation, school.values["formation_id"]).title
    payments = json.loads(archive.read("json/payment.json"))
    names = dict(db.session.execute(select(Offer.id, Offer.name)).all())
    assert payments
    assert all(row["offer_title"] == names[row["offer_id"]] for row in payments)
    first_line = archive.read("csv/payment.csv").decode("utf-8-sig").splitlines()[0]
    assert "offer_title" in first_line
