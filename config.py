"""Configuration, from the environment only. ``.env`` in the checkout is read when present; see ``.env.example``."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dotenv import load_dotenv
from redis.backoff import NoBackoff
from redis.retry import Retry

ROOT = Path(__file__).resolve().parent
ENVIRONMENTS = ("production", "development", "demo", "testing")
MIN_SECRET_LENGTH = 32
SQLITE_PREFIX = "sqlite"


class UnsafeConfiguration(Exception):
    """The process must not start like this. One sentence per fault, for the operator."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class JwtKey:
    """A named key: of ``JWT_KEYS`` the first signs, of ``DATA_KEYS`` the first seals; all of a list verify or open."""

    kid: str
    secret: str


def parse_jwt_keys(text: str, name: str = "JWT_KEYS") -> list[JwtKey]:
    """Read ``kid:secret,kid:secret``. Raises ValueError when an entry has no id."""
    keys = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        kid, separator, secret = entry.partition(":")
        if not separator or not kid:
            raise ValueError(f"{name} must read kid:secret,kid:secret")
        keys.append(JwtKey(kid, secret))
    return keys


def _flag(environ: "os._Environ[str] | dict[str, str]", name: str, default: bool) -> bool:
    value = environ.get(name)
    return default if value is None else value.strip().lower() in {"1", "true", "yes", "on"}


