"""Twenty people write at once to SQLite through the pages: everybody gets an answer, nothing is lost."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import Platform, SyncBatch, Trade
from calmness.services.trading import trading_accounts
from tests.chaos.people import Person, Terminal
from tests.chaos.steps import somebody
from tests.fixtures.live import LiveSite

pytestmark = pytest.mark.live
ROUNDS = 8
PROFILE = {"first_name": "Élodie", "country": "FR", "time_zone": "Europe/Paris", "gender": "", "age_bracket": ""}


def test_twenty_writers_never_meet_a_locked_database(live_site: LiveSite) -> None:
    with live_site.inside():
        people = [somebody() for _ in range(10)]
        browsers = {person.id: Person(live_site, person) for person in people}
        accounts = [trading_accounts.add(somebody(), "Compte réel", Platform.MT4, "EUR") for _ in range(10)]
        account_ids = [account.id for account, _key in accounts]
        terminals = [Terminal(live_site, key) for _account, key in accounts]

    def change_profile(user_id: int) -> None:
        for turn in range(ROUNDS):
            browser = browsers[user_id]
            form = PROFILE | {"last_name": f"O'Brien {turn}", "city": uuid.uuid4().hex}
            assert browser.post("/espace/profil", form, page="/espace/profil").status_code == 302

    def send(terminal: Terminal) -> None:
        for _turn in range(ROUNDS):
            terminal.sync(25)

    # Whoever answers with a 5xx fails the test: see ``patiently``.
    with ThreadPoolExecutor(20) as pool:
        work = [pool.submit(change_profile, user_id) for user_id in browsers]
        work += [pool.submit(send, terminal) for terminal in terminals]
        for done in work:
            done.result(timeout=300)

    with live_site.inside():
        last = set(db.session.scalars(select(User.last_name).where(User.id.in_(browsers))))
        trades = select(func.count()).select_from(Trade).where(Trade.account_id.in_(account_ids))
        batches = select(func.count()).select_from(SyncBatch).where(SyncBatch.account_id.in_(account_ids))
        assert last == {f"O'Brien {ROUNDS - 1}"}
        assert db.session.scalar(trades) == 10 * ROUNDS * 25
        assert db.session.scalar(batches) == 10 * ROUNDS
    assert [line for line in live_site.house.lines if "database is locked" in line] == []
