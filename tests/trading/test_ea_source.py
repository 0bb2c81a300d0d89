"""The EA's own source: it can only read."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "mt4"
SOURCES = {name: (FOLDER / name).read_text(encoding="utf-8") for name in ("CalmnessFi_EA.mq4", "CalmnessFi_EA.mq5")}
TRADING_FUNCTIONS = (
    "OrderSend",
    "OrderModify",
    "OrderClose",
    "OrderCloseBy",
    "OrderDelete",
    "OrderSendAsync",
    "CTrade",
    "OrderCheck",
    "PositionClose",
    "PositionModify",
    "PositionOpen",
    "CPositionInfo",
    "MqlTradeRequest",
    "#include",
    "SendFTP",
    "#import",
)

pytestmark = [pytest.mark.once, pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)]


@pytest.mark.parametrize("name", TRADING_FUNCTIONS)
def test_the_source_holds_no_function_that_trades(source: str, name: str) -> None:
    # OrderCloseTime and OrderClosePrice only read: the whole word counts.
    assert not re.search(re.escape(name) + r"(?!\w)", source)


def test_the_source_works_on_a_timer_and_not_on_ticks(source: str) -> None:
    assert "EventSetTimer" in source
    assert "OnTick" not in source


def test_it_asks_for_the_key_and_the_address_alone(source: str) -> None:
    assert re.findall(r"^input \w+ (\w+)", source, re.MULTILINE) == ["Cle", "Adresse"]


def test_the_name_of_the_person_is_never_read(source: str) -> None:
    assert "AccountName" not in source
    assert "ACCOUNT_NAME" not in source


def test_braces_and_brackets_are_balanced(source: str) -> None:
    bare = re.sub(r"//[^\n]*", "", source)
    bare = re.sub(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)+'", "", bare)
    for left, right in ("{}", "()", "[]"):
        assert bare.count(left) == bare.count(right)
