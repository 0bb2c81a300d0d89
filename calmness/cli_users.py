"""``flask users``: what an operator does about accounts. Passwords are asked for, never taken from the command line."""

import click

from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import Role, User
from calmness.services.account import accounts, second_factor
from calmness.services.privacy import erasure

MOST_ROWS = 10_000
ROLE = click.Choice([role.value for role in Role])


class Refused(click.ClickException):
    """A rule said no; its sentence is for people."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(str(error.message))


@click.group()
def users() -> None:
    """Accounts: create, list, change the role, close."""


@users.command("create")
@click.argument("email")
@click.option("--first-name", required=True)
@click.option("--last-name", required=True)
@click.option("--role", type=ROLE, default=Role.STUDENT.value, show_default=True)
@click.password_option()
def create(email: str, first_name: str, last_name: str, role: str, password: str) -> None:
    """Create an account whose address counts as confirmed."""
    try:
        user = accounts.create(email, password, (first_name, last_name), Role(role))
    except DomainError as error:
        raise Refused(error) from error
    db.session.commit()
    click.echo(f"{user.id}\t{user.email}\t{user.role.value}")


@users.command("role")
@click.argument("email")
@click.argument("role", type=ROLE)
def change_role(email: str, role: str) -> None:
    """Give another role; the open sessions of the account end."""
    try:
        user = accounts.change_role(_known(email).id, Role(role), by=None)
    except DomainError as error:
        raise Refused(error) from error
    db.session.commit()
    click.echo(f"{user.id}\t{user.email}\t{user.role.value}")


@users.command("disable")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Open the account again.")
def disable(email: str, undo: bool) -> None:
    """Close an account at once, on pages, API and sockets."""
    try:
        user = accounts.set_disabled(_known(email).id, not undo, by=None)
    except DomainError as error:
        raise Refused(error) from error
    db.session.commit()
    click.echo(f"{user.id}\t{user.email}\t{'open' if undo else 'closed'}")


@users.command("reset-second-factor")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Take the second factor of somebody who lost phone and codes away; make sure who asks before."""
    user = _known(email)
    try:
        second_factor.reset(user, by=None)
    except DomainError as error:
        raise Refused(error) from error
    db.session.commit()
    click.echo(f"{user.id}\t{user.email}\tsecond factor taken away")


@users.command("erase")
@click.argument("email")
def erase(email: str) -> None:
    """Ask for the erasure of an account, for somebody who wrote instead of using the page; thirty days to undo."""
    try:
        wish = erasure.ask(_known(email))
    except DomainError as error:
        raise Refused(error) from error
    db.session.commit()
    click.echo(f"{wish.user_id}\t{email}\terased after {wish.due_at:%Y-%m-%d} unless the person logs in")


@users.command("list")
@click.option("--role", type=ROLE)
@click.option("--search", default="", help="Name or address.")
def list_users(role: str | None, search: str) -> None:
    """One account a line: number, address, name, role, state."""
    rows, _total = accounts.search(search, Role(role) if role else None, limit=MOST_ROWS, offset=0)
    for user in rows:
        state = "closed" if user.disabled_at else "open" if user.email_verified_at else "unconfirmed"
        click.echo("\t".join((str(user.id), user.email, user.full_name, user.role.value, state)))


def _known(email: str) -> User:
    user = accounts.find_by_email(email)
    if user is None:
        raise click.ClickException(f"No account has the address {email}.")
    return user
