"""A file is what its bytes say."""

import io
import zipfile

import pytest

from calmness import uploads
from calmness.uploads import Kind

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, Kind.PNG),
        (b"\xff\xd8\xff\xe0", Kind.JPEG),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", Kind.WEBP),
        (b"RIFF\x00\x00\x00\x00WAVE", Kind.UNKNOWN),
        (b"GIF89a", Kind.GIF),
        (b"%PDF-1.7", Kind.PDF),
        (b"MZ\x90\x00", Kind.PROGRAM),
        (b"#!/bin/sh\nrm", Kind.PROGRAM),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Document/>", Kind.XML),
        (b"<?xml version='1.0'?>\n<svg onload='x'>", Kind.SVG),
        (b" <!DOCTYPE html><title>x", Kind.HTML),
        ("\ufeff<html>".encode("utf-16"), Kind.HTML),
        ("date;libellé\n".encode("cp1252"), Kind.TEXT),
        (b"PK\x03\x04 not an archive", Kind.UNKNOWN),
        (b"a\x00b", Kind.UNKNOWN),
        (zipped(**{"[Content_Types].xml": b"", "xl/workbook.xml": b""}), Kind.XLSX),
        (zipped(a=b"b"), Kind.ZIP),
    ],
)
def test_the_bytes_decide(content: bytes, kind: Kind) -> None:
    assert uploads.kind_of(content) is kind


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\photo.png", "photo.png"),
        ("facture\u202egnp.exe", "facturegnp.exe"),
        ("a\x00b\r\n.png", "ab.png"),
        ("", "fichier"),
        ("...", "fichier"),
        ('<b>"x"|.pdf', "_b__x__.pdf"),
        ("é" * 300 + ".png", "é" * 116 + ".png"),
    ],
)
def test_names_are_fit_to_be_shown(given: str, kept: str) -> None:
    assert uploads.clean_name(given) == kept


def test_what_is_not_wanted_here_is_refused() -> None:
    for content, error in (
        (b"", uploads.UploadEmpty),
        (PNG + b"x" * 100, uploads.UploadTooBig),
        (b"<svg>", uploads.UploadRefused),
    ):
        with pytest.raises(error):
            uploads.check("a.png", content, allowed=uploads.IMAGES, most=50)
    assert uploads.check("a.exe", PNG, allowed=uploads.IMAGES, most=50).kind is Kind.PNG


def test_an_archive_that_swells_or_climbs_is_refused() -> None:
    bomb, climber = zipped(a=b"\x00" * 30_000_000), zipped(**{"../a": b"x"})

    for content in (bomb, climber):
        with pytest.raises(uploads.UploadDangerous):
            uploads.check("a.zip", content, allowed=frozenset({Kind.ZIP}), most=10_000_000)
