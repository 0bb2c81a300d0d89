"""Compiled templates, kept beside the data: after a restart a page is not slow because it is the first of its kind.

Compiling all of them takes seconds of the processor, reading them back a fifteenth of one. Jinja names each by its
path and compares the source's hash, so an update is seen.
"""

from contextlib import suppress

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class _Kept(FileSystemBytecodeCache):
    def dump_bytecode(self, bucket: Bucket) -> None:
        # A full disk costs time, not the page.
        with suppress(OSError):
            super().dump_bytecode(bucket)


def init_app(app: Flask) -> None:
    """Keep them under ``instance/templates``, for this user alone: what lies there is run."""
    folder = app.config["INSTANCE_DIR"] / "templates"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = _Kept(str(folder))
