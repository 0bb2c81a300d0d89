"""Settings from the environment."""

import re

import pytest

import config
from config import from_environment

COOKIES = ("SESSION_COOKIE_NAME", "JWT_REFRESH_COOKIE_NAME", "JWT_REFRESH_CSRF_COOKIE_NAME", "VISITOR_COOKIE_NAME")
PRODUCTION = {
    "CALMNESS_ENV": "production",
    "SECRET_KEY": "s" * 40,
    "JWT_KEYS": f"one:{'j' * 40}",
    "DATA_KEYS": f"one:{'d' * 40}",
    "BASE_URL": "https://calmness.example",
    "MAIL_SERVER": "smtp.example",
    "DATABASE_URL": "postgresql://calmness@database/calmness",
    "REDIS_URL": "redis://redis:6379/0",
}


def test_two_checkouts_on_one_machine_have_cookies_of_their_own() -> None:
    first, second = (from_environment({"CALMNESS_ENV": "demo", "PORT": port}) for port in ("8000", "8001"))

    assert [first[name] for name in COOKIES] == [
        "ct_session_8000",
        "ct_refresh_8000",
        "ct_refresh_csrf_8000",
        "ct_visitor_8000",
    ]
    assert {first[name] for name in COOKIES} & {second[name] for name in COOKIES} == set()


def test_production_names_its_cookies_alike_on_every_port() -> None:
    names = [from_environment(PRODUCTION | {"PORT": port}) for port in ("8000", "8001")]

    for name in COOKIES:
        assert names[0][name] == names[1][name]
    assert names[0]["SESSION_COOKIE_NAME"] == "__Host-ct_session"
    assert names[0]["JWT_REFRESH_COOKIE_NAME"] == "__Secure-ct_refresh"


@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY"),
        ("JWT_KEYS", "", "JWT_KEYS"),
        ("JWT_KEYS", "one:short", "JWT_KEYS"),
        ("BASE_URL", "http://calmness.example", "BASE_URL"),
        ("MAIL_SERVER", "", "MAIL_SERVER"),
        ("MAIL_TLS", "none", "MAIL_TLS"),
        ("DATABASE_URL", "sqlite:///calmness.db", "DATABASE_URL"),
        ("REDIS_URL", "", "REDIS_URL"),
        ("JWT_KEYS", f"one:{'j' * 40},one:{'k' * 40}", "same id"),
        ("JWT_KEYS", f"one:{'s' * 40}", "SECRET_KEY"),
        ("DATA_KEYS", "", "DATA_KEYS"),
        ("DATA_KEYS", "one:short", "DATA_KEYS"),
        ("DATA_KEYS", f"one:{'d' * 40},one:{'e' * 40}", "same id"),
        ("DATA_KEYS", f"one:{'j' * 40}", "DATA_KEYS"),
        ("SECRET_KEY_FALLBACKS", "short", "SECRET_KEY_FALLBACKS"),
        ("RATELIMIT_ENABLED", "0", "RATELIMIT_ENABLED"),
        ("TRUSTED_HOSTS", ".calmness.example", "TRUSTED_HOSTS"),
        ("TRUSTED_HOSTS", "*", "TRUSTED_HOSTS"),
    ],
)
def test_production_refuses_to_start_unsafe_and_says_why(setting: str, value: str, word: str) -> None:
    with pytest.raises(config.UnsafeConfiguration) as refused:
        from_environment(PRODUCTION | {setting: value})

    (fault,) = refused.value.faults
    assert word in fault


def test_production_never_runs_in_debug_mode() -> None:
    assert from_environment(PRODUCTION | {"FLASK_DEBUG": "1"})["DEBUG"] is False


def test_limits_are_shared_through_redis_and_kept_here_while_it_is_away() -> None:
    values = from_environment(PRODUCTION)

    assert values["RATELIMIT_STORAGE_URI"] == PRODUCTION["REDIS_URL"]
    assert values["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] is True


READ = re.compile(r"""(?:environ\.get\(|_flag\(environ, )"([A-Z_0-9]+)\"""")
LISTED = re.compile(r"^#([A-Z_0-9]+)=(.*)$", re.MULTILINE)
OF_GUNICORN = {"BIND": "", "FORWARDED_ALLOW_IPS": "127.0.0.1", "WEB_LOG_LEVEL": "warning"}


def listed() -> dict[str, str]:
    """Settings of ``.env.example`` with the default that each line shows."""
    return dict(LISTED.findall((config.ROOT / ".env.example").read_text()))


def test_the_example_lists_every_setting_that_is_read_and_no_other() -> None:
    read = {
        name for file in ("config.py", "gunicorn.conf.py") for name in READ.findall((config.ROOT / file).read_text())
    }

    assert set(listed()) == read


def test_the_example_shows_the_true_defaults() -> None:
    shown = listed()
    assert {name: shown[name] for name in OF_GUNICORN} == OF_GUNICORN
    plain = {"CALMNESS_ENV": "development"}
    given = {name: value for name, value in shown.items() if value and name not in OF_GUNICORN}

    assert from_environment(given | plain) == from_environment(plain)
