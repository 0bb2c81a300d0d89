"""The traffic tab shows where visitors come from."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from calmness import clock
from calmness.extensions import db
from calmness.models.analytics import AnalyticsDimension
from tests import factories
from tests.fixtures.site import Browser


def visited(region: str, visitors: int) -> None:
    """Yesterday's visitors of a region."""
    day = clock.now().astimezone(clock.PARIS).date() - timedelta(days=1)
    totals = {"visitors": visitors, "visits": visitors, "views": visitors, "bounces": 0, "seconds": 0}
    db.session.add(AnalyticsDimension(day=day, dimension="region", value=region, **totals))


def test_regions_are_a_grid_of_squares_with_their_figures(site: Flask, client_for: Callable[..., Browser]) -> None:
    visited("BRE", 1234)
    visited("", 5)

    page = client_for(factories.admin()).get("/admin/analytics/trafic").get_data(as_text=True)

    assert "<title>Bretagne\u00a0: 1\u202f234</title>" in page
    assert "<title>Corse\u00a0: 0</title>" in page
    assert "Région inconnue" in page


def test_without_a_known_region_there_is_no_grid(site: Flask, client_for: Callable[..., Browser]) -> None:
    visited("", 5)

    page = client_for(factories.admin()).get("/admin/analytics/trafic").get_data(as_text=True)

    assert "18 régions" not in page
