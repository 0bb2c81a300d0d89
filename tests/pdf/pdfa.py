"""What a file must have to be of the shape of PDF/A-3b with an invoice inside; read by pikepdf alone."""

import io
import re
from typing import Any

import pikepdf


def faults(document: bytes) -> list[str]:
    """Texts of what is wrong; none for a clean file."""
    with pikepdf.open(io.BytesIO(document)) as pdf:
        return [*_file_faults(pdf), *_font_faults(pdf), *_metadata_faults(pdf), *_attachment_faults(pdf)]


def _file_faults(pdf: pikepdf.Pdf) -> list[str]:
    wrong = []
    if pdf.is_encrypted:
        wrong.append("encrypted")
    if pdf.pdf_version != "1.7":
        wrong.append(f"version {pdf.pdf_version}")
    if "/ID" not in pdf.trailer:
        wrong.append("no /ID")
    if {"/OpenAction", "/AA", "/AcroForm"} & set(pdf.Root.keys()):
        wrong.append("an action or a form")
    if "/JavaScript" in pdf.Root.Names:
        wrong.append("JavaScript")
    intents = list(pdf.Root.get("/OutputIntents", []))
    if len(intents) != 1 or intents[0].S != "/GTS_PDFA1" or intents[0].DestOutputProfile.N != 3:
        wrong.append("no sRGB output intent")
    if str(pdf.Root.get("/Lang")) != "fr-FR":
        wrong.append("no language")
    for number, page in enumerate(pdf.pages, 1):
        wrong += [f"annotation on page {number}" for note in page.get("/Annots", []) if int(note.get("/F", 0)) != 4]
        images: Any = page.Resources.get("/XObject", {})
        wrong += [f"interpolated image on page {number}" for image in images.values() if image.get("/Interpolate")]
    return wrong


def _font_faults(pdf: pikepdf.Pdf) -> list[str]:
    wrong = []
    for page in pdf.pages:
        for font in page.Resources.Font.values():
            descriptor = font.get("/FontDescriptor")
            if descriptor is None or not {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor.keys()):
                wrong.append(f"font {font.BaseFont} is not inside")
            elif "/ToUnicode" not in font:
                wrong.append(f"font {font.BaseFont} gives no text")
    return wrong


def _metadata_faults(pdf: pikepdf.Pdf) -> list[str]:
    xmp = pdf.Root.Metadata.read_bytes().decode()
    wanted: dict[str, str] = {
        "pdfaid:part": "3",
        "pdfaid:conformance": "B",
        "fx:DocumentType": "INVOICE",
        "fx:DocumentFileName": "factur-x.xml",
        "fx:ConformanceLevel": "EN 16931",
        "pdf:Producer": str(pdf.docinfo.Producer),
        "xmp:CreatorTool": str(pdf.docinfo.Creator),
        "xmp:CreateDate": _iso(pdf.docinfo.CreationDate),
        "xmp:ModifyDate": _iso(pdf.docinfo.ModDate),
    }
    wrong = [f"XMP {name}" for name, value in wanted.items() if f"<{name}>{value}</{name}>" not in xmp]
    if "/Filter" in pdf.Root.Metadata:
        wrong.append("XMP is compressed")
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        if metadata.get("dc:title") != str(pdf.docinfo.Title):
            wrong.append("title")
    return wrong


def _attachment_faults(pdf: pikepdf.Pdf) -> list[str]:
    named, associated = pdf.Root.Names.EmbeddedFiles.Names[1], pdf.Root.AF[0]
    wrong = [] if named.objgen == associated.objgen else ["/AF and the names differ"]
    if associated.AFRelationship != "/Data" or associated.EF.F.Subtype != "/text/xml":
        wrong.append("relationship or type of the XML")
    if str(associated.EF.F.Params.ModDate) != str(pdf.docinfo.ModDate):
        wrong.append("date of the XML")
    return wrong


def _iso(date: Any) -> str:
    return re.sub(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\+00'00'", r"\1-\2-\3T\4:\5:\6+00:00", str(date))
