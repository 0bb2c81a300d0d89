"""A key that leaked, used by two terminals at the same moment in the running house: one account has it, for good."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.trading import Platform, Trade, TradingAccount
from calmness.services.trading import trading_accounts
from tests import factories
from tests.fixtures.live import LiveSite

pytestmark = pytest.mark.live
PASSES = 4
LOGINS = ("80012345", "90067890")


def test_of_two_terminals_at_once_one_has_the_key_and_the_other_brings_nothing(live_site: LiveSite) -> None:
    with live_site.inside():
        account, key = trading_accounts.add(factories.student(), "Compte réel", Platform.MT4, "EUR")
        db.session.commit()
        account_id = account.id
    together = Barrier(len(LOGINS))

    def speak(place: int) -> list[int]:
        together.wait(timeout=60)
        return [_post(live_site, key, _body(LOGINS[place], 1000 * (place + 1) + number)) for number in range(PASSES)]

    with ThreadPoolExecutor(len(LOGINS)) as pool:
        answers = dict(zip(LOGINS, pool.map(speak, range(len(LOGINS))), strict=True))

    assert sorted(answers.values()) == [[200] * PASSES, [409] * PASSES]
    with live_site.inside():
        found = db.session.get_one(TradingAccount, account_id)
        (other,) = set(LOGINS) - {str(found.login)}
        assert (answers[str(found.login)], found.other_login) == ([200] * PASSES, other)
        first = 1000 * (LOGINS.index(str(found.login)) + 1)
        tickets = db.session.scalars(select(Trade.ticket).where(Trade.account_id == account_id))
        assert sorted(tickets) == [str(first + number) for number in range(PASSES)]


def _body(login: str, ticket: int) -> dict[str, Any]:
    now = int(time.time())
    return {
        "v": 2,
        "ea": "2.0.0",
        "batch_id": f"{login}-{ticket}",
        "account": {"login": login, "server": "Broker-Live", "company": "Broker Ltd", "currency": "EUR"},
        "clock": {"gmt": now, "server": now + 7200, "server_age_s": 1},
        "snapshot": {"balance": "1000.00", "equity": "1000.00"},
        "history": {"total": 1, "complete": True},
        "trades": [
            {
                "ticket": str(ticket),
                "type": 0,
                "symbol": "EURUSD",
                "lots": "0.10",
                "open_time": now - 900,
                "close_time": now - 300,
                "open_price": "1.10000",
                "close_price": "1.10100",
                "profit": "10.00",
            }
        ],
    }


def _post(live_site: LiveSite, key: str, body: dict[str, Any]) -> int:
    """The status; a busy house is asked again, as the EA does."""
    request = Request(
        f"{live_site.url}/ea/v1/sync",
        json.dumps(body).encode(),
        {"X-API-Key": key, "Content-Type": "application/json"},
    )
    for _attempt in range(5):
        try:
            with urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except HTTPError as error:
            if error.code < 500:
                return error.code
    return 503
