"""The EA's own source: it can only read."""

import re
from pathlib import Path

import pytest

SOURCE = (Path(__file__).resolve().parents[2] / "mt4" / "CalmnessFi_EA.mq4").read_text(encoding="utf-8")
TRADING_FUNCTIONS = (
    "OrderSend",
    "OrderModify",
    "OrderClose",
    "OrderCloseBy",
    "OrderDelete",
    "OrderSendAsync",
    "CTrade",
    "SendFTP",
    "#import",
)

pytestmark = pytest.mark.once


@pytest.mark.parametrize("name", TRADING_FUNCTIONS)
def test_the_source_holds_no_function_that_trades(name: str) -> None:
    # OrderCloseTime and OrderClosePrice only read: the whole word counts.
    assert not re.search(re.escape(name) + r"\b(?!\w)\s*(?:\(|\")", SOURCE)


def test_the_source_works_on_a_timer_and_not_on_ticks() -> None:
    assert "EventSetTimer" in SOURCE
    assert "OnTick" not in SOURCE


def test_braces_and_brackets_are_balanced() -> None:
    bare = re.sub(r"//[^\n]*", "", SOURCE)
    bare = re.sub(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)+'", "", bare)
    for left, right in ("{}", "()", "[]"):
        assert bare.count(left) == bare.count(right)
