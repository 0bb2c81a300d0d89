"""The school's logo: any picture that somebody gives becomes a small PNG without secrets, or is refused at upload.

Drawn anew from its pixels, so that nothing else of the file goes on; without transparency, on the black of the
document's head, so that the document needs no mask.
"""

import io
import struct
from base64 import b64encode
from enum import Enum

from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 2 * 1024 * 1024
MAX_PIXELS = 25_000_000
WIDEST, HIGHEST = 900, 240
HEAD = (10, 10, 10)
FORMATS = ("PNG", "JPEG", "WEBP")


class Fault(Enum):
    """Why a file is no logo."""

    EMPTY = "empty"
    TOO_HEAVY = "too_heavy"
    NOT_A_PICTURE = "not_a_picture"
    TOO_LARGE = "too_large"
    BROKEN = "broken"


class LogoRefused(Exception):
    """The file cannot be a logo: ``fault`` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def logo_png(content: bytes) -> bytes:
    """The picture as a PNG of at most 900 × 240 pixels on the head's black. Raises ``LogoRefused``."""
    if not content:
        raise LogoRefused(Fault.EMPTY)
    if len(content) > MAX_BYTES:
        raise LogoRefused(Fault.TOO_HEAVY)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            # The header alone is read until here: a bomb is never unpacked.
            if picture.width * picture.height > MAX_PIXELS:
                raise LogoRefused(Fault.TOO_LARGE)
            drawn = ImageOps.exif_transpose(picture).convert("RGBA")
    except UnidentifiedImageError as error:
        raise LogoRefused(Fault.NOT_A_PICTURE) from error
    except Image.DecompressionBombError as error:
        raise LogoRefused(Fault.TOO_LARGE) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise LogoRefused(Fault.BROKEN) from error
    drawn.thumbnail((WIDEST, HIGHEST), Image.Resampling.LANCZOS)
    ground = Image.new("RGB", drawn.size, HEAD)
    ground.paste(drawn, mask=drawn.getchannel("A"))
    out = io.BytesIO()
    ground.save(out, "PNG", optimize=True)
    return out.getvalue()


def as_address(png: bytes) -> str:
    """The picture as a ``data:`` address; nothing is fetched to draw it."""
    return f"data:image/png;base64,{b64encode(png).decode()}"


def size_in(png: bytes, width: float, height: float) -> tuple[int, int]:
    """Width and height of the picture drawn as large as a box allows."""
    across, down = struct.unpack(">II", png[16:24])
    scale = min(width / across, height / down)
    return max(1, round(across * scale)), max(1, round(down * scale))
