"""Where to go after a form: only to pages of this site."""

import re

from flask import request

_LOCAL = re.compile(r"^/(?![/\\])[^\\\x00-\x20]*$")


def safe_next(default: str) -> str:
    """The ``next`` of the request when it is a path of this site, else the default."""
    wanted = request.values.get("next", "")
    return wanted if _LOCAL.match(wanted) else default
