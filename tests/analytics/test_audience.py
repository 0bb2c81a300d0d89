"""Who the audience is, of those who agreed to say."""

import re
from collections.abc import Callable

from flask import Flask

from calmness.extensions import db
from calmness.models.account import AgeBracket
from tests import factories
from tests.fixtures.site import Browser


def test_ages_stand_in_their_order_and_small_groups_nowhere(site: Flask, client_for: Callable[..., Browser]) -> None:
    for bracket, people in (
        (AgeBracket.FROM_65, 7),
        (AgeBracket.FROM_25, 9),
        (AgeBracket.FROM_18, 5),
        (AgeBracket.FROM_45, 4),
    ):
        for _person in range(people):
            factories.student(age_bracket=bracket)
    db.session.commit()

    page = client_for(factories.admin()).get("/admin/analytics/conversions").text

    assert re.findall(r"<span>(\d\d[^<]* ans[^<]*)</span>", page) == ["18–24 ans", "25–34 ans", "65 ans et plus"]
