"""Closed by default: the URL map walked as visitor, student, another student, agent and admin.

What is refused before a page asks the database, or depends on headers alone, is walked on one database; each page a
role may see, and what is somebody else's, on both.
"""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from calmness.access import AccessKind, access_of
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import AuthSession, User, UserNotification
from calmness.models.billing import Invoice
from calmness.models.trading import Platform
from calmness.permissions import Permission, may
from calmness.services import notifications
from calmness.services.account.preferences import NoticeKind
from calmness.services.billing import purchases
from calmness.services.support import chat_messages, chat_rooms
from calmness.services.support.chat_rooms import Person
from calmness.services.trading import screenshots, trading_accounts
from tests import factories
from tests.billing import shop

ClientFor = Callable[[User], FlaskClient]

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
TOKENLESS = {"api", "ea", "hooks"}
BEACON = "measure.engagement"
SAME_FOR_ALL = {"trading.download", "trading.kit"}
VALUES = {"RowNumber": 1, "UUIDConverter": uuid4()}
WORDS = {"extension": "csv", "act": "monter", "platform": "mt4", "kind": "mq4"}


def methods_of(rule: Rule) -> list[str]:
    """Methods that a rule answers itself."""
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def path_of(rule: Rule) -> str:
    """A path that the rule matches, with values that need not exist."""
    values = {
        name: VALUES.get(type(converter).__name__, WORDS.get(name, "inconnu"))
        for name, converter in rule._converters.items()
    }
    built = rule.build(values, append_unknown=False)
    assert built is not None, rule.rule
    return built[1]


def protected(site: Flask) -> Iterator[tuple[Rule, str, Permission]]:
    """Every rule and method that asks for a permission."""
    for rule in site.url_map.iter_rules():
        access = access_of(site.view_functions[rule.endpoint])
        if access is not None and access.permission is not None:
            for method in methods_of(rule):
                yield rule, method, access.permission


def is_api(rule: Rule) -> bool:
    """Whether the rule belongs to the JSON API."""
    return rule.endpoint.startswith("api.")


@pytest.mark.once
def test_every_view_says_who_may_use_it(site: Flask) -> None:
    silent = [rule.rule for rule in site.url_map.iter_rules() if access_of(site.view_functions[rule.endpoint]) is None]

    assert silent == []


@pytest.mark.once
def test_a_permission_stands_behind_every_declaration_that_asks_for_one(site: Flask) -> None:
    vague = [
        rule.rule
        for rule in site.url_map.iter_rules()
        if (access := access_of(site.view_functions[rule.endpoint])) is not None
        and access.kind is AccessKind.PERMISSION
        and access.permission is None
    ]

    assert vague == []


@pytest.mark.once
def test_everything_below_espace_and_admin_asks_for_a_permission(site: Flask) -> None:
    asked = {rule.rule for rule, _, _ in protected(site)}
    below = {r.rule for r in site.url_map.iter_rules() if r.rule.startswith(("/espace", "/admin", "/api/v1/admin"))}

    assert below - asked == set()


@pytest.mark.once
def test_a_student_has_no_right_below_admin(site: Flask) -> None:
    student = factories.student()
    open_to_students = [
        rule.rule
        for rule, _, permission in protected(site)
        if rule.rule.startswith(("/admin", "/api/v1/admin")) and may(student, permission)
    ]

    assert open_to_students == []


@pytest.mark.once
def test_visitors_are_sent_to_log_in_or_refused(site: Flask, visitor: FlaskClient) -> None:
    let_in = []
    for rule, method, _ in protected(site):
        answer = visitor.open(path_of(rule), method=method)
        asked = answer.status_code == 302 and answer.location.startswith("/connexion?next=")
        if not (answer.status_code == 401 if is_api(rule) else asked):
            let_in.append((method, rule.rule, answer.status_code))

    assert let_in == []


@pytest.mark.parametrize("role", ["student", "agent", "admin"])
def test_a_role_without_the_permission_is_refused_and_one_with_it_is_not(
    site: Flask, client_for: ClientFor, role: str
) -> None:
    user: User = getattr(factories, role)()
    browser = client_for(user)
    wrong = []
    for rule, method, permission in protected(site):
        if is_api(rule):
            continue
        allowed = may(user, permission)
        if allowed and method in UNSAFE:
            continue  # it would act: what it does is proved where its rules are
        with browser.open(path_of(rule), method=method) as answer:
            status = answer.status_code
        if (status == 403) == allowed or status >= 500:
            wrong.append((method, rule.rule, status))

    assert wrong == []


