"""Accounts, keys, connection."""

from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.blueprints.trading.words import clock_in_words, rejection_in_words
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.trading import Platform, TradingAccount
from calmness.permissions import Permission
from calmness.services.trading import broker_clocks, connections, sync, trading_accounts
from calmness.services.trading.connections import Contact

_NAME = [DataRequired(_l("Donnez un nom, par exemple «\u00a0Compte réel\u00a0».")), Length(max=80)]


class AccountForm(FlaskForm):
    """A new account."""

    name = StringField(_l("Nom du compte"), validators=_NAME, filters=[lambda text: (text or "").strip()])
    platform = SelectField(
        _l("Plateforme"),
        choices=[SelectChoice(platform.value, platform.terminal) for platform in Platform],
    )
    currency = StringField(_l("Devise"), default="EUR", validators=[InputRequired(_l("Entrez une devise comme EUR."))])


class NameForm(FlaskForm):
    """The name of an account."""

    name = StringField(_l("Nom du compte"), validators=_NAME, filters=[lambda text: (text or "").strip()])


class BrokerClockForm(FlaskForm):
    """How the broker's server tells time; empty leaves it to what is measured."""

    broker_clock = SelectField(_l("Heure du courtier"), choices=[])

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.broker_clock.choices = [
            SelectChoice("", _("Trouvée par l’Expert Advisor")),
            *(SelectChoice(choice, clock_in_words(choice)) for choice in broker_clocks.CHOICES),
        ]


@bp.get("/metatrader")
@requires(Permission.OWN_SPACE)
def accounts() -> ResponseReturnValue:
    """All accounts."""
    return _index(AccountForm()), 200


@bp.post("/metatrader")
@requires(Permission.OWN_SPACE)
def create_account() -> ResponseReturnValue:
    """Add an account; its key is shown on this answer only."""
    form = AccountForm()
    if not form.validate_on_submit():
        return _index(form), 422
    try:
        account, key = trading_accounts.add(
            current_account(), form.name.data, Platform(form.platform.data), form.currency.data
        )
    except DomainError as error:
        db.session.rollback()
        form[error.field or "name"].errors = [error.message]
        return _index(form), 422
    db.session.commit()
    return _page(account, key), 201


@bp.get("/metatrader/<int:account_id>")
@requires(Permission.OWN_SPACE)
def account(account_id: int) -> ResponseReturnValue:
    """Is it connected? Live."""
    return _page(trading_accounts.own(current_account().id, account_id)), 200


@bp.post("/metatrader/<int:account_id>/cle")
@requires(Permission.OWN_SPACE)
def create_key(account_id: int) -> ResponseReturnValue:
    """A new key, shown on this answer only; the old one lives for a day."""
    found = trading_accounts.own(current_account().id, account_id)
    key = trading_accounts.rotate(found)
    db.session.commit()
    return _page(found, key), 201


@bp.post("/metatrader/<int:account_id>/revocation")
@requires(Permission.OWN_SPACE)
def create_revocation(account_id: int) -> ResponseReturnValue:
    """End all keys at once."""
    trading_accounts.revoke_keys(trading_accounts.own(current_account().id, account_id))
    db.session.commit()
    flash(_("Toutes les clés de ce compte sont révoquées."), "success")
    return redirect(url_for("trading.account", account_id=account_id))


@bp.post("/metatrader/<int:account_id>/nom")
@requires(Permission.OWN_SPACE)
def create_name(account_id: int) -> ResponseReturnValue:
    """Rename."""
    found, form = trading_accounts.own(current_account().id, account_id), NameForm()
    if not form.validate_on_submit():
        return _page(found, name_form=form), 422
    trading_accounts.rename(found, form.name.data)
    db.session.commit()
    flash(_("Le compte s’appelle maintenant «\u00a0%(name)s\u00a0».", name=found.name), "success")
    return redirect(url_for("trading.account", account_id=account_id))


