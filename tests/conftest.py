"""What every test may ask for. The fixtures themselves live in ``tests/fixtures`` and ``tests/fakes``."""

import gc
import os
import re
from pathlib import Path
from typing import Any

os.environ.setdefault("CALMNESS_ENV", "testing")

import pytest
from hypothesis import settings

from tests.fakes.providers import _provider_servers, providers
from tests.fixtures import postgresql
from tests.fixtures.browser import axe, browser_context, chromium, page
from tests.fixtures.databases import SERVER_URL, database, postgresql_server, wanted
from tests.fixtures.header import describe
from tests.fixtures.live import _live_application, live_house, live_site
from tests.fixtures.servers import _smtp_server, mailbox, redis, redis_url
from tests.fixtures.site import _application, client_for, limited, site, socket_for, visitor

__all__ = [
    "_application",
    "_live_application",
    "_provider_servers",
    "_smtp_server",
    "axe",
    "browser_context",
    "chromium",
    "client_for",
    "database",
    "limited",
    "live_house",
    "live_site",
    "mailbox",
    "page",
    "postgresql_server",
    "providers",
    "redis",
    "redis_url",
    "site",
    "socket_for",
    "visitor",
]

# On a busy machine any example may take long; a limit of time says nothing of the code.
settings.register_profile("calmness", deadline=None)
settings.load_profile("calmness")

DATABASE_IN_ID = re.compile(r"[\[-](sqlite|postgresql)[\]-]")
ON_BOTH_IN_ONE_PROCESS = {"tests/api/test_contract.py"}
"""Files whose preparation in a process costs more than another application."""
_SERVER = pytest.StashKey[postgresql.Server]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's PostgreSQL once, in the process that the person started."""
    if hasattr(config, "workerinput"):
        config.stash[SERVER_URL] = config.workerinput["postgresql_url"]
        return
    config.stash[SERVER_URL] = ""
    if "postgresql" in wanted() and not config.option.collectonly:
        try:
            config.stash[_SERVER] = postgresql.start()
        except postgresql.NoPostgresql as error:
            raise pytest.UsageError(str(error)) from error
        config.stash[SERVER_URL] = config.stash[_SERVER].url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop it."""
    server = config.stash.get(_SERVER, None)
    if server is not None:
        server.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each xdist worker where it is."""
    node.workerinput["postgresql_url"] = node.config.stash[SERVER_URL]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole files, and of each the tests on one database together: a change costs a new application."""
    from xdist.scheduler import LoadScopeScheduling

    # The order of ``pytest_collection_modifyitems``, not the files with the most tests first.
    config.option.loadscopereorder = False

    class ByFileAndDatabase(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, found = nodeid.split("::", 1)[0], DATABASE_IN_ID.search(nodeid)
            return f"{found.group(1)} {file}" if found and file not in ON_BOTH_IN_ONE_PROCESS else file

    return ByFileAndDatabase(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole houses first: a walk of minutes that comes last would keep one process busy while the other waits."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("live", "browser")))


def pytest_collection_finish() -> None:
    """Modules and items stay to the end: no search for garbage in the tests needs to walk over them."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what touches the database on each database asked for."""
    if "database" in metafunc.fixturenames:
        names = wanted()
        if metafunc.definition.get_closest_marker("once") is not None and "sqlite" in names:
            names = ["sqlite"]
        metafunc.parametrize("database", names, indirect=True, scope="session")


def pytest_report_header(config: pytest.Config) -> str:
    """Say in one line what the tests run on."""
    return describe(config.stash.get(_SERVER, None))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what really ran on PostgreSQL."""
    if report.when == "call" and "postgresql" in DATABASE_IN_ID.findall(report.nodeid):
        Counted.on_postgresql += 1


class Counted:
    """Figures of this run, in the process that the person started."""

    on_postgresql = 0


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run that was to prove PostgreSQL and touched it with no test has failed."""
    config = session.config
    if hasattr(config, "workerinput") or "postgresql" not in wanted() or config.option.collectonly:
        return
    asked_for_all = config.args == [str(Path(arg)) for arg in config.getini("testpaths")]
    if exitstatus == 0 and asked_for_all and Counted.on_postgresql == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Repeat at the end what it ran on, where a person who scrolls nothing sees it."""
    terminalreporter.write_line(describe(config.stash.get(_SERVER, None)))
    if "postgresql" in wanted():
        terminalreporter.write_line(f"{Counted.on_postgresql} tests ran on PostgreSQL")


@pytest.fixture(autouse=True)
def _no_outward_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of the person who runs it."""
    for name in ("DATABASE_URL", "REDIS_URL", "MAIL_SERVER", "INSTANCE_DIR", "BASE_URL", "PORT", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
