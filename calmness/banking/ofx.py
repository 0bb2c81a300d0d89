"""OFX 1.x (SGML) and 2.x (XML), read by ofxtools."""

import io
import logging
from datetime import date
from xml.etree.ElementTree import Element

from calmness.banking import MAX_ENTRIES, Entry, Statement, UnreadableStatement, cents, keyed, plain

logging.getLogger("ofxtools").setLevel(logging.ERROR)


def read(content: bytes) -> Statement:
    """Entries of the bank account in the file. ``FITID`` is not unique everywhere: day and amount go with it."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise UnreadableStatement("xml")
    # Imported here: it brings its models of the whole format along, half a second that no other process owes.
    from ofxtools.Parser import OFXTree

    tree = OFXTree()
    try:
        # The tree only: ofxtools' own models refuse the small liberties that banks take.
        root = tree.parse(io.BytesIO(content))
    except Exception as error:
        raise UnreadableStatement("ofx") from error
    entries = []
    for node in root.iter("STMTTRN"):
        entries.append(_entry(node))
        if len(entries) > MAX_ENTRIES:
            raise UnreadableStatement("size")
    account = next((_text(found, "ACCTID") for found in root.iter("BANKACCTFROM")), "")
    return Statement(plain(account)[:34], keyed(entries))


def _entry(node: Element) -> Entry:
    day = _text(node, "DTPOSTED")
    try:
        booked, amount = date(int(day[:4]), int(day[4:6]), int(day[6:8])), cents(_text(node, "TRNAMT"))
    except ValueError as error:
        raise UnreadableStatement("amount") from error
    return Entry(
        booked_on=booked,
        amount_cents=amount,
        label=_text(node, "MEMO")[:500] or _text(node, "NAME")[:500],
        debtor_name=_text(node, "NAME")[:140],
        bank_reference=_text(node, "FITID")[:80],
    )


def _text(node: Element, name: str) -> str:
    return (node.findtext(name) or "").strip()
