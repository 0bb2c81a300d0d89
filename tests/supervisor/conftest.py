"""Houses of their own: copies of the product in a folder with a name that breaks careless scripts."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor.processes import free_port
from tests.fixtures.databases import ROOT, sqlite_template
from tests.fixtures.live import House
from tests.fixtures.once import shared_folder

PRODUCT = ("calmness", "supervisor", "migrations", "config.py", "wsgi.py", "worker.py", "gunicorn.conf.py")


@pytest.fixture
def new_house(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], House]]:
    """Makes a checkout with its own instance folder; closes what a test leaves open."""
    made: list[House] = []
    template = sqlite_template(shared_folder(tmp_path_factory))

    def make(name: str = "Élève d'été; $maison") -> House:
        checkout = tmp_path / name
        for part in PRODUCT:
            source, target = ROOT / part, checkout / part
            if source.is_dir():
                # With what is compiled already, but for a file that another process is writing now.
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.pyc.*"), dirs_exist_ok=True)
            else:
                shutil.copyfile(source, target)
        instance = checkout / "instance"
        instance.mkdir()
        shutil.copyfile(template, instance / "calmness.db")
        made.append(House(checkout, instance, free_port()))
        return made[-1]

    yield make
    for house in made:
        if house.process is not None:
            house.close()
