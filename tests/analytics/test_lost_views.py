"""Views that Redis lost are counted by the gap that they leave in their process's numbers."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from calmness.jobs.analytics import ingest
from calmness.services.analytics import analytics_ingest
from calmness.tracker import STREAM, Tracker
from tests.fixtures.site import Browser

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def reader(site: Flask, visitor: FlaskClient) -> FlaskClient:
    """A browser that says that it is one, and a process that has just started."""
    site.extensions["tracker"] = Tracker(site.config["REDIS_URL"])
    assert isinstance(visitor, Browser)
    visitor.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    return visitor


def test_nothing_is_lost_when_all_is_read(site: Flask, reader: FlaskClient) -> None:
    for _ in range(3):
        reader.get("/tarifs").close()

    ingest()

    assert analytics_ingest.lost_views() == 0


def test_views_gone_with_an_emptied_redis_are_counted(site: Flask, reader: FlaskClient, redis: Redis) -> None:
    reader.get("/tarifs").close()
    ingest()
    for _ in range(4):
        reader.get("/tarifs").close()
    redis.flushall()
    reader.get("/tarifs").close()

    ingest()

    assert analytics_ingest.lost_views() == 4


def test_a_batch_read_twice_counts_once(site: Flask, reader: FlaskClient, redis: Redis) -> None:
    for _ in range(2):
        reader.get("/tarifs").close()
    entries: Any = redis.xrange(STREAM)
    hits = [hit for key, fields in entries if (hit := analytics_ingest.parse(key, fields["j"])) is not None]

    added = [analytics_ingest.take(hits, PARIS) for _ in range(2)]

    assert added == [2, 0]
    assert analytics_ingest.lost_views() == 0


def test_the_figure_is_among_the_metrics(site: Flask, reader: FlaskClient, redis: Redis) -> None:
    reader.get("/tarifs").close()
    redis.flushall()
    reader.get("/tarifs").close()
    ingest()

    assert "calmness_views_lost 1.0" in reader.get("/metrics").text
