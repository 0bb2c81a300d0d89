"""Where files rest (PDF, attachments): one door, a local folder today. Keys are random or content-derived names."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from flask import Flask, current_app

from calmness import transaction_end

_KEY = re.compile(r"^[a-z]+/[A-Za-z0-9._-]{1,100}$")


class FileStore:
    """Files by key, such as ``invoices/3f0c.pdf``. Writing is atomic: a reader sees the whole file or none."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: bytes) -> str:
        """Store and give the SHA-256 in hexadecimal. Storing the same key again replaces it at once."""
        with self.writing(key) as handle:
            handle.write(content)
        return hashlib.sha256(content).hexdigest()

    @contextmanager
    def writing(self, key: str) -> Iterator[BinaryIO]:
        """A handle to write a large file piece by piece; it appears under its key when the block ends well."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with temporary.open("wb") as handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def open(self, key: str) -> BinaryIO:
        """A handle to read a file. Raises FileNotFoundError."""
        return self._path(key).open("rb")

    def size(self, key: str) -> int:
        """Size of a file in bytes. Raises FileNotFoundError."""
        return self._path(key).stat().st_size

    def get(self, key: str) -> bytes:
        """Content of a file. Raises FileNotFoundError."""
        return self._path(key).read_bytes()

    def delete(self, key: str) -> None:
        """Remove a file; harmless when it is gone already."""
        self._path(key).unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        """Whether the file is there."""
        return self._path(key).is_file()

    def _path(self, key: str) -> Path:
        if not _KEY.match(key):
            raise ValueError("malformed file key")
        return self._root / key


def init_app(app: Flask) -> None:
    """Open the store in ``FILES_DIR``."""
    app.extensions["files"] = FileStore(app.config["FILES_DIR"])


def store() -> FileStore:
    """Store of the current application."""
    files: FileStore = current_app.extensions["files"]
    return files


def delete_after_commit(*keys: str | None) -> None:
    """Remove files once the current transaction is committed; what rolls back keeps them."""
    for key in filter(None, keys):
        transaction_end.after_commit("files", partial(store().delete, key))
