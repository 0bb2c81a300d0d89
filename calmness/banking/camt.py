"""CAMT.053 (ISO 20022), any version: elements are found by their local name, not by one namespace."""

from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from calmness.banking import MAX_ENTRIES, Entry, Statement, UnreadableStatement, cents, keyed, plain


def read(content: bytes) -> Statement:
    """Entries of every statement in the file; a batch is taken apart into its transfers."""
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise UnreadableStatement("xml") from error
    statements = [node for node in root.iter() if _name(node) in {"Stmt", "Rpt", "Ntfctn"}]
    if not statements:
        raise UnreadableStatement("camt")
    entries: list[Entry] = []
    balanced: list[bool] = []
    accounts = {plain(_text(node, "Acct", "Id", "IBAN")) for node in statements}
    if len(accounts) > 1:
        raise UnreadableStatement("accounts")
    for node in statements:
        moved = 0
        for entry in _all(node, "Ntry"):
            if _status(entry) not in {"", "BOOK"}:
                continue
            moved += _signed(entry)
            entries += _entries(entry)
            if len(entries) > MAX_ENTRIES:
                raise UnreadableStatement("size")
        opening, closing = _balance(node, ("OPBD", "PRCD")), _balance(node, ("CLBD",))
        if opening is not None and closing is not None:
            balanced.append(opening + moved == closing)
    return Statement(accounts.pop(), keyed(entries), all(balanced) if balanced else None)


def _entries(entry: Element) -> list[Entry]:
    try:
        booked = date.fromisoformat((_text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm"))[:10])
    except ValueError as error:
        raise UnreadableStatement("date") from error
    reversal = _text(entry, "RvslInd") == "true"
    details = [tx for batch in _all(entry, "NtryDtls") for tx in _all(batch, "TxDtls")]
    amounts = [_amount_of(tx) for tx in details]
    single = len(details) <= 1
    if not single and any(amount is None for amount in amounts):
        # A batch whose parts have no amounts cannot be taken apart: one line, with all that is said.
        details, single = details[:1], True
    found = []
    for place, tx in enumerate(details or [entry]):
        amount = _signed(entry) if single else (amounts[place] or 0) * (-1 if _signed(entry) < 0 else 1)
        if amount == 0:
            continue
        reference = _text(tx, "Refs", "AcctSvcrRef") or _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
        end_to_end = _text(tx, "Refs", "EndToEndId")
        remittance = [(node.text or "").strip() for node in tx.iter() if _name(node) in {"Ustrd", "AddtlNtryInf"}]
        structured = [_text(node, "CdtrRefInf", "Ref") for node in tx.iter() if _name(node) == "Strd"]
        found.append(
            Entry(
                booked_on=booked,
                amount_cents=amount,
                label=" ".join(filter(None, [*remittance, *structured]))[:500] or _text(entry, "AddtlNtryInf")[:500],
                debtor_name=(_text(tx, "RltdPties", "Dbtr", "Nm") or _text(tx, "RltdPties", "Dbtr", "Pty", "Nm"))[:140],
                debtor_iban=plain(_text(tx, "RltdPties", "DbtrAcct", "Id", "IBAN"))[:34],
                end_to_end_id="" if end_to_end == "NOTPROVIDED" else end_to_end[:80],
                bank_reference=reference[:80],
                is_reversal=reversal,
                currency=_currency(entry),
            )
        )
    return found


def _name(node: Element) -> str:
    return node.tag.rpartition("}")[2]


def _all(node: Element, name: str) -> list[Element]:
    return [child for child in node if _name(child) == name]


def _text(node: Element | None, *path: str) -> str:
    for name in path:
        if node is None:
            return ""
        node = next(iter(_all(node, name)), None)
    return (node.text or "").strip() if node is not None else ""


def _status(entry: Element) -> str:
    """Text in version 02, ``Sts/Cd`` from version 08 on."""
    return _text(entry, "Sts", "Cd") or _text(entry, "Sts")


def _currency(entry: Element) -> str:
    amount = next(iter(_all(entry, "Amt")), None)
    return (amount.get("Ccy", "EUR") if amount is not None else "EUR")[:3]


def _signed(node: Element) -> int:
    try:
        amount = cents(_text(node, "Amt"))
    except ValueError as error:
        raise UnreadableStatement("amount") from error
    return -amount if _text(node, "CdtDbtInd") == "DBIT" else amount


def _amount_of(tx: Element) -> int | None:
    text = _text(tx, "Amt") or _text(tx, "AmtDtls", "TxAmt", "Amt") or _text(tx, "AmtDtls", "InstdAmt", "Amt")
    try:
        return cents(text) if text else None
    except ValueError:
        return None


def _balance(node: Element, kinds: tuple[str, ...]) -> int | None:
    for balance in _all(node, "Bal"):
        if _text(balance, "Tp", "CdOrPrtry", "Cd") in kinds:
            return _signed(balance)
    return None
