"""Figures, dates and durations as people read them, in French first. Pages use these filters only.

U+202F (narrow no-break space) stands inside numbers and before ``; ! ?``; U+00A0 before units, ``%``, ``€`` and
``:``; the minus sign is U+2212. A value and its unit never part at a line's end.
"""

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal
from flask import Flask
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from calmness import clock, locale

NARROW = "\u202f"
NO_BREAK = "\u00a0"
MINUS = "\u2212"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF"}
THOUSAND = 1000
Number = int | float | Decimal
_MARKS = re.compile(r" ([;!?])")
_INVOICE_NUMBER = re.compile(r"\b[A-Z]{2}-\d{8}-\d{4,}\b")


def register(app: Flask) -> None:
    """Bind the filters, with the language and the zone of the request."""
    app.jinja_env.filters.update(
        money=money,
        signed_money=signed_money,
        amount=amount,
        signed_amount=signed_amount,
        number=number,
        signed_number=signed_number,
        percent=percent,
        points=points,
        price=price,
        volume=volume,
        day=day,
        last_day=last_day,
        short_day=short_day,
        weekday_day=weekday_day,
        meeting_day=meeting_day,
        month=month,
        hour=hour,
        datetime=date_time,
        ago=ago,
        duration=duration,
        days_left=days_left,
        file_size=file_size,
        initials=initials,
        masked=masked,
        iban=iban,
        tone=tone,
        spaced=spaced,
        unbroken=unbroken,
        decimal=Decimal,
    )
    app.jinja_env.globals["ngettext"] = counted
    app.jinja_env.globals["fifteen_minutes"] = timedelta(minutes=15)


@pass_eval_context
def counted(scope: EvalContext, singular: str, plural: str, num: int, **variables: object) -> str:
    """``ngettext()`` of templates: ``1 258 trades``. The number is written as everywhere else."""
    text = locale.plural(singular, plural, num)
    safe = Markup(text) if scope.autoescape else text  # noqa: S704 - a text of our own templates; values are escaped
    return safe % {"num": number(num), **variables}


def number(value: Number | None, digits: int = 0) -> str:
    """``12 480`` or ``3,5``; a dash for nothing, and for what no division gives."""
    exact = Decimal("NaN") if value is None else Decimal(str(value))
    if not exact.is_finite():
        return "–"
    rounded = exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return (MINUS if rounded < 0 else "") + _grouped(abs(rounded), digits, _babel())


def signed_number(value: Number | None, digits: int = 0) -> str:
    """``+12,5`` or ``−3,0``; zero has no sign."""
    text = number(value, digits)
    return "+" + text if value is not None and Decimal(str(value)) > 0 and _is_not_zero(text) else text


def signed_short(value: Number | None) -> str:
    """``+97``, ``−4,9 k`` or ``+12 k``: fits a cell of a calendar on a phone; the exact figure stands elsewhere."""
    if value is None or abs(Decimal(str(value))) < THOUSAND:
        return signed_number(value)
    thousands = Decimal(str(value)) / THOUSAND
    return f"{signed_number(thousands, 0 if abs(thousands) >= 10 else 1)}{NO_BREAK}k"


def amount(value: Number | None, currency: str = "EUR", digits: int = 2) -> str:
    """``1 284,50 €`` from a value in units of the currency."""
    if value is None:
        return "–"
    if currency == "JPY" and digits == 2:
        digits = 0
    symbol = SYMBOLS.get(currency, currency)
    if locale.language() == "en":
        text = number(abs(Decimal(str(value))), digits)
        return (MINUS if value < 0 and _is_not_zero(text) else "") + symbol + text
    text = number(value, digits)
    return f"{text if _is_not_zero(text) else text.lstrip(MINUS)}{NO_BREAK}{symbol}"


def signed_amount(value: Number | None, currency: str = "EUR", digits: int = 2) -> str:
    """``+1 284,50 €`` or ``−61,27 €``."""
    text = amount(value, currency, digits)
    return "+" + text if value is not None and value > 0 and _is_not_zero(text) else text


def money(cents: int | None, currency: str = "EUR") -> str:
    """``149,99 €`` from integer cents; whole amounts keep their cents."""
    return amount(None if cents is None else Decimal(cents) / 100, currency)


def signed_money(cents: int | None, currency: str = "EUR") -> str:
    """``+149,99 €`` from integer cents."""
    return signed_amount(None if cents is None else Decimal(cents) / 100, currency)


