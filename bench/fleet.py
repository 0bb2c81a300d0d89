"""Ten thousand EAs a minute on two cores: the 99th percentile of the answer's time, against the 250 ms promised.

Everything is real: gunicorn as in production (two processes, as ``docs/operations.md`` has it for two cores), Redis,
the worker that computes figures, HTTP over loopback on connections that stay open, as a proxy keeps them. Ten thousand
accounts send the pass of a quiet minute: one trade open whose price moves, one time in twenty a trade closed. Passes
come at random at the full rate whether or not the ones before were answered, and their time runs from the instant they
were due: a server that falls behind can't hide it.

A machine that is busy otherwise shows in the times. The CPU time that a pass costs depends on that much less: it stands
beside, against what two cores have for each of ten thousand passes a minute. Where the full rate can't be kept up,
``BENCH_FLEET_PER_MINUTE`` sets a lower one, to measure that cost alone.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import func, insert, select

from bench.school import application
from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.delivery import OutboxTask, TaskState
from calmness.models.trading import Platform, Trade, TradeKind, TradeSource, TradeStatus, TradingAccount, TradingKey
from calmness.services.account.sessions import hash_secret
from supervisor import redis as embedded
from supervisor.processes import LOOPBACK, free_port

ROOT = Path(__file__).resolve().parent.parent
ACCOUNTS = 10_000
PER_MINUTE = int(os.environ.get("BENCH_FLEET_PER_MINUTE", ACCOUNTS))
PROMISED = 0.250
CORES = 2
SERVERS = 2
SECONDS = float(os.environ.get("BENCH_FLEET_SECONDS", "30"))
WARM_SECONDS = 5.0
CONNECTIONS = 64
PATIENCE = 60.0
OPENED = 1_768_000_000
"""An evening of January 2026 by the broker's server, two hours ahead of UTC."""
OFFSET = 7200


def measures() -> Iterator[tuple[str, float, float]]:
    """(name, 99th percentile in seconds, the promise), then the CPU time of a pass against what there is for it."""
    app = application()
    with app.app_context():
        keys = _fleet()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as house:
        environment = _environment(house, Path(folder))
        ports = [free_port() for _server in range(SERVERS)]
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
        web = [_started(house, gunicorn, environment | {"PORT": str(port)}) for port in ports]
        worker = _started(house, [sys.executable, "worker.py"], environment)
        for port in ports:
            _await(port)
        asyncio.run(Load(ports, keys, Random(1)).run(WARM_SECONDS))
        before = {process.pid: _cpu(process.pid) for process in (*web, worker)}
        load = Load(ports, keys, Random(7))
        asyncio.run(load.run(SECONDS))
        spent = {pid: _cpu(pid) - cpu for pid, cpu in before.items()}
    passes = len(load.times)
    assert not load.faults, load.faults[:3]
    with app.app_context():
        left = db.session.scalar(select(func.count()).select_from(OutboxTask).where(OutboxTask.state != TaskState.DONE))
    web_cpu = sum(spent[process.pid] for process in web) / passes
    print(
        f"  {passes} passes in {SECONDS:.0f} s on {SERVERS} servers: median {_rank(load.times, 0.5) * 1000:.1f} ms, "
        f"p90 {_rank(load.times, 0.9) * 1000:.1f}, max {max(load.times) * 1000:.0f}; CPU of the worker "
        f"{spent[worker.pid] / passes * 1000:.2f} ms a pass, {left} tasks left, load of the machine "
        f"{os.getloadavg()[0]:.1f}"
    )
    yield f"{PER_MINUTE} EAs a minute, p99 of {SERVERS} servers", _rank(load.times, 0.99), PROMISED
    yield "CPU of the web servers for a pass", web_cpu, CORES * 60 / ACCOUNTS


