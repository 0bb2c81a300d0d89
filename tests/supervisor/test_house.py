"""`make run` keeps its promises, in real processes."""

import json
import os
import signal
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from supervisor import processes
from tests.fixtures.live import House, wait_until

pytestmark = pytest.mark.live

MANY_MESSAGES = """
INSERT INTO delivery (key, kind, channel, lane, address, params, state, due_at, attempts, created_at)
VALUES (?, 'notification', 'email', 'mail', ?, '{"title": "Essai"}', 'pending', '2026-01-01', 0, '2026-01-01')
"""
CHILDREN = ("redis", "web", "worker", "clock")
NewHouse = Callable[..., House]


def test_the_house_listens_on_loopback_alone(house: House) -> None:
    # Once they have given a sign of life, they listen to whatever they will.
    wait_until(lambda: {house.pid_of("worker"), house.pid_of("clock")} <= signs_of_life(house), seconds=30)

    listening = {name: listening_addresses(house.pid_of(name)) for name in CHILDREN}

    assert listening["web"] == {("127.0.0.1", house.port)}
    assert [host for host, _port in listening["redis"]] == ["127.0.0.1"]
    assert listening["worker"] == listening["clock"] == set()


def test_a_second_start_in_the_same_folder_points_to_the_first(house: House) -> None:
    second = House(house.checkout, house.instance, house.port)

    second.start()
    line = second.wait_for("already runs")

    assert second.running.wait(timeout=60) == 0
    assert house.url in line
    assert is_ready(house)


def test_two_checkouts_run_side_by_side(house: House, new_house: NewHouse) -> None:
    other = new_house("autre maison")

    other.open()

    assert is_ready(house)
    assert is_ready(other)
    assert redis_of(house) != redis_of(other)


def test_closing_leaves_no_process_and_reopening_keeps_the_secrets(house: House) -> None:
    sessions = [house.pid_of(name) for name in CHILDREN]
    living = {house.pid_of("worker"), house.pid_of("clock")}
    wait_until(lambda: living <= signs_of_life(house), seconds=30)
    secrets = (house.instance / "keys.json").read_text()

    code = house.close(signal.SIGINT)

    assert code == 0
    assert [member for session in sessions for member in processes.session_members(session)] == []
    assert list((house.instance / "run" / "children").iterdir()) == []
    assert signs_of_life(house) & living == set()
    house.open()
    assert (house.instance / "keys.json").read_text() == secrets
    for name in ("keys.json", "redis.password", "redis/redis.conf", "run/environment.json"):
        assert mode_of(house.instance / name) == 0o600
    password = (house.instance / "redis.password").read_text()
    everything = [process.command for process in processes.everyone()]
    assert [command for command in everything if password in command] == []


def test_each_child_that_is_killed_comes_back(house: House) -> None:
    for name in CHILDREN:
        before = house.pid_of(name)
        os.kill(before, signal.SIGKILL)
        house.wait_for(f"{name} ended (SIGKILL)")
        wait_until(lambda name=name, before=before: house.pid_of(name) != before)

    wait_until(lambda: is_ready(house), seconds=30)
    assert {name: is_alive(house, name) for name in CHILDREN} == dict.fromkeys(CHILDREN, True)


def test_a_killed_house_is_cleared_away_by_the_next_start(house: House) -> None:
    sessions = [house.pid_of(name) for name in CHILDREN]
    # Children that would not hear of the end of their house: stopped ones take no signal but SIGKILL.
    os.kill(house.pid_of("worker"), signal.SIGSTOP)

    house.running.kill()
    house.running.wait()
    house.open()

    assert [member for session in sessions for member in processes.session_members(session)] == []
    assert is_ready(house)


def test_a_long_lane_does_not_hold_up_the_end(house: House) -> None:
    with closing(sqlite3.connect(house.instance / "calmness.db", timeout=20)) as database, database:
        # Minutes of work: each message is written, finds no mail server, and waits for its turn again.
        rows = [(f"mail:{number}", f"eva{number}@example.test") for number in range(4000)]
        database.executemany(MANY_MESSAGES, rows)
    wait_until(lambda: count(house, "SELECT count(*) FROM delivery WHERE attempts > 0") > 20, seconds=30)

    started = time.monotonic()
    house.close(signal.SIGINT)

    assert time.monotonic() - started < 9  # ten would be the end of the patience
    assert count(house, "SELECT count(*) FROM delivery WHERE state IN ('claimed', 'sending')") == 0
    assert count(house, "SELECT count(*) FROM delivery WHERE attempts = 0") > 100
    with closing(sqlite3.connect(house.instance / "calmness.db")) as database, database:
        database.execute("DELETE FROM delivery")


