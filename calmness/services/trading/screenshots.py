"""Screenshots beside a trade: told by their content, drawn again so that only the picture stays, seen by the owner.

What is stored was written by us: no metadata, no second content behind the picture. Sizes are looked at before anything
is unpacked, so that a small file can't fill the memory.
"""

import io
import secrets
import warnings

from flask_babel import lazy_gettext as _l
from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import ColumnElement, func, select

from calmness import clock, files
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.models.dialect import hold
from calmness.models.journal import TradeScreenshot
from calmness.models.trading import Trade
from calmness.services.trading import trade_history
from calmness.services.trading.message_values import clean

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 30_000_000
SIDE = 2560
"""Longest side that is kept: enough to read the prices of a wide screen."""
A_TRADE, A_PERSON = 8, 500
FORMATS = ("PNG", "JPEG", "WEBP")
KINDS = {"png": "image/png", "jpg": "image/jpeg"}


class NoPicture(DomainError):
    """Not a picture of a known kind, or one that is broken."""

    slug = "no-picture"
    field = "picture"
    message = _l("Ce fichier n’est pas une image lisible\u00a0: envoyez un PNG, un JPEG ou un WebP.")


class PictureTooLarge(DomainError):
    """More bytes or pixels than taken."""

    slug = "picture-too-large"
    field = "picture"
    message = _l("Image trop grande\u00a0: 8\u00a0Mo et 30 millions de pixels au plus.")


class TooManyPictures(DomainError):
    """Enough of them."""

    slug = "too-many-pictures"
    field = "picture"
    message = _l("8 captures par trade et 500 en tout au plus\u00a0: supprimez-en d’abord.")


def add(user_id: int, trade_id: int, content: bytes, caption: str = "") -> TradeScreenshot:
    """Put a picture beside an own trade.

    Raises ``NotFound``, ``NoPicture``, ``PictureTooLarge``, ``TooManyPictures``.
    """
    trade = trade_history.own(user_id, trade_id)
    picture, extension, (width, height) = redrawn(content)
    hold(db.session(), f"screenshots:{user_id}")
    mine = select(func.count()).select_from(TradeScreenshot).where(TradeScreenshot.user_id == user_id)
    if (db.session.scalar(mine) or 0) >= A_PERSON:
        raise TooManyPictures
    if (db.session.scalar(mine.where(TradeScreenshot.trade_id == trade.id)) or 0) >= A_TRADE:
        raise TooManyPictures
    key = f"screenshots/{secrets.token_hex(16)}.{extension}"
    files.store().put(key, picture)
    row = TradeScreenshot(
        trade_id=trade.id,
        user_id=user_id,
        file_key=key,
        width=width,
        height=height,
        size=len(picture),
        caption=clean(" ".join(caption.split()), 200),
        created_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    return row


def redrawn(content: bytes) -> tuple[bytes, str, tuple[int, int]]:
    """(picture, its extension, its size): the same pixels, upright, at most ``SIDE`` long, and nothing else.

    Raises ``NoPicture``, ``PictureTooLarge``.
    """
    if len(content) > MAX_BYTES:
        raise PictureTooLarge
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = Image.open(io.BytesIO(content), formats=FORMATS)
            if opened.width * opened.height > MAX_PIXELS:
                raise PictureTooLarge
            is_photo = opened.format == "JPEG"
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((SIDE, SIDE))
            mode = "RGB" if is_photo or not upright.has_transparency_data else "RGBA"
            # A new picture: what belonged to the old one beside its pixels is not taken along.
            fresh = Image.new(mode, upright.size)
            fresh.paste(upright.convert(mode))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NoPicture from error
    sink = io.BytesIO()
    if is_photo:
        fresh.save(sink, "JPEG", quality=88)
    else:
        fresh.save(sink, "PNG")
    return sink.getvalue(), "jpg" if is_photo else "png", fresh.size


def of_trade(user_id: int, trade_id: int) -> list[TradeScreenshot]:
    """Screenshots of an own trade, oldest first."""
    return list(
        db.session.scalars(
            select(TradeScreenshot)
            .where(TradeScreenshot.trade_id == trade_id, TradeScreenshot.user_id == user_id)
            .order_by(TradeScreenshot.id)
        )
    )


def own(user_id: int, screenshot_id: int) -> TradeScreenshot:
    """An own screenshot. Raises ``NotFound``."""
    row = db.session.scalar(
        select(TradeScreenshot).where(TradeScreenshot.id == screenshot_id, TradeScreenshot.user_id == user_id)
    )
    if row is None:
        raise NotFound
    return row


def content_of(row: TradeScreenshot) -> tuple[bytes, str]:
    """(picture, content type). Raises ``NotFound`` when the file is gone."""
    try:
        return files.store().get(row.file_key), KINDS[row.file_key.rsplit(".", 1)[1]]
    except FileNotFoundError as error:
        raise NotFound from error


def remove(row: TradeScreenshot) -> None:
    """Delete the row, and its file after the commit."""
    files.delete_after_commit(row.file_key)
    db.session.delete(row)
    db.session.flush()


def forget_files(*of_trades: ColumnElement[bool]) -> None:
    """Delete the files beside trades that are about to go, after the commit."""
    beside = select(TradeScreenshot.file_key).join(Trade, Trade.id == TradeScreenshot.trade_id)
    files.delete_after_commit(*db.session.scalars(beside.where(*of_trades)))
