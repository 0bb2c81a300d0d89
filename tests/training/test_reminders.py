"""Reminders are rows, one a person, channel and offset; each leaves once, or not at all when it lost its reason."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.jobs.housekeeping import sweep
from calmness.jobs.training import keep_calendar
from calmness.models.account import Channel, User
from calmness.models.delivery import Delivery
from calmness.models.training import AdminFormationSession, EnrollmentStatus, UserFormationEnrollment
from calmness.services.account import preferences
from calmness.services.account.preferences import NoticeKind
from calmness.services.training import reminders, schedules
from tests import factories
from tests.fakes.providers import Providers
from tests.fixtures.servers import Mailbox
from tests.training import school

START = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
LONG_BEFORE = START - timedelta(days=3)


@pytest.fixture(autouse=True)
def _clock(site: Flask, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(LONG_BEFORE, tick=False)


def planned() -> list[tuple[str, int]]:
    """Channel and minutes before the start of each reminder, in order of time."""
    rows = db.session.scalars(
        select(Delivery).where(Delivery.kind == "training.reminder").order_by(Delivery.due_at, Delivery.channel)
    )
    return [(row.channel.value, int((START - row.due_at).total_seconds() // 60)) for row in rows]


def states() -> Counter[str]:
    db.session.expire_all()
    rows = db.session.scalars(select(Delivery.state).where(Delivery.kind == "training.reminder"))
    return Counter(state.value for state in rows)


def a_session_with(**person: str) -> tuple[AdminFormationSession, User]:
    course = school.formation()
    session = school.session_of(course, START)
    user = factories.student(**person)
    return session, user


def enrol(session: AdminFormationSession, user: User) -> None:
    place = UserFormationEnrollment(
        user_id=user.id, formation_id=session.formation_id, status=EnrollmentStatus.ACTIVE, enrolled_at=LONG_BEFORE
    )
    db.session.add(place)
    db.session.flush()
    reminders.plan_for_enrollment(place)
    db.session.commit()


def pass_to(moment: datetime, time_machine: TimeMachineFixture) -> None:
    """The hands move, the clock's jobs run, the lanes are drained: twice, as a worker too many would."""
    time_machine.move_to(moment, tick=False)
    sweep()
    keep_calendar()
    drain_everything()
    drain_everything()


def test_each_chosen_channel_gets_each_reminder_once(
    time_machine: TimeMachineFixture, mailbox: Mailbox, providers: Providers
) -> None:
    session, user = a_session_with(email="Camille.Moreau@Example.test")
    school.on_telegram(user)
    enrol(session, user)

    assert planned() == [
        ("email", 1440),
        ("telegram", 1440),
        ("email", 60),
        ("telegram", 60),
        ("email", 10),
        ("telegram", 10),
    ]
    for minutes in (1440, 60, 10, -30):
        pass_to(START - timedelta(minutes=minutes), time_machine)

    mails = mailbox.to("Camille.Moreau@Example.test")
    assert [mail["Subject"] for mail in mails] == [
        "Lire un carnet d’ordres\u00a0: demain",
        "Lire un carnet d’ordres\u00a0: dans 1\u00a0h",
        "Lire un carnet d’ordres\u00a0: dans 10\u00a0min",
    ]
    texts = [message["text"] for message in providers.telegram.to(4242)]
    assert len(texts) == 3
    assert "Jeudi 26\u00a0novembre à 19\u00a0h\u00a000 (heure de Paris), avec Inès Caron" in texts[0]
    assert texts[0].endswith(f"/espace/seances/{session.id}/rejoindre")
    assert states() == {"sent": 6}


def test_no_message_holds_the_room_s_own_link(
    time_machine: TimeMachineFixture, mailbox: Mailbox, providers: Providers
) -> None:
    session, user = a_session_with()
    school.on_telegram(user)
    enrol(session, user)

    pass_to(START - timedelta(minutes=10), time_machine)

    sent = "".join(str(mail) for mail in mailbox.messages) + str(providers.telegram.sent)
    assert "/rejoindre" in sent
    assert "zoom.us" not in sent


def test_a_channel_that_was_not_chosen_gets_nothing(site: Flask) -> None:
    session, user = a_session_with()
    school.on_telegram(user)
    preferences.set_notice(user.id, NoticeKind.SESSION, Channel.EMAIL, False)
    enrol(session, user)

    assert {channel for channel, _minutes in planned()} == {"telegram"}


def test_a_channel_given_up_after_planning_gets_nothing(
    time_machine: TimeMachineFixture, mailbox: Mailbox, providers: Providers
) -> None:
    session, user = a_session_with()
    school.on_telegram(user)
    enrol(session, user)
    preferences.set_notice(user.id, NoticeKind.SESSION, Channel.EMAIL, False)
    db.session.commit()

    pass_to(START - timedelta(minutes=60), time_machine)

    assert mailbox.messages == []
    assert len(providers.telegram.sent) == 1


def test_a_channel_added_after_planning_is_planned_by_the_clock(site: Flask) -> None:
    session, user = a_session_with()
    enrol(session, user)

    school.on_telegram(user)
    keep_calendar()
    before = planned()
    keep_calendar()

    assert ("telegram", 10) in before
    assert planned() == before


