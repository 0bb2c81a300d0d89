"""Accounts, keys, connection."""

from flask import current_app, flash, redirect, render_template, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.trading import Platform, TradingAccount
from calmness.permissions import Permission
from calmness.services import sync, trading_accounts

STALE_SECONDS = 180


class AccountForm(FlaskForm):
    """A new account."""

    name = StringField(
        _l("Nom du compte"),
        validators=[InputRequired(_l("Donnez un nom, par exemple « Compte réel ».")), Length(max=80)],
    )
    platform = SelectField(
        _l("Plateforme"),
        choices=[SelectChoice(Platform.MT4.value, "MetaTrader 4"), SelectChoice(Platform.MT5.value, "MetaTrader 5")],
    )
    currency = StringField(_l("Devise"), default="EUR", validators=[InputRequired(_l("Entrez une devise comme EUR."))])


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


@bp.post("/metatrader/<int:account_id>/archive")
@requires(Permission.OWN_SPACE)
def create_archive(account_id: int) -> ResponseReturnValue:
    """Take the account out of the figures."""
    trading_accounts.archive(trading_accounts.own(current_account().id, account_id))
    db.session.commit()
    flash(_("Le compte est archivé ; ses trades ne comptent plus dans vos chiffres."), "success")
    return redirect(url_for("trading.accounts"))


@bp.get("/metatrader/installation")
@requires(Permission.OWN_SPACE)
def installation() -> ResponseReturnValue:
    """How to install the EA."""
    return render_template(
        "trading/installation.html", address=current_app.config["BASE_URL"], version=sync.LATEST_VERSION
    )


@bp.get("/metatrader/CalmnessFi_EA.mq4")
@requires(Permission.OWN_SPACE)
def download() -> ResponseReturnValue:
    """The EA's source."""
    return send_from_directory(current_app.root_path + "/../mt4", "CalmnessFi_EA.mq4", as_attachment=True)


def connection_state(found: TradingAccount) -> tuple[str, str]:
    """(kind of badge, what it says)."""
    if found.last_sync_at is None:
        return "warning", _("En attente du premier contact")
    if (clock.now() - found.last_sync_at).total_seconds() < STALE_SECONDS:
        return "success", _("Connecté")
    return "error", _("Silencieux")


def _index(form: AccountForm) -> str:
    rows = [(found, connection_state(found)) for found in trading_accounts.of_user(current_account().id)]
    return render_template("trading/accounts.html", rows=rows, form=form)


def _page(found: TradingAccount, key: str = "") -> str:
    return render_template(
        "trading/account.html",
        account=found,
        key=key,
        state=connection_state(found),
        counts=trading_accounts.counts(found.id),
        keys=trading_accounts.keys_of(found.id),
        address=current_app.config["BASE_URL"],
    )
