"""``kill -9`` of each process, and an emptied Redis, in the middle of every step of the main job at once."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from supervisor import processes
from tests.chaos.steps import Act, Chat, Reminders, Sales, Step, Sync, Visits, is_answering
from tests.fakes.providers import Providers
from tests.fixtures.live import LiveSite, wait_until
from tests.fixtures.servers import Mailbox

pytestmark = [
    pytest.mark.live,
    # Clients leave the sockets of a killed server to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture
def redis(live_site: LiveSite) -> Iterator[Redis]:
    """A client of the house's own Redis."""
    client = Redis.from_url(live_site.application.config["REDIS_URL"])
    yield client
    client.close()


def kill(site: LiveSite, name: str) -> None:
    """End a process without a word, and see it come back."""
    before = site.house.pid_of(name)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: site.house.pid_of(name) != before, seconds=20)


def kill_the_one_at_work(site: LiveSite) -> None:
    """End the child in which the worker does a job, but not the worker."""
    worker = site.house.pid_of("worker")
    found: list[int] = []

    def at_work() -> bool:
        found[:] = [member.pid for member in processes.session_members(worker) if member.pid != worker]
        return bool(found)

    wait_until(at_work, seconds=20)
    for pid in found:
        os.kill(pid, signal.SIGKILL)


def through(
    site: LiveSite, mailbox: Mailbox, providers: Providers, redis: Redis, blows: list[Act], margin: int = 0
) -> int:
    """All steps at once, each blow in the middle of each. Checks each step; gives how many messages are uncertain."""
    wait_until(lambda: is_answering(site), seconds=40)
    chat = Chat(site)
    with site.inside():
        visits = Visits(site, redis, margin)
        sales, sync, reminders = Sales(site, mailbox), Sync(site), Reminders(mailbox, providers.telegram)
    steps: list[Step] = [sales, sync, chat, visits]
    gate = threading.Barrier(len(steps) + 1)

    def walk(acts: list[Act]) -> None:
        stops = {len(acts) * turn // (len(blows) + 1) for turn in range(1, len(blows) + 1)}
        assert len(stops) == len(blows)
        try:
            for rank, act in enumerate(acts):
                if rank in stops:
                    gate.wait(timeout=200)
                act()
        except BaseException:
            gate.abort()
            raise

    with ThreadPoolExecutor(len(steps)) as pool:
        walks = [pool.submit(walk, step.acts()) for step in steps]
        with contextlib.suppress(threading.BrokenBarrierError):
            for blow in blows:
                wait_until(lambda: gate.broken or gate.n_waiting == len(steps), seconds=60)
                if margin and not gate.broken:
                    with site.inside():
                        wait_until(visits.written)
                gate.wait()
                blow()
        for done in walks:
            done.result(timeout=400)
    with site.inside():
        uncertain = sum(step.check() for step in [*steps, reminders])
    chat.leave()
    return uncertain


def test_a_killed_web_process_comes_back_and_nothing_is_lost_or_doubled(
    live_site: LiveSite, mailbox: Mailbox, providers: Providers, redis: Redis
) -> None:
    # It may die between an answer and its view.
    uncertain = through(live_site, mailbox, providers, redis, [lambda: kill(live_site, "web")], margin=1)

    assert uncertain == 0


def test_a_killed_worker_comes_back_and_a_job_killed_at_work_is_done_by_the_next(
    live_site: LiveSite, mailbox: Mailbox, providers: Providers, redis: Redis
) -> None:
    blows = [lambda: kill(live_site, "worker"), lambda: kill_the_one_at_work(live_site)]

    uncertain = through(live_site, mailbox, providers, redis, blows)

    # Each has one message at most in its hands, of which nobody can know whether it has left.
    assert uncertain <= len(blows)


def test_killed_clock_and_redis_and_an_emptied_redis_cost_only_views_and_those_are_counted(
    live_site: LiveSite, mailbox: Mailbox, providers: Providers, redis: Redis
) -> None:
    def empty() -> None:
        for _ in range(3):
            redis.flushall()
            threading.Event().wait(0.3)

    # One storm for all that must do no damage. The killed Redis comes last: the emptying needs it.
    blows = [lambda: kill(live_site, "clock"), empty, lambda: kill(live_site, "redis")]
    uncertain = through(live_site, mailbox, providers, redis, blows)

    assert uncertain == 0
