"""Templates are compiled once, not by each program that starts."""

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import Environment

from calmness import compiled_templates

PAGE = "hello.html"


def started(instance: Path, pages: Path) -> Flask:
    """A program that has just started."""
    app = Flask(__name__, template_folder=str(pages))
    app.config["INSTANCE_DIR"] = instance
    compiled_templates.init_app(app)
    return app


def said(app: Flask) -> str:
    return app.jinja_env.get_template(PAGE).render(name="Éva")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / PAGE).write_text("Bonjour {{ name }}")
    return folder


def test_a_second_start_compiles_nothing(tmp_path: Path, pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(started(tmp_path, pages)) == "Bonjour Éva"
    assert stat.S_IMODE((tmp_path / "templates").stat().st_mode) == 0o700

    def refuse(*_arguments: Any, **_options: Any) -> None:
        pytest.fail("compiled again")

    monkeypatch.setattr(Environment, "compile", refuse)
    assert said(started(tmp_path, pages)) == "Bonjour Éva"


def test_an_update_is_seen(tmp_path: Path, pages: Path) -> None:
    assert said(started(tmp_path, pages)) == "Bonjour Éva"
    (pages / PAGE).write_text("Bonsoir {{ name }}")
    assert said(started(tmp_path, pages)) == "Bonsoir Éva"


def test_without_a_place_to_keep_them_pages_still_come(tmp_path: Path, pages: Path) -> None:
    app = started(tmp_path, pages)
    shutil.rmtree(tmp_path / "templates")
    assert said(app) == "Bonjour Éva"
