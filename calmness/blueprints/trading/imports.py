"""Statements: brought, looked at, confirmed, undone."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.blueprints.trading.words import clock_in_words, refusal_in_words, skipped_in_words, sum_in_words
from calmness.errors import DomainError
from calmness.extensions import db, limiter
from calmness.metatrader import MAX_BYTES
from calmness.models.statement import ImportState, StatementImport
from calmness.permissions import Permission
from calmness.services.trading import broker_clocks, statement_imports, trading_accounts

ROOM_FOR_THE_FORM = 64 * 1024


class StatementForm(FlaskForm):
    """A file of MetaTrader."""

    statement = FileField(_l("Relevé de MetaTrader"))


class ClockForm(FlaskForm):
    """How the broker's server tells time."""

    broker_clock = SelectField(_l("Heure du courtier"), choices=[])

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.broker_clock.choices = [SelectChoice(choice, clock_in_words(choice)) for choice in broker_clocks.CHOICES]


@bp.url_value_preprocessor
def _let_a_statement_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """A statement may be larger than other uploads; said before the form token is looked for in the body."""
    if endpoint == "trading.create_import":
        request.max_content_length = MAX_BYTES + ROOM_FOR_THE_FORM


@bp.get("/metatrader/<int:account_id>/releves")
@requires(Permission.OWN_SPACE)
def imports(account_id: int) -> ResponseReturnValue:
    """Imports of an account, and the form for the next."""
    return _index(account_id, StatementForm()), 200


@bp.post("/metatrader/<int:account_id>/releves")
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
def create_import(account_id: int) -> ResponseReturnValue:
    """Take a file; a job reads it."""
    account, form = trading_accounts.own(current_account().id, account_id), StatementForm()
    given = form.statement.data
    try:
        found = statement_imports.receive(account, (given and given.filename) or "", _content(given))
    except DomainError as error:
        db.session.rollback()
        form.statement.errors = [error.message]
        return _index(account_id, form), error.status
    db.session.commit()
    return redirect(url_for("trading.statement_import", import_id=found.id))


@bp.get("/metatrader/releves/<int:import_id>")
@requires(Permission.OWN_SPACE)
def statement_import(import_id: int) -> ResponseReturnValue:
    """Where an import stands; its preview once it is read."""
    found = statement_imports.own(current_account().id, import_id)
    choice = request.args.get("broker_clock", found.broker_clock)
    if choice not in broker_clocks.CHOICES:
        choice = found.broker_clock
    return _show(found, choice), 200


@bp.post("/metatrader/releves/<int:import_id>/confirmation")
@requires(Permission.OWN_SPACE)
def create_import_confirmation(import_id: int) -> ResponseReturnValue:
    """Say yes to what the preview shows."""
    found = statement_imports.own(current_account().id, import_id)
    statement_imports.confirm(found, ClockForm().broker_clock.data or "")
    db.session.commit()
    return redirect(url_for("trading.statement_import", import_id=import_id))


@bp.post("/metatrader/releves/<int:import_id>/annulation")
@requires(Permission.OWN_SPACE)
def create_import_cancellation(import_id: int) -> ResponseReturnValue:
    """Take an import back."""
    found = statement_imports.own(current_account().id, import_id)
    gone = statement_imports.undo(found)
    db.session.commit()
    said = ngettext("Import annulé\u00a0: un trade retiré.", "Import annulé\u00a0: %(num)s trades retirés.", gone)
    flash(said, "success")
    return redirect(url_for("trading.imports", account_id=found.account_id))


@bp.post("/metatrader/releves/<int:import_id>/abandon")
@requires(Permission.OWN_SPACE)
def create_import_removal(import_id: int) -> ResponseReturnValue:
    """Throw the file away."""
    found = statement_imports.own(current_account().id, import_id)
    account_id = found.account_id
    statement_imports.give_up(found)
    db.session.commit()
    flash(_("Le relevé est supprimé, rien n’a été importé."), "success")
    return redirect(url_for("trading.imports", account_id=account_id))


def _content(given: Any) -> bytes:
    """Bytes of an upload, one more than allowed at most."""
    if not given:
        return b""
    with given.stream as stream:
        content: bytes = stream.read(MAX_BYTES + 1)
    return content


def _index(account_id: int, form: StatementForm) -> str:
    account = trading_accounts.own(current_account().id, account_id)
    return render_template(
        "trading/imports.html", account=account, imports=statement_imports.of_account(account.id), form=form
    )


def _show(found: StatementImport, choice: str) -> str:
    is_read = found.state is ImportState.READ
    report = found.report
    return render_template(
        "trading/import.html",
        found=found,
        account=found.account,
        report=report,
        state=found.state.value,
        refusal=refusal_in_words(found.reason, found.account) if found.reason else None,
        samples=statement_imports.converted(found, choice) if is_read else [],
        in_closed_market=statement_imports.in_closed_market(found, choice) if is_read else 0,
        choice=choice,
        sum_names={line["name"]: sum_in_words(line["name"]) for line in report.get("sums", [])},
        skipped=[(line, skipped_in_words(line["reason"])) for line in report.get("skipped", [])],
        form=ClockForm(formdata=None, data={"broker_clock": choice}),
        written_about=statement_imports.written_about(found) if found.state is ImportState.IMPORTED else 0,
    )
