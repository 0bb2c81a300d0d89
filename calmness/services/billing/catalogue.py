"""What is for sale today."""

from dataclasses import dataclass, fields, replace
from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, or_, select

from calmness import clock
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.catalogue import Offer, OfferKind, PublicationStatus, Review, VatRegime
from calmness.models.sale import OfferVersion
from calmness.models.training import Formation
from calmness.services import audit, slugs


class DurationMissing(DomainError):
    """A signal subscription lasts some days."""

    slug = "duration-missing"
    field = "duration_days"
    message = _l("Donnez la durée de l’abonnement, en jours.")


class NoLongerForSale(Conflict):
    """The offer left the shelf while its buyer filled in the form."""

    slug = "no-longer-for-sale"
    message = _l("Cette offre n’est plus en vente. Rien n’est dû.")


class FormationMissing(DomainError):
    """An offer of this kind sells a formation."""

    slug = "formation-missing"
    field = "formation_id"
    message = _l("Choisissez la formation vendue.")


class SaleWindowReversed(DomainError):
    """A sale does not end before it begins."""

    slug = "sale-window-reversed"
    field = "valid_until"
    message = _l("La vente se termine avant de commencer.")


class DepositOrInstalments(DomainError):
    """Either a deposit and its balance, or instalments."""

    slug = "deposit-or-instalments"
    field = "deposit"
    message = _l("Choisissez\u00a0: un acompte puis un solde, ou des échéances.")


@dataclass(frozen=True)
class OfferDraft:
    """What an admin fills in."""

    name: str
    summary: str
    price_cents: int
    vat_regime: VatRegime
    vat_rate_bp: int
    duration_days: int | None
    status: PublicationStatus
    places: int | None = None
    instalments: int = 1
    deposit_bp: int | None = None
    balance_days: int = 30
    max_quantity: int = 1
    valid_from: date | None = None
    valid_until: date | None = None

    @property
    def rate_bp(self) -> int:
        """Only the normal regime bears a rate."""
        return self.vat_rate_bp if self.vat_regime is VatRegime.STANDARD else 0


def published(kind: OfferKind | None = None, on: date | None = None) -> list[Offer]:
    """Offers that the public sees on a day, in the order of the shelf."""
    query = _shelf(on or clock.paris_today())
    if kind:
        query = query.where(Offer.kind == kind)
    return list(db.session.scalars(query.order_by(Offer.kind, Offer.position, Offer.id)))


def for_sale(slug: str) -> Offer:
    """An offer that can be bought today. Raises ``NotFound``."""
    offer = db.session.scalar(_shelf(clock.paris_today()).where(Offer.slug == slug))
    if offer is None:
        raise NotFound
    return offer


def _shelf(today: date) -> Select[Offer]:
    return select(Offer).where(
        Offer.status == PublicationStatus.PUBLISHED,
        or_(Offer.valid_from.is_(None), Offer.valid_from <= today),
        or_(Offer.valid_until.is_(None), Offer.valid_until >= today),
    )


def is_for_sale(offer: Offer, on: date | None = None) -> bool:
    """Whether it can be bought on a day."""
    today = on or clock.paris_today()
    in_time = (offer.valid_from or today) <= today <= (offer.valid_until or today)
    return offer.status is PublicationStatus.PUBLISHED and in_time


def versions(offer_id: int) -> list[OfferVersion]:
    """What an offer was, newest first."""
    rows = select(OfferVersion).where(OfferVersion.offer_id == offer_id).order_by(OfferVersion.version.desc())
    return list(db.session.scalars(rows))


def of_formation(formation_id: int) -> Offer | None:
    """The offer that sells a formation today."""
    return next((offer for offer in published(OfferKind.FORMATION) if offer.formation_id == formation_id), None)


def every() -> list[Offer]:
    """All offers, for the staff."""
    return list(db.session.scalars(select(Offer).order_by(Offer.kind, Offer.position, Offer.id)))


def get(offer_id: int) -> Offer:
    """An offer, for the staff. Raises ``NotFound``."""
    offer = db.session.get(Offer, offer_id)
    if offer is None:
        raise NotFound
    return offer


