"""What a student writes about trades: note, tags, mistakes, plan. Private: every query goes through its owner.

A save says which revision it was made from. A page that was open while another one saved does not write over it: both
texts are shown, and the next save decides.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.dialect import locked, texts_in
from calmness.models.journal import MISTAKE_LENGTH, TAG_LENGTH, TradeJournal
from calmness.models.trading import Trade
from calmness.services.account import preferences
from calmness.services.trading import trade_history, trade_plans, trade_totals
from calmness.services.trading.message_values import clean

NOTE_LENGTH, TAGS, MISTAKES = 10_000, 12, 40
MISTAKES_KEY = "journal.mistakes"
MOST = Decimal(10) ** 9


class NoteTooLong(DomainError):
    """More than a note may hold."""

    slug = "note-too-long"
    field = "note"
    message = _l("Votre note dépasse 10\u202f000 caractères\u00a0: raccourcissez-la.")


class TooManyTags(DomainError):
    """Too many tags, or one that is too long."""

    slug = "too-many-tags"
    field = "tags"
    message = _l("12 étiquettes au plus, de 30 caractères chacune.")


class WrongPrice(DomainError):
    """What was typed is no price."""

    slug = "wrong-price"
    message = _l("Entrez un prix, par exemple 1,0850.")


class StopOnWrongSide(DomainError):
    """A stop above a purchase or under a sale is no risk."""

    slug = "stop-on-wrong-side"
    field = "planned_stop"
    message = _l("Pour un achat, le stop prévu est sous l’entrée\u202f; pour une vente, au-dessus.")


class ChangedMeanwhile(DomainError):
    """Another page saved this journal since this one was opened."""

    status = 409
    slug = "journal-changed-meanwhile"
    field = "note"
    message = _l("Ce journal a été modifié depuis une autre page. Relisez les deux textes, puis enregistrez.")


class WrongMistake(DomainError):
    """No name, too long a one, or too many."""

    slug = "wrong-mistake"
    field = "name"
    message = _l("Un nom de 60 caractères au plus, et 40 erreurs au plus dans votre liste.")


@dataclass(frozen=True)
class Draft:
    """What a form brings, as typed."""

    note: str = ""
    tags: str = ""
    mistakes: tuple[str, ...] = ()
    planned_entry: str = ""
    planned_stop: str = ""
    planned_target: str = ""
    plan_followed: bool | None = None
    revision: int | None = None
    """Revision that the page was made from; None writes over whatever is there."""


def of_trade(user_id: int, trade_id: int) -> TradeJournal | None:
    """What a person wrote about an own trade."""
    return db.session.scalar(
        select(TradeJournal).where(TradeJournal.trade_id == trade_id, TradeJournal.user_id == user_id)
    )


def of_trades(user_id: int, trade_ids: list[int]) -> dict[int, TradeJournal]:
    """What a person wrote about own trades, by trade."""
    rows = db.session.scalars(
        select(TradeJournal).where(TradeJournal.trade_id.in_(trade_ids), TradeJournal.user_id == user_id)
    )
    return {row.trade_id: row for row in rows}


def write(user_id: int, trade_id: int, draft: Draft) -> TradeJournal:
    """Save what a person writes about an own trade; tags are separated by commas.

    Raises ``NotFound``, ``NoteTooLong``, ``TooManyTags``, ``WrongPrice``, ``StopOnWrongSide``, ``ChangedMeanwhile``.
    """
    trade = trade_history.own(user_id, trade_id)
    note = draft.note.strip().replace("\r\n", "\n").replace("\x00", "")
    if len(note) > NOTE_LENGTH:
        raise NoteTooLong
    tags = _tags(draft.tags)
    plan = {name: _price(getattr(draft, name), name) for name in ("planned_entry", "planned_stop", "planned_target")}
    _check_side(trade, plan["planned_entry"], plan["planned_stop"])
    mistakes = sorted({clean(name, MISTAKE_LENGTH).strip() for name in draft.mistakes} & set(mistakes_of(user_id)))
    empty = {"user_id": user_id, "note": "", "tags": [], "mistakes": [], "updated_at": clock.now()}
    journal = locked(db.session(), TradeJournal, {"trade_id": trade.id}, empty)
    if draft.revision is not None and draft.revision != journal.revision:
        raise ChangedMeanwhile
    journal.note, journal.tags, journal.mistakes = note, tags, mistakes
    for name, price in plan.items():
        setattr(journal, name, price)
    journal.plan_followed = draft.plan_followed
    journal.revision += 1
    journal.updated_at = clock.now()
    trade_totals.touch(trade.account_id)
    db.session.flush()
    return journal


def tags_of(user_id: int) -> list[str]:
    """Tags that a person uses, by name."""
    return _texts(user_id, "tags")


def mistakes_of(user_id: int) -> list[str]:
    """Mistakes to choose from: a person's own list, and those that trades still carry."""
    return sorted({*own_mistakes(user_id), *_texts(user_id, "mistakes")}, key=str.casefold)


def own_mistakes(user_id: int) -> list[str]:
    """A person's own list; a starting one until something is added or removed."""
    kept = preferences.settings_of(user_id).get(MISTAKES_KEY)
    if isinstance(kept, list):
        return [str(name) for name in kept]
    return [
        _("Entrée trop tôt"),
        _("Entrée sans signal"),
        _("Stop déplacé"),
        _("Sortie trop tôt"),
        _("Taille trop grande"),
        _("Trade de revanche"),
        _("Hors du plan"),
    ]


def add_mistake(user_id: int, name: str) -> None:
    """Add to one's list. Raises ``WrongMistake``."""
    name, names = " ".join(clean(name, 200).split()), own_mistakes(user_id)
    if not name or len(name) > MISTAKE_LENGTH or len(names) >= MISTAKES:
        raise WrongMistake
    if name.casefold() not in {known.casefold() for known in names}:
        preferences.keep(user_id, MISTAKES_KEY, [*names, name])


def remove_mistake(user_id: int, name: str) -> None:
    """Take off one's list; trades keep what they carry."""
    preferences.keep(user_id, MISTAKES_KEY, [known for known in own_mistakes(user_id) if known != name])


def _texts(user_id: int, column: str) -> list[str]:
    text = texts_in(db.session(), getattr(TradeJournal, column))
    rows = db.session.scalars(select(text).select_from(TradeJournal).where(TradeJournal.user_id == user_id).distinct())
    return sorted(rows, key=str.casefold)


def _tags(typed: str) -> list[str]:
    written = sorted({" ".join(tag.split()) for tag in clean(typed, len(typed)).split(",") if tag.strip()})
    if len(written) > TAGS or any(len(tag) > TAG_LENGTH for tag in written):
        raise TooManyTags
    return written


def _price(typed: str, field: str) -> Decimal | None:
    text = "".join(typed.split()).replace(",", ".")
    if not text:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise WrongPrice(field=field) from error
    if not price.is_finite() or not 0 < price < MOST:
        raise WrongPrice(field=field)
    return price


def _check_side(trade: Trade, entry: Decimal | None, stop: Decimal | None) -> None:
    from_price = entry if entry is not None else trade.open_price
    side = trade_plans.side_of(trade)
    if side and stop is not None and from_price is not None and (from_price - stop) * side <= 0:
        raise StopOnWrongSide
