"""Calls of providers, each verified by its signature on the raw body before anything is read."""

import hmac
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, current_app, json, request
from flask.typing import ResponseReturnValue

from calmness.access import public, requires_signature
from calmness.errors import Forbidden
from calmness.extensions import db, limiter
from calmness.services import inbound

bp = Blueprint("hooks", __name__, url_prefix="/hooks")
log = structlog.get_logger(__name__)
REPORT_BYTES = 8_000
REPORTS_AT_ONCE = 10


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


@bp.post("/csp")
@limiter.limit("10 per minute")
@public
def csp_report() -> ResponseReturnValue:
    """What a browser stopped by our policy. Anybody can write here: short, few, and only logged."""
    request.max_content_length = REPORT_BYTES
    try:
        body = json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError):
        return "", 204
    for report in (body if isinstance(body, list) else [body])[:REPORTS_AT_ONCE]:
        _log_report(report)
    return "", 204


def _log_report(report: object) -> None:
    """Both forms: ``{"csp-report": {…}}`` of old browsers, ``{"type": "csp-violation", "body": {…}}`` of new ones."""
    inner = report.get("csp-report") or report.get("body") if isinstance(report, dict) else None
    if not isinstance(inner, dict):
        return
    log.warning(
        "csp_violation",
        directive=_short(inner, "effective-directive", "effectiveDirective"),
        blocked=_place(_short(inner, "blocked-uri", "blockedURL")),
        page=_place(_short(inner, "document-uri", "documentURL")),
        source=_place(_short(inner, "source-file", "sourceFile")),
    )


def _short(report: dict[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := report.get(name), str)), "")[:300]


def _place(address: str) -> str:
    """Host and first part of the path: what follows may be a token of a mail."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    first = parts.path.lstrip("/").partition("/")[0]
    return (
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{first}"
        if parts.netloc
        else address.partition(":")[0][:40]
    )
