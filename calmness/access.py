"""Closed by default: every view says who may use it, and one function enforces it before each request.

A view without a declaration answers 403, and a test walks the URL map and fails on it.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_login import AnonymousUserMixin, current_user

from calmness import clock
from calmness.database import set_read_only
from calmness.errors import DomainError, Forbidden
from calmness.extensions import login_manager
from calmness.models.account import AuthSession, User
from calmness.permissions import Permission, may
from calmness.services.account import second_factor, step_up

View = TypeVar("View", bound=Callable[..., Any])

_IDENTITY_LOADERS: dict[str, Callable[[], None]] = {}
"""How a blueprint finds out who calls, where it is not by the session's cookie."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class AccessKind(StrEnum):
    """How a view is protected."""

    PUBLIC = "public"
    PERMISSION = "permission"
    EA_KEY = "ea_key"
    SIGNATURE = "signature"
    OPERATORS = "operators"


@dataclass(frozen=True)
class Access:
    """Declaration that a view carries."""

    kind: AccessKind
    permission: Permission | None = None
    provider: str | None = None


class NotAuthenticated(DomainError):
    """No session, no token, or one that has ended."""

    status = 401
    slug = "not-authenticated"
    message = _l("Connectez-vous pour continuer.")


def public(view: View) -> View:
    """Anybody may use the view."""
    return _declare(view, Access(AccessKind.PUBLIC))


def requires(permission: Permission) -> Callable[[View], View]:
    """Only accounts with the permission may use the view."""
    return lambda view: _declare(view, Access(AccessKind.PERMISSION, permission=permission))


def requires_ea_key(view: View) -> View:
    """Only an EA with a valid key may use the view; the ``ea`` blueprint checks it."""
    return _declare(view, Access(AccessKind.EA_KEY))


def requires_signature(provider: str) -> Callable[[View], View]:
    """Only the provider may use the view; the ``hooks`` blueprint verifies its signature on the raw body."""
    return lambda view: _declare(view, Access(AccessKind.SIGNATURE, provider=provider))


def operators_only(view: View) -> View:
    """Only who has ``METRICS_TOKEN``, or calls from this very machine, may use the view."""
    return _declare(view, Access(AccessKind.OPERATORS))


def requires_fresh(view: View) -> View:
    """Whoever uses the view has proved within the last minutes who they are; stands beside ``requires``.

    A page leads to the confirmation and back; a program gets ``/problems/step-up-required``.
    """
    view.fresh = True  # type: ignore[attr-defined]
    return view


def without_second_factor(view: View) -> View:
    """People whose role asks for a second factor may use the view before they have one: to set it up or to enter it."""
    view.without_second_factor = True  # type: ignore[attr-defined]
    return view


def writes(view: View) -> View:
    """The view writes although its method is GET: its transaction takes the writer's lock."""
    view.writes = True  # type: ignore[attr-defined]
    return view


def access_of(view: Callable[..., Any] | None) -> Access | None:
    """Declaration of a view, None when it has none."""
    return getattr(view, "access", None)


class SessionUser:
    """The person of a request as Flask-Login wants it. Its id is the session's secret, not the account's number."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: User, auth_session: AuthSession, secret: str = "") -> None:
        self.user = user
        self.auth_session = auth_session
        self._secret = secret

    @property
    def device(self) -> AuthSession | None:
        """The session that the person sits at."""
        return self.auth_session

    def get_id(self) -> str:
        """What the cookie holds."""
        return self._secret

    def __getattr__(self, name: str) -> Any:
        return getattr(self.user, name)

    def may(self, permission: Permission | str) -> bool:
        """Whether the person has a right; templates pass its name."""
        return may(self.user, Permission(permission))


class TokenUser:
    """The owner of a personal token of the API. There is no session: what asks for a recent one refuses it."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        self.user = user

    @property
    def auth_session(self) -> AuthSession:
        """A token is no device that a person sits at. Raises ``Forbidden``."""
        raise Forbidden

    @property
    def device(self) -> AuthSession | None:
        """None."""
        return None

    def get_id(self) -> str:
        """Nothing to keep in a cookie."""
        return ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.user, name)

    def may(self, permission: Permission | str) -> bool:
        """Whether the person has a right; the token's scope has been checked before."""
        return may(self.user, Permission(permission))


class Visitor(AnonymousUserMixin):
    """Somebody without an account, or not logged in."""

    id = None
    role = None
    theme = None

    def may(self, _permission: Permission | str) -> bool:
        """A visitor has no right beyond the public pages."""
        return False


