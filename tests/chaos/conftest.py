"""A house that is broken on purpose: not the one that other tests live in."""

from collections.abc import Iterator

import pytest
from flask import Flask
from socketio import Server as SocketServer

from tests.fakes.providers import Providers
from tests.fixtures.live import House, application_of, house_with, opened
from tests.fixtures.servers import Mailbox


@pytest.fixture(scope="session")
def live_house(
    tmp_path_factory: pytest.TempPathFactory, _smtp_server: Mailbox, _provider_servers: Providers
) -> Iterator[House]:
    """Its own processes, database and Redis. ``live_site`` builds on it."""
    yield from opened(house_with(tmp_path_factory, _smtp_server, _provider_servers))


@pytest.fixture(scope="session")
def _live_application(live_house: House) -> tuple[Flask, SocketServer]:
    return application_of(live_house)
