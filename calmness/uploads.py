"""What may come in as a file: by its content, never by its name or by what the browser says of it.

A small library: no request, no database. Every upload of the house passes ``check`` first; a reader of its own format
(statements of banks and of MetaTrader) then looks closer.
"""

import re
import unicodedata
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

from flask_babel import lazy_gettext as _l

from calmness.errors import DomainError

MOST_MEMBERS = 2_000
MOST_UNPACKED = 100 * 1024 * 1024
MOST_RATIO = 200
SMALL_ZIP = 1024 * 1024
LONGEST_NAME = 120


class Kind(StrEnum):
    """What a file is."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    GIF = "image/gif"
    PDF = "application/pdf"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ZIP = "application/zip"
    XML = "application/xml"
    SVG = "image/svg+xml"
    HTML = "text/html"
    TEXT = "text/plain"
    PROGRAM = "application/x-executable"
    UNKNOWN = "application/octet-stream"


IMAGES = frozenset({Kind.PNG, Kind.JPEG, Kind.WEBP})
DOCUMENTS = IMAGES | {Kind.PDF}
READABLE = frozenset({Kind.TEXT, Kind.HTML, Kind.XML, Kind.XLSX, Kind.UNKNOWN})
"""What a reader of statements looks at: old exports come in odd encodings, so the unknown is left to it."""


class UploadRefused(DomainError):
    """Not a file that is taken here."""

    slug = "upload-refused"
    field = "file"
    message = _l("Ce type de fichier n’est pas accepté ici.")


class UploadEmpty(UploadRefused):
    """Nothing in it."""

    slug = "upload-empty"
    message = _l("Ce fichier est vide.")


class UploadTooBig(UploadRefused):
    """More than this place takes."""

    status = 413
    slug = "upload-too-big"
    message = _l("Ce fichier est trop gros.")


class UploadDangerous(UploadRefused):
    """An archive that unpacks to far more than it says, or out of its folder."""

    slug = "upload-dangerous"
    message = _l("Cette archive n’est pas sûre\u00a0: elle n’a pas été ouverte.")


@dataclass(frozen=True)
class Upload:
    """A file that passed: a name fit to be shown, what it is, its bytes."""

    name: str
    kind: Kind
    content: bytes


_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"%PDF-", Kind.PDF),
    (b"MZ", Kind.PROGRAM),
    (b"\x7fELF", Kind.PROGRAM),
    (b"\xcf\xfa\xed\xfe", Kind.PROGRAM),
    (b"#!", Kind.PROGRAM),
)
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


def check(file_name: str, content: bytes, *, allowed: frozenset[Kind], most: int) -> Upload:
    """Let a file in. Raises ``UploadEmpty``, ``UploadTooBig``, ``UploadRefused``, ``UploadDangerous``."""
    if not content:
        raise UploadEmpty
    if len(content) > most:
        raise UploadTooBig
    kind = kind_of(content)
    if kind not in allowed:
        raise UploadRefused
    if kind in {Kind.XLSX, Kind.ZIP}:
        _check_archive(content)
    return Upload(clean_name(file_name), kind, content)


def kind_of(content: bytes) -> Kind:
    """What the bytes are."""
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Kind.WEBP
    if content.startswith(b"PK\x03\x04"):
        return _archive_kind(content)
    return _text_kind(content)


def clean_name(file_name: str, fallback: str = "fichier") -> str:
    """The last part of a name, without control, direction or path characters, 120 characters at most."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", file_name))[-1]
    kept = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    kept = re.sub(r'[<>:"|?*]', "_", " ".join(kept.split())).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    if dot and len(kept) > LONGEST_NAME:
        kept = stem[: LONGEST_NAME - len(ending[:10]) - 1] + "." + ending[:10]
    return kept[:LONGEST_NAME] or fallback


def _archive_kind(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return Kind.UNKNOWN
    return Kind.XLSX if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names) else Kind.ZIP


def _check_archive(content: bytes) -> None:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    outside = any(
        member.filename.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", member.filename) for member in members
    )
    swollen = unpacked > SMALL_ZIP and unpacked > MOST_RATIO * len(content)
    if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED or outside or swollen:
        raise UploadDangerous


def _text_kind(content: bytes) -> Kind:
    head = content[:4096]
    marked = head.startswith(_MARKS)
    plain = head.replace(b"\x00", b"") if marked else head
    if not marked and _CONTROLS.search(head):
        return Kind.UNKNOWN
    start = plain.lstrip(b"\xff\xfe\xef\xbb\xbf \r\n\t").lower()
    if b"<svg" in start:
        return Kind.SVG
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start[:600]:
        return Kind.HTML
    if start.startswith(b"<"):
        return Kind.XML
    return Kind.TEXT
