"""A terminal with the compiled EA in it, its broker, its clock and its network, told what to do by a test."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import time_machine
from flask.testing import FlaskClient

from tests.trading.terminal import OFFSET

SITE = "https://school.example"


@dataclass(frozen=True)
class Order:
    """An order as the broker has it; times are those of its server."""

    ticket: int
    type: int = 0
    symbol: str = "EURUSD"
    lots: float = 0.1
    open_price: float = 1.0842
    close_price: float = 1.0852
    sl: float = 0
    tp: float = 0
    profit: float = 10
    swap: float = 0
    commission: float = 0
    open_time: int = 0
    close_time: int = 0
    magic: int = 0
    comment: str = ""

    def closed(self, at: int, profit: float, **more: object) -> "Order":
        """The same order, closed."""
        return replace(self, close_time=at, profit=profit, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Answer:
    """What the network gives: an HTTP status, or -1 with an error of MQL4."""

    status: int
    error: int = 0
    headers: str = ""
    body: bytes = b""


NO_CONNECTION = Answer(-1, 5201)
URL_NOT_ALLOWED = Answer(-1, 4060)
Fault = Callable[[int], Answer | None]


@dataclass
class Terminal:
    """One run of MetaTrader. ``orders`` is what the broker knows; ``hidden_before`` is the history tab's period."""

    program: Path
    folder: Path
    client: FlaskClient
    key: str
    start: datetime
    orders: dict[int, Order] = field(default_factory=dict)
    hidden_before: int = 0
    login: int = 80012345
    server_name: str = "Broker-Live"
    market: bool = True
    fault: Fault = lambda _number: None
    lost_answers: frozenset[int] = frozenset()
    requests: list[tuple[datetime, int, bytes]] = field(default_factory=list)
    _clock: int = 0
    _server: int = 0
    _process: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        self._clock = int(self.start.timestamp())
        self._server = self._clock + OFFSET

    @property
    def server_time(self) -> int:
        """Time of the broker's server."""
        return self._server

    def begin(self) -> int:
        """Start the terminal and put the EA on a chart; what ``OnInit`` gave."""
        with (self.folder / "journal.txt").open("a") as journal:
            self._process = subprocess.Popen(
                [self.program, self.folder, self.key, SITE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=journal,
                text=True,
                encoding="ascii",
            )
        self._tell(f"clock\t{self._clock}\t{self._server}")
        self._show_account()
        return int(self._tell("init")["init"])

    def end(self, *, killed: bool = False) -> None:
        """Close the terminal, or lose it to a power cut."""
        if self._process is None:
            return
        if killed:
            self._process.kill()
        else:
            self._tell("deinit")
        self._process.communicate(timeout=20)
        self._process = None

    def run(self, seconds: int) -> None:
        """Let time pass with the orders as they are now."""
        self._show_account()
        self._tell(f"advance\t{seconds}")
        self._clock += seconds
        self._server += seconds if self.market else 0

    def skip(self, clock: int = 0, server: int = 0) -> None:
        """Move the clock of the PC and that of the broker by so many seconds at once."""
        self._clock += clock
        self._server += server
        self._tell(f"clock\t{self._clock}\t{self._server}")

    def put(self, *orders: Order) -> None:
        """Open, change or close orders at the broker."""
        self.orders |= {order.ticket: order for order in orders}

    def shown(self) -> str:
        """What stands on the chart."""
        return bytes.fromhex(self._tell("shown")["shown"][1:]).decode()

    def said(self) -> str:
        """The journal."""
        return (self.folder / "journal.txt").read_text(encoding="utf-8")

    def _show_account(self) -> None:
        self._tell(f"account\t{self.login}\t{self.server_name}\tBroker Ltd\tEUR\t1000.00")
        self._tell(f"market\t{int(self.market)}")
        self._tell("clear")
        self._show_orders()

    def _show_orders(self) -> None:
        for order in self.orders.values():
            is_open = order.type <= 5 and not order.close_time
            if is_open or (order.close_time or order.open_time) >= self.hidden_before:
                self._tell(("open" if is_open else "closed") + "\t" + _fields(order))

    def _tell(self, command: str) -> dict[str, str]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        found: dict[str, str] = {}
        for line in self._process.stdout:
            name, *rest = line.split()
            if name == "done":
                return found
            if name == "request":
                self._process.stdin.write(self._network(*(bytes.fromhex(part[1:]) for part in rest)) + "\n")
                self._process.stdin.flush()
            else:
                found[name] = rest[0]
        raise AssertionError(f"the terminal ended: {self.said()[-2000:]}")

    def _network(self, method: bytes, url: bytes, headers: bytes, body: bytes) -> str:
        number = len(self.requests) + 1
        given = dict(line.split(": ", 1) for line in headers.decode().strip().split("\r\n"))
        gmt = datetime.fromtimestamp(int(body.split(b'"gmt":', 1)[1].split(b",", 1)[0]), UTC)
        answer = self.fault(number)
        if answer is None:
            with time_machine.travel(gmt, tick=False):
                taken = self.client.open(
                    url.decode().removeprefix(SITE), method=method.decode(), data=body, headers=given
                )
            lines = "".join(f"{name}: {value}\r\n" for name, value in taken.headers.items())
            answer = Answer(taken.status_code, 0, lines, taken.data)
            if number in self.lost_answers:
                assert taken.status_code == 200
                answer = NO_CONNECTION
        self.requests.append((gmt, answer.status, body))
        return f"{answer.status} {answer.error} -{answer.headers.encode().hex()} -{answer.body.hex()}"


def _fields(order: Order) -> str:
    numbers = (order.lots, order.open_price, order.close_price, order.sl, order.tp)
    money = (order.profit, order.swap, order.commission)
    return "\t".join(
        [
            str(order.ticket),
            str(order.type),
            "-" + order.symbol.encode().hex(),
            *(str(value) for value in (*numbers, *money)),
            str(order.open_time),
            str(order.close_time),
            str(order.magic),
            "-" + order.comment.encode().hex(),
        ]
    )
