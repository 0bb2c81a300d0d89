"""Each clause that a validator of PDF/A-3b looks at: a clean file passes, and a file that breaks it is found out."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from calmness.pdf.facturx import with_invoice
from calmness.pdf.invoice import Properties
from calmness.pdf.render import draw
from tests.pdf import pdfa
from tests.pdf.test_documents import HOSTILE, html, view

pytestmark = pytest.mark.once
Damage = Callable[[pikepdf.Pdf], Any]


def made(lines: int = 3, **shown: Any) -> bytes:
    """A file as the worker makes it."""
    properties = Properties("Facture & <avoir>", "Calmness", "Un sujet", datetime(2026, 11, 24, 9, tzinfo=UTC))
    with draw(html(view(lines, **shown))) as drawn:
        return with_invoice(drawn, b"<invoice/>", properties)


@pytest.fixture(scope="module")
def clean() -> bytes:
    return made()


def damaged(document: bytes, damage: Damage, **how: Any) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(document)) as pdf:
        damage(pdf)
        pdf.save(out, **(how or {"deterministic_id": True, "force_version": "1.7"}))
    return out.getvalue()


def in_xmp(old: bytes, new: bytes) -> Damage:
    def damage(pdf: pikepdf.Pdf) -> None:
        text = pdf.Root.Metadata.read_bytes()
        assert old in text
        pdf.Root.Metadata = pdf.make_stream(text.replace(old, new), Type=Name.Metadata, Subtype=Name.XML)

    return damage


def in_content(more: bytes) -> Damage:
    def damage(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].Contents = pdf.make_stream(pdf.pages[0].Contents.read_bytes() + b"\n" + more)

    return damage


def font_of(pdf: pikepdf.Pdf) -> Any:
    return next(iter(pdf.pages[0].Resources.Font.values()))


def image(pdf: pikepdf.Pdf, **values: Any) -> None:
    picture = pdf.make_stream(b"\x00\x00\x00", Type=Name.XObject, Subtype=Name.Image, Width=1, Height=1, **values)
    pdf.pages[0].Resources.XObject = Dictionary(Im1=picture)


def note(pdf: pikepdf.Pdf, **values: Any) -> None:
    drawn = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), F=4)
    drawn.update(Dictionary(**values))
    pdf.pages[0].Annots = Array([pdf.make_indirect(drawn)])


BROKEN: dict[str, tuple[Damage, str]] = {
    "action at opening": (lambda p: setattr(p.Root, "OpenAction", Dictionary(S=Name.GoTo)), "/OpenAction"),
    "form": (lambda p: setattr(p.Root, "AcroForm", Dictionary(Fields=Array([]))), "/AcroForm"),
    "layers": (lambda p: setattr(p.Root, "OCProperties", Dictionary()), "/OCProperties"),
    "script among the names": (lambda p: p.Root.Names.update(Dictionary(JavaScript=Dictionary())), "/JavaScript among"),
    "script": (lambda p: note(p, A=Dictionary(S=Name.JavaScript, JS="1")), "JavaScript"),
    "program": (lambda p: note(p, A=Dictionary(Type=Name.Action, S=Name.Launch)), "action /Launch"),
    "film": (lambda p: note(p, Subtype=Name.Movie), "annotation /Movie"),
    "hidden note": (lambda p: note(p, F=2), "annotation that is not printed"),
    "no intent": (lambda p: p.Root.__delitem__("/OutputIntents"), "not one output intent"),
    "no profile": (
        lambda p: setattr(p.Root.OutputIntents[0], "DestOutputProfile", p.make_stream(bytes(200), N=3)),
        "no profile of colours",
    ),
    "number of colours": (lambda p: setattr(p.Root.OutputIntents[0].DestOutputProfile, "N", 4), "number of colours"),
    "colours of a printer": (in_content(b"0 0 0 1 k"), "DeviceCMYK"),
    "unknown operator": (in_content(b"1 zz"), "operator zz"),
    "too many states": (in_content(b"q " * 29 + b"Q " * 29), "states 29 deep"),
    "a state too many": (in_content(b"q"), "never restored"),
    "a blend of its own": (
        lambda p: p.pages[0].Resources.update(
            Dictionary(ExtGState=Dictionary(G1=Dictionary(Type=Name.ExtGState, BM=Name.Strange)))
        ),
        "blend mode",
    ),
    "smoothed image": (lambda p: image(p, Interpolate=True), "interpolated"),
    "other images": (lambda p: image(p, Alternates=Array([])), "other words"),
    "missing font": (lambda p: font_of(p).FontDescriptor.__delitem__("/FontFile2"), "not inside the file"),
    "no text": (lambda p: font_of(p).__delitem__("/ToUnicode"), "gives no text"),
    "other widths": (lambda p: font_of(p).__setitem__("/Widths", Array([500] * 128)), "wide, its glyph"),
    "an encoding": (lambda p: font_of(p).__setitem__("/Encoding", Name.WinAnsiEncoding), "encoding beside"),
    "flags": (lambda p: font_of(p).FontDescriptor.__setitem__("/Flags", 32), "neither symbolic"),
    "a missing glyph": (in_content(b"BT /F2+0 9 Tf (\\177) Tj ET"), "glyph for what is missing"),
    "a font without name": (in_content(b"BT /F9 9 Tf (a) Tj ET"), "does not name: /F9"),
    "part": (in_xmp(b"<pdfaid:part>3<", b"<pdfaid:part>2<"), "pdfaid:part"),
    "level": (in_xmp(b"EN 16931", b"MINIMUM"), "fx:ConformanceLevel"),
    "date": (in_xmp(b"2026-11-24T09:00:00", b"2026-11-24T09:00:01"), "xmp:CreateDate"),
    "title": (lambda p: p.docinfo.__setitem__("/Title", "Autre"), "dc:title"),
    "undescribed property": (in_xmp(b"<fx:Version>", b"<fx:More>1</fx:More><fx:Version>"), "More is not described"),
    "half described": (
        in_xmp(b">external</pdfaProperty:category>", b">other</pdfaProperty:category>"),
        "half described",
    ),
    "prefix": (in_xmp(b"<pdfaSchema:prefix>fx<", b"<pdfaSchema:prefix>zf<"), "another prefix"),
    "no metadata": (lambda p: p.Root.__delitem__("/Metadata"), "no metadata"),
    "not associated": (lambda p: setattr(p.Root, "AF", Array([])), "/AF and the names"),
    "relationship": (lambda p: p.Root.AF[0].__setitem__("/AFRelationship", Name.Source), "relationship"),
    "another name": (lambda p: p.Root.AF[0].__setitem__("/UF", "invoice.xml"), "name of the XML"),
    "type": (lambda p: p.Root.AF[0].EF.F.__setitem__("/Subtype", Name("/text/plain")), "type of the XML"),
    "size": (lambda p: p.Root.AF[0].EF.F.Params.__setitem__("/Size", 1), "size or checksum"),
    "language": (lambda p: p.Root.__delitem__("/Lang"), "no language"),
    "page too small": (lambda p: setattr(p.pages[0], "MediaBox", Array([0, 0, 2, 2])), "size of page"),
}


@pytest.mark.parametrize("clause", BROKEN)
def test_what_a_validator_would_refuse_is_found(clean: bytes, clause: str) -> None:
    damage, said = BROKEN[clause]

    found = pdfa.faults(damaged(clean, damage))

    assert any(said in fault for fault in found), found


SEEN_BY_OTHERS = [
    clause
    for clause in BROKEN
    if clause
    not in {
        # Ours alone: what a page of ours never holds, what Factur-X asks for, and what is only good manners.
        *("action at opening", "form", "layers", "script among the names", "number of colours", "a state too many"),
        *("a blend of its own", "smoothed image", "other images", "no text", "a font without name", "level", "date"),
        *("title", "prefix", "relationship", "another name", "type", "size", "language"),
    }
]


@pytest.mark.parametrize("clause", SEEN_BY_OTHERS)
def test_the_validator_of_others_finds_it_too(clean: bytes, clause: str) -> None:
    """Else its clean verdict on ours would mean nothing."""
    assert pdfa.verdict(damaged(clean, BROKEN[clause][0])) != []


def test_a_stream_of_another_length_is_found(clean: bytes) -> None:
    length = re.search(rb"/Length (\d+)", clean)
    assert length is not None
    wrong = clean.replace(length[0], b"/Length %d" % (int(length[1]) - 1), 1)

    assert any(pdfa.LENGTH_RULE in fault for fault in pdfa.verdict(wrong))


def test_saving_again_alone_breaks_nothing(clean: bytes) -> None:
    assert pdfa.faults(damaged(clean, lambda _pdf: None)) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda d: d.replace(b"%PDF-1.7", b"%PDF-1.4"), "head"),
        (lambda d: d + b"more", "after the end"),
        (lambda d: d.replace(b'<?xpacket end="w"?>', b'<?xpacket END="w"?>'), "packet of the XMP"),
    ],
)
def test_a_broken_head_or_end_is_found(clean: bytes, broken: Callable[[bytes], bytes], said: str) -> None:
    assert any(said in fault for fault in pdfa.faults(broken(clean)))


def test_an_encrypted_file_is_found(clean: bytes) -> None:
    locked = damaged(clean, lambda _pdf: None, encryption=pikepdf.Encryption(owner="o", user=""))

    assert "encrypted" in pdfa.faults(locked)


def test_documents_of_every_shape_pass() -> None:
    shapes = [made(), made(60), made(5, buyer=HOSTILE), made(title="Avoir")]

    assert [pdfa.faults(document) for document in shapes] == [[], [], [], []]
