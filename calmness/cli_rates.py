"""``flask rates``: reference rates of currencies from a file of the European Central Bank."""

from pathlib import Path

import click

from calmness.banking import ecb
from calmness.extensions import db
from calmness.services.trading import exchange_rates


@click.group()
def rates() -> None:
    """Euro reference rates."""


@rates.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_rates(file: Path) -> None:
    """Keep the rates of FILE: XML or CSV of the European Central Bank, zipped or not; all of it or nothing."""
    try:
        found = ecb.read(file.read_bytes())
    except ecb.UnreadableRates as error:
        raise click.ClickException(f"{file.name}: {error.reason}") from error
    count = exchange_rates.store(found)
    db.session.commit()
    days = sorted({rate.day for rate in found})
    click.echo(f"{count} rates, {days[0]} to {days[-1]}")
