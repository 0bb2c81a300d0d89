"""One trade with what its owner writes about it, and the owner's list of mistakes."""

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.blueprints.trading.words import kind_in_words, no_pips_in_words, pips_in_words
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.models.journal import TradeJournal
from calmness.models.trading import Trade
from calmness.permissions import Permission
from calmness.presentation import price
from calmness.services import pips
from calmness.services.account.preferences import Feature
from calmness.services.trading import journals, screenshots, trade_history, trade_plans, trading_accounts
from calmness.services.trading.journals import Draft

PLAN = ("planned_entry", "planned_stop", "planned_target")
FOLLOWED = {"yes": True, "no": False}


class JournalForm(FlaskForm):
    """What a person writes about a trade."""

    note = TextAreaField(_l("Note"))
    tags = StringField(_l("Étiquettes"))
    mistakes = SelectMultipleField(
        _l("Erreurs"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), validate_choice=False
    )
    planned_entry = StringField(_l("Entrée prévue"))
    planned_stop = StringField(_l("Stop prévu"))
    planned_target = StringField(_l("Objectif prévu"))
    plan_followed = RadioField(_l("Plan suivi\u202f?"), validate_choice=False)
    revision = HiddenField()

    def __init__(self, names: list[str], **given: Any) -> None:
        super().__init__(**given)
        self.mistakes.choices = [SelectChoice(name, name) for name in names]
        self.plan_followed.choices = [
            SelectChoice("yes", _("Oui")),
            SelectChoice("no", _("Non")),
            SelectChoice("", _("Sans réponse")),
        ]


class MistakeForm(FlaskForm):
    """A mistake for one's own list."""

    name = StringField(_l("Nouvelle erreur"))


@bp.get("/historique/<int:trade_id>")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def trade(trade_id: int) -> ResponseReturnValue:
    """One trade with what was written about it."""
    return trade_page(trade_history.own(current_account().id, trade_id))


@bp.post("/historique/<int:trade_id>/note")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_note(trade_id: int) -> ResponseReturnValue:
    """Save the journal; what was typed stays when it is refused. A page that saves by itself is answered in JSON."""
    user_id = current_account().id
    found, form = trade_history.own(user_id, trade_id), JournalForm(journals.mistakes_of(user_id))
    is_quiet = request.headers.get("X-Autosave") == "1"
    try:
        journal = journals.write(user_id, trade_id, _draft(form))
    except journals.ChangedMeanwhile as error:
        newer = journals.of_trade(user_id, trade_id)
        if is_quiet:
            return jsonify(field=error.field, message=str(error.message)), 409
        form.note.errors = [error.message]
        # Who saves again has read the other text, and means it.
        form.revision.data = str(newer.revision) if newer else "0"
        return trade_page(found, form, newer=newer), 409
    except DomainError as error:
        db.session.rollback()
        if is_quiet:
            return jsonify(field=error.field, message=str(error.message)), 422
        form[error.field or "note"].errors = [error.message]
        return trade_page(trade_history.own(user_id, trade_id), form), 422
    db.session.commit()
    if is_quiet:
        return jsonify(revision=journal.revision)
    flash(_("Votre note est enregistrée."), "success")
    return redirect(url_for("trading.trade", trade_id=trade_id))


@bp.get("/historique/erreurs")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def mistakes() -> ResponseReturnValue:
    """One's own list of mistakes."""
    return _mistakes_page(MistakeForm())


@bp.post("/historique/erreurs")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_mistake() -> ResponseReturnValue:
    """Add a mistake to the list."""
    form = MistakeForm()
    try:
        journals.add_mistake(current_account().id, form.name.data or "")
    except journals.WrongMistake as error:
        form.name.errors = [error.message]
        return _mistakes_page(form), 422
    db.session.commit()
    return redirect(url_for("trading.mistakes"))


@bp.post("/historique/erreurs/retrait")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_mistake_removal() -> ResponseReturnValue:
    """Take a mistake off the list."""
    journals.remove_mistake(current_account().id, request.form.get("name", ""))
    db.session.commit()
    return redirect(url_for("trading.mistakes"))


def _draft(form: JournalForm) -> Draft:
    revision = form.revision.data or ""
    return Draft(
        note=form.note.data or "",
        tags=form.tags.data or "",
        mistakes=tuple(form.mistakes.data or ()),
        planned_entry=form.planned_entry.data or "",
        planned_stop=form.planned_stop.data or "",
        planned_target=form.planned_target.data or "",
        plan_followed=FOLLOWED.get(form.plan_followed.data or ""),
        revision=int(revision) if revision.isdecimal() and len(revision) < 10 else None,
    )


def _form_of(found: Trade, journal: TradeJournal | None) -> JournalForm:
    written: dict[str, Any] = {"revision": "0", "plan_followed": ""}
    if journal:
        answer = {True: "yes", False: "no"}.get(journal.plan_followed, "") if journal.plan_followed is not None else ""
        written = {
            "note": journal.note,
            "tags": ", ".join(journal.tags),
            "mistakes": journal.mistakes,
            "plan_followed": answer,
            "revision": str(journal.revision),
        } | {name: _typed(getattr(journal, name), found.digits) for name in PLAN}
    return JournalForm(journals.mistakes_of(current_account().id), formdata=None, data=written)


def _typed(value: Any, digits: int | None) -> str:
    return "" if value is None else price(value, digits)


def trade_page(
    found: Trade,
    form: JournalForm | None = None,
    newer: TradeJournal | None = None,
    picture_form: FlaskForm | None = None,
) -> str:
    """The page of a trade; a form that was refused keeps what was typed."""
    user_id = current_account().id
    account, journal = trading_accounts.own(user_id, found.account_id), journals.of_trade(user_id, found.id)
    stop = journal.planned_stop if journal else None
    moved, table = trade_plans.moved(found), pips.of_accounts((account.id,))
    size = table.size(found.symbol)
    counted = moved / size if moved is not None and size is not None else None
    return render_template(
        "trading/trade.html",
        trade=found,
        account=account,
        currency=account.currency,
        kind=kind_in_words(found.kind),
        form=form or _form_of(found, journal),
        newer=newer,
        picture_form=picture_form,
        pictures=screenshots.of_trade(user_id, found.id),
        most_pictures=screenshots.A_TRADE,
        is_market=bool(trade_plans.side_of(found)),
        result=trade_plans.result_in_r(found, stop),
        planned=trade_plans.planned(found, journal),
        is_stop_planned=stop is not None,
        pips="–" if counted is None else pips_in_words(counted),
        why_pips="" if counted is not None else no_pips_in_words(table.silence(found.symbol)),
    )


def _mistakes_page(form: MistakeForm) -> str:
    return render_template("trading/mistakes.html", form=form, names=journals.own_mistakes(current_account().id))