def from_environment(environ: "os._Environ[str] | dict[str, str] | None" = None) -> dict[str, Any]:
    """Settings of the application for Flask's config. Raises ``UnsafeConfiguration`` in production when unsafe."""
    if environ is None:
        load_dotenv(ROOT / ".env")
        environ = os.environ
    environment = environ.get("CALMNESS_ENV", "production")
    if environment not in ENVIRONMENTS:
        raise UnsafeConfiguration([f"CALMNESS_ENV must be one of {', '.join(ENVIRONMENTS)}, not {environment!r}."])
    instance = Path(environ.get("INSTANCE_DIR", ROOT / "instance"))
    port = int(environ.get("PORT", "8000"))
    base_url = environ.get("BASE_URL", f"http://127.0.0.1:{port}").rstrip("/")
    https = base_url.startswith("https://")
    database_url = environ.get("DATABASE_URL", f"sqlite:///{instance / 'calmness.db'}")
    # Hosting services still hand out the scheme that SQLAlchemy dropped, and psycopg 3 must be named.
    for old in ("postgres://", "postgresql://"):
        if database_url.startswith(old):
            database_url = "postgresql+psycopg://" + database_url.removeprefix(old)
    # A cookie belongs to a host whatever the port: two checkouts on one machine would log each other out.
    own = f"_{port}" if environment in {"demo", "development"} else ""
    jwt_keys = parse_jwt_keys(environ.get("JWT_KEYS", ""))
    data_keys = parse_jwt_keys(environ.get("DATA_KEYS", ""), "DATA_KEYS")
    values: dict[str, Any] = {
        "ENVIRONMENT": environment,
        "TESTING": environment == "testing",
        "DEMO": environment == "demo",
        "INSTANCE_DIR": instance,
        "FILES_DIR": Path(environ.get("FILES_DIR", instance / "files")),
        "SECRET_KEY": environ.get("SECRET_KEY", ""),
        "SECRET_KEY_FALLBACKS": [part for part in environ.get("SECRET_KEY_FALLBACKS", "").split(",") if part],
        "JWT_KEYS": jwt_keys,
        "DATA_KEYS": data_keys,
        "BASE_URL": base_url,
        "PORT": port,
        "PROXY_HOPS": int(environ.get("PROXY_HOPS", "0")),
        "TRUSTED_HOSTS": _trusted_hosts(base_url, environ.get("TRUSTED_HOSTS", "")),
        "SQLALCHEMY_DATABASE_URI": database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(database_url),
        "REDIS_URL": environ.get("REDIS_URL", ""),
        "WAKE_WORKERS": _flag(environ, "WAKE_WORKERS", environment != "testing"),
        "SOCKETIO_ASYNC_MODE": environ.get("SOCKETIO_ASYNC_MODE", "threading"),
        # Cookies and sessions
        "SESSION_COOKIE_NAME": ("__Host-ct_session" if https else "ct_session") + own,
        "SESSION_COOKIE_SECURE": https,
        "VISITOR_COOKIE_NAME": f"ct_visitor{own}",
        "DEVICE_COOKIE_NAME": ("__Secure-ct_device" if https else "ct_device") + own,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        "SESSION_REFRESH_EACH_REQUEST": False,
        "SESSION_IDLE": timedelta(hours=12),
        # Forms: the token lives as long as the session, a checkout may take an hour
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_CHECK_DEFAULT": True,
        # API tokens
        "JWT_TOKEN_LOCATION": ["headers"],
        "JWT_ALGORITHM": "HS256",
        "JWT_DECODE_ALGORITHMS": ["HS256"],
        "JWT_ACCESS_TOKEN_EXPIRES": timedelta(minutes=10),
        "JWT_REFRESH_TOKEN_EXPIRES": timedelta(days=30),
        # Two nodes may disagree by a minute and a half; a session that ended is refused at once by its row.
        "JWT_DECODE_LEEWAY": 120,
        "JWT_DECODE_ISSUER": "calmness",
        "JWT_ENCODE_ISSUER": "calmness",
        "JWT_DECODE_AUDIENCE": "calmness",
        "JWT_ENCODE_AUDIENCE": "calmness",
        "JWT_REFRESH_COOKIE_NAME": ("__Secure-ct_refresh" if https else "ct_refresh") + own,
        "JWT_REFRESH_COOKIE_PATH": "/api/v1/auth",
        "JWT_REFRESH_CSRF_COOKIE_NAME": f"ct_refresh_csrf{own}",
        "JWT_REFRESH_CSRF_COOKIE_PATH": "/",
        "JWT_COOKIE_SECURE": https,
        "JWT_COOKIE_SAMESITE": "Strict",
        "JWT_SESSION_COOKIE": False,
        "JWT_COOKIE_CSRF_PROTECT": True,
        # Passwords (argon2id; OWASP's floor, cheapest under test)
        "ARGON2_MEMORY_KIB": int(environ.get("ARGON2_MEMORY_KIB", "8" if environment == "testing" else "19456")),
        "ARGON2_TIME": int(environ.get("ARGON2_TIME", "1" if environment == "testing" else "2")),
        # Limits of what comes in
        "MAX_CONTENT_LENGTH": 12 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 500_000,
        "RATELIMIT_ENABLED": _flag(environ, "RATELIMIT_ENABLED", environment != "testing"),
        # Shared by all web processes; while Redis is away each counts for itself instead of answering 500
        "RATELIMIT_STORAGE_URI": environ.get("REDIS_URL") or "memory://",
        "RATELIMIT_STORAGE_OPTIONS": {
            "socket_timeout": 0.3,
            "socket_connect_timeout": 0.3,
            "retry": Retry(NoBackoff(), 0),
        }
        if environ.get("REDIS_URL")
        else {},
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
        "RATELIMIT_KEY_PREFIX": "ct:limit:fixed-1:",
        # People of the team can do nothing without a second factor
        "STAFF_SECOND_FACTOR": _flag(environ, "STAFF_SECOND_FACTOR", environment == "production"),
        "METRICS_TOKEN": environ.get("METRICS_TOKEN", ""),
        # Languages
        "BABEL_DEFAULT_LOCALE": "fr",
        "BABEL_DEFAULT_TIMEZONE": "Europe/Paris",
        "ANALYTICS_TIMEZONE": environ.get("ANALYTICS_TIMEZONE", "Europe/Paris"),
        "GEOIP_DATABASE": environ.get("GEOIP_DATABASE", ""),
        "REFERENCE_RATES_URL": environ.get("REFERENCE_RATES_URL", ""),
        # Mail
        "MAIL_SERVER": environ.get("MAIL_SERVER", ""),
        "MAIL_PORT": int(environ.get("MAIL_PORT", "587")),
        "MAIL_USERNAME": environ.get("MAIL_USERNAME", ""),
        "MAIL_PASSWORD": environ.get("MAIL_PASSWORD", ""),
        "MAIL_TLS": environ.get("MAIL_TLS", "starttls"),
        "MAIL_DEFAULT_SENDER": environ.get("MAIL_SENDER", "Calmness Trading <bonjour@calmness.test>"),
        # Providers: an address each, so that tests and self-hosted gateways can stand in
        "PLATFORM_API_URL": environ.get("PLATFORM_API_URL", ""),
        "PLATFORM_TOKEN": environ.get("PLATFORM_TOKEN", ""),
        "PLATFORM_NAME": environ.get("PLATFORM_NAME", ""),
        "PLATFORM_REGISTRATION": environ.get("PLATFORM_REGISTRATION", ""),
        "TELEGRAM_API_URL": environ.get("TELEGRAM_API_URL", "https://api.telegram.org"),
        "TELEGRAM_BOT_TOKEN": environ.get("TELEGRAM_BOT_TOKEN", ""),
        "TELEGRAM_BOT_NAME": environ.get("TELEGRAM_BOT_NAME", ""),
        "TELEGRAM_WEBHOOK_SECRET": environ.get("TELEGRAM_WEBHOOK_SECRET", ""),
        "TELEGRAM_SIGNALS_CHAT": environ.get("TELEGRAM_SIGNALS_CHAT", ""),
        "DISCORD_API_URL": environ.get("DISCORD_API_URL", "https://discord.com/api/v10"),
        "DISCORD_BOT_TOKEN": environ.get("DISCORD_BOT_TOKEN", ""),
        "DISCORD_INVITE_URL": environ.get("DISCORD_INVITE_URL", ""),
        "DISCORD_CLIENT_ID": environ.get("DISCORD_CLIENT_ID", ""),
        "DISCORD_CLIENT_SECRET": environ.get("DISCORD_CLIENT_SECRET", ""),
        "DISCORD_AUTHORIZE_URL": environ.get("DISCORD_AUTHORIZE_URL", "https://discord.com/oauth2/authorize"),
        "WHATSAPP_API_URL": environ.get("WHATSAPP_API_URL", "https://graph.facebook.com/v24.0"),
        "WHATSAPP_TOKEN": environ.get("WHATSAPP_TOKEN", ""),
        "WHATSAPP_PHONE_ID": environ.get("WHATSAPP_PHONE_ID", ""),
        "WHATSAPP_NUMBER": environ.get("WHATSAPP_NUMBER", ""),
        "WHATSAPP_CODE_TEMPLATE": environ.get("WHATSAPP_CODE_TEMPLATE", "code"),
        "ZOOM_API_URL": environ.get("ZOOM_API_URL", "https://api.zoom.us/v2"),
        "GOOGLE_API_URL": environ.get("GOOGLE_API_URL", "https://www.googleapis.com"),
        "GRAPH_API_URL": environ.get("GRAPH_API_URL", "https://graph.microsoft.com/v1.0"),
    }
    if environment == "production":
        faults = production_faults(values, allow_embedded=_flag(environ, "ALLOW_EMBEDDED", False))
        if faults:
            raise UnsafeConfiguration(faults)
        # Whatever FLASK_DEBUG says: errors are told to the log, not to whoever asked.
        values["DEBUG"] = False
    return values