def test_who_enrols_late_gets_only_what_lies_ahead(site: Flask, time_machine: TimeMachineFixture) -> None:
    session, user = a_session_with()
    time_machine.move_to(START - timedelta(minutes=30), tick=False)

    enrol(session, user)
    keep_calendar()

    assert planned() == [("email", 10)]


def test_after_downtime_only_what_still_makes_sense_leaves(time_machine: TimeMachineFixture, mailbox: Mailbox) -> None:
    session, user = a_session_with()
    enrol(session, user)

    # Down from before the first reminder until forty minutes before the start.
    pass_to(START - timedelta(minutes=40), time_machine)

    assert [mail["Subject"] for mail in mailbox.messages] == ["Lire un carnet d’ordres\u00a0: dans 40\u00a0min"]
    assert states() == {"expired": 1, "sent": 1, "pending": 1}


def test_after_a_long_downtime_nothing_is_told_of_what_is_over(
    time_machine: TimeMachineFixture, mailbox: Mailbox
) -> None:
    session, user = a_session_with()
    enrol(session, user)

    pass_to(START + timedelta(hours=5), time_machine)

    assert mailbox.messages == []
    assert states() == {"expired": 3}


def test_mail_that_could_not_leave_leaves_later_once(time_machine: TimeMachineFixture, mailbox: Mailbox) -> None:
    session, user = a_session_with()
    enrol(session, user)
    mailbox.refuse = "451 later"
    pass_to(START - timedelta(hours=24), time_machine)
    mailbox.refuse = None

    pass_to(START - timedelta(hours=23), time_machine)

    assert len(mailbox.messages) == 1
    assert states()["sent"] == 1


def test_a_moved_session_leaves_its_old_reminders_behind(time_machine: TimeMachineFixture, mailbox: Mailbox) -> None:
    session, user = a_session_with()
    enrol(session, user)

    schedules.move(session.id, school.wall("2026-11-27 20:00"), 120, by=factories.admin())
    db.session.commit()
    for minutes in (1440, 60, 10):
        pass_to(START - timedelta(minutes=minutes), time_machine)
    at_the_old_hour = [mail["Subject"] for mail in mailbox.messages if "carnet d’ordres\u00a0:" in mail["Subject"]]
    pass_to(START + timedelta(hours=1), time_machine)
    pass_to(START + timedelta(hours=24), time_machine)

    assert at_the_old_hour == []
    assert [mail["Subject"] for mail in mailbox.messages] == [
        "Séance déplacée\u00a0: Lire un carnet d’ordres",
        "Lire un carnet d’ordres\u00a0: demain",
        "Lire un carnet d’ordres\u00a0: dans 1\u00a0h",
    ]
    assert states() == {"superseded": 3, "sent": 2, "pending": 1}


def test_a_cancelled_session_reminds_nobody(time_machine: TimeMachineFixture, mailbox: Mailbox) -> None:
    session, user = a_session_with()
    enrol(session, user)

    schedules.cancel(session.id, "Formatrice souffrante", by=factories.admin())
    db.session.commit()
    for minutes in (1440, 60, 10):
        pass_to(START - timedelta(minutes=minutes), time_machine)

    assert [mail["Subject"] for mail in mailbox.messages] == ["Séance annulée\u00a0: Lire un carnet d’ordres"]
    assert states() == {"cancelled": 3}


def test_a_reminder_already_claimed_looks_again_before_it_leaves(
    time_machine: TimeMachineFixture, mailbox: Mailbox
) -> None:
    session, user = a_session_with()
    enrol(session, user)
    # The session changed while a worker held the row: nobody could cancel it any more.
    session.seq += 1
    db.session.commit()

    time_machine.move_to(START - timedelta(minutes=60), tick=False)
    drain_everything()

    assert mailbox.messages == []
    assert states() == {"skipped": 1, "expired": 1, "pending": 1}


def test_who_left_the_formation_is_left_in_peace(time_machine: TimeMachineFixture, mailbox: Mailbox) -> None:
    session, user = a_session_with()
    enrol(session, user)
    db.session.scalars(select(UserFormationEnrollment)).one().status = EnrollmentStatus.WITHDRAWN
    db.session.commit()

    pass_to(START - timedelta(minutes=60), time_machine)

    assert mailbox.messages == []


def test_a_series_own_offsets_are_used_and_never_overlap(site: Flask) -> None:
    course = school.formation()
    school.enrolled(course)
    schedule = school.programmed(course, school.wall("2026-11-26 19:00"), count=1)
    db.session.query(Delivery).delete()
    schedule.reminder_offsets = [30, 2880, 15]
    (session,) = schedules.of_schedule(schedule.id)

    reminders.plan_for_session(session)

    rows = db.session.execute(
        select(Delivery.due_at, Delivery.expires_at)
        .where(Delivery.kind == "training.reminder")
        .order_by(Delivery.due_at)
    ).all()
    minutes = [tuple(int((START - moment).total_seconds() // 60) for moment in row) for row in rows]
    assert minutes == [(2880, 120), (30, 15), (15, -5)]


def test_the_reader_s_own_zone_is_used(time_machine: TimeMachineFixture, mailbox: Mailbox) -> None:
    session, user = a_session_with()
    user.time_zone = "America/Martinique"
    enrol(session, user)

    pass_to(START - timedelta(minutes=10), time_machine)

    text = mailbox.messages[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "jeudi 26\u00a0novembre à 14\u00a0h\u00a000 (heure de Martinique)" in text
