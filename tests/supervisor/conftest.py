"""Houses of their own: copies of the product in a folder with a name that breaks careless scripts."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from supervisor.processes import free_port
from tests.fixtures.databases import ROOT, sqlite_template
from tests.fixtures.live import House
from tests.fixtures.once import shared_folder

PRODUCT = ("calmness", "supervisor", "migrations", "config.py", "wsgi.py", "worker.py", "gunicorn.conf.py")


@dataclass
class Builder:
    """Makes checkouts with their own instance folders."""

    folder: Path
    template: Path
    made: list[House] = field(default_factory=list)

    def make(self, name: str = "Élève d'été; $maison", *, stamped: bool = True) -> House:
        """A house that is not open yet."""
        checkout = self.folder / name
        for part in PRODUCT:
            source, target = ROOT / part, checkout / part
            if source.is_dir():
                # With what is compiled already, but for a file that another process is writing now.
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.pyc.*"), dirs_exist_ok=True)
            else:
                shutil.copyfile(source, target)
        instance = checkout / "instance"
        instance.mkdir()
        self.made.append(House(checkout, instance, free_port()))
        self.made[-1].furnish(self.template, stamped=stamped)
        return self.made[-1]

    def close(self) -> None:
        """Close what a test leaves open."""
        for house in self.made:
            if house.process is not None:
                house.close()


@pytest.fixture
def new_house(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., House]]:
    """Makes houses that a test has for itself."""
    builder = Builder(tmp_path, sqlite_template(shared_folder(tmp_path_factory)))
    yield builder.make
    builder.close()


@pytest.fixture(scope="module")
def _shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    builder = Builder(tmp_path_factory.mktemp("shared"), sqlite_template(shared_folder(tmp_path_factory)))
    house = builder.make()
    # Nobody takes its mail: what a test lets it send stays in hand.
    house.environment["MAIL_SERVER"], house.environment["MAIL_PORT"] = "127.0.0.1", "9"
    yield house
    builder.close()


@pytest.fixture
def house(_shared_house: House) -> House:
    """An open house for tests that leave it whole, open or closed: each start costs three programs."""
    if _shared_house.process is None or _shared_house.process.poll() is not None:
        _shared_house.open()
    return _shared_house
