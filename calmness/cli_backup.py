"""``flask backup`` and ``flask restore``."""

from pathlib import Path

import click
from flask import current_app

from calmness.services import backups

FOLDER = click.Path(file_okay=False, path_type=Path)
ARCHIVE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("backup")
@click.option("--to", "folder", type=FOLDER, help="Folder; instance/backups unless named.")
def backup(folder: Path | None) -> None:
    """Write database and files into one archive, while the house works."""
    try:
        made = backups.make(folder or current_app.config["INSTANCE_DIR"] / "backups")
    except backups.BackupFault as fault:
        raise click.ClickException(str(fault)) from fault
    click.echo(str(made))
    click.echo("The keys (SECRET_KEY, DATA_KEYS, JWT_KEYS, provider keys) are not in it: keep them apart.", err=True)


@click.command("restore")
@click.argument("archive", type=ARCHIVE)
@click.option("--yes", is_flag=True, help="Replace the database and the files that are there.")
def restore(archive: Path, yes: bool) -> None:
    """Bring a backup back. Stop web, workers and clock first; everybody logs in again."""
    if not yes:
        raise click.ClickException("This replaces the database. Stop the processes, then say --yes.")
    try:
        manifest = backups.restore(archive)
    except backups.BackupFault as fault:
        raise click.ClickException(str(fault)) from fault
    click.echo(f"restored the state of {manifest.made_at}, migration {manifest.revision or 'unknown'}")
    click.echo("All sessions, API tokens and links have ended; erased and closed accounts stay so.")
    if not backups.has_same_keys(manifest):
        click.echo("SECRET_KEY or DATA_KEYS are others than then: what the old ones sealed can't be read.", err=True)
    click.echo("Now: flask --app wsgi db upgrade, then flask --app wsgi ledger verify, then look at /admin/systeme.")
