"""A feature that is switched off is gone: from menus, pages, links, API and from what is sent."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from calmness.extensions import db
from calmness.models.account import User, UserNotification
from calmness.models.delivery import Delivery
from calmness.models.signal import Signal
from calmness.models.trading import Trade
from calmness.navigation import ESPACE
from calmness.services import signals
from calmness.services.account import preferences
from calmness.services.account.preferences import NOTICE_FEATURES, Feature, NoticeKind
from calmness.services.trading import screenshots
from tests import factories
from tests.api.belongings import Belongings, belongings, body_for
from tests.api.conftest import ApiFor
from tests.signals.desk import draft

LogIn = Callable[[User], FlaskClient]
PLACES: dict[Feature, tuple[str, ...]] = {
    Feature.HISTORY: ("/espace/historique", "/espace/statistiques"),
    Feature.PORTFOLIO: ("/espace/portefeuille",),
    Feature.SIGNALS: ("/espace/signaux",),
    Feature.CHAT_WIDGET: (),
}
"""Where a feature lives in the personal space; a new feature needs its line."""
WIDGET = 'class="chat-widget"'


@pytest.fixture
def school(site: Flask) -> Belongings:
    """One of everything, owned by one student."""
    return belongings()


def routes(site: Flask, school: Belongings, feature: Feature) -> Iterator[tuple[Rule, str, str]]:
    """Every address that is guarded by a feature, with the owner's objects in it."""
    values = school.values | {
        "trade_id": db.session.scalars(select(Trade.id)).first(),
        "signal_id": db.session.scalars(select(Signal.id)).first(),
        "extension": "csv",
    }
    for rule in site.url_map.iter_rules():
        if getattr(site.view_functions[rule.endpoint], "feature", None) is feature:
            if "screenshot_id" in rule.arguments:
                # One of its own for each address: one of them takes it away.
                picture = screenshots.add(school.owner.id, values["trade_id"], factories.PIXEL)
                values["screenshot_id"] = picture.id
                db.session.commit()
            built = rule.build({name: values[name] for name in rule.arguments})
            assert built is not None
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, built[1]


def switch(school: Belongings, feature: Feature, on: bool) -> None:
    preferences.set_feature(school.owner.id, feature, on)
    db.session.commit()


def pages(site: Flask) -> list[str]:
    """Addresses of the personal space that need no argument and lead to a page."""
    return sorted(
        rule.rule
        for rule in site.url_map.iter_rules()
        if rule.rule.startswith("/espace") and not rule.arguments and "GET" in (rule.methods or set())
    )


def test_every_feature_has_its_places_and_every_place_its_guard(site: Flask) -> None:
    guarded = {
        rule.rule: getattr(site.view_functions[rule.endpoint], "feature", None) for rule in site.url_map.iter_rules()
    }

    assert set(PLACES) == set(Feature)
    for feature, starts in PLACES.items():
        for start in starts:
            below = {
                rule for rule in guarded if rule == start or rule.startswith((start + "/", start + ".", start + "<"))
            }
            assert below, start
            assert {rule for rule in below if guarded[rule] is not feature} == set()


def test_the_menu_hides_what_the_guard_refuses(site: Flask) -> None:
    for group in ESPACE:
        for entry in group.entries:
            view = site.view_functions[entry.endpoint]
            assert getattr(view, "feature", None) is entry.feature, entry.endpoint


@pytest.mark.parametrize("feature", [feature for feature in Feature if PLACES[feature]])
def test_pages_and_endpoints_are_there_with_it_and_gone_without(
    site: Flask,
    school: Belongings,
    client_for: LogIn,
    api_for: ApiFor,
    feature: Feature,
) -> None:
    browser, call = client_for(school.owner), api_for(school.owner)
    found: dict[bool, dict[tuple[str, str], int]] = {}
    for on in (True, False):
        switch(school, feature, on)
        found[on] = {}
        for rule, method, path in routes(site, school, feature):
            if rule.endpoint.startswith("api."):
                body = body_for(rule.endpoint) if method != "GET" else {}
                status = call(method, path.removeprefix("/api/v1"), **body).status_code
            else:
                status = browser.open(path, method=method).status_code
            found[on][method, path] = status

    assert found[True]
    assert [route for route, status in found[True].items() if status == 404 or status >= 500] == []
    assert set(found[False].values()) == {404}


@pytest.mark.parametrize("feature", list(Feature))
def test_no_page_leads_to_it_any_longer(site: Flask, school: Belongings, client_for: LogIn, feature: Feature) -> None:
    browser = client_for(school.owner)
    with_it: list[str] = []
    without: list[str] = []
    for on, leading in ((True, with_it), (False, without)):
        switch(school, feature, on)
        for path in pages(site):
            with browser.get(path) as answer:
                text = (
                    answer.get_data(as_text=True)
                    if answer.mimetype == "text/html" and answer.status_code == 200
                    else ""
                )
            links = re.findall(r'href="([^"?#]+)', text)
            if any(link == start or link.startswith(start + "/") for link in links for start in PLACES[feature]):
                leading.append(path)
            if feature is Feature.CHAT_WIDGET and WIDGET in text:
                leading.append(path)

    assert with_it
    assert without == []


def test_what_would_be_sent_is_not(site: Flask, school: Belongings) -> None:
    assert NOTICE_FEATURES == {NoticeKind.SIGNAL: Feature.SIGNALS}
    told = {}
    for on in (True, False):
        switch(school, Feature.SIGNALS, on)
        signal = signals.publish(draft(), author=school.owner)
        db.session.flush()
        key = f"signal:{signal.id}:published"
        told[on] = (
            db.session.scalars(select(UserNotification.id).where(UserNotification.key == key)).all(),
            db.session.scalars(select(Delivery.id).where(Delivery.key.startswith(key))).all(),
        )

    assert told[True][0]
    assert told[False] == ([], [])