def create(kind: OfferKind, draft: OfferDraft, *, by: User, formation_id: int | None = None) -> Offer:
    """Put something new on the shelf.

    Raises ``DurationMissing``, ``FormationMissing``, ``SaleWindowReversed``, ``DepositOrInstalments``.
    """
    _check(kind, draft)
    if kind is OfferKind.FORMATION and (formation_id is None or db.session.get(Formation, formation_id) is None):
        raise FormationMissing
    name = draft.name.strip()
    offer = Offer(
        slug=slugs.free(Offer.slug, name, "offre"),
        kind=kind,
        name=name,
        summary=draft.summary.strip(),
        formation_id=formation_id if kind is OfferKind.FORMATION else None,
        duration_days=None if kind is OfferKind.FORMATION else draft.duration_days,
        price_cents=draft.price_cents,
        vat_regime=draft.vat_regime,
        vat_rate_bp=draft.rate_bp,
        status=draft.status,
        places=draft.places,
        instalments=1 if kind is OfferKind.SIGNALS or draft.deposit_bp else draft.instalments,
        deposit_bp=None if kind is OfferKind.SIGNALS else draft.deposit_bp,
        balance_days=draft.balance_days,
        max_quantity=1 if kind is OfferKind.FORMATION else draft.max_quantity,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        position=(db.session.scalar(select(func.max(Offer.position)).where(Offer.kind == kind)) or 0) + 1,
        created_at=clock.now(),
    )
    db.session.add(offer)
    db.session.flush()
    _keep_version(offer, by)
    audit.record("offer.created", "offer", offer.id, actor=by)
    return offer


def change(offer_id: int, draft: OfferDraft, *, by: User) -> Offer:
    """Save a new version. Payments made keep what they copied.

    Raises ``DurationMissing``, ``SaleWindowReversed``, ``DepositOrInstalments``.
    """
    offer = db.session.scalar(
        select(Offer).where(Offer.id == offer_id).with_for_update().execution_options(populate_existing=True)
    )
    if offer is None:
        raise NotFound
    if not versions(offer.id):
        # An offer older than this history: what it was until now is its first entry.
        _keep_version(offer, None)
    _check(offer.kind, draft)
    offer.name, offer.summary = draft.name.strip(), draft.summary.strip()
    offer.price_cents = draft.price_cents
    offer.vat_regime, offer.vat_rate_bp = draft.vat_regime, draft.rate_bp
    offer.status = draft.status
    if offer.kind is not OfferKind.FORMATION:
        offer.duration_days = draft.duration_days
    offer.places = draft.places
    offer.instalments = 1 if offer.kind is OfferKind.SIGNALS or draft.deposit_bp else draft.instalments
    offer.deposit_bp = None if offer.kind is OfferKind.SIGNALS else draft.deposit_bp
    offer.balance_days = draft.balance_days
    offer.max_quantity = 1 if offer.kind is OfferKind.FORMATION else draft.max_quantity
    offer.valid_from, offer.valid_until = draft.valid_from, draft.valid_until
    offer.version += 1
    db.session.flush()
    _keep_version(offer, by)
    audit.record("offer.changed", "offer", offer.id, actor=by, changes=("price", "name", "status"))
    return offer


def set_status(offer_id: int, status: PublicationStatus, *, by: User) -> Offer:
    """Publish an offer or take it off the shelf; all else stays. Raises ``NotFound``."""
    offer = get(offer_id)
    return change(offer_id, replace(draft_of(offer), status=status), by=by)


def draft_of(offer: Offer) -> OfferDraft:
    """What an admin would have filled in to get an offer as it is."""
    return OfferDraft(**{field.name: getattr(offer, field.name) for field in fields(OfferDraft)})


def reviews(formation_id: int | None = None, limit: int = 8) -> list[Review]:
    """Published reviews, newest first."""
    query = select(Review).where(Review.published_at.is_not(None))
    if formation_id:
        query = query.where(Review.formation_id == formation_id)
    return list(db.session.scalars(query.order_by(Review.published_at.desc()).limit(limit)))


def _check(kind: OfferKind, draft: OfferDraft) -> None:
    if kind is OfferKind.SIGNALS and not draft.duration_days:
        raise DurationMissing
    if draft.valid_from and draft.valid_until and draft.valid_until < draft.valid_from:
        raise SaleWindowReversed
    if draft.deposit_bp and draft.instalments > 1:
        raise DepositOrInstalments


def _keep_version(offer: Offer, by: User | None) -> None:
    names = (
        "name",
        "summary",
        "price_cents",
        "currency",
        "vat_rate_bp",
        "duration_days",
        "places",
        "instalments",
        "deposit_bp",
        "balance_days",
        "max_quantity",
    )
    content = {name: getattr(offer, name) for name in names} | {
        "vat_regime": offer.vat_regime.value,
        "status": offer.status.value,
        "valid_from": offer.valid_from.isoformat() if offer.valid_from else None,
        "valid_until": offer.valid_until.isoformat() if offer.valid_until else None,
    }
    db.session.add(
        OfferVersion(
            offer_id=offer.id, version=offer.version, content=content, at=clock.now(), by_id=by.id if by else None
        )
    )
    db.session.flush()