@bp.post("/metatrader/<int:account_id>/heure")
@requires(Permission.OWN_SPACE)
def create_broker_clock(account_id: int) -> ResponseReturnValue:
    """Say how the broker's server tells time; all trades are converted again."""
    found, form = trading_accounts.own(current_account().id, account_id), BrokerClockForm()
    if not form.validate_on_submit():
        return _page(found, clock_form=form), 422
    broker_clocks.correct(found, form.broker_clock.data)
    db.session.commit()
    flash(_("L’heure du courtier est enregistrée\u202f; les heures de vos trades suivent."), "success")
    return redirect(url_for("trading.account", account_id=account_id))


@bp.post("/metatrader/<int:account_id>/archive")
@requires(Permission.OWN_SPACE)
def create_archive(account_id: int) -> ResponseReturnValue:
    """Take the account out of the figures."""
    trading_accounts.archive(trading_accounts.own(current_account().id, account_id))
    db.session.commit()
    flash(_("Le compte est archivé\u202f; ses trades ne comptent plus dans vos chiffres."), "success")
    return redirect(url_for("trading.accounts"))


@bp.post("/metatrader/<int:account_id>/retablissement")
@requires(Permission.OWN_SPACE)
def create_restoration(account_id: int) -> ResponseReturnValue:
    """Bring an archived account back."""
    trading_accounts.restore(trading_accounts.own(current_account().id, account_id))
    db.session.commit()
    flash(_("Le compte est de retour. Créez une nouvelle clé pour relier l’Expert Advisor."), "success")
    return redirect(url_for("trading.account", account_id=account_id))


@bp.get("/metatrader/<int:account_id>/suppression")
@requires(Permission.OWN_SPACE)
def removal(account_id: int) -> ResponseReturnValue:
    """What a deletion takes with it, and the name to type."""
    return _removal(trading_accounts.own(current_account().id, account_id), NameForm()), 200


@bp.post("/metatrader/<int:account_id>/suppression")
@requires(Permission.OWN_SPACE)
def create_removal(account_id: int) -> ResponseReturnValue:
    """Delete the account with its trades."""
    found, form = trading_accounts.own(current_account().id, account_id), NameForm()
    try:
        trading_accounts.remove(found, form.name.data or "")
    except trading_accounts.NameNotTyped as error:
        form.name.errors = [error.message]
        return _removal(found, form), 422
    db.session.commit()
    flash(_("Le compte et ses trades sont supprimés."), "success")
    return redirect(url_for("trading.accounts"))


def connection_state(found: TradingAccount) -> tuple[str, str]:
    """(kind of badge, what it says)."""
    return {
        Contact.AWAITED: ("warning", _("En attente du premier contact")),
        Contact.CONNECTED: ("success", _("Connecté")),
        Contact.SILENT: ("error", _("Silencieux")),
        Contact.ARCHIVED: ("info", _("Archivé")),
    }[connections.contact(found)]


def _index(form: AccountForm) -> str:
    user_id = current_account().id
    rows = [(found, connection_state(found)) for found in trading_accounts.of_user(user_id)]
    archived = trading_accounts.archived_of(user_id)
    return render_template("trading/accounts.html", rows=rows, archived=archived, form=form)


def _page(
    found: TradingAccount, key: str = "", name_form: NameForm | None = None, clock_form: BrokerClockForm | None = None
) -> str:
    in_use = broker_clocks.choice_of(broker_clocks.of_account(found))
    return render_template(
        "trading/account.html",
        account=found,
        key=key,
        state=connection_state(found),
        numbers=connections.numbers(found),
        gaps=connections.gaps(found),
        refusals=[(ticket, rejection_in_words(reason)) for ticket, reason in found.refusals.items()],
        history_start=connections.history_start(found),
        is_history_cut=connections.is_history_cut(found),
        is_outdated=connections.is_outdated(found),
        latest_version=sync.LATEST_VERSION,
        keys=trading_accounts.keys_of(found.id),
        clock_in_use=clock_in_words(in_use) if in_use else "",
        name_form=name_form or NameForm(formdata=None, data={"name": found.name}),
        clock_form=clock_form or BrokerClockForm(formdata=None, data={"broker_clock": found.broker_clock or ""}),
        address=current_app.config["BASE_URL"],
    )


def _removal(found: TradingAccount, form: NameForm) -> str:
    return render_template("trading/removal.html", account=found, form=form, numbers=connections.numbers(found))
