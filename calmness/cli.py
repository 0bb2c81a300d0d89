"""Operators' commands: each parses its arguments and calls one function."""

import click
from flask import Flask, current_app

from calmness import clock_process
from calmness.services import audit


def init_app(app: Flask) -> None:
    """Register the commands on ``flask``."""
    app.cli.add_command(clock_command)
    app.cli.add_command(ledger)


@click.command("clock")
def clock_command() -> None:
    """Run the clock until it is told to stop."""
    from calmness import jobs  # noqa: F401 - registers the periodic jobs

    clock_process.run(current_app._get_current_object())  # type: ignore[attr-defined]


@click.group()
def ledger() -> None:
    """Chains of appended facts."""


@ledger.command("verify")
def verify() -> None:
    """Check every chain; ends with 1 and says where when one is broken."""
    broken = audit.first_broken()
    if broken is not None:
        click.echo(f"audit: broken at entry {broken}", err=True)
        raise SystemExit(1)
    click.echo("audit: whole")
