"""MetaTrader 5's history report, HTML and XLSX, with the heads of the French and the English terminal."""

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook

WORDS = {
    "en": {
        "title": "Trade History Report",
        "account": "Account:",
        "positions": "Positions",
        "orders": "Orders",
        "deals": "Deals",
        "position_heads": "Time|Position|Symbol|Type|Volume|Price|S / L|T / P|Time|Price|Commission|Swap|Profit",
        "order_heads": "Open Time|Order|Symbol|Type|Volume|Price|S / L|T / P|Time|State|Comment",
        "deal_heads": "Time|Deal|Symbol|Type|Direction|Volume|Price|Order|Commission|Fee|Swap|Profit|Balance|Comment",
    },
    "fr": {
        "title": "Rapport d’historique de trading",
        "account": "Compte:",
        "positions": "Positions",
        "orders": "Ordres",
        "deals": "Transactions",
        "position_heads": "Heure|Position|Symbole|Type|Volume|Prix|S / L|T / P|Heure|Prix|Commission|Swap|Profit",
        "order_heads": "Heure d’ouverture|Ordre|Symbole|Type|Volume|Prix|S / L|T / P|Heure|État|Commentaire",
        "deal_heads": (
            "Heure|Transaction|Symbole|Type|Sens|Volume|Prix|Ordre|Commission|Frais|Swap|Profit|Solde|Commentaire"
        ),
    },
}
Row = list[Any]
DEPOSIT: Row = ["2026.03.01 09:00:00", 9000, "", "balance", "", "", "", "", 0, 0, 0, 1000.0, 1000.0, "Deposit"]
SINGLE: Row = [
    "2026.03.02 10:00:00", 501, "EURUSD", "buy", 0.1, 1.0842, 1.08, "", "2026.03.02 11:00:00", 1.0852, -0.6, -0.1, 10.0,
]  # fmt: skip
SINGLE_DEALS: list[Row] = [
    ["2026.03.02 10:00:00", 9001, "EURUSD", "buy", "in", 0.1, 1.0842, 501, -0.3, 0, 0, 0, 999.7, ""],
    [
        "2026.03.02 11:00:00",
        9002,
        "EURUSD",
        "sell",
        "out",
        0.1,
        1.0852,
        502,
        -0.3,
        0,
        -0.1,
        10.0,
        1009.3,
        "[tp]",
    ],
]
IN_THREE: Row = [
    "2026.03.03 10:00:00", 601, "XAUUSD", "sell", 0.3, 2400.5, "", "", "2026.03.03 13:00:00", 2398.5, -3.0, 0, 60.0,
]  # fmt: skip
IN_THREE_DEALS: list[Row] = [
    ["2026.03.03 10:00:00", 9003, "XAUUSD", "sell", "in", 0.3, 2400.5, 601, -1.5, 0, 0, 0, 1007.8, ""],
    ["2026.03.03 11:00:00", 9004, "XAUUSD", "buy", "out", 0.1, 2399.5, 602, -0.5, 0, 0, 10.0, 1017.3, ""],
    ["2026.03.03 12:00:00", 9005, "XAUUSD", "buy", "out", 0.1, 2398.5, 603, -0.5, 0, 0, 20.0, 1036.8, ""],
    ["2026.03.03 13:00:00", 9006, "XAUUSD", "buy", "out", 0.1, 2397.5, 604, -0.5, 0, 0, 30.0, 1066.3, ""],
]
CANCELLED: Row = [
    "2026.03.04 10:00:00", 701, "EURUSD", "buy limit", "0.1 / 0", 1.05, "", "", "2026.03.05 10:00:00", "canceled", "",
]  # fmt: skip
FILLED: Row = [
    "2026.03.02 10:00:00", 501, "EURUSD", "buy", "0.1 / 0.1", "market", 1.08, "", "2026.03.02 10:00:00", "filled", "",
]  # fmt: skip


def rows(
    language: str = "en",
    positions: Sequence[Row] = (SINGLE, IN_THREE),
    deals: Sequence[Row] = (DEPOSIT, *SINGLE_DEALS, *IN_THREE_DEALS),
    login: str = "80012345",
) -> list[Row]:
    """The rows of a report."""
    words = WORDS[language]
    return [
        [words["title"]],
        [words["account"], "", "", f"{login} (EUR, Broker-Live, real, Hedge)"],
        [words["positions"]],
        words["position_heads"].split("|"),
        *positions,
        [words["orders"]],
        words["order_heads"].split("|"),
        FILLED,
        CANCELLED,
        [words["deals"]],
        words["deal_heads"].split("|"),
        *deals,
    ]


def page(found: Sequence[Row]) -> str:
    """The rows as HTML: a hidden cell stands between type and volume of a position."""
    body = ""
    for row in found:
        cells = [f"<td>{_written(cell)}</td>" for cell in row]
        if len(row) == 13 and isinstance(row[1], int):
            cells.insert(4, '<td class="hidden" colspan="8"></td>')
        body += f"<tr>{''.join(cells)}</tr>\n"
    return f"<html><head><title>Report</title></head><body><table>{body}</table></body></html>"


def workbook(found: Sequence[Row]) -> bytes:
    """The rows as XLSX: times are text, numbers are numbers."""
    book = Workbook()
    sheet = book.worksheets[0]
    for row in found:
        sheet.append([None if cell == "" else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _written(cell: Any) -> str:
    return f"{cell:,.5f}".replace(",", " ") if isinstance(cell, float) else str(cell)
