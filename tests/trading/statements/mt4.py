"""MetaTrader 4's "Save as report" and "Save as detailed report": English words in every language of the terminal."""

from collections.abc import Sequence

HEADS = "Ticket|Open Time|Type|Size|Item|Price|S / L|T / P|Close Time|Price|Commission|Taxes|Swap|Profit"
SUMMARY = "Deposit/Withdrawal:"


def closed(
    ticket: int,
    profit: str = "10.00",
    *,
    kind: str = "buy",
    opened: str = "2026.03.02 10:00:00",
    closed_at: str = "2026.03.02 11:00:00",
    item: str = "eurusd",
    size: str = "0.10",
    commission: str = "0.00",
    swap: str = "0.00",
    comment: str = "",
) -> str:
    """A closed buy or sell of a tenth lot."""
    cells = [opened, kind, size, item, "1.08420", "1.08000", "0.00000", closed_at, "1.08520"]
    money = [commission, "0.00", swap, profit]
    title = f' title="{comment}"' if comment else ""
    return _row([f"<td{title}>{ticket}</td>", *(f"<td class=mspt>{cell}</td>" for cell in [*cells, *money])])


def cash(ticket: int, amount: str, comment: str = "Deposit", *, kind: str = "balance") -> str:
    """A deposit, or a withdrawal below zero."""
    return _row(
        [
            f"<td>{ticket}</td><td>2026.03.01 09:00:00</td><td>{kind}</td>",
            f"<td colspan=10>{comment}</td><td class=mspt>{amount}</td>",
        ]
    )


def cancelled(ticket: int) -> str:
    """A pending order that never became a trade."""
    cells = ["2026.03.03 10:00:00", "buy limit", "0.10", "eurusd", "1.05", "0", "0", "2026.03.04 10:00:00", "1.08"]
    return _row(
        [
            f'<td title="cancelled">{ticket}</td>',
            *(f"<td>{cell}</td>" for cell in cells),
            "<td colspan=4>cancelled</td>",
        ]
    )


def statement(
    rows: Sequence[str],
    *,
    closed_sum: str = "10.00",
    cash_sum: str = "0.00",
    login: str = "80012345",
    heads: str = HEADS,
    open_rows: Sequence[str] = (),
) -> str:
    """A whole page."""
    head = _row([f"<td>{name}</td>" for name in heads.split("|")])
    return f"""<html><head><title>Statement: {login} - Camille Martin</title>
<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"></head><body><div align=center>
<b>Broker Ltd</b><table cellspacing=1 cellpadding=3 border=0>
<tr align=left><td colspan=2><b>Account: {login}</b></td><td colspan=5><b>Name: Camille Martin</b></td>
<td colspan=2><b>Currency: EUR</b></td><td colspan=2><b>Leverage: 1:30</b></td>
<td colspan=3 align=right><b>2026 March 12, 00:10</b></td></tr>
<tr align=left><td colspan=13><b>Closed Transactions:</b></td></tr>
{head}{"".join(rows) or "<tr><td colspan=13 align=center>No transactions</td></tr>"}
<tr><td colspan=10>&nbsp;</td><td class=mspt>0.00</td><td>0.00</td><td>0.00</td><td>{closed_sum}</td></tr>
<tr><td colspan=12 align=right><b>Closed P/L:</b></td><td colspan=2 class=mspt><b>{closed_sum}</b></td></tr>
<tr align=left><td colspan=14><b>Open Trades:</b></td></tr>
{head}{"".join(open_rows) or "<tr><td colspan=13 align=center>No transactions</td></tr>"}
<tr align=left><td colspan=14><b>Summary:</b></td></tr>
<tr><td colspan=2><b>Deposit/Withdrawal:</b></td><td colspan=2 class=mspt><b>{cash_sum}</b></td>
<td colspan=4><b>Credit Facility:</b></td><td class=mspt><b>0.00</b></td></tr>
</table></div></body></html>"""


def _row(cells: Sequence[str]) -> str:
    return f"<tr align=right>{''.join(cells)}</tr>\n"
