"""Photo of a person: two squares in WebP under a name that nobody guesses."""

import secrets

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness import pictures, uploads
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.files import delete_after_commit, store
from calmness.models.account import User
from calmness.permissions import Permission, may

MOST_BYTES = 8 * 1024 * 1024
SMALL = 64
LARGE = max(pictures.SIDES)


class PictureUnreadable(uploads.UploadRefused):
    """The bytes begin like a picture and are none, or one of more than 25 million pixels."""

    slug = "picture-unreadable"
    message = _l("Cette image ne se lit pas ou dépasse 25\u00a0millions de pixels.")


def save(user: User, file_name: str, content: bytes) -> None:
    """Give a person this photo; the files of the one before go after the commit.

    Raises ``UploadRefused`` (empty, too big, no picture), ``PictureUnreadable``.
    """
    given = uploads.check(file_name, content, allowed=uploads.IMAGES, most=MOST_BYTES)
    try:
        made = pictures.squares(given.content)
    except pictures.Unreadable as error:
        raise PictureUnreadable from error
    key = f"avatars/{secrets.token_hex(16)}.webp"
    for side, square in zip(pictures.SIDES, made, strict=True):
        store().put(_key(key, side), square)
    remove(user)
    user.avatar_file = key
    db.session.flush()


def remove(user: User) -> None:
    """Take the photo away, and its files after the commit."""
    if user.avatar_file:
        delete_after_commit(*(_key(user.avatar_file, side) for side in pictures.SIDES))
        user.avatar_file = None
        db.session.flush()


def read(viewer: User, name: str, side: int) -> bytes:
    """Bytes of a photo: for its owner, and for the team. Raises ``NotFound``."""
    key = f"avatars/{name}.webp"
    owner_id = db.session.scalar(select(User.id).where(User.avatar_file == key))
    if owner_id is None or side not in pictures.SIDES:
        raise NotFound
    if owner_id != viewer.id and not may(viewer, Permission.SEE_CLIENTS):
        raise NotFound
    try:
        return store().get(_key(key, side))
    except FileNotFoundError as error:
        raise NotFound from error


def _key(key: str, side: int) -> str:
    """The large square has the name itself, so that one key stands for the photo."""
    return key if side == LARGE else key.replace(".webp", f"-{side}.webp")
