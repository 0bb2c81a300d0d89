"""Signs what a client keeps for us and gives back: readable by it, changed by nobody."""

from flask import current_app
from itsdangerous import URLSafeSerializer


def signer(salt: str) -> URLSafeSerializer:
    """Signs for one purpose, named by ``salt``; what an earlier ``SECRET_KEY`` signed is still read."""
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]
    return URLSafeSerializer(keys, salt=salt)
