"""Errors at the edge: a page for people, problem+json (RFC 9457) for programs."""

import math
import time
from collections.abc import Iterator

import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, json, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from calmness import access
from calmness.context import cause_id
from calmness.database import is_lock_timeout
from calmness.errors import DomainError, TooManyAttempts
from calmness.extensions import db, limiter
from calmness.locale import select_locale

log = structlog.get_logger(__name__)

JSON_BLUEPRINTS = frozenset({"api", "ea", "hooks"})
JSON_PATHS = ("/api/", "/ea/", "/hooks/")


def init_app(app: APIFlask) -> None:
    """Register the handlers."""
    app.error_processor(_schema_error)
    app.register_error_handler(DataError, _unfit_value)
    app.register_error_handler(RecursionError, _too_deep)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_busy)
    app.register_error_handler(500, _server_error)


def wants_json() -> bool:
    """Whether the caller is a program."""
    if request.blueprint == "docs":
        return False
    return request.blueprint in JSON_BLUEPRINTS or request.path.startswith(JSON_PATHS)


def problem(
    status: int,
    slug: str,
    title: str,
    *,
    detail: str | None = None,
    field: str | None = None,
    retry_after: int | None = None,
) -> Response:
    """Answer of RFC 9457 with a stable ``type``; ``detail`` where this occurrence has more to say than its title."""
    body: dict[str, object] = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status,
        "instance": f"urn:request:{cause_id()}",
    }
    if detail and detail != title:
        body["detail"] = detail
    if field:
        body["errors"] = [{"pointer": f"#/{field}", "detail": detail or title}]
    response = Response(json.dumps(body), status=status, mimetype="application/problem+json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    # The text is in the language of the request (RFC 9110, section 12.5.4).
    response.headers["Content-Language"] = select_locale()
    response.vary.add("Accept-Language")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def page(status: int, title: str, text: str) -> ResponseReturnValue:
    """Error page. A fragment asked for by a script gets the same page; the layout's script shows its text."""
    return render_template("errors/error.html", status=status, title=title, text=text), status


def _domain_error(error: DomainError) -> ResponseReturnValue:
    db.session.rollback()
    retry_after = error.retry_after if isinstance(error, TooManyAttempts) else None
    if wants_json():
        title, detail = str(type(error).message), str(error.message)
        return problem(error.status, error.slug, title, detail=detail, field=error.field, retry_after=retry_after)
    return page(error.status, _title(error.status), str(error.message))


def _csrf_error(_error: CSRFError) -> ResponseReturnValue:
    if access.wants_log_in() and not wants_json():
        # The session ended and took the form's token with it: the way back leads through the log-in.
        return access.ask_to_log_in()
    text = _(
        "Ce formulaire a expiré ou vient d’une autre connexion. Revenez en arrière, rechargez la page et "
        "recommencez\u00a0: ce que vous avez saisi est conservé dans l’onglet."
    )
    return problem(400, "csrf", text) if wants_json() else page(400, _title(400), text)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if isinstance(error, SecurityError):
        # A host that is not ours has no pages: nothing that builds an address can be rendered for it.
        return Response(_title(400), status=400, mimetype="text/plain")
    if 300 <= status < 400:
        return error.get_response()
    title, wait = _title(status), _seconds_to_wait() if status == 429 else None
    if wants_json():
        answer = problem(status, _SLUGS.get(status, "error"), title, retry_after=wait)
    else:
        answer = Response(*_rendered(status, title, wait))
        if wait:
            answer.headers["Retry-After"] = str(wait)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            answer.headers[name] = value
    return answer


def _rendered(status: int, title: str, wait: int | None) -> tuple[str, int]:
    text = _text(status)
    if wait:
        text = _("Recommencez dans %(minutes)s\u00a0min. Ce que vous avez saisi peut attendre.", minutes=-(-wait // 60))
    return render_template("errors/error.html", status=status, title=title, text=text), status


def _seconds_to_wait() -> int | None:
    """Until the limit that refused this request opens again."""
    reached = limiter.current_limit
    return max(1, math.ceil(reached.reset_at - time.time())) if reached else None


def _database_busy(error: OperationalError) -> ResponseReturnValue:
    db.session.rollback()
    if not is_lock_timeout(error):
        log.error("database_error", exc_info=error)
        return _server_error(error)
    log.warning("database_busy")
    title = _title(503)
    if wants_json():
        return problem(503, "busy", title, retry_after=2)
    return page(503, title, _text(503))


def _schema_error(error: HTTPError) -> Response:
    """What a schema of the API refused: each field with its reasons (RFC 6901 pointers)."""
    status = error.status_code
    answer = problem(status, _SLUGS.get(status, "invalid"), _title(status))
    places = error.detail.values() if isinstance(error.detail, dict) else ()
    reasons = [reason for place in places if isinstance(place, dict) for reason in _reasons("#", place)]
    if reasons:
        answer.set_data(json.dumps(answer.get_json() | {"errors": reasons}))
    return answer


def _reasons(pointer: str, found: dict[object, object]) -> Iterator[dict[str, str]]:
    for name, inside in found.items():
        if isinstance(inside, dict):
            yield from _reasons(f"{pointer}/{name}", inside)
        elif isinstance(inside, list):
            yield from ({"pointer": f"{pointer}/{name}", "detail": str(text)} for text in inside)


def _unfit_value(error: DataError) -> ResponseReturnValue:
    """A value that the database can't hold, such as a NUL in a text: the caller's mistake, not a breakdown."""
    db.session.rollback()
    log.info("unfit_value", reason=type(error.orig).__name__)
    if wants_json():
        return problem(422, "invalid", _title(422))
    return page(422, _title(422), _text(422))


def _too_deep(error: RecursionError) -> ResponseReturnValue:
    """JSON nested without end; a recursion of our own is logged all the same."""
    log.warning("too_deep", exc_info=error)
    return problem(400, "bad-request", _title(400)) if wants_json() else page(400, _title(400), _text(400))


def _server_error(_error: Exception) -> ResponseReturnValue:
    if wants_json():
        return problem(500, "server-error", _title(500))
    return page(500, _title(500), _text(500))


_SLUGS = {
    400: "bad-request",
    401: "not-authenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    410: "gone",
    412: "stale",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-attempts",
    503: "busy",
}


def _title(status: int) -> str:
    titles = {
        400: _("Cette demande est incomplète"),
        401: _("Connectez-vous pour continuer"),
        403: _("Cette page ne vous est pas ouverte"),
        404: _("Cette page n’existe pas"),
        405: _("Cette action n’existe pas ici"),
        409: _("Les choses ont changé entre-temps"),
        410: _("Ce lien n’est plus valable"),
        413: _("Ce fichier est trop lourd"),
        415: _("Ce format n’est pas accepté"),
        422: _("Cette demande n’a pas pu être traitée"),
        429: _("Trop de demandes en peu de temps"),
        503: _("Le service est très sollicité"),
    }
    return str(titles.get(status, _("Une panne de notre côté")))


def _text(status: int) -> str:
    texts = {
        403: _("Votre compte n’y donne pas accès. Si c’est une erreur, écrivez au support\u00a0: nous regardons."),
        404: _("L’adresse est peut-être ancienne, ou l’élément n’est plus disponible."),
        413: _("La limite est de 10 Mo par fichier. Réduisez l’image ou envoyez-la en plusieurs fois."),
        429: _("Patientez une minute, puis recommencez."),
        503: _("Recommencez dans quelques secondes\u00a0: rien n’a été perdu."),
    }
    if status >= 500:
        default = _("Nous sommes prévenus. Recommencez dans un instant\u202f; rien n’a été enregistré à moitié.")
    else:
        default = _("Revenez en arrière et recommencez, ou écrivez au support.")
    return str(texts.get(status, default))
