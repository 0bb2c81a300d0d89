"""Calls of providers, each verified by its signature on the raw body before anything is read."""

import hmac

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from calmness.access import requires_signature
from calmness.errors import Forbidden
from calmness.extensions import db
from calmness.services import inbound

bp = Blueprint("hooks", __name__, url_prefix="/hooks")


@bp.post("/telegram")
@requires_signature("telegram")
def telegram() -> ResponseReturnValue:
    """Updates of the school's bot. A repeated update changes nothing."""
    secret = current_app.config["TELEGRAM_WEBHOOK_SECRET"]
    offered = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    if not secret or not hmac.compare_digest(offered.encode(), secret.encode()):
        raise Forbidden
    update = request.get_json(silent=True)
    if isinstance(update, dict) and isinstance(update.get("update_id"), int):
        inbound.take_telegram(update)
        db.session.commit()
    return {"ok": True}
