"""Calmness Trading: a French trading school. ``create_app`` reads like a table of contents."""

import gc
from collections.abc import Callable
from typing import Any

# What imports make stays for good: to search it for garbage over and over took a fifth of every start.
gc.disable()

from apiflask import APIFlask

import config as configuration
from calmness import (
    access,
    cli,
    compiled_templates,
    database,
    error_handlers,
    files,
    health,
    locale,
    logs,
    models,
    navigation,
    presentation,
    security,
    sessions,
    socket_manager,
    static_files,
    tracker,
)
from calmness.blueprints import registry
from calmness.extensions import babel, csrf, db, jwt, limiter, mail, migrate, socketio, work_queue

gc.freeze()
gc.enable()


class CalmnessFlask(APIFlask):
    """The application. APIFlask writes the OpenAPI document of ``/api/v1``; pages are plain Flask."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view or hook here is a coroutine. Flask would look each of them up anew, twenty times a request."""
        return func


def create_app(overrides: dict[str, Any] | None = None) -> CalmnessFlask:
    """Build the application from the environment. ``overrides`` replaces settings, for tests."""
    settings = configuration.from_environment() | (overrides or {})
    app = CalmnessFlask(
        __name__,
        title="Calmness Trading",
        version="1.0",
        json_errors=False,
        docs_path=None,
        spec_path=None,
        static_folder=None,  # type: ignore[arg-type]
    )
    app.config.update(settings)
    app.config["OPENAPI_VERSION"] = "3.1.0"
    logs.configure()

    _bind_extensions(app)
    security.init_app(app)
    sessions.init_app(app)
    access.init_app(app)
    error_handlers.init_app(app)
    locale.init_app(app)
    presentation.register(app)
    compiled_templates.init_app(app)
    static_files.init_app(app)
    files.init_app(app)
    health.init_app(app)
    tracker.init_app(app)
    registry.register_all(app)
    navigation.init_app(app)
    cli.init_app(app)
    return app


def _bind_extensions(app: CalmnessFlask) -> None:
    db.init_app(app)
    with app.app_context():
        database.prepare(db.engine)
    migrate.init_app(app, db, directory=str(configuration.ROOT / "migrations"), render_as_batch=True)
    jwt.init_app(app)
    mail.init_app(app)
    csrf.init_app(app)
    babel.init_app(app, locale_selector=locale.select_locale, timezone_selector=locale.select_timezone)
    limiter.init_app(app)
    work_queue.init_app(app)
    socketio.init_app(
        app,
        async_mode=app.config["SOCKETIO_ASYNC_MODE"],
        client_manager=socket_manager.manager_for(app.config["REDIS_URL"]),
        manage_session=False,
        async_handlers=False,
        max_http_buffer_size=64_000,
        ping_interval=15,
        ping_timeout=10,
    )


__all__ = ["CalmnessFlask", "create_app", "models"]
