"""Which cards a dashboard has, and in which order."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from calmness import clock
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.models.dialect import upsert
from calmness.models.settings import WidgetLayout

DEFAULT = (
    "first_steps",
    "next_session",
    "figures",
    "capital",
    "calendar",
    "trades",
    "formations",
    "signals",
    "subscriptions",
    "notifications",
    "payments",
)


class UnknownWidget(NotFound):
    """No card has this name."""

    slug = "unknown-widget"
    message = _l("Cette carte n’existe pas.")


@dataclass(frozen=True)
class Layout:
    """Names of cards in order."""

    widgets: tuple[str, ...]


def of_user(user_id: int) -> Layout:
    """A person's own arrangement, or the first one."""
    row = db.session.get(WidgetLayout, user_id)
    return Layout(tuple(str(name) for name in row.widgets) if row else DEFAULT)


def change(user_id: int, name: str, act: str, *, known: tuple[str, ...]) -> None:
    """``add``, ``remove``, ``earlier``, ``later``, ``first`` or ``last``. Raises ``UnknownWidget``."""
    if name not in known:
        raise UnknownWidget
    names = [widget for widget in of_user(user_id).widgets if widget in known]
    place = names.index(name) if name in names else len(names)
    without = [widget for widget in names if widget != name]
    targets = {
        "add": len(without),
        "earlier": max(place - 1, 0),
        "later": min(place + 1, len(without)),
        "first": 0,
        "last": len(without),
    }
    if act != "remove":
        if act not in targets:
            raise UnknownWidget
        without.insert(targets[act], name)
    row = {"user_id": user_id, "widgets": without, "updated_at": clock.now()}
    upsert(db.session(), WidgetLayout, [row], key=["user_id"], update_columns=["widgets", "updated_at"])


def arrange(user_id: int, names: list[str], *, known: tuple[str, ...]) -> None:
    """Save a whole order at once; a name given twice counts once. Raises ``UnknownWidget``."""
    if any(name not in known for name in names):
        raise UnknownWidget
    row = {"user_id": user_id, "widgets": list(dict.fromkeys(names)), "updated_at": clock.now()}
    upsert(db.session(), WidgetLayout, [row], key=["user_id"], update_columns=["widgets", "updated_at"])


def reset(user_id: int) -> None:
    """Back to the first arrangement."""
    row = db.session.get(WidgetLayout, user_id)
    if row is not None:
        db.session.delete(row)
        db.session.flush()
