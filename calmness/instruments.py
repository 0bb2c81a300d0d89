"""What an instrument is and what a pip of it is, by its name: the one table for signals and for trades.

A pip is a habit of those who trade an instrument. Where they have none (shares, small coins, gas, copper) there is no
size here, and none may be made up.
"""

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

_NAMES = {"GOLD": "XAUUSD", "SILVER": "XAGUSD", "BITCOIN": "BTCUSD", "ETHEREUM": "ETHUSD"}
_CRYPTO = (
    *("BTC", "XBT", "ETH", "LTC", "XRP", "SOL", "BNB", "ADA", "DOGE", "DOT", "BCH"),
    *("AVAX", "TRX", "LINK", "XLM", "SHIB", "TON", "UNI", "EOS", "XMR", "DASH"),
)
_WHOLE_COINS = ("BTC", "XBT", "ETH")
"""Coins that are counted in whole units of the currency whatever their digits are."""
_OIL = ("USOIL", "UKOIL", "WTI", "BRENT", "XTI", "XBR", "USOUSD", "UKOUSD")
_INDICES = (
    *("US30", "DJ30", "DJI", "WS30", "USA30", "US500", "SP500", "SPX", "USA500", "US100", "NAS100", "USTEC"),
    *("USTECH", "NDX", "NQ100", "NSDQ", "USA100", "US2000", "RUS2000", "RUSS2000", "RTY"),
    *("DE30", "DE40", "GER30", "GER40", "DAX", "UK100", "FTSE", "FRA40", "FR40", "CAC40", "F40", "EU50", "EUSTX50"),
    *("ESTX50", "STOXX50", "EURO50", "ESP35", "ES35", "SPA35", "IBEX", "IT40", "ITA40", "NETH25", "NL25", "AEX"),
    *("SUI20", "SWI20", "CH20", "SMI20", "JP225", "JPN225", "JAP225", "NIK225", "NI225", "NIKKEI"),
    *("AUS200", "AU200", "ASX200", "HK50", "HKG50", "HK33", "HSI", "CN50", "CHN50", "CHINA50", "CHINA300", "SING30"),
    *("SG20", "SG30", "IND50", "NIFTY", "SA40", "SAF40", "NOR25", "SWE30", "POL20", "W20"),
)


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
    """Symbol without what the broker puts around it: ``EURUSDm``, ``EURUSD.r``, ``.US30Cash`` and ``[DJI30]``."""
    letters = symbol.strip().upper().lstrip(".#_-+[")
    for mark in (".", "#", "_", "-", "+", "]"):
        letters = letters.split(mark, 1)[0]
    if len(letters) > 6 and is_forex(letters[:6]):
        return letters[:6]
    letters = letters.removesuffix("CASH") or letters
    return _NAMES.get(letters, letters)


def is_forex(symbol: str) -> bool:
    """Whether a symbol of six letters is a pair of currencies."""
    return len(symbol) == 6 and symbol[:3] in _CURRENCIES and symbol[3:] in _CURRENCIES


class InstrumentClass(StrEnum):
    """What an instrument is. Pips of two classes are never added up."""

    FOREX = "forex"
    GOLD = "gold"
    SILVER = "silver"
    PLATINUM = "platinum"
    OIL = "oil"
    INDEX = "index"
    COIN = "coin"
    SMALL_COIN = "small_coin"
    OTHER = "other"


_METALS = {
    "XAU": InstrumentClass.GOLD,
    "XAG": InstrumentClass.SILVER,
    "XPT": InstrumentClass.PLATINUM,
    "XPD": InstrumentClass.PLATINUM,
}
_SIZES = {
    InstrumentClass.GOLD: Decimal("0.1"),
    InstrumentClass.SILVER: Decimal("0.01"),
    InstrumentClass.PLATINUM: Decimal("0.1"),
    InstrumentClass.OIL: Decimal("0.01"),
    InstrumentClass.INDEX: Decimal(1),
    InstrumentClass.COIN: Decimal(1),
}


@lru_cache(maxsize=4096)
def instrument_class(symbol: str) -> InstrumentClass:
    """Class of an instrument by its name; shares, gas, copper and what nobody knows are ``OTHER``."""
    base = base_symbol(symbol)
    if is_forex(base):
        return InstrumentClass.FOREX
    if base[:3] in _METALS:
        return _METALS[base[:3]]
    if base.startswith(_OIL):
        return InstrumentClass.OIL
    if base.startswith(_INDICES):
        return InstrumentClass.INDEX
    if _is_coin(base, _WHOLE_COINS):
        return InstrumentClass.COIN
    return InstrumentClass.SMALL_COIN if _is_coin(base, _CRYPTO) else InstrumentClass.OTHER


def pip_size(symbol: str) -> Decimal | None:
    """Price of one pip as traders count it: 0.0001 for forex, 0.01 in yen, 0.1 for gold, 0.01 for silver and oil, 1 for
    indices, bitcoin and ether. None where there is no such habit.
    """
    base = base_symbol(symbol)
    if is_forex(base):
        return Decimal("0.01") if base.endswith(("JPY", "HUF")) else Decimal("0.0001")
    return _SIZES.get(instrument_class(symbol))


def _is_coin(base: str, coins: tuple[str, ...]) -> bool:
    """Whether a symbol is a coin in a currency: the names of shares begin like coins too."""
    return any(base.startswith(coin) and base[len(coin) :][:3] in _CURRENCIES for coin in coins)
