"""Cash rows in the numbers of a message: 6 and 7 as MetaTrader 4 counts, then what MetaTrader 5 tells apart.

MetaTrader 5 names a movement by the type of its deal (``ENUM_DEAL_TYPE``; 18 to 20 are the server's own), its report by
the word in the column of types.
"""

BALANCE, CREDIT, CHARGE, CORRECTION, BONUS, COMMISSION, AGENT_COMMISSION, INTEREST, DIVIDEND, TAX = range(6, 16)

OF_DEALS = {
    2: BALANCE,
    3: CREDIT,
    4: CHARGE,
    5: CORRECTION,
    6: BONUS,
    7: COMMISSION,
    8: COMMISSION,
    9: COMMISSION,
    10: AGENT_COMMISSION,
    11: AGENT_COMMISSION,
    12: INTEREST,
    15: DIVIDEND,
    16: DIVIDEND,
    17: TAX,
    18: AGENT_COMMISSION,
    19: CORRECTION,
    20: CREDIT,
}
"""Commissions are of the deal, the day or the month. 19 makes a negative balance good, 20 then takes the credit."""
CANCELLED_BUY, CANCELLED_SELL = 13, 14
CANCELLED_DEALS = frozenset({CANCELLED_BUY, CANCELLED_SELL})
"""A purchase or sale that the broker took back: its result was set to zero, and any balance is made good apart."""

_WORDS = (
    ("credit", CREDIT),
    ("agent", AGENT_COMMISSION),
    ("commission", COMMISSION),
    ("dividend", DIVIDEND),
    ("interest", INTEREST),
    ("tax", TAX),
    ("charge", CHARGE),
    ("correction", CORRECTION),
    ("compensation", CORRECTION),
    ("bonus", BONUS),
)
"""In this order: an agent's commission is none of the account's own."""


def of_word(word: str) -> int:
    """Kind of a row by the word in a report: ``daily commission``, ``dividend``. A balance row for any other word."""
    folded = word.casefold()
    return next((kind for part, kind in _WORDS if part in folded), BALANCE)
