"""Euro reference rates of the European Central Bank: its XML, its CSV (of a day, of the whole history, zipped or not)
and the CSV of its data portal.

A rate is what one euro is worth in the other currency.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import requests
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

MAX_BYTES = 30 * 1024 * 1024
TIMEOUT = (5, 60)
_CODE = re.compile(r"[A-Z]{3}")
_NOTHING = frozenset({"", "N/A", "NaN", "-"})


class UnreadableRates(Exception):
    """The file holds no reference rates. ``reason`` is a short English sentence for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rate(NamedTuple):
    """One euro in a currency on a day."""

    day: date
    currency: str
    per_euro: Decimal


def read(content: bytes) -> list[Rate]:
    """All rates of a file, told apart by content. Raises ``UnreadableRates``; a file is read whole or not at all."""
    if len(content) > MAX_BYTES:
        raise UnreadableRates("the file is too big")
    if content.startswith(b"PK"):
        content = _unpacked(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableRates("the file is no text") from error
    rates = list(_xml(content) if text.lstrip().startswith("<") else _csv(text))
    if not rates:
        raise UnreadableRates("the file holds no rate")
    return rates


def fetch(url: str) -> list[Rate]:
    """Rates of an address. Raises ``UnreadableRates`` and ``requests.RequestException``."""
    with requests.get(url, timeout=TIMEOUT, stream=True) as answer:
        answer.raise_for_status()
        content = b""
        for piece in answer.iter_content(65_536):
            content += piece
            if len(content) > MAX_BYTES:
                raise UnreadableRates("the file is too big")
    return read(content)


def _unpacked(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [member for member in archive.infolist() if member.filename.lower().endswith((".csv", ".xml"))]
            if len(files) != 1 or files[0].file_size > MAX_BYTES:
                raise UnreadableRates("the archive must hold one file of rates")
            return archive.read(files[0])
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise UnreadableRates("the archive is broken") from error


def _xml(content: bytes) -> Iterator[Rate]:
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise UnreadableRates("the XML is broken") from error
    for of_day in root.iter():
        if "time" not in of_day.attrib:
            continue
        day = _day(of_day.attrib["time"])
        for cube in of_day:
            if "currency" in cube.attrib:
                yield _rate(day, cube.attrib["currency"], cube.attrib.get("rate", ""))


def _csv(text: str) -> Iterator[Rate]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True))
    except csv.Error as error:
        raise UnreadableRates("the CSV is broken") from error
    head = [name.strip() for name in (rows or [[]])[0]]
    if "TIME_PERIOD" in head and "OBS_VALUE" in head and "CURRENCY" in head:
        places = [head.index(name) for name in ("TIME_PERIOD", "CURRENCY", "OBS_VALUE")]
        for row in rows[1:]:
            if len(row) > max(places) and row[places[2]].strip() not in _NOTHING:
                yield _rate(_day(row[places[0]]), row[places[1]], row[places[2]])
        return
    if not head or head[0] != "Date":
        raise UnreadableRates("the first column must be Date")
    for row in rows[1:]:
        if not row or not row[0].strip():
            continue
        day = _day(row[0])
        for currency, value in zip(head[1:], row[1:], strict=False):
            if currency and value.strip() not in _NOTHING:
                yield _rate(day, currency, value)


def _day(text: str) -> date:
    for pattern in ("%Y-%m-%d", "%d %B %Y"):
        try:
            return datetime.strptime(text.strip(), pattern).date()  # noqa: DTZ007 - a day without a zone
        except ValueError:
            continue
    raise UnreadableRates(f"no day: {text.strip()[:20]!r}")


def _rate(day: date, currency: str, text: str) -> Rate:
    code = currency.strip()
    try:
        value = Decimal(text.strip())
    except InvalidOperation as error:
        raise UnreadableRates(f"no rate: {text.strip()[:20]!r}") from error
    if not _CODE.fullmatch(code) or not value.is_finite() or not 0 < value < 10**9:
        raise UnreadableRates(f"no rate: {code[:5]!r} {text.strip()[:20]!r}")
    return Rate(day, code, value)