@pytest.mark.parametrize("role", ["student", "agent", "admin"])
@pytest.mark.once
def test_the_cookie_of_a_session_opens_nothing_in_the_api(site: Flask, client_for: ClientFor, role: str) -> None:
    browser = client_for(getattr(factories, role)())
    answers = {
        (method, rule.rule): browser.open(path_of(rule), method=method, json={}).status_code
        for rule, method, _ in protected(site)
        if is_api(rule)
    }

    assert answers
    assert {route: status for route, status in answers.items() if status != 401} == {}


@pytest.mark.once
def test_every_form_without_its_token_is_refused(site: Flask, client_for: ClientFor) -> None:
    browser = client_for(factories.admin())
    browser.csrf = False  # type: ignore[attr-defined]
    taken = []
    for rule in site.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in TOKENLESS or rule.endpoint == BEACON:
            continue
        for method in UNSAFE & set(methods_of(rule)):
            answer = browser.open(path_of(rule), method=method, data={})
            if answer.status_code != 400:
                taken.append((method, rule.rule, answer.status_code))

    assert taken == []


def test_a_form_sent_after_the_session_has_gone_leads_through_the_log_in_and_back(visitor: FlaskClient) -> None:
    visitor.csrf = False  # type: ignore[attr-defined]

    answer = visitor.post("/espace/profil", data={}, headers={"Referer": "http://localhost/espace/profil"})

    assert answer.location == "/connexion?next=/espace/profil"


def test_a_visitor_leaves_the_measure_by_a_form_with_its_token_and_comes_back(visitor: FlaskClient) -> None:
    assert "Ne plus compter mes visites" in visitor.get("/confidentialite").text

    assert visitor.post("/mesure", data={"out": "1"}).location == "/confidentialite#mesure"

    assert "Vos visites ne sont pas comptées" in visitor.get("/confidentialite").text
    visitor.post("/mesure", data={"out": "0"})
    assert "Ne plus compter mes visites" in visitor.get("/confidentialite").text


def test_what_takes_no_form_token_asks_for_a_key_or_a_signature(site: Flask, visitor: FlaskClient) -> None:
    visitor.csrf = False  # type: ignore[attr-defined]
    let_in = []
    for rule in site.url_map.iter_rules():
        access = access_of(site.view_functions[rule.endpoint])
        if access is None or access.kind not in {AccessKind.EA_KEY, AccessKind.SIGNATURE}:
            continue
        for method in methods_of(rule):
            answer = visitor.open(path_of(rule), method=method, json={} if method in UNSAFE else None)
            if answer.status_code not in {401, 403}:
                let_in.append((method, rule.rule, answer.status_code))

    assert let_in == []


# The schemas of the API name each other, which its description remarks without harm.
@pytest.mark.filterwarnings("ignore:.*has already been added to the spec:UserWarning")
@pytest.mark.once
def test_every_answer_carries_the_headers_of_the_house(site: Flask, client_for: ClientFor) -> None:
    browser = client_for(factories.admin())
    bare = []
    for rule in site.url_map.iter_rules():
        if "GET" not in methods_of(rule):
            continue
        with browser.get(path_of(rule)) as answer:
            headers = answer.headers
        policy = headers.get("Content-Security-Policy", "")
        good = (
            "default-src 'none'" in policy
            and "frame-ancestors 'none'" in policy
            and "unsafe-" not in policy
            and headers.get("X-Content-Type-Options") == "nosniff"
            and "Referrer-Policy" in headers
            and "Permissions-Policy" in headers
            and headers.get("Cross-Origin-Opener-Policy") == "same-origin"
        )
        if not good:
            bare.append(rule.rule)

    assert bare == []


@pytest.mark.once
def test_private_answers_stay_in_no_cache(site: Flask, client_for: ClientFor) -> None:
    browser = client_for(factories.admin())
    kept = []
    for rule, method, _ in protected(site):
        if method != "GET" or rule.endpoint in SAME_FOR_ALL:
            continue
        with browser.get(path_of(rule)) as answer:
            if "no-store" not in answer.headers.get("Cache-Control", ""):
                kept.append(rule.rule)

    assert kept == []