def test_the_first_start_migrates_and_the_next_does_not(new_house: NewHouse) -> None:
    house = new_house(stamped=False)
    migrated = []

    for _turn in range(2):
        house.start()
        wait_until(record_of(house, "web").exists, seconds=50)
        house.close()
        house.wait_for("Closing")  # all that it said before has been heard as well
        migrated.append(any(line.startswith("migrate") for line in house.lines))

    assert migrated == [True, False]


@pytest.mark.parametrize("moment", ["migrate", "worker", "open"])
def test_ctrl_c_is_heard_at_any_moment(new_house: NewHouse, moment: str) -> None:
    house = new_house(stamped=moment != "migrate")
    house.start()
    if moment == "open":
        house.wait_for("is open:")
    else:
        wait_until(record_of(house, moment).exists, seconds=50)

    code = house.close(signal.SIGINT)

    assert code == 0
    assert "Traceback" not in "\n".join(house.lines)
    assert list((house.instance / "run" / "children").iterdir()) == []


def test_a_damaged_redis_file_is_put_aside(new_house: NewHouse) -> None:
    house = new_house()
    folder = house.instance / "redis"
    folder.mkdir()
    (folder / "appendonly.aof").write_bytes(b"neither a command nor a snapshot\n" * 20)

    house.start()

    assert "Redis starts empty" in house.wait_for("Redis refused its file")
    # The pages start when Redis has answered: what follows is as in every other house.
    wait_until(record_of(house, "web").exists, seconds=50)
    [aside] = folder.glob("damaged-*")
    assert (aside / "appendonly.aof").read_bytes().startswith(b"neither")


def test_a_taken_port_is_named_with_its_holder_before_anything_starts(new_house: NewHouse) -> None:
    house = new_house()
    with socket.create_server(("127.0.0.1", house.port)):
        house.start()
        line = house.wait_for("is taken by")

        assert house.running.wait(timeout=60) == 2

    assert f"Port {house.port}" in line
    assert f"process {os.getpid()} " in line
    assert "make run PORT=" in line
    assert list((house.instance / "run" / "children").iterdir()) == []


def is_ready(house: House) -> bool:
    """Whether the pages, the database and Redis answer."""
    try:
        with urllib.request.urlopen(f"{house.url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def signs_of_life(house: House) -> set[int]:
    """Processes that the health page lists."""
    with closing(sqlite3.connect(house.instance / "calmness.db", timeout=20)) as database:
        return {int(name.rpartition(":")[2]) for (name,) in database.execute("SELECT process FROM heartbeat")}


def record_of(house: House, name: str) -> Path:
    """What the house writes down when it starts a child."""
    return house.instance / "run" / "children" / f"{name}.json"


def is_alive(house: House, name: str) -> bool:
    """Whether a child runs."""
    process = processes.find(house.pid_of(name))
    return process is not None and process.alive


def listening_addresses(session: int) -> set[tuple[str, int]]:
    """Where the processes of a session listen, as the kernel sees it."""
    sockets = {
        str(descriptor.readlink())
        for member in processes.session_members(session)
        for descriptor in Path(f"/proc/{member.pid}/fd").iterdir()
        if descriptor.is_symlink()
    }
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                host, _, port = fields[1].partition(":")
                name = socket.inet_ntoa(bytes.fromhex(host)[::-1]) if len(host) == 8 else host
                found.add((name, int(port, 16)))
    return found


def count(house: House, query: str) -> int:
    """A figure of its database."""
    with closing(sqlite3.connect(house.instance / "calmness.db", timeout=20)) as database:
        return int(database.execute(query).fetchone()[0])


def redis_of(house: House) -> str:
    """Address of its Redis."""
    address: str = json.loads((house.instance / "run" / "environment.json").read_text())["REDIS_URL"]
    return address


def mode_of(file: Path) -> int:
    """Who may read it."""
    return file.stat().st_mode & 0o777
