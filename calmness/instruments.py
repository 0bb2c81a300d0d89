"""What a pip is, by kind of instrument: the one table for signals and trades (see docs/trading.md)."""

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

_METALS = {"XAU": Decimal("0.1"), "XAG": Decimal("0.01"), "XPT": Decimal("0.1"), "XPD": Decimal("0.1")}

_NAMES = {"GOLD": "XAUUSD", "SILVER": "XAGUSD"}
_CRYPTO = ("BTC", "ETH", "LTC", "XRP", "SOL", "BNB", "ADA", "DOGE", "DOT", "BCH")
_OIL = ("USOIL", "UKOIL", "WTI", "BRENT", "XTI", "XBR")
_CURRENCIES = frozenset(
    [
        "EUR",
        "USD",
        "GBP",
        "JPY",
        "CHF",
        "CAD",
        "AUD",
        "NZD",
        "SEK",
        "NOK",
        "DKK",
        "PLN",
        "CZK",
        "HUF",
        "TRY",
        "ZAR",
        "MXN",
        "SGD",
    ]
)


def base_symbol(symbol: str) -> str:
    """Symbol without the broker's suffix: ``EURUSDm``, ``EURUSD.r`` and ``EURUSD#`` are EURUSD."""
    letters = symbol.strip().upper()
    for mark in (".", "#", "_", "-", "+"):
        letters = letters.split(mark, 1)[0]
    if len(letters) > 6 and is_forex(letters[:6]):
        return letters[:6]
    return _NAMES.get(letters, letters)


def is_forex(symbol: str) -> bool:
    """Whether a symbol of six letters is a pair of currencies."""
    return len(symbol) == 6 and symbol[:3] in _CURRENCIES and symbol[3:] in _CURRENCIES


class InstrumentClass(StrEnum):
    """What an instrument is. Pips of two classes are never added up."""

    FOREX = "forex"
    METAL = "metal"
    OIL = "oil"
    CRYPTO = "crypto"
    OTHER = "other"


@lru_cache(maxsize=4096)
def instrument_class(symbol: str) -> InstrumentClass:
    """Class of an instrument; indices and shares are ``OTHER``."""
    base = base_symbol(symbol)
    if is_forex(base):
        return InstrumentClass.FOREX
    if base[:3] in _METALS:
        return InstrumentClass.METAL
    if base.startswith(_OIL):
        return InstrumentClass.OIL
    return InstrumentClass.CRYPTO if base.startswith(_CRYPTO) else InstrumentClass.OTHER


def pip_size(symbol: str) -> Decimal:
    """Price of one pip: 0.0001 for forex, 0.01 in yen, 0.1 for gold, 0.01 for silver and oil, 1 for the rest."""
    base = base_symbol(symbol)
    if is_forex(base):
        return Decimal("0.01") if base.endswith(("JPY", "HUF")) else Decimal("0.0001")
    if base[:3] in _METALS:
        return _METALS[base[:3]]
    if base.startswith(_OIL):
        return Decimal("0.01")
    return Decimal(1)
