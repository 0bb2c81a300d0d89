"""How well an account is protected, in a figure, and what to do next.

A factor looks at one thing and says how many points it is worth and whether they are earned. Others add theirs with
``@factor``: the figure is the share of the points that can be had.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import ChannelIdentity, User
from calmness.services.account import api_tokens, sessions
from calmness.services.account import second_factor as factors

UNUSED = timedelta(days=30)
FEW_CODES = 3


@dataclass(frozen=True)
class Step:
    """One thing that protects an account. ``endpoint`` is the page where it is done, ``action`` its button."""

    key: str
    label: LazyString
    points: int
    earned: bool
    why: LazyString
    endpoint: str
    action: LazyString


@dataclass(frozen=True)
class Score:
    """Where an account stands. ``next`` is the step worth most that is still open."""

    steps: list[Step]

    @property
    def percent(self) -> int:
        """Share of the points, 0 to 100."""
        whole = sum(step.points for step in self.steps)
        return round(100 * sum(step.points for step in self.steps if step.earned) / whole) if whole else 100

    @property
    def next(self) -> Step | None:
        """What to do next."""
        return max((step for step in self.steps if not step.earned), key=lambda step: step.points, default=None)


Factor = Callable[[User], Step | None]
FACTORS: list[Factor] = []


def factor(function: Factor) -> Factor:
    """Register a factor. It gives None where it has no sense for the account."""
    FACTORS.append(function)
    return function


def of(user: User, exists: Callable[[str], bool] = lambda _endpoint: True) -> Score:
    """Score of an account; a step whose page does not exist in this house counts neither for nor against it."""
    steps = [step for look in FACTORS if (step := look(user)) is not None]
    return Score([step for step in steps if step.earned or exists(step.endpoint)])


@factor
def verified_address(user: User) -> Step:
    """A confirmed address is the way back into an account."""
    return Step(
        "email",
        _l("Adresse e-mail confirmée"),
        30,
        user.email_verified_at is not None,
        _l("C’est par elle que vous retrouvez votre compte et recevez les alertes."),
        "account.overview",
        _l("Confirmer mon adresse"),
    )


@factor
def second_factor(user: User) -> Step:
    """A stolen password opens nothing alone."""
    return Step(
        "second_factor",
        _l("Double authentification"),
        40,
        factors.is_on(user.id),
        _l("Un mot de passe volé ne suffit plus pour entrer."),
        "account.second_factor_page",
        _l("Activer la double authentification"),
    )


@factor
def recovery_codes(user: User) -> Step | None:
    """Without codes a lost phone locks the owner out."""
    if not factors.is_on(user.id):
        return None
    left = factors.recovery_codes_left(user.id)
    return Step(
        "recovery_codes",
        _l("Codes de secours en réserve"),
        10,
        left >= FEW_CODES,
        _l("Sans eux, un téléphone perdu vous fermerait la porte."),
        "account.second_factor_page",
        _l("Créer de nouveaux codes"),
    )


@factor
def second_channel(user: User) -> Step:
    """Somebody who reads the mail could hide an alert; two ways are harder to hide."""
    linked = select(ChannelIdentity.id).where(
        ChannelIdentity.user_id == user.id,
        ChannelIdentity.verified_at.is_not(None),
        ChannelIdentity.disabled_at.is_(None),
    )
    return Step(
        "second_channel",
        _l("Un second canal relié"),
        10,
        db.session.scalar(linked.limit(1)) is not None,
        _l("Une alerte vous atteint même si quelqu’un lit vos e-mails."),
        "account.profile",
        _l("Relier un canal"),
    )


@factor
def no_forgotten_device(user: User) -> Step:
    """A device that nobody uses is a door that nobody watches."""
    limit = clock.now() - UNUSED
    forgotten = [device for device in sessions.living_of(user.id) if device.last_seen_at < limit]
    return Step(
        "devices",
        _l("Aucun appareil oublié"),
        10,
        not forgotten,
        _l("Un appareil que vous n’utilisez plus depuis un mois est encore connecté."),
        "account.overview",
        _l("Voir mes appareils"),
    )


@factor
def no_forgotten_token(user: User) -> Step | None:
    """A token that no program uses only waits for a thief."""
    tokens = api_tokens.living_of(user.id)
    if not tokens:
        return None
    limit = clock.now() - UNUSED
    forgotten = [token for token in tokens if (token.last_used_at or token.created_at) < limit]
    return Step(
        "tokens",
        _l("Aucun jeton d’API oublié"),
        10,
        not forgotten,
        _l("Un jeton qui ne sert plus depuis un mois ouvre encore votre compte."),
        "account.tokens",
        _l("Voir mes jetons"),
    )
