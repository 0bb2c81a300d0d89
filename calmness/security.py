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
    policy = CONTENT_SECURITY_POLICY + ("; upgrade-insecure-requests" if secure else "")
    headers.setdefault("Content-Security-Policy", policy)
    headers.setdefault("Reporting-Endpoints", REPORTING_ENDPOINTS)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    if secure:
        # Also behind a proxy that ends TLS; browsers leave the header aside over http.
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if "Cache-Control" not in headers and request.blueprint != "static":
        headers["Cache-Control"] = "no-store" if _is_private() else "no-cache"
    headers["X-Request-ID"] = cause_id() or ""
    return response


def _is_private() -> bool:
    path = request.path
    return path.startswith(
        ("/espace", "/admin", "/api", "/ea", "/connexion", "/confirmation", "/inscription", "/commande")
    )
