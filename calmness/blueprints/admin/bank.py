"""Bank statements: given, looked at, imported; their lines confirmed against payments."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from calmness.access import current_account, requires
from calmness.banking import csv_file
from calmness.blueprints.admin.billing import bp
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.bank import BankStatement, LineState, StatementFormat
from calmness.permissions import Permission
from calmness.services.billing import bank_statements, reconciliation
from calmness.services.billing.bank_matching import Reason, Strength

FORMATS = {
    StatementFormat.CAMT: "CAMT.053",
    StatementFormat.OFX: "OFX",
    StatementFormat.CSV: "CSV",
    StatementFormat.MT940: "MT940",
}
REASONS = {
    Reason.REFERENCE: _l("référence retrouvée"),
    Reason.NUMBER: _l("numéro de transaction retrouvé"),
    Reason.AMOUNT: _l("montant exact"),
    Reason.ACCOUNT: _l("compte déjà vu"),
    Reason.NAME: _l("nom identique"),
    Reason.TOO_LITTLE: _l("montant insuffisant"),
    Reason.TOO_MUCH: _l("montant supérieur"),
}
STRENGTHS = {
    Strength.STRONG: (_l("sûr"), "success"),
    Strength.MEDIUM: (_l("probable"), "info"),
    Strength.WEAK: (_l("à vérifier"), "warning"),
}
LINE_STATES = {
    LineState.OPEN: (_l("à rapprocher"), "warning"),
    LineState.MATCHED: (_l("rapprochée"), "success"),
    LineState.UNDERPAID: (_l("reçu insuffisant"), "error"),
    LineState.OVERPAID: (_l("reçu en trop"), "warning"),
    LineState.RETURNED: (_l("virement retourné"), "error"),
    LineState.IGNORED: (_l("classée"), ""),
}


class StatementForm(FlaskForm):
    """A file of the bank."""

    file = FileField(
        _l("Relevé (CAMT.053, OFX, MT940 ou CSV)"), validators=[FileRequired(_l("Choisissez le fichier du relevé."))]
    )


class ColumnsForm(FlaskForm):
    """Where a bank puts what."""

    bank = StringField(_l("Banque"), validators=[InputRequired(_l("Nommez la banque.")), Length(max=80)])
    account = StringField(_l("IBAN du compte"), validators=[Length(max=42)])
    date = SelectField(_l("Date"), coerce=int)
    amount = SelectField(_l("Montant (une colonne)"), coerce=int)
    credit = SelectField(_l("Crédit"), coerce=int)
    debit = SelectField(_l("Débit"), coerce=int)
    label = SelectMultipleField(_l("Libellés"), coerce=int)
    reference = SelectField(_l("Référence de la banque"), coerce=int)
    name = SelectField(_l("Nom du payeur"), coerce=int)
    iban = SelectField(_l("IBAN du payeur"), coerce=int)


@bp.get("/paiements/releves")
@requires(Permission.VALIDATE_PAYMENTS)
def statements() -> ResponseReturnValue:
    """Statements given, and the form for the next."""
    return _statements_page(StatementForm())


@bp.post("/paiements/releves")
@requires(Permission.VALIDATE_PAYMENTS)
def create_statement() -> ResponseReturnValue:
    """Take a file; nothing is imported before somebody has looked at it."""
    form = StatementForm()
    if not form.validate_on_submit():
        return _statements_page(form), 422
    try:
        given = bank_statements.receive(form.file.data.filename or "", form.file.data.read(), by=current_account())
    except bank_statements.StatementRefused as error:
        db.session.rollback()
        form.file.errors = [error.message]
        return _statements_page(form), 422
    db.session.commit()
    return redirect(url_for("admin_billing.statement", statement_id=given.id))


@bp.get("/paiements/releves/<int:statement_id>")
@requires(Permission.VALIDATE_PAYMENTS)
def statement(statement_id: int) -> ResponseReturnValue:
    """What is in it, line by line, before it is imported."""
    return _statement_page(bank_statements.get(statement_id), None)


@bp.post("/paiements/releves/<int:statement_id>/colonnes")
@requires(Permission.VALIDATE_PAYMENTS)
def update_columns(statement_id: int) -> ResponseReturnValue:
    """Say where this bank puts what."""
    found = bank_statements.get(statement_id)
    sheet = bank_statements.sheet_of(found)
    form = _columns_form(sheet)
    if form.validate_on_submit():
        names = ("date", "amount", "credit", "debit", "reference", "name", "iban")
        columns = csv_file.Columns(**{name: form[name].data for name in names}, label=tuple(form.label.data or ()))
        try:
            bank_statements.save_format(
                sheet, form.bank.data or "", form.account.data or "", columns, by=current_account()
            )
        except DomainError as error:
            db.session.rollback()
            form[error.field or "bank"].errors = [error.message]
        else:
            db.session.commit()
            return redirect(url_for("admin_billing.statement", statement_id=statement_id))
    return _statement_page(found, form), 422


@bp.post("/paiements/releves/<int:statement_id>/import")
@requires(Permission.VALIDATE_PAYMENTS)
def create_import(statement_id: int) -> ResponseReturnValue:
    """Take the lines that are new."""
    taken = bank_statements.import_lines(statement_id, by=current_account())
    db.session.commit()
    flash(
        ngettext("%(num)s ligne nouvelle.", "%(num)s lignes nouvelles.", taken.new_lines)
        + " "
        + ngettext("%(num)s était déjà connue.", "%(num)s étaient déjà connues.", taken.known_lines),
        "success",
    )
    return redirect(url_for("admin_billing.reconciliation_page"))


@bp.get("/paiements/rapprochement")
@requires(Permission.VALIDATE_PAYMENTS)
def reconciliation_page() -> ResponseReturnValue:
    """Lines with their proposals; strong ones are ticked beforehand."""
    settling = reconciliation.suggestions(reconciliation.TO_SETTLE)
    returned = {
        item.line.id: reconciliation.returned_payment(item.line)
        for item in settling
        if item.line.state is LineState.RETURNED
    }
    return render_template(
        "admin/billing/reconciliation.html",
        suggestions=reconciliation.suggestions(),
        settling=settling,
        returned=returned,
        reasons=REASONS,
        strengths=STRENGTHS,
        line_states=LINE_STATES,
    )


@bp.post("/paiements/rapprochement")
@requires(Permission.VALIDATE_PAYMENTS)
def create_reconciliation() -> ResponseReturnValue:
    """Validate what was ticked, each in its own transaction; or set one line aside."""
    aside = request.form.get("classer", type=int)
    if aside is not None:
        return set_line_aside(aside)
    chosen = [
        (line, payment)
        for line in request.form.getlist("ligne", type=int)
        if (payment := request.form.get(f"paiement-{line}", type=int))
    ]
    if not chosen:
        flash(_("Cochez au moins une ligne."), "warning")
        return redirect(url_for("admin_billing.reconciliation_page"))
    outcomes = reconciliation.confirm_many(chosen, by=current_account())
    done = sum(bool(outcome.invoice) for outcome in outcomes)
    if done:
        flash(
            ngettext(
                "%(num)s paiement validé, sa facture est émise.",
                "%(num)s paiements validés, leurs factures sont émises.",
                done,
            ),
            "success",
        )
    for outcome in outcomes:
        if outcome.error:
            flash(_("Ligne %(line)s\u00a0: %(reason)s", line=outcome.line_id, reason=outcome.error), "warning")
    return redirect(url_for("admin_billing.reconciliation_page"))


@bp.post("/paiements/rapprochement/<int:line_id>/classement")
@requires(Permission.VALIDATE_PAYMENTS)
def set_line_aside(line_id: int) -> ResponseReturnValue:
    """Settled outside of the sale."""
    reconciliation.set_aside(line_id, by=current_account())
    db.session.commit()
    flash(_("Ligne classée."), "success")
    return redirect(url_for("admin_billing.reconciliation_page"))


def _statements_page(form: StatementForm) -> str:
    return render_template(
        "admin/billing/statements.html",
        form=form,
        statements=bank_statements.every(),
        formats=FORMATS,
        waiting=reconciliation.open_count(),
    )


def _statement_page(found: BankStatement, form: ColumnsForm | None) -> str:
    preview, problem, sheet = None, None, None
    if found.format is StatementFormat.CSV:
        sheet = bank_statements.sheet_of(found)
        form = form or _columns_form(sheet)
    try:
        preview = bank_statements.preview(found)
    except (bank_statements.ColumnsMissing, bank_statements.StatementRefused) as error:
        problem = error.message
    return render_template(
        "admin/billing/statement.html",
        statement=found,
        form=form,
        sheet=sheet,
        preview=preview,
        problem=problem,
        formats=FORMATS,
    )


def _columns_form(sheet: csv_file.Sheet) -> ColumnsForm:
    saved = bank_statements.format_of(sheet)
    columns = csv_file.Columns.from_json(saved.columns) if saved else csv_file.guess(sheet)
    values = columns.as_json() | {"bank": saved.bank if saved else "", "account": saved.account if saved else ""}
    form = ColumnsForm(data=values)
    choices = [SelectChoice(place, name or f"{place + 1}") for place, name in enumerate(sheet.header)]
    for name in ("date", "amount", "credit", "debit", "reference", "name", "iban"):
        form[name].choices = [SelectChoice(-1, _("Aucune")), *choices]
    form.label.choices = choices
    return form
