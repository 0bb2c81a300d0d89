"""MT940 (SWIFT): ``:61:`` moves money, ``:86:`` says why, in the bank's own words or in numbered or named parts."""

import re
from datetime import date

from calmness.banking import MAX_ENTRIES, Entry, Statement, UnreadableStatement, cents, keyed, plain

_FIELD = re.compile(r"^:(\d{2}[A-Z]?):", re.M)
_MOVE = re.compile(
    r"(?P<day>\d{6})(?:\d{4})?(?P<mark>R?[CD])[A-Z]?(?P<amount>\d{1,13},\d{0,2})[A-Z][A-Z0-9]{3}"
    r"(?P<own>[^\n/]{0,16}(?:/(?!/)[^\n/]*)*)(?://(?P<bank>[^\n]{0,34}))?"
)
_BALANCE = re.compile(r"(?P<mark>[CD])\d{6}(?P<currency>[A-Z]{3})(?P<amount>\d{1,13},\d{0,2})")
_NUMBERED = re.compile(r"\?(\d\d)")
_NAMED = re.compile(r"/(EREF|REMI|NAME|IBAN|ORDP|BENM|CNTP)/+")


def is_mt940(head: bytes) -> bool:
    """Whether a file begins like one."""
    return re.search(rb"^:20:", head, re.M) is not None and re.search(rb"^:25:", head, re.M) is not None


def read(content: bytes) -> Statement:
    """Entries of every statement in the file, which is one account's. Raises ``UnreadableStatement``."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    parts = _FIELD.split(text.replace("\r\n", "\n").replace("\r", "\n"))
    fields = [(tag, value.strip("\n -")) for tag, value in zip(parts[1::2], parts[2::2], strict=True)]
    accounts = {plain(value.split("\n")[0]) for tag, value in fields if tag == "25"}
    if len(accounts) != 1:
        raise UnreadableStatement("accounts" if accounts else "mt940")
    entries: list[Entry] = []
    moved, opening, balanced, currency = 0, None, [], "EUR"
    for rank, (tag, value) in enumerate(fields):
        if tag in {"60F", "60M"}:
            opening, currency = _balance(value)
            moved = 0
        elif tag == "61":
            said = fields[rank + 1][1] if rank + 1 < len(fields) and fields[rank + 1][0] == "86" else ""
            entry = _entry(value, said, currency)
            moved += entry.amount_cents
            entries.append(entry)
            if len(entries) > MAX_ENTRIES:
                raise UnreadableStatement("size")
        elif tag in {"62F", "62M"} and opening is not None:
            balanced.append(opening + moved == _balance(value)[0])
    return Statement(accounts.pop()[:34], keyed(entries), all(balanced) if balanced else None)


def _entry(line: str, said: str, currency: str) -> Entry:
    move = _MOVE.match(line)
    if move is None:
        raise UnreadableStatement("amount")
    day, mark = move["day"], move["mark"]
    try:
        booked = date(2000 + int(day[:2]), int(day[2:4]), int(day[4:6]))
        amount = cents(move["amount"].rstrip(","))
    except ValueError as error:
        raise UnreadableStatement("amount") from error
    # RC takes a credit back: money leaves. RD takes a debit back: money returns.
    incoming = mark in {"C", "RD"}
    parts = _parts(said)
    own = move["own"].strip()
    return Entry(
        booked_on=booked,
        amount_cents=amount if incoming else -amount,
        label=parts["label"][:500],
        debtor_name=parts["name"][:140],
        debtor_iban=plain(parts["iban"])[:34],
        end_to_end_id=(parts["reference"] or ("" if own == "NONREF" else own))[:80],
        bank_reference=(move["bank"] or "").strip()[:80],
        is_reversal=mark.startswith("R"),
        currency=currency,
    )


def _parts(said: str) -> dict[str, str]:
    """Label, name, IBAN and reference of a ``:86:``."""
    if _NUMBERED.search(said):
        pieces = _NUMBERED.split(said.replace("\n", ""))
        by_number = dict(zip(pieces[1::2], pieces[2::2], strict=True))
        label = " ".join(text for number, text in by_number.items() if "20" <= number <= "29" or number >= "60")
        name = " ".join(by_number.get(number, "") for number in ("32", "33"))
        return {"label": label, "name": name.strip(), "iban": by_number.get("31", ""), "reference": ""}
    joined = said.replace("\n", "")
    if _NAMED.search(joined):
        pieces = _NAMED.split(joined)
        named = dict(zip(pieces[1::2], (text.strip("/ ") for text in pieces[2::2]), strict=True))
        return {
            "label": named.get("REMI", joined),
            "name": named.get("NAME", ""),
            "iban": named.get("IBAN", ""),
            "reference": named.get("EREF", ""),
        }
    return {"label": " ".join(said.split()), "name": "", "iban": "", "reference": ""}


def _balance(value: str) -> tuple[int, str]:
    found = _BALANCE.match(value)
    if found is None:
        raise UnreadableStatement("amount")
    amount = cents(found["amount"].rstrip(","))
    return (amount if found["mark"] == "C" else -amount), found["currency"]
