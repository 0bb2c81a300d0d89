"""Registers: which function does a kind of work, writes a kind of message, or runs by the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calmness.channels import Message
from calmness.models.delivery import Delivery

TaskHandler = Callable[[dict[str, Any]], None]
Composer = Callable[[Delivery], Message | None]


@dataclass(frozen=True)
class PeriodicJob:
    """A job of the clock and its period. It must be harmless to run twice or late."""

    function: Callable[[], None]
    every_seconds: int


TASKS: dict[str, TaskHandler] = {}
COMPOSERS: dict[str, Composer] = {}
PERIODIC: dict[str, PeriodicJob] = {}


class NotWanted(Exception):
    """The message has lost its reason (session moved, enrolment ended): raised by a composer, nothing is sent."""


def task(kind: str) -> Callable[[TaskHandler], TaskHandler]:
    """Register the function that does a kind of work. It takes the payload (ids), and may run twice."""

    def register(function: TaskHandler) -> TaskHandler:
        TASKS[kind] = function
        return function

    return register


def composer(kind: str) -> Callable[[Composer], Composer]:
    """Register the function that writes a kind of message, at the moment it leaves."""

    def register(function: Composer) -> Composer:
        COMPOSERS[kind] = function
        return function

    return register


def periodic(name: str, *, every_seconds: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a job of the clock."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        PERIODIC[name] = PeriodicJob(function, every_seconds)
        return function

    return register
