"""Operators' commands: each parses its arguments and calls one function."""

import click
from flask import Flask, current_app

from calmness import cli_backup, cli_keys, cli_rates, cli_users
from calmness.blueprints.api import openapi
from calmness.services import ledgers


def init_app(app: Flask) -> None:
    """Register the commands on ``flask``."""
    app.cli.add_command(clock_command)
    app.cli.add_command(ledger)
    app.cli.add_command(demo_command)
    app.cli.add_command(cli_users.users)
    app.cli.add_command(cli_keys.keys)
    app.cli.add_command(cli_backup.backup)
    app.cli.add_command(cli_backup.restore)
    app.cli.add_command(cli_rates.rates)
    openapi.register_command(app)


@click.command("clock")
def clock_command() -> None:
    """Run the clock until it is told to stop."""
    from calmness import clock_process, jobs  # noqa: F401 - the jobs register themselves

    clock_process.run(current_app._get_current_object())  # type: ignore[attr-defined]


@click.command("demo")
def demo_command() -> None:
    """Load the demo school, once; refuses in production."""
    from calmness import demo

    if current_app.config["ENVIRONMENT"] == "production":
        raise click.ClickException("The demo has known passwords: it is not loaded in production.")
    click.echo("demo loaded" if demo.load() else "demo already there")


@click.group()
def ledger() -> None:
    """Chains of appended facts."""


@ledger.command("verify")
def verify() -> None:
    """Check every chain; ends with 1 and says where when one is broken."""
    places = ledgers.verify()
    for name, place in places.items():
        click.echo(f"{name}: whole" if place is None else f"{name}: broken at {place}", err=place is not None)
    if any(place is not None for place in places.values()):
        raise SystemExit(1)