@pytest.fixture
def belongings(site: Flask, client_for: ClientFor) -> tuple[User, dict[str, str]]:
    """A student and the addresses of everything that is theirs alone."""
    owner, agent = factories.student(), factories.agent()
    shop.identity()
    offer = shop.signals_offer()
    paid = shop.submitted(owner, offer, "AB1234")
    purchases.validate_payment(paid.id, "AB1234", by=agent)
    invoice = db.session.execute(db.select(Invoice)).scalar_one()
    account, _ = trading_accounts.add(owner, "Compte réel", Platform.MT5, "EUR")
    trade = factories.closed_trade(account.id)
    picture = screenshots.add(owner.id, trade.id, factories.PIXEL)
    notifications.notify(owner.id, NoticeKind.SECURITY, "bonjour", title="Bonjour", url="/espace")
    notice = db.session.execute(db.select(UserNotification).filter_by(key="bonjour")).scalar_one()
    client_for(owner)
    device = db.session.execute(db.select(AuthSession).filter_by(user_id=owner.id)).scalar_one()
    room = chat_rooms.open_own(Person(user=owner))
    chat_messages.send(Person(user=owner), room.public_id, client_id=str(uuid4()), body="Bonjour")
    db.session.commit()
    drain_everything()
    db.session.expire_all()
    return owner, {
        "payment": f"GET /espace/paiements/{paid.id}",
        "order": f"GET /espace/commandes/{paid.id}",
        "abandon": f"POST /espace/commandes/{paid.id}/abandon",
        "identity": f"POST /espace/commandes/{paid.id}/identite",
        "transaction": f"POST /espace/commandes/{paid.id}/transaction",
        "invoice": f"GET /espace/factures/{invoice.number}.pdf",
        "account": f"GET /espace/metatrader/{account.id}",
        "key": f"POST /espace/metatrader/{account.id}/cle",
        "revocation": f"POST /espace/metatrader/{account.id}/revocation",
        "restoration": f"POST /espace/metatrader/{account.id}/retablissement",
        "name": f"POST /espace/metatrader/{account.id}/nom",
        "broker clock": f"POST /espace/metatrader/{account.id}/heure",
        "removal": f"GET /espace/metatrader/{account.id}/suppression",
        "deletion": f"POST /espace/metatrader/{account.id}/suppression",
        "statements": f"GET /espace/metatrader/{account.id}/releves",
        "new statement": f"POST /espace/metatrader/{account.id}/releves",
        "archive": f"POST /espace/metatrader/{account.id}/archive",
        "trade": f"GET /espace/historique/{trade.id}",
        "note": f"POST /espace/historique/{trade.id}/note",
        "new screenshot": f"POST /espace/historique/{trade.id}/captures",
        "screenshot": f"GET /espace/historique/captures/{picture.id}",
        "screenshot's end": f"POST /espace/historique/captures/{picture.id}/retrait",
        "notification": f"GET /espace/notifications/{notice.id}",
        "device": f"POST /espace/compte/appareils/{device.id}/fin",
        "read": f"POST /espace/notifications/{notice.id}/lue",
        "room": f"GET /support/{room.public_id}",
    }


def test_what_is_somebody_elses_does_not_exist(
    belongings: tuple[User, dict[str, str]], client_for: ClientFor, visitor: FlaskClient
) -> None:
    _, addresses = belongings
    seen = {}
    for role in ("student", "agent", "admin"):
        other = client_for(getattr(factories, role)())
        for name, address in addresses.items():
            method, path = address.split(" ")
            seen[role, name] = other.open(path, method=method, data={"body": "x"} if method == "POST" else None)
    seen["visitor", "room"] = visitor.get(addresses["room"].split(" ")[1])

    assert {what: answer.status_code for what, answer in seen.items() if answer.status_code != 404} == {}


def test_the_owner_finds_all_of_it(belongings: tuple[User, dict[str, str]], client_for: ClientFor) -> None:
    owner, addresses = belongings
    browser = client_for(owner)
    paths = {name: address.split(" ")[1] for name, address in addresses.items() if address.startswith("GET")}
    statuses = {name: browser.get(path).status_code for name, path in paths.items()}

    assert {name: status for name, status in statuses.items() if status not in {200, 302, 303}} == {}
