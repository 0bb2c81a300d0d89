"""How far those who came in the period have come since, as the owner reads it."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.catalogue import Offer
from calmness.models.training import AttendanceStatus
from calmness.services.billing import purchases
from calmness.services.training import attendance, enrollments
from tests import factories
from tests.billing import shop
from tests.fixtures.site import Browser
from tests.training import school

LINE = re.compile(
    r'funnel__words"><span>([^<]+)</span> <strong>([^<]+)</strong>(?:(?!</li>).)*?funnel__bar" width="([\d.]+)"', re.S
)


def newcomer(**values: object) -> User:
    return factories.student(created_at=clock.now() - timedelta(days=3), **values)


def bought(user: User, offer: Offer, number: str) -> None:
    """Paid and validated."""
    payment = shop.submitted(user, offer, number)
    purchases.validate_payment(payment.id, number, by=factories.agent())


def test_each_step_counts_the_people_of_the_period_alone(site: Flask, client_for: Callable[..., Browser]) -> None:
    shop.identity()
    offer = shop.signals_offer()
    newcomer(email_verified_at=None)
    newcomer()
    shop.submitted(newcomer(), offer, "VIR-WAITS")
    present, absent, before = newcomer(), newcomer(), factories.student(created_at=clock.now() - timedelta(days=50))
    course = school.formation()
    session = school.session_of(course, clock.now() - timedelta(hours=5))
    db.session.flush()
    for number, user in enumerate((present, absent, before)):
        bought(user, offer, f"VIR-{number}")
        enrollments.enroll(user.id, course.id, None, clock.now() - timedelta(days=1))
        status = AttendanceStatus.ABSENT if user is absent else AttendanceStatus.PRESENT
        attendance.mark(session.id, user.id, status, by=factories.agent())
    db.session.commit()

    page = client_for(factories.admin()).get("/admin/analytics/conversions?periode=30d").text

    assert LINE.findall(page) == [
        ("Inscrits", "5", "100.0"),
        ("E-mail confirmé", "4", "80.0"),
        ("Commande", "3", "60.0"),
        ("Paiement validé", "2", "40.0"),
        ("Présent à une séance", "1", "20.0"),
    ]
    assert re.search(r"<span>Visiteurs</span> <strong>0</strong></span>\s*<span", page), "another unit has no bar"
