"""Is it alive, is it ready, what are its figures: ``/healthz``, ``/readyz``, ``/metrics``."""

import time

import structlog
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from redis import RedisError
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from calmness import clock
from calmness.access import operators_only, public
from calmness.extensions import db, migrate, work_queue
from calmness.models.delivery import Delivery, DeliveryState, Heartbeat, OutboxTask, TaskState
from calmness.services.analytics import analytics_ingest
from calmness.services.billing import reminder_alarm

log = structlog.get_logger(__name__)

bp = Blueprint("health", __name__)
UNTOLD = ("/static", "/healthz", "/readyz", "/metrics")

REQUESTS = Counter("calmness_requests_total", "Requests answered.", ["route", "method", "status"])
SECONDS = Histogram("calmness_request_seconds", "Time to answer.", ["route"])
OPEN_TASKS = Gauge("calmness_outbox_open", "Pieces of work not done yet.")
FAILED_TASKS = Gauge("calmness_outbox_failed", "Pieces of work given up.")
OPEN_DELIVERIES = Gauge("calmness_deliveries_open", "Messages due and not sent yet.")
VIEWS_LOST = Gauge("calmness_views_lost", "Page views that were shown and could not be counted.")
REMINDERS_MISSED = Gauge("calmness_reminders_missed", "Reminders that were due and did not leave.", ["of"])
PROCESS_AGE = Gauge("calmness_heartbeat_age_seconds", "Seconds since the last sign of life.", ["kind"])


def init_app(app: Flask) -> None:
    """Register the routes and measure every request by its rule, never by its path."""
    app.register_blueprint(bp)
    app.before_request(_start)
    app.after_request(_measure)


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Database, Redis and migrations are in order; 503 says what is not."""
    checks = {"database": _database_ready(), "redis": _redis_ready()}
    checks["migrations"] = checks["database"] and _migrated()
    status = 200 if all(checks.values()) else 503
    return {"status": "ready" if status == 200 else "not ready", "checks": checks}, status


@bp.get("/metrics")
@operators_only
def metrics() -> ResponseReturnValue:
    """Figures for Prometheus."""
    now = clock.now()
    OPEN_TASKS.set(_count(OutboxTask, OutboxTask.state.in_([TaskState.PENDING, TaskState.CLAIMED])))
    FAILED_TASKS.set(_count(OutboxTask, OutboxTask.state == TaskState.FAILED))
    OPEN_DELIVERIES.set(_count(Delivery, Delivery.state == DeliveryState.PENDING, Delivery.due_at <= now))
    for of, count in reminder_alarm.missed(now).items():
        REMINDERS_MISSED.labels(of).set(count)
    VIEWS_LOST.set(analytics_ingest.lost_views())
    for kind, at in db.session.execute(select(Heartbeat.kind, func.max(Heartbeat.at)).group_by(Heartbeat.kind)):
        PROCESS_AGE.labels(kind).set((now - at).total_seconds())
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _count(model: type[OutboxTask] | type[Delivery], *conditions: object) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0  # type: ignore[arg-type]


def _database_ready() -> bool:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return True


def _redis_ready() -> bool:
    if not work_queue.has_redis:
        return False
    try:
        return bool(work_queue.redis.ping())
    except RedisError:
        return False


def _migrated() -> bool:
    wanted = current_app.extensions.get("migration_head")
    if wanted is None:
        wanted = ScriptDirectory(migrate.directory).get_current_head()
        current_app.extensions["migration_head"] = wanted
    current = MigrationContext.configure(db.session.connection()).get_current_revision()
    return bool(current == wanted)


def _start() -> None:
    g.started = time.perf_counter()


def _measure(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "unknown"
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    REQUESTS.labels(route, request.method, response.status_code).inc()
    SECONDS.labels(route).observe(seconds)
    if not route.startswith(UNTOLD) and not g.get("is_routine"):
        # By rule as well: a path may hold a token, and an address is a person's.
        ms = round(seconds * 1000, 1)
        log.info(
            "request", method=request.method, route=route, status=response.status_code, ms=ms, user_id=_known_person()
        )
    return response


def _known_person() -> int | None:
    """Number of the account behind the request, where somebody has already asked who it is: a refusal names its person.

    Nothing is looked up for the log: public pages never touch the session, and a view may have committed.
    """
    user = getattr(g.get("_login_user"), "user", None)
    identity = inspect(user).identity if user is not None else None
    return identity[0] if identity else None