def production_faults(values: dict[str, Any], *, allow_embedded: bool) -> list[str]:
    """What forbids production, a sentence each; empty when all is well."""
    sqlite = values["SQLALCHEMY_DATABASE_URI"].startswith(SQLITE_PREFIX)
    checks = {
        "BASE_URL must start with https:// in production.": not values["BASE_URL"].startswith("https://"),
        "MAIL_SERVER is missing: invoices and links could not leave.": not values["MAIL_SERVER"],
        "MAIL_TLS must be starttls or tls in production.": values["MAIL_TLS"] not in {"starttls", "tls"},
        "RATELIMIT_ENABLED is off: guesses at passwords would have no limit.": not values["RATELIMIT_ENABLED"],
        "TRUSTED_HOSTS must name each host: a whole domain lets any of its hosts stand for the school.": any(
            host.startswith((".", "*")) for host in values["TRUSTED_HOSTS"]
        ),
        "DATABASE_URL points to SQLite; set PostgreSQL, or ALLOW_EMBEDDED=1 to keep it.": (
            sqlite and not allow_embedded
        ),
        "REDIS_URL is missing; set it, or ALLOW_EMBEDDED=1 for the embedded server.": (
            not values["REDIS_URL"] and not allow_embedded
        ),
    }
    return _key_faults(values) + [sentence for sentence, wrong in checks.items() if wrong]