class Load:
    """Passes at random instants at the full rate, sent on connections that stay open."""

    def __init__(self, ports: list[int], keys: list[str], chance: Random) -> None:
        self.times: list[float] = []
        self.faults: list[str] = []
        self._ports, self._keys, self._chance = ports, keys, chance
        self._idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def run(self, seconds: float) -> None:
        """Send for some seconds, wait for the last answer."""
        for number in range(CONNECTIONS):
            self._idle.put_nowait(await asyncio.open_connection(LOOPBACK, self._ports[number % len(self._ports)]))
        order = self._chance.sample(range(len(self._keys)), len(self._keys))
        begun = due = time.perf_counter()
        tasks = []
        for number in range(10**9):
            due += self._chance.expovariate(PER_MINUTE / 60)
            if due - begun > seconds:
                break
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            account = order[number % len(order)]
            tasks.append(asyncio.create_task(self._pass(account, due)))
        await asyncio.gather(*tasks)
        while not self._idle.empty():
            self._idle.get_nowait()[1].close()

    async def _pass(self, account: int, due: float) -> None:
        body = json.dumps(_body(account, self._chance)).encode()
        head = (
            f"POST /ea/v1/sync HTTP/1.1\r\nHost: {LOOPBACK}\r\nX-API-Key: {self._keys[account]}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = await self._idle.get()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        fields = answer.lower()
        length = int(fields.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        text = await reader.readexactly(length)
        self.times.append(time.perf_counter() - due)
        if not answer.startswith(b"HTTP/1.1 200"):
            self.faults.append((answer + text).decode(errors="replace"))
        self._idle.put_nowait((reader, writer))


def _fleet() -> list[str]:
    """Accounts that have been connected for a while, each with a trade open; their keys."""
    user = db.session.query(User).first()
    assert user is not None
    now = clock.now()
    first = (db.session.scalar(select(func.max(TradingAccount.id))) or 0) + 1
    accounts, keys, trades, clear = [], [], [], []
    for number in range(ACCOUNTS):
        account_id = first + number
        public, secret = f"{account_id:08d}", f"{account_id:032d}"
        clear.append(f"ct_ea_{public}_{secret}")
        accounts.append(
            {
                "id": account_id,
                "user_id": user.id,
                "name": f"EA {number}",
                "platform": Platform.MT4,
                "currency": "EUR",
                "login": str(number + 1),
                "server": "Bench",
                "clock_evidence": [[int(now.timestamp()), OFFSET]],
                "utc_offset_seconds": OFFSET,
                "broker": "Bench",
                "mode": "real",
                "leverage": 30,
                "history_total": 1,
                "history_oldest": OPENED,
                "history_complete": True,
                "ea_version": "2.0.0",
                **dict.fromkeys(("balance", "equity", "free_margin"), Decimal(1000)),
                "margin": Decimal(0),
                "created_at": now,
                "last_sync_at": now,
            }
        )
        keys.append(
            {
                "account_id": account_id,
                "public_id": public,
                "secret_hash": hash_secret(secret),
                "created_at": now,
                "last_used_at": now,
            }
        )
        trades.append(
            {
                "account_id": account_id,
                "ticket": "1",
                "kind": TradeKind.BUY,
                "status": TradeStatus.OPEN,
                "symbol": "EURUSD",
                "volume": Decimal("0.1"),
                "open_price": Decimal("1.0842"),
                **dict.fromkeys(("profit", "swap", "commission", "taxes", "net"), Decimal(0)),
                "open_time_server": OPENED + number,
                "opened_at": datetime.fromtimestamp(OPENED + number - OFFSET, UTC),
                "source": TradeSource.EA,
                "seen_at": now,
            }
        )
    for model, rows in ((TradingAccount, accounts), (TradingKey, keys), (Trade, trades)):
        db.session.execute(insert(model), rows)
    db.session.commit()
    return clear


def _body(account: int, chance: Random) -> dict[str, Any]:
    now = int(time.time())
    trade = {
        "ticket": "1",
        "type": 0,
        "symbol": "EURUSD",
        "lots": "0.10",
        "open_time": OPENED + account,
        "close_time": 0,
        "open_price": "1.08420",
        "close_price": f"1.08{chance.randrange(1000):03d}",
        "sl": "1.08000",
        "tp": "1.09000",
        "profit": f"{chance.uniform(-50, 50):.2f}",
        "swap": "0.00",
        "commission": "-0.70",
        "magic": 0,
        "digits": 5,
        "comment": "",
    }
    closed = trade | {"ticket": f"1{chance.randrange(10**8)}", "close_time": now - 60}
    return {
        "v": 2,
        "ea": "2.0.0",
        "platform": "mt4",
        "batch_id": f"fleet-{account}-{chance.randrange(10**12)}",
        "account": {
            "login": str(account + 1),
            "server": "Bench",
            "company": "Bench",
            "currency": "EUR",
            "leverage": 30,
            "mode": "real",
        },
        "clock": {"gmt": now, "server": now + OFFSET, "server_age_s": 1},
        "snapshot": {
            "balance": "1000.00",
            "equity": f"{1000 + chance.uniform(-50, 50):.2f}",
            "margin": "36.10",
            "free": "963.90",
            "open_tickets": ["1"],
        },
        "history": {"total": 1, "oldest_close": OPENED, "newest_close": now - 60, "complete": True},
        "trades": [trade, closed] if chance.random() < 0.05 else [trade],
    }


def _environment(house: contextlib.ExitStack, folder: Path) -> dict[str, str]:
    """Settings of the processes; starts their Redis."""
    server = embedded.Server(embedded.find_program(), folder, free_port(), password="bench-only")  # noqa: S106
    server.write_configuration()
    _started(house, server.command, dict(os.environ), folder)
    deadline = time.monotonic() + PATIENCE
    while not server.answers():
        assert time.monotonic() < deadline, "Redis does not answer"
        time.sleep(0.02)
    return {
        **os.environ,
        "REDIS_URL": server.url,
        "RATELIMIT_ENABLED": "1",
        "WAKE_WORKERS": "1",
        "BASE_URL": f"http://{LOOPBACK}",
    }


def _started(
    house: contextlib.ExitStack, command: list[str], environment: dict[str, str], folder: Path = ROOT
) -> subprocess.Popen[bytes]:
    """A process that ends with the house."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    house.callback(process.wait, PATIENCE)
    house.callback(process.terminate)
    return process


def _await(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            asyncio.run(_touched(port))
        except OSError:
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)
        else:
            return


async def _touched(port: int) -> None:
    _reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.close()


def _cpu(pid: int) -> float:
    """CPU seconds of a process, of its children and of those that have ended."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    own = sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return own + sum(_cpu(int(child)) for child in children)


def _rank(times: list[float], share: float) -> float:
    return sorted(times)[int(len(times) * share)]
