"""Settings of the children: what the person set, then .env, then what this checkout made for itself once."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 8000


class BadSettings(Exception):
    """A setting that no child could start with; the sentence is for the person."""


@dataclass(frozen=True)
class Paths:
    """Where things are. All that is written lies under ``instance``."""

    checkout: Path
    instance: Path

    @property
    def run(self) -> Path:
        """Pids, lock, stamps of the running house."""
        return self.instance / "run"

    @property
    def children(self) -> Path:
        """One record for each child, for the next start should this one be killed."""
        return self.run / "children"

    @property
    def redis(self) -> Path:
        """Data of our Redis."""
        return self.instance / "redis"

    @property
    def keys(self) -> Path:
        """Secrets that were made here once, readable by their owner only."""
        return self.instance / "keys.json"

    @property
    def migrated_stamp(self) -> Path:
        """Says which database saw which migrations."""
        return self.run / "migrated.json"

    @property
    def demo_stamp(self) -> Path:
        """Says into which database the demo went."""
        return self.instance / "demo-loaded.json"

    @property
    def database(self) -> Path:
        """The database unless DATABASE_URL says otherwise."""
        return self.instance / "calmness.db"


def paths(checkout: Path, environ: dict[str, str]) -> Paths:
    """Find the instance folder and make it, closed to other users of the machine."""
    instance = Path(environ.get("INSTANCE_DIR") or checkout / "instance").absolute()
    try:
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        (instance / "run" / "children").mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(f"The folder {instance} cannot be written: {error.strerror}.") from error
    return Paths(checkout=checkout, instance=instance)


def given(checkout: Path) -> dict[str, str]:
    """What the person set: the process's environment over .env."""
    return {**_dotenv(checkout / ".env"), **os.environ}


def port(environ: dict[str, str]) -> int:
    """Port of the pages."""
    text = environ.get("PORT") or str(DEFAULT_PORT)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise BadSettings(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def for_children(environ: dict[str, str], where: Paths, redis_url: str) -> dict[str, str]:
    """Complete the settings with ours: keys, addresses, all that keeps a child inside the checkout."""
    web_port = port(environ)
    ours = {
        **_keys(where.keys),
        "CALMNESS_ENV": "demo",
        "INSTANCE_DIR": str(where.instance),
        "DATABASE_URL": f"sqlite:///{where.database}",
        "PORT": str(web_port),
        "BASE_URL": f"http://127.0.0.1:{web_port}",
    }
    fixed = {
        "REDIS_URL": redis_url,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": environ.get("PYTHONDONTWRITEBYTECODE", ""),
        "FLASK_SKIP_DOTENV": "1",
    }
    return {**ours, **{name: value for name, value in environ.items() if value or name not in ours}, **fixed}


def _keys(file: Path) -> dict[str, str]:
    """Signing keys of this checkout. Lost keys cost every visitor the session, so they are made once."""
    if not file.exists():
        made = {"SECRET_KEY": secrets.token_urlsafe(48), "JWT_KEYS": f"first:{secrets.token_urlsafe(48)}"}
        _write_keys(file, made)
    try:
        keys = json.loads(file.read_text())
        if "DATA_KEYS" not in keys:
            # A checkout from before this key existed keeps its sessions.
            keys["DATA_KEYS"] = f"first:{secrets.token_urlsafe(48)}"
            _write_keys(file, keys)
        return {name: keys[name] for name in ("SECRET_KEY", "JWT_KEYS", "DATA_KEYS")}
    except (ValueError, KeyError, TypeError) as error:
        raise BadSettings(f"{file} is damaged: remove it and start again (everybody logs in once more).") from error


def _write_keys(file: Path, keys: dict[str, str]) -> None:
    draft = file.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(keys))
    draft.replace(file)


def _dotenv(file: Path) -> dict[str, str]:
    """Simple KEY=VALUE lines; the product itself reads the file with python-dotenv."""
    values = {}
    if file.exists():
        for line in file.read_text().splitlines():
            name, separator, value = line.removeprefix("export ").partition("=")
            if separator and not name.lstrip().startswith("#"):
                values[name.strip()] = value.strip().strip("'\"")
    return values
