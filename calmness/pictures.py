"""Pictures of people: made anew from their pixels, so that nothing else of the file survives. Knows no request."""

import warnings
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 25_000_000
SIDES = (256, 64)
QUALITY = 84


class Unreadable(ValueError):
    """No picture, a broken one, or one that would fill the memory."""


def squares(content: bytes, sides: tuple[int, ...] = SIDES) -> list[bytes]:
    """The middle square of a picture in each size, as WebP without metadata. Raises ``Unreadable``.

    The size is read from the header before a pixel is unpacked; only three formats are looked at.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=FORMATS) as opened:
                width, height = opened.size
                if width * height > MOST_PIXELS or min(width, height) < 1:
                    raise Unreadable("too large")
                opened.draft("RGB", (max(sides) * 2, max(sides) * 2))
                upright = ImageOps.exif_transpose(opened)
                picture = upright.convert("RGBA" if _is_transparent(upright) else "RGB")
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
    ) as error:
        raise Unreadable(str(error)) from error
    return [_encoded(ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)) for side in sides]


def _is_transparent(picture: Image.Image) -> bool:
    return picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info


def _encoded(picture: Image.Image) -> bytes:
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    buffer = BytesIO()
    clean.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()
