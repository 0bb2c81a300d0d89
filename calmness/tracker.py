"""Counts page views without cookies or third parties: after the answer, one entry to a Redis stream.

The visitor's address never leaves this process: it is located and hashed here, with a salt that changes at local
midnight and is deleted after two days. Redis away: nothing is counted and no page is slower. Each process numbers
its views, so that the reader knows how many never reached it (``calmness_views_lost``).
"""

import hashlib
import itertools
import json
import secrets
import time
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from calmness import clock, sources
from calmness.access import public
from calmness.database import writing
from calmness.extensions import csrf, db, limiter
from calmness.geo.addresses import visitor_key
from calmness.geo.database import locate
from calmness.models.analytics import VisitorSalt
from calmness.models.dialect import insert_once
from calmness.permissions import STAFF_ROLES
from calmness.places import geo_database

log = structlog.get_logger(__name__)

STREAM = "ct:views"
KEEP_ENTRIES = 500_000
OPT_OUT = "ct_optout"
BREAK_SECONDS = 10.0
UNSEEN = (
    "/admin",
    "/api",
    "/ea",
    "/hooks",
    "/static",
    "/m",
    "/healthz",
    "/readyz",
    "/metrics",
    "/composants",
    "/courrier",
    "/hors-ligne",
)

bp = Blueprint("measure", __name__)


class Tracker:
    """A client of the stream with a breaker: after a failure it leaves Redis alone for ten seconds."""

    def __init__(self, url: str) -> None:
        self._redis = (
            Redis.from_url(
                url, socket_timeout=0.05, socket_connect_timeout=0.05, retry=Retry(NoBackoff(), 0), protocol=2
            )
            if url
            else None
        )
        self._rest_until = 0.0
        self._salts: dict[date, bytes] = {}
        self._process = secrets.token_hex(8)
        self._numbers = itertools.count(1)

    def add_view(self, fields: dict[str, Any]) -> None:
        """Append a view under the next number of this process. One that is skipped leaves a gap, which counts it."""
        self.add({**fields, "p": self._process, "n": next(self._numbers)})

    def add(self, fields: dict[str, Any]) -> None:
        """Append an entry, unless Redis is away."""
        if self._redis is None or time.monotonic() < self._rest_until:
            return
        try:
            self._redis.xadd(STREAM, {"j": json.dumps(fields)}, maxlen=KEEP_ENTRIES, approximate=True)
        except RedisError as error:
            self._rest_until = time.monotonic() + BREAK_SECONDS
            log.warning("views_skipped", error=type(error).__name__)

    def salt(self, day: date) -> bytes:
        """Salt of a local day, shared by all processes through its row."""
        if day not in self._salts:
            with writing(), db.engine.begin() as connection, Session(bind=connection) as session:
                insert_once(session, VisitorSalt, [{"day": day, "salt": secrets.token_bytes(32)}])
                self._salts[day] = session.get_one(VisitorSalt, day).salt
                session.flush()
        return self._salts[day]


def init_app(app: Flask) -> None:
    """Measure every page that a person is shown."""
    app.extensions["tracker"] = Tracker(app.config["REDIS_URL"])
    app.jinja_env.globals["view_id"] = view_id
    app.register_blueprint(bp)
    # A beacon carries no token, and what it tells changes nothing for anybody.
    csrf.exempt(engagement)
    app.after_request(_measure)


@bp.post("/m")
@limiter.limit("240 per minute")
@public
def engagement() -> ResponseReturnValue:
    """Seconds that a page was looked at; sent by a beacon when it is left."""
    body = request.get_json(silent=True, force=True)
    if isinstance(body, dict) and isinstance(body.get("of"), str) and OPT_OUT not in request.cookies:
        current_app.extensions["tracker"].add({"of": body["of"][:22], "engaged": body.get("engaged", 0)})
    return "", 204


@bp.post("/mesure")
@public
def change_opt_out() -> ResponseReturnValue:
    """Leave the measure, or come back: works without script."""
    response = Response(status=303, headers={"Location": "/confidentialite#mesure"})
    if request.form.get("out") == "1":
        response.set_cookie(OPT_OUT, "1", max_age=34_000_000, samesite="Lax", secure=request.is_secure)
    else:
        response.delete_cookie(OPT_OUT)
    return response


def _measure(response: Response) -> Response:
    if not _is_page(response):
        return response
    tracker: Tracker = current_app.extensions["tracker"]
    fields = _fields(view_id(), tracker)
    if fields is not None:
        response.call_on_close(lambda: tracker.add_view(fields))
    return response


def _is_page(response: Response) -> bool:
    if request.method != "GET" or response.status_code != 200 or response.mimetype != "text/html":
        return False
    if request.path.startswith(UNSEEN) or OPT_OUT in request.cookies or "HX-Request" in request.headers:
        return False
    if "X-Refresh" in request.headers or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return False
    person = g.get("_login_user")
    return not (person is not None and current_user.is_authenticated and current_user.user.role in STAFF_ROLES)


def _fields(view_id: str, tracker: Tracker) -> dict[str, Any] | None:
    agent = request.headers.get("User-Agent", "")
    key = visitor_key(request.remote_addr)
    if key is None:
        return None
    now = clock.now()
    day = now.astimezone(ZoneInfo(current_app.config["ANALYTICS_TIMEZONE"])).date()
    try:
        salt = tracker.salt(day)
    except SQLAlchemyError as error:
        log.warning("views_skipped", error=type(error).__name__)
        return None
    hashed = hashlib.blake2b(f"{key}\n{agent}".encode(), key=salt, digest_size=16).hexdigest()
    place = locate(request.remote_addr, geo_database())
    channel, source, campaign = sources.origin(request.referrer, request.args, request.host)
    return {
        "id": view_id,
        "t": now.timestamp(),
        "v": hashed,
        "ua": agent[:512],
        "path": _path(),
        "channel": channel,
        "source": source,
        "campaign": campaign,
        "country": place.country,
        "region": place.region,
        "city": place.city,
    }


def view_id() -> str:
    """Random id of this page view: in the page for its beacon, in the stream for its row."""
    if "view_id" not in g:
        g.view_id = secrets.token_urlsafe(12)
    identity: str = g.view_id
    return identity


def _path() -> str:
    """The path, with ids and tokens replaced by the names of their places in the rule."""
    rule = request.url_rule
    if rule is None:
        return request.path[:200]
    arguments = request.view_args or {}
    if set(arguments) <= {"slug", "page"}:
        return request.path[:200]
    return rule.rule[:200]


def forget_old_salts() -> None:
    """Delete salts older than two days: from then on nobody can recompute a visitor."""
    limit = clock.now().date() - timedelta(days=2)
    for row in db.session.query(VisitorSalt).filter(VisitorSalt.day < limit):
        db.session.delete(row)