def _key_faults(values: dict[str, Any]) -> list[str]:
    secret, tokens, data = values["SECRET_KEY"], values["JWT_KEYS"], values["DATA_KEYS"]
    checks = {
        "SECRET_KEY is missing or shorter than 32 characters.": len(secret) < MIN_SECRET_LENGTH,
        "A key of SECRET_KEY_FALLBACKS is shorter than 32 characters.": any(
            len(old) < MIN_SECRET_LENGTH for old in values["SECRET_KEY_FALLBACKS"]
        ),
        "JWT_KEYS is missing: give at least one kid:secret.": not tokens,
        "A secret of JWT_KEYS is shorter than 32 characters.": any(
            len(key.secret) < MIN_SECRET_LENGTH for key in tokens
        ),
        "Two keys of JWT_KEYS have the same id: the second could never verify a token.": (
            len({key.kid for key in tokens}) < len(tokens)
        ),
        "A secret of JWT_KEYS is the same as SECRET_KEY: one that leaks would give the other away.": any(
            key.secret == secret for key in tokens
        ),
        "DATA_KEYS is missing: give at least one kid:secret, or second factors could not be kept.": not data,
        "A secret of DATA_KEYS is shorter than 32 characters.": any(
            len(key.secret) < MIN_SECRET_LENGTH for key in data
        ),
        "Two keys of DATA_KEYS have the same id: what the second sealed could never be opened.": (
            len({key.kid for key in data}) < len(data)
        ),
        "A secret of DATA_KEYS signs as well: one that leaks would give the other away.": any(
            key.secret in {secret, *(token.secret for token in tokens)} for key in data
        ),
    }
    return [sentence for sentence, wrong in checks.items() if wrong]


def _trusted_hosts(base_url: str, extra: str) -> list[str]:
    host = base_url.split("://", 1)[1].split("/", 1)[0].rsplit(":", 1)[0]
    hosts = [host, *(part.strip() for part in extra.split(",") if part.strip())]
    if host in {"127.0.0.1", "localhost"}:
        hosts += ["127.0.0.1", "localhost"]
    return sorted(set(hosts))


def _engine_options(database_url: str) -> dict[str, Any]:
    if database_url.startswith(SQLITE_PREFIX):
        # No wait in C: calmness.database waits in Python, where gevent can switch. Making a connection, with its
        # settings and a cold cache, costs as much as an EA's pass: a rush finds enough of them, and last in, first out
        # keeps warm the few that are in use.
        return {
            "connect_args": {"timeout": 0, "check_same_thread": False},
            "pool_size": 40,
            "max_overflow": 20,
            "pool_use_lifo": True,
        }
    return {"pool_size": 10, "max_overflow": 10, "pool_timeout": 5, "pool_pre_ping": True}
