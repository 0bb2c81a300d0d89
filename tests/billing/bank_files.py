"""Files as banks write them."""


def _entry(amount: str, sign: str, details: str, *, version: str, reference: str, reversal: bool = False) -> str:
    status = "BOOK" if version == "02" else "<Cd>BOOK</Cd>"
    back = "<RvslInd>true</RvslInd>" if reversal else ""
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{back}<Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-11-24</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def _details(name: str, text: str, *, version: str, amount: str = "", end_to_end: str = "NOTPROVIDED") -> str:
    party = f"<Nm>{name}</Nm>" if version == "02" else f"<Pty><Nm>{name}</Nm></Pty>"
    part = f'<AmtDtls><TxAmt><Amt Ccy="EUR">{amount}</Amt></TxAmt></AmtDtls>' if amount else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>{part}<RltdPties><Dbtr>{party}</Dbtr>"
        "<DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct></RltdPties>"
        f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"
    )


def camt_of(entries: str, *, version: str = "08", opening: str = "1000.00", closing: str = "1028.80") -> bytes:
    """A statement around entries."""

    def balance(kind: str, amount: str) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
        )

    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        "<BkToCstmrStmt><Stmt><Id>S1</Id><Acct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></Acct>"
        f"{balance('OPBD', opening)}{balance('CLBD', closing)}{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def camt(version: str) -> bytes:
    """A transfer, a batch of two, one sent back, a fee."""
    one = _details("Élodie O'Brien", "Commande RF87P0000001 merci", version=version)
    batch = _details("A", "x", version=version, amount="10.00") + _details("B", "y", version=version, amount="20.00")
    return camt_of(
        _entry("49.90", "CRDT", one, version=version, reference="R1")
        + _entry("30.00", "CRDT", batch, version=version, reference="R2")
        + _entry("49.90", "DBIT", one, version=version, reference="R3", reversal=True)
        + _entry("1.20", "DBIT", "", version=version, reference="R4"),
        version=version,
    )


def transfer(
    amount: str, text: str, *, name: str = "Inconnu", reference: str = "R1", sign: str = "CRDT", end_to_end: str = "E1"
) -> str:
    """One entry of a statement."""
    details = _details(name, text, version="08", end_to_end=end_to_end)
    return _entry(amount, sign, details, version="08", reference=reference, reversal=sign == "DBIT")


def _ofx(close: bool) -> str:
    def tag(name: str, value: str) -> str:
        return f"<{name}>{value}</{name}>" if close else f"<{name}>{value}\n"

    def moved(kind: str, amount: str, number: str, memo: str) -> str:
        inside = "".join(
            tag(name, value)
            for name, value in (
                ("TRNTYPE", kind),
                ("DTPOSTED", "20261124120000"),
                ("TRNAMT", amount),
                ("FITID", number),
                ("NAME", "ELODIE"),
                ("MEMO", memo),
            )
        )
        return f"<STMTTRN>{inside}</STMTTRN>"

    account = f"<BANKACCTFROM>{tag('BANKID', '20041')}{tag('ACCTID', '00013M02606')}{tag('ACCTTYPE', 'CHECKING')}"
    return (
        f"<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>{tag('CURDEF', 'EUR')}{account}</BANKACCTFROM><BANKTRANLIST>"
        + moved("CREDIT", "49,90", "F1", "VIR RF87 P000 0001")
        + moved("DEBIT", "-12.34", "F2", "LOYER")
        + "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    )


_HEADER_1 = (
    "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\n"
    "COMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n"
)
_HEADER_2 = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
)
OFX_1 = (_HEADER_1 + _ofx(close=False)).encode("cp1252")
OFX_2 = (_HEADER_2 + _ofx(close=True)).encode()

CSV_TWO_COLUMNS = (
    "Compte courant n° 00013M02606\r\nPériode du 01/11/2026 au 30/11/2026\r\n\r\n"
    "Date opération;Date de valeur;Libellé;Débit euros;Crédit euros\r\n"
    "24/11/2026;24/11/2026;VIREMENT REÇU ÉLODIE;;1 234,56\r\n"
    "25/11/2026;25/11/2026;COTISATION;-12,50;\r\n"
    "26/11/2026;26/11/2026;VIR RF87P0000001;;49,90\r\n"
    "Total;;;12,50;1 284,46\r\n"
).encode("cp1252")
CSV_ONE_COLUMN = (
    "Date;Libellé;Émetteur;Montant\n2026-11-24;Virement;Zoé;49,90\n25/11/26;Frais;Banque;-10,00\n"
).encode("utf-8-sig")


def csv_of(lines: list[str]) -> bytes:
    """A file of one column of amounts."""
    return "\n".join(["Date;Libellé;Montant", *lines]).encode("cp1252")
