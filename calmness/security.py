"""Headers that every answer carries, and the id of the request.

No script, style or handler stands in the HTML, so the policy needs neither nonce nor ``unsafe-inline``.
"""

import structlog
from flask import Flask, Response, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from calmness.context import cause_id, new_cause_id, set_cause_id

log = structlog.get_logger(__name__)

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types calmness",
        "report-uri /hooks/csp",
        "report-to csp",
    )
)
REPORTING_ENDPOINTS = 'csp="/hooks/csp"'
"""Where browsers tell what the policy stopped; ``report-uri`` is for those that do not know this header yet."""
PERMISSIONS_POLICY = (
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=(), publickey-credentials-get=(self)"
)


def init_app(app: Flask) -> None:
    """Trust the configured number of proxies, give each request an id, set the headers."""
    hops = app.config["PROXY_HOPS"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.before_request(_start_request)
    app.after_request(_set_headers)


def _start_request() -> None:
    set_cause_id(new_cause_id(request.headers.get("X-Request-ID")))


def _set_headers(response: Response) -> Response:
    headers = response.headers
    secure = request.is_secure or current_app.config["BASE_URL"].startswith("https://")
    # Each answer carries them: the header object looks through all of its lines for each name it is asked for.
    present = {name.lower() for name, _value in headers}
    for key, name, value in _OF_HTTPS if secure else _OF_ALL:
        if key not in present:
            headers.add(name, value)
    if "cache-control" not in present and request.blueprint != "static":
        headers.add("Cache-Control", "no-store" if _is_private() else "no-cache")
    headers["X-Request-ID"] = cause_id() or ""
    return response


def _lines(values: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
    """(name in small letters, name, value) of headers that an answer gets unless its view has set them."""
    return tuple((name.lower(), name, value) for name, value in values.items())


_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Reporting-Endpoints": REPORTING_ENDPOINTS,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
}
_OF_ALL = _lines(_HEADERS)
_OF_HTTPS = _lines(
    _HEADERS
    | {
        "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; upgrade-insecure-requests",
        # Also behind a proxy that ends TLS; browsers leave the header aside over http.
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    }
)


def _is_private() -> bool:
    path = request.path
    return path.startswith(
        ("/espace", "/admin", "/api", "/ea", "/connexion", "/confirmation", "/inscription", "/commande")
    )
