"""MT940, the SWIFT statement: one message or several, bare or in their envelope, as French banks write field 86."""

import re
from collections.abc import Iterator
from datetime import date

from calmness.banking import MAX_ENTRIES, Entry, Statement, UnreadableStatement, cents, keyed, plain

_FIELD = re.compile(r"^:(\d\d[A-Z]?):", re.M)
_END = re.compile(r"^-\}?.*\Z", re.M | re.S)
_LINE = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4})?(?P<mark>R?[CD])[A-Z]?(?P<amount>\d+,\d{0,2})[A-Z][A-Z0-9]{3}"
    r"(?P<own>.*?)(?://(?P<bank>.*))?"
)
_BALANCE = re.compile(r"([CD])\d{6}([A-Z]{3})(\d+,\d{0,2})")
_WORDS = re.compile(r"/(EREF|KREF|ORDP|NAME|IBAN|REMI|PURP|MREF|CRED|BENM|BIC|RTRN|NBTR|LIB|RCMT)/")
_NUMBERED = re.compile(r"\?(\d\d)")
_SPOKEN = re.compile(r"\b(DE|MOTIF|LIB|REF)\s?: ?", re.I)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9]{10,30}\b")


def read(content: bytes) -> Statement:
    """Entries of all messages of one account. Raises ``UnreadableStatement``."""
    text = _decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    account, currency, balanced = "", "EUR", True
    sums: list[int] = []
    entries: list[Entry] = []
    opening = None
    for tag, value in _fields(text):
        if tag == "25":
            found = plain(value.split("/")[-1])
            if account and found != account:
                raise UnreadableStatement("accounts")
            account = found
        elif tag in {"60F", "60M"}:
            opening, currency = _balance(value)
            sums = []
        elif tag == "61":
            entries.append(_entry(value, currency))
            sums.append(entries[-1].amount_cents)
            if len(entries) > MAX_ENTRIES:
                raise UnreadableStatement("size")
        elif tag == "86" and sums:
            entries[-1] = _told(entries[-1], value)
        elif tag in {"62F", "62M"}:
            balanced = balanced and opening is not None and opening + sum(sums) == _balance(value)[0]
            # What field 86 says after a closing balance is of the statement, not of its last line.
            sums = []
    if opening is None:
        raise UnreadableStatement("mt940")
    return Statement(account[:34], keyed(entries), balanced)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _fields(text: str) -> Iterator[tuple[str, str]]:
    marks = list(_FIELD.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=True):
        yield mark[1], _END.sub("", text[mark.end() : end]).strip("\n")


def _balance(value: str) -> tuple[int, str]:
    found = _BALANCE.match(value)
    if found is None:
        raise UnreadableStatement("amount")
    return cents(found[3]) * (1 if found[1] == "C" else -1), found[2]


def _entry(value: str, currency: str) -> Entry:
    first, _break, more = value.partition("\n")
    found = _LINE.fullmatch(first.strip())
    if found is None:
        raise UnreadableStatement("amount")
    mark = found["mark"]
    # RC takes a credit back, RD gives a debit back.
    sign = 1 if mark in {"C", "RD"} else -1
    return Entry(
        booked_on=_day(found["value"], found["entry"]),
        amount_cents=sign * cents(found["amount"]),
        label=" ".join(more.split())[:500],
        end_to_end_id=_said(found["own"])[:35],
        bank_reference=_said(found["bank"])[:80],
        is_reversal=mark.startswith("R"),
        currency=currency,
    )


def _day(value: str, entry: str | None) -> date:
    """The day of booking, whose year is the one nearest to the day of value."""
    try:
        valued = date(2000 + int(value[:2]), int(value[2:4]), int(value[4:]))
        if not entry:
            return valued
        days = [
            date(year, int(entry[:2]), int(entry[2:]))
            for year in (valued.year - 1, valued.year, valued.year + 1)
            if entry != "0229" or year % 4 == 0
        ]
    except ValueError as error:
        raise UnreadableStatement("date") from error
    return min(days, key=lambda day: abs(day - valued))


def _said(text: str | None) -> str:
    kept = (text or "").strip()
    return "" if kept in {"NONREF", "NOTPROVIDED", "NOREF"} else kept


def _told(entry: Entry, value: str) -> Entry:
    """The entry with what field 86 says: code words, numbered parts, or the bank's own words."""
    joined = value.replace("\n", "")
    if _WORDS.search(joined):
        parts = _parts(_WORDS, joined)
        name = parts.get("NAME") or parts.get("ORDP", "")
        account, label = parts.get("IBAN", ""), parts.get("REMI") or parts.get("LIB") or parts.get("RCMT", "")
        own = _said(parts.get("EREF"))
    elif _NUMBERED.search(joined):
        parts = _parts(_NUMBERED, joined)
        label = "".join(parts.get(f"{number}", "") for number in (*range(20, 30), *range(60, 64)))
        name = f"{parts.get('32', '')}{parts.get('33', '')}"
        account, own = parts.get("31", ""), ""
    else:
        label = " ".join(value.split())
        parts = {key.upper(): text for key, text in _parts(_SPOKEN, label).items()}
        name, own = parts.get("DE", ""), _said(parts.get("REF"))
        account = next(iter(_IBAN.findall(label)), "")
    return Entry(
        booked_on=entry.booked_on,
        amount_cents=entry.amount_cents,
        label=" ".join(f"{entry.label} {label}".split())[:500],
        debtor_name=" ".join(name.split())[:140],
        debtor_iban=plain(account)[:34] if _IBAN.fullmatch(plain(account)) else "",
        end_to_end_id=(own or entry.end_to_end_id)[:35],
        bank_reference=entry.bank_reference,
        is_reversal=entry.is_reversal,
        currency=entry.currency,
    )


def _parts(words: re.Pattern[str], text: str) -> dict[str, str]:
    pieces = words.split(text)
    return {word: said.strip("/") for word, said in zip(pieces[1::2], pieces[2::2], strict=True)}
