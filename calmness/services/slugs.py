"""Names as addresses."""

import re
import unicodedata

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from calmness.extensions import db


def free(column: InstrumentedAttribute[str], name: str, fallback: str) -> str:
    """Words of a name, such as ``lire-les-marches``, with a number when another row of the column has them."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:80] or fallback
    taken = set(db.session.scalars(select(column).where(column.startswith(words, autoescape=True))))
    candidates = [words, *(f"{words}-{number}" for number in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate not in taken)