def percent(ratio: Number | None, digits: int = 1) -> str:
    """``58,4 %`` from 0.584 (``58.4%`` in English); a dash when there is nothing to divide."""
    if ratio is None:
        return "–"
    space = "" if locale.language() == "en" else NO_BREAK
    return number(Decimal(str(ratio)) * 100, digits) + space + "%"


def points(ratio: Number | None, digits: int = 1) -> str:
    """``+6,1 pts`` from a difference of two rates."""
    return "–" if ratio is None else signed_number(Decimal(str(ratio)) * 100, digits) + NO_BREAK + "pts"


def price(value: Decimal | None, digits: int | None = None) -> str:
    """A quote with the digits of its instrument; never fewer than the broker gave."""
    if value is None:
        return "–"
    plain = value.normalize()
    given = max(0, -int(plain.as_tuple().exponent)) if plain.is_finite() else 0
    return number(value, max(given, digits or 0))


def volume(value: Decimal | None) -> str:
    """Lots with two digits, three when needed."""
    return "–" if value is None else number(value, 2 if value == value.quantize(Decimal("0.01")) else 3)


def local(value: datetime) -> datetime:
    """The instant in the zone of the reader."""
    return value.astimezone(ZoneInfo(locale.select_timezone()))


def day(value: date | datetime | None) -> str:
    """``24 novembre 2026``; the first of a month is ``1er``."""
    return _date(value, "d MMMM y")


def last_day(value: datetime | None) -> str:
    """The last whole day before an instant at midnight, such as the end of a period."""
    return day(value - timedelta(seconds=1)) if value else ""


def short_day(value: date | datetime | None) -> str:
    """``24 nov. 2026``."""
    return _date(value, "d MMM y")


def weekday_day(value: date | datetime | None) -> str:
    """``mardi 24 novembre``."""
    return _date(value, "EEEE d MMMM")


def meeting_day(value: date | datetime | None) -> str:
    """``Aujourd’hui``, ``Demain`` or ``Mardi 24 novembre``: begins a line about an appointment."""
    if value is None:
        return "–"
    on = local(value).date() if isinstance(value, datetime) else value
    near = ("Today", "Tomorrow") if locale.language() == "en" else ("Aujourd’hui", "Demain")
    distance = (on - local(clock.now()).date()).days
    if 0 <= distance < len(near):
        return near[distance]
    text = weekday_day(on)
    return text[:1].upper() + text[1:]


def month(value: date | datetime | None) -> str:
    """``Novembre 2026``."""
    text = _date(value, "MMMM y")
    return text[:1].upper() + text[1:]


def short_month(value: date | datetime | None) -> str:
    """``nov.``: a month under a bar."""
    return _date(value, "MMM")


def day_and_month(value: date | datetime | None) -> str:
    """``24 nov.``: a day under a bar, where the year is plain."""
    return _date(value, "d MMM")


def hour(value: datetime | None) -> str:
    """``19 h 00`` in the reader's zone, ``7:00 PM`` in English."""
    if value is None:
        return "–"
    shown = local(value)
    if locale.language() == "en":
        return shown.strftime("%I:%M %p").lstrip("0").replace(" ", NO_BREAK)
    return f"{shown.hour}{NO_BREAK}h{NO_BREAK}{shown.minute:02d}"


def date_time(value: datetime | None) -> str:
    """``24 novembre 2026 à 19 h 00``."""
    if value is None:
        return "–"
    link = " at " if locale.language() == "en" else " à "
    return day(value) + link + hour(value)


def moment_in(value: datetime, zone: str) -> str:
    """``mardi 24 novembre à 19 h 00 (heure de Paris)``: for a message, which is read anywhere."""
    there = value.astimezone(ZoneInfo(zone))
    city = zone.rpartition("/")[2].replace("_", " ")
    return (
        f"{_date(there.date(), 'EEEE d MMMM')} à {there.hour}{NO_BREAK}h{NO_BREAK}{there.minute:02d} (heure de {city})"
    )


def ago(value: datetime | None) -> Markup | str:
    """``il y a 3 heures`` in a ``<time>`` that a module keeps true; beyond a week the date."""
    if value is None:
        return "–"
    distance = value - clock.now()
    if abs(distance) > timedelta(days=7):
        text = day(value)
    elif timedelta(seconds=-5) < distance < timedelta(seconds=5):
        text = "just now" if locale.language() == "en" else "à l’instant"
    else:
        text = format_timedelta(distance, add_direction=True, locale=_babel(), threshold=1)
        text = re.sub(r"(\d+) ", rf"\1{NO_BREAK}", text)
    return Markup('<time datetime="{}" data-module="ago" title="{}">{}</time>').format(
        value.isoformat(), date_time(value), text
    )