def identify_by(blueprint: str, loader: Callable[[], None]) -> None:
    """Let a blueprint authenticate by its own means; ``loader`` sets the current person or raises."""
    _IDENTITY_LOADERS[blueprint] = loader


def current_account() -> User:
    """Account of the person of this request. Raises ``NotAuthenticated`` for a visitor."""
    if not current_user.is_authenticated:
        raise NotAuthenticated
    user: User = current_user.user
    return user


def init_app(app: Flask) -> None:
    """Enforce the declarations of this module on every request of the application."""
    login_manager.init_app(app)
    login_manager.session_protection = None
    login_manager.anonymous_user = Visitor
    app.before_request(_prepare_transaction)
    app.before_request(enforce)
    app.teardown_request(_forget_transaction)


def enforce() -> ResponseReturnValue | None:
    """Refuse the request unless its view's declaration lets it through."""
    if request.endpoint is None:
        return None
    view = current_app.view_functions.get(request.endpoint)
    access = access_of(view)
    if access is None:
        abort(403)
    if access.kind is AccessKind.OPERATORS and not _is_operator():
        abort(404)
    if access.kind is not AccessKind.PERMISSION:
        return None
    load_identity = _IDENTITY_LOADERS.get(request.blueprint or "")
    if load_identity is not None:
        load_identity()
    if not current_user.is_authenticated:
        return ask_to_log_in()
    if not getattr(view, "without_second_factor", False) and second_factor.is_lacking(
        current_user.user, current_user.device
    ):
        return _ask_for_second_factor()
    if access.permission is not None and not current_user.may(access.permission):
        raise Forbidden
    if getattr(view, "fresh", False) and not step_up.is_fresh(current_user.auth_session, clock.now()):
        return _ask_to_confirm()
    return None


def _declare(view: View, access: Access) -> View:
    if access_of(view) is not None:
        raise TypeError(f"{view.__name__} says twice who may use it")
    view.access = access  # type: ignore[attr-defined]
    return view


def wants_log_in() -> bool:
    """Whether the request is a visitor's, for a view that only people with an account may use."""
    access = access_of(current_app.view_functions.get(request.endpoint or ""))
    return access is not None and access.kind is AccessKind.PERMISSION and not current_user.is_authenticated


def ask_to_log_in() -> ResponseReturnValue:
    """Lead to the log-in and back. Raises ``NotAuthenticated`` for a program."""
    if request.blueprint == "api" or "auth.new_session" not in current_app.view_functions:
        raise NotAuthenticated
    return _go_and_return("auth.new_session", status=401)


def _ask_to_confirm() -> ResponseReturnValue:
    if request.blueprint == "api" or "auth.new_confirmation" not in current_app.view_functions:
        raise step_up.StepUpRequired
    return _go_and_return("auth.new_confirmation", status=403)


def _ask_for_second_factor() -> ResponseReturnValue:
    """Lead to the code where there is a factor, else to setting one up; a program gets a problem."""
    if request.blueprint == "api" or "auth.new_confirmation" not in current_app.view_functions:
        raise second_factor.SecondFactorMissing
    if second_factor.is_on(current_user.user.id):
        return _go_and_return("auth.new_confirmation", status=403)
    return _go_and_return("account.second_factor_page", status=403)


def _go_and_return(endpoint: str, *, status: int) -> ResponseReturnValue:
    """Lead to a page that leads back: to the page asked for, or to the one whose form was sent."""
    target = request.full_path.rstrip("?") if request.method in SAFE_METHODS else request.path
    if request.method not in SAFE_METHODS and request.referrer:
        target = "/" + request.referrer.split("://", 1)[-1].split("/", 1)[-1]
    url = url_for(endpoint, next=target)
    if request.headers.get("HX-Request"):
        # A redirect would be followed by fetch and the page would land inside a card.
        return Response(status=status, headers={"HX-Redirect": url})
    return redirect(url)


def _is_operator() -> bool:
    expected = current_app.config["METRICS_TOKEN"]
    offered = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if expected:
        return hmac.compare_digest(offered.encode(), expected.encode())
    return request.remote_addr in {"127.0.0.1", "::1"} and not request.headers.get("X-Forwarded-For")


def _prepare_transaction() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    set_read_only(request.method in SAFE_METHODS and not getattr(view, "writes", False))


def _forget_transaction(_error: BaseException | None) -> None:
    # A kept-alive connection may become a websocket in the same greenlet: it must not inherit "read only".
    set_read_only(False)
