"""Static files: one hash of the whole tree in the path, so that relative imports stay right and caching lasts a year.

``publish`` makes the tree that is served: one style sheet joined from ``css/manifest.txt`` (a copy, not a build),
everything else as it is, each with its ``.br`` and ``.gz`` twin.
"""

import fcntl
import gzip
import hashlib
import shutil
from pathlib import Path

import brotli
import click
from flask import Blueprint, Flask, Response, abort, current_app, redirect, send_from_directory
from flask.typing import ResponseReturnValue
from whitenoise import WhiteNoise

from calmness.access import public

SOURCE = Path(__file__).resolve().parent / "static"
COMPRESSED = frozenset({".css", ".js", ".svg", ".json", ".webmanifest", ".txt", ".html"})
YEAR_SECONDS = 31_536_000

bp = Blueprint("static", __name__)


def init_app(app: Flask) -> None:
    """Serve the tree: published through WhiteNoise, or straight from the sources in development and tests."""
    digest = tree_hash()
    app.extensions["static_hash"] = digest
    app.jinja_env.globals["asset"] = lambda path: f"/static/{digest}/{path}"
    app.register_blueprint(bp)
    app.cli.add_command(publish_command)
    if app.config["ENVIRONMENT"] in {"production", "demo"}:
        root = publish(app.config["INSTANCE_DIR"])
        served = WhiteNoise(app.wsgi_app, max_age=YEAR_SECONDS, immutable_file_test=lambda _path, _url: True)
        served.add_files(str(root), prefix=f"static/{digest}/")
        app.wsgi_app = served  # type: ignore[method-assign]


def tree_hash() -> str:
    """Twelve hexadecimal digits that change with any static file."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(SOURCE)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def style_sheet() -> str:
    """The one style sheet, joined in the order of the manifest."""
    parts: list[str] = []
    for line in (SOURCE / "css" / "manifest.txt").read_text().split():
        paths = sorted((SOURCE / "css").glob(line))
        parts += [path.read_text() for path in paths]
    return "\n".join(parts)


def publish(instance: Path) -> Path:
    """Write the served tree under ``instance/static/<hash>``, once, and give its folder. Older trees are removed
    but the newest other one: pages of the release before may still be open.

    Web, worker and clock start together after an update: one of them writes, the others wait for it.
    """
    root = instance / "static"
    target = root / tree_hash()
    if (target / ".complete").exists():
        return target
    root.mkdir(parents=True, exist_ok=True)
    with (instance / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / ".complete").exists():
            _write(target)
    return target


def _write(target: Path) -> None:
    root = target.parent
    building = root / f".{target.name}"
    shutil.rmtree(building, ignore_errors=True)
    shutil.copytree(SOURCE, building, ignore=shutil.ignore_patterns("css"))
    (building / "css").mkdir()
    # Fonts and pictures are named relative to css/, whatever file of css/ named them.
    (building / "css" / "app.css").write_text(style_sheet())
    for path in list(building.rglob("*")):
        if path.is_file() and path.suffix in COMPRESSED:
            content = path.read_bytes()
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
            path.with_name(path.name + ".br").write_bytes(brotli.compress(content, quality=11))
    (building / ".complete").touch()
    shutil.rmtree(target, ignore_errors=True)
    building.rename(target)
    others = sorted((path for path in root.iterdir() if path != target), key=lambda path: path.stat().st_mtime)
    for old in others[:-1]:
        shutil.rmtree(old, ignore_errors=True)


@bp.get("/static/<digest>/<path:filename>")
@public
def file(digest: str, filename: str) -> ResponseReturnValue:
    """A static file; an address of an older release leads to the current one."""
    current = current_app.extensions["static_hash"]
    if digest != current:
        return redirect(f"/static/{current}/{filename}")
    if filename == "css/app.css":
        return Response(style_sheet(), mimetype="text/css")
    if not (SOURCE / filename).is_file():
        abort(404)
    return send_from_directory(SOURCE, filename)


@click.command("publish-static")
def publish_command() -> None:
    """Write the compressed tree that web servers hand out."""
    click.echo(publish(current_app.config["INSTANCE_DIR"]))