def duration(seconds: Number | None) -> str:
    """``3 h 12``, ``41 min``, ``3 min 42``, ``23 s``, ``2 j 5 h``."""
    if seconds is None:
        return "–"
    if seconds < 0:
        return MINUS + duration(-seconds)
    total = int(seconds)
    days, rest = divmod(total, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    letter = "d" if locale.language() == "en" else "j"
    if days:
        return _joined(f"{days} {letter}", f"{hours} h" if hours else "")
    if hours:
        return _joined(f"{hours} h", f"{minutes:02d}" if minutes else "")
    if minutes:
        return _joined(f"{minutes} min", f"{left:02d}" if left and minutes < 10 else "")
    return _joined(f"{left} s")


def days_left(value: datetime) -> str:
    """``19 jours``, ``1 jour``, ``5 h`` until an instant; of thirty days bought a moment ago thirty are left."""
    left = value - clock.now()
    if left <= timedelta(0):
        return duration(0)
    if left < timedelta(days=1):
        return duration(left.total_seconds())
    words = ("day", "days") if locale.language() == "en" else ("jour", "jours")
    days = round(left / timedelta(days=1))
    return f"{days}{NO_BREAK}{words[days > 1]}"


def file_size(size: int) -> str:
    """``48 ko``, ``1,2 Mo``; ``48 kB`` in English. A thousand is 1 000, as on phones."""
    letter = "B" if locale.language() == "en" else "o"
    if size < 1000:
        return f"{size}{NO_BREAK}{letter}"
    if size < 999_500:
        return f"{number(size / 1000)}{NO_BREAK}k{letter}"
    return f"{number(size / 1_000_000, 1)}{NO_BREAK}M{letter}"


def initials(name: str) -> str:
    """``CM`` of ``Camille Moreau``."""
    words = [word for word in name.split() if word[0].isalpha()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


def masked(text: str | None, shown: int = 4) -> str:
    """``••4451``: the end of an account number, never more than half of a short one."""
    return "" if not text else "••" + text[-max(1, min(shown, len(text) // 2)) :]


def iban(text: str) -> str:
    """Groups of four, as banks print it."""
    compact = "".join(text.split())
    return NO_BREAK.join(compact[start : start + 4] for start in range(0, len(compact), 4))


def tone(value: Number | None) -> str:
    """Class of a result: ``positive``, ``negative`` or nothing; the sign is in the text beside it."""
    if value is None or value == 0:
        return ""
    return "positive" if value > 0 else "negative"


def spaced(text: str) -> str:
    """French spaces in a text that a person typed: ``Bonjour !`` never breaks before its mark."""
    return (
        _MARKS.sub(NARROW + r"\1", text)
        .replace(" :", NO_BREAK + ":")
        .replace("« ", "«" + NO_BREAK)
        .replace(" »", NO_BREAK + "»")
    )


def unbroken(text: str) -> Markup:
    """A text for a page in which no number of an invoice, such as ``CT-20261128-0003``, breaks at its hyphens."""
    whole = _INVOICE_NUMBER.sub(r'<span class="nowrap">\g<0></span>', str(escape(text)))
    return Markup(whole)  # noqa: S704 - escaped above; what is added is ours


def _joined(*parts: str) -> str:
    return NO_BREAK.join(part.replace(" ", NO_BREAK) for part in parts if part)


def _is_not_zero(text: str) -> bool:
    return any(character in "123456789" for character in text)


def _babel() -> str:
    return "en_GB" if locale.language() == "en" else "fr_FR"


def _date(value: date | datetime | None, pattern: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = local(value).date()
    return _dated(value, pattern, _babel())


# The same figures and days come back in every row of a table, and Babel takes 20 µs for each.
@lru_cache(maxsize=8192)
def _grouped(value: Decimal, digits: int, babel: str) -> str:
    text: str = format_decimal(value, "#,##0" + ("." + "0" * digits if digits else ""), locale=babel)
    return text


@lru_cache(maxsize=4096)
def _dated(value: date, pattern: str, babel: str) -> str:
    text: str = format_date(value, pattern, locale=babel)
    if babel == "fr_FR" and value.day == 1 and "d" in pattern:
        text = re.sub(r"\b1 ", "1er ", text, count=1)
    return re.sub(r"(\d+(?:er)?) (\w)", rf"\1{NO_BREAK}\2", text)
