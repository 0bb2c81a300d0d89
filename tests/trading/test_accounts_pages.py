"""Pages of an account: is it connected, what came in and what did not, its clock, its name, its end."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.audit import AuditEntry
from calmness.models.trading import Trade, TradingAccount
from calmness.services import broker_clocks, connections, ea_kit, sync, trading_accounts
from calmness.services.connections import Contact
from tests import factories
from tests.trading.terminal import NOW, OFFSET, Terminal, at, cash, linked, trade, work

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def text_of(client: FlaskClient, path: str) -> str:
    return " ".join(client.get(path).text.split())


def again(account: TradingAccount) -> TradingAccount:
    db.session.commit()
    db.session.expire_all()
    return db.session.get_one(TradingAccount, account.id)


def test_the_four_numbers_add_up(site: Flask) -> None:
    account, ea = linked(site)

    ea.sync(trade(1), trade(2, close_time=0), cash(3, "100"), trade(4, type=2), trade(5, "NaN"), trade(6, type=99))

    numbers = connections.numbers(again(account))
    assert (numbers.received, numbers.closed, numbers.open, numbers.skipped, numbers.failed) == (6, 1, 1, 2, 2)


def test_a_refused_ticket_is_shown_with_its_reason_until_it_comes_right(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    student, page = client_for(account.user), f"/espace/metatrader/{account.id}"
    ea.sync(trade(77, "1e300"))
    assert "77" in text_of(student, page)
    assert "nombre hors limites" in text_of(student, page)

    ea.sync(trade(77, "5"))

    assert again(account).refusals == {}
    assert "nombre hors limites" not in text_of(student, page)


def test_silence_and_holes_are_told(site: Flask, client_for: ClientFor, time_machine: TimeMachineFixture) -> None:
    account, ea = linked(site)
    student, page = client_for(account.user), f"/espace/metatrader/{account.id}"
    ea.sync()
    assert connections.contact(again(account)) is Contact.CONNECTED

    time_machine.move_to(NOW + timedelta(minutes=4), tick=False)
    assert "Silencieux" in text_of(student, page)
    time_machine.move_to(NOW + timedelta(hours=5), tick=False)
    ea.gmt = int((NOW + timedelta(hours=5)).timestamp())
    ea.sync()

    (gap,) = connections.gaps(again(account))
    assert (gap.start, gap.seconds) == (NOW, 5 * 3600)
    assert "Coupures" in text_of(student, page)


def test_a_week_end_without_ticks_is_no_silence(site: Flask, time_machine: TimeMachineFixture) -> None:
    account, ea = linked(site)
    saturday = datetime(2026, 11, 28, 9, tzinfo=UTC)
    time_machine.move_to(saturday, tick=False)
    ea.gmt = int(saturday.timestamp())
    ea.sync(clock={"gmt": ea.gmt, "server": ea.gmt - 40_000, "server_age_s": 47_200})

    assert connections.contact(again(account)) is Contact.CONNECTED


def test_a_history_tab_set_to_a_month_is_told_and_takes_nothing_away(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    student, page = client_for(account.user), f"/espace/metatrader/{account.id}"
    ea.sync(trade(1, open_time=at(2), close_time=at(2)), trade(2), history={"total": 2, "oldest_close": at(2)})
    assert "qu’une partie de l’historique" not in text_of(student, page)

    ea.sync(history={"total": 1, "oldest_close": at(20), "complete": True})

    assert "qu’une partie de l’historique" in text_of(student, page)
    assert connections.numbers(again(account)).closed == 2


def test_the_same_tickets_at_another_broker_mix_with_nothing(site: Flask) -> None:
    first, ea = linked(site)
    second, other = linked(site, user=first.user, name="Autre courtier", login="555")
    ea.sync(trade(1, "10.00"), trade(2, "5.00"))

    other.sync(trade(1, "-3.00"))

    rows = db.session.execute(select(Trade.account_id, Trade.ticket, Trade.net)).all()
    assert sorted((account_id == second.id, ticket, int(net)) for account_id, ticket, net in rows) == [
        (False, "1", 10),
        (False, "2", 5),
        (True, "1", -3),
    ]


def test_an_old_ea_is_told_to_be_replaced(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    page = f"/espace/metatrader/{account.id}"
    ea.sync(ea="1.00")
    assert "Expert Advisor à mettre à jour" in text_of(client_for(account.user), page)

    ea.sync(ea=sync.LATEST_VERSION)

    assert "Expert Advisor à mettre à jour" not in text_of(client_for(account.user), page)


def test_a_key_used_with_another_number_is_refused_and_the_page_says_so(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(trade(1))
    thief = Terminal(ea.client, ea.key, login="99999999")

    assert thief.post(thief.body(trade(2))).status_code == 409

    shown = text_of(client_for(account.user), f"/espace/metatrader/{account.id}")
    assert "Un autre compte utilise cette clé" in shown
    assert db.session.scalars(select(Trade.ticket)).all() == ["1"]


def test_a_name_is_changed_and_a_blank_one_refused(site: Flask, client_for: ClientFor) -> None:
    account, _ea = linked(site)
    student = client_for(account.user)

    assert student.post(f"/espace/metatrader/{account.id}/nom", data={"name": " "}).status_code == 422
    student.post(f"/espace/metatrader/{account.id}/nom", data={"name": "Démo <b>"})

    assert again(account).name == "Démo <b>"


def test_a_deletion_asks_for_the_name_and_takes_the_trades(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    student, page = client_for(account.user), f"/espace/metatrader/{account.id}/suppression"
    ea.sync(trade(1), trade(2))
    work()
    assert "2 lignes d’historique" in text_of(student, page)

    refused = student.post(page, data={"name": "autre"})
    assert refused.status_code == 422
    assert len(db.session.scalars(select(Trade)).all()) == 2
    done = student.post(page, data={"name": "compte réel"})

    assert done.headers["Location"].endswith("/espace/metatrader")
    db.session.expire_all()
    assert db.session.scalars(select(Trade)).all() == []
    assert db.session.scalars(select(TradingAccount)).all() == []
    assert "trading_account.deleted" in db.session.scalars(select(AuditEntry.action)).all()
    assert ea.post(ea.body(trade(3))).status_code == 401


def test_an_archived_account_comes_back_with_a_new_key_only(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    student, page = client_for(account.user), f"/espace/metatrader/{account.id}"
    student.post(f"{page}/archive")
    assert "Comptes archivés" in text_of(student, "/espace/metatrader")
    assert ea.post(ea.body()).status_code in (401, 403)
    assert "Révoquer toutes les clés" not in text_of(student, page)

    student.post(f"{page}/retablissement")

    assert again(account).archived_at is None
    assert ea.post(ea.body()).status_code == 401
    ea.key = trading_accounts.rotate(again(account))
    db.session.commit()
    ea.sync()


# ---- the broker's clock ------------------------------------------------------------------------------------------


def measured(ea: Terminal, moment: datetime, offset: int, clock: TimeMachineFixture, *trades: object) -> None:
    """The EA speaks at an instant, its server so many seconds ahead of UTC."""
    clock.move_to(moment, tick=False)
    ea.gmt = int(moment.timestamp())
    ea.sync(*trades, clock={"gmt": ea.gmt, "server": ea.gmt + offset, "server_age_s": 1})


def test_a_broker_on_european_summer_time_is_found_out_in_the_odd_weeks(
    site: Flask, time_machine: TimeMachineFixture
) -> None:
    account, ea = linked(site)
    winter = int(datetime(2026, 2, 10, 10, tzinfo=UTC).timestamp()) + 7200
    # 20 March: America is on summer time, Europe is not yet.
    march = int(datetime(2026, 3, 20, 10, tzinfo=UTC).timestamp()) + 7200
    measured(ea, datetime(2026, 2, 11, tzinfo=UTC), 7200, time_machine, trade(1, open_time=winter, close_time=winter))
    assert broker_clocks.of_account(again(account)) is None

    measured(ea, datetime(2026, 3, 20, 11, tzinfo=UTC), 7200, time_machine, trade(2, open_time=march, close_time=march))
    work()

    assert broker_clocks.of_account(again(account)) == "Europe/Helsinki"
    row = db.session.scalars(select(Trade).where(Trade.ticket == "2")).one()
    assert row.opened_at == datetime(2026, 3, 20, 10, tzinfo=UTC)
    # And in summer nothing moves: Helsinki explains three hours too.
    measured(ea, datetime(2026, 7, 1, tzinfo=UTC), 3 * 3600, time_machine)
    assert broker_clocks.of_account(again(account)) == "Europe/Helsinki"


def test_a_broker_without_summer_time_is_found_out_when_summer_comes(
    site: Flask, time_machine: TimeMachineFixture
) -> None:
    account, ea = linked(site)
    july = int(datetime(2025, 7, 10, 10, tzinfo=UTC).timestamp()) + 7200
    measured(
        ea,
        datetime(2026, 2, 11, tzinfo=UTC),
        7200,
        time_machine,
        trade(1, open_time=july, close_time=july + 60),
    )
    # Winter can't tell: read as most servers, an hour early.
    assert db.session.scalars(select(Trade.opened_at)).one() == datetime(2025, 7, 10, 9, tzinfo=UTC)

    measured(ea, datetime(2026, 7, 1, tzinfo=UTC), 7200, time_machine)
    work()

    assert broker_clocks.of_account(again(account)) == 7200
    row = db.session.scalars(select(Trade)).one()
    assert (row.opened_at, row.utc_offset_seconds) == (datetime(2025, 7, 10, 10, tzinfo=UTC), 7200)
    assert row.closed_at == datetime(2025, 7, 10, 10, 1, tzinfo=UTC)


def test_the_clock_of_the_pc_a_day_wrong_measures_nothing(site: Flask) -> None:
    account, ea = linked(site)
    ea.gmt = int((NOW - timedelta(days=1)).timestamp())

    ea.sync(trade(1), clock={"gmt": ea.gmt, "server": int(NOW.timestamp()) + OFFSET, "server_age_s": 1})

    assert again(account).clock_evidence == []
    assert db.session.scalars(select(Trade.opened_at)).one() == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_clock_set_by_hand_converts_all_trades_and_outlives_measures(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(trade(1), cash(2, "50", open_time=at(20, 9)))
    work()

    client_for(account.user).post(f"/espace/metatrader/{account.id}/heure", data={"broker_clock": "utc+0"})
    work()
    ea.sync(trade(3))
    work()

    found = {row.ticket: row for row in db.session.scalars(select(Trade))}
    assert found["1"].opened_at == found["3"].opened_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert found["2"].closed_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert again(account).dirty_from_at is None
    # Given back to the EA, all is as before.
    client_for(account.user).post(f"/espace/metatrader/{account.id}/heure", data={"broker_clock": ""})
    work()
    assert {row.opened_at.hour for row in db.session.scalars(select(Trade)) if row.ticket != "2"} == {10}


def test_an_unknown_clock_is_refused_beside_its_field(site: Flask, client_for: ClientFor) -> None:
    account, _ea = linked(site)

    answer = client_for(account.user).post(f"/espace/metatrader/{account.id}/heure", data={"broker_clock": "lune"})

    assert answer.status_code == 422


# ---- guide and kit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("platform", "extension", "root"), [("mt4", "mq4", "MQL4"), ("mt5", "mq5", "MQL5")])
def test_the_kit_holds_the_source_with_the_address_filled_in(
    client_for: ClientFor, platform: str, extension: str, root: str
) -> None:
    student = client_for(factories.student())

    answer = student.get(f"/espace/metatrader/kit-{platform}.zip")

    with zipfile.ZipFile(io.BytesIO(answer.data)) as kit:
        assert sorted(kit.namelist()) == ["LISEZ-MOI.txt", f"{root}/Experts/CalmnessFi_EA.{extension}"]
        source = kit.read(f"{root}/Experts/CalmnessFi_EA.{extension}").decode("utf-8-sig")
        assert "http://localhost/espace/metatrader" in kit.read("LISEZ-MOI.txt").decode("utf-8-sig")
    assert 'input string Adresse = "http://localhost";' in source
    assert ea_kit.PLACEHOLDER not in source
    single = student.get(f"/espace/metatrader/CalmnessFi_EA.{extension}")
    assert single.data.decode("utf-8-sig") == source


def test_the_guide_is_that_of_the_last_account_and_each_step_has_a_picture(client_for: ClientFor) -> None:
    user = factories.student()
    student = client_for(user)
    assert "MQL4" in text_of(student, "/espace/metatrader/installation")
    student.post("/espace/metatrader", data={"name": "MT5", "platform": "mt5", "currency": "EUR"})

    page = text_of(student, "/espace/metatrader/installation")

    assert "MQL5" in page
    assert page.count('<svg class="dialog-drawing"') == 6
    assert page.count('role="img" aria-label=') >= 6
    assert "MQL4" in text_of(student, "/espace/metatrader/installation?plateforme=mt4")
