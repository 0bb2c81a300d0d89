"""One's own WhatsApp number: typed, then confirmed by the six digits that arrive there."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField, TelField
from wtforms.validators import InputRequired, Length

from calmness.access import current_account, requires
from calmness.blueprints.account import bp
from calmness.errors import NotFound, TooManyAttempts
from calmness.extensions import db, limiter
from calmness.permissions import Permission
from calmness.services import whatsapp_numbers


class NumberForm(FlaskForm):
    """A number."""

    number = TelField(_l("Numéro WhatsApp"), validators=[InputRequired(_l("Entrez votre numéro.")), Length(max=40)])


class CodeForm(FlaskForm):
    """The digits that arrived there."""

    code = StringField(_l("Code reçu"), validators=[InputRequired(_l("Entrez les six chiffres.")), Length(max=20)])


def is_offered() -> bool:
    """Whether the school has set WhatsApp up."""
    return bool(current_app.config["WHATSAPP_TOKEN"] and current_app.config["WHATSAPP_PHONE_ID"])


def require_offered() -> None:
    """Raises ``NotFound`` where the school has not set WhatsApp up."""
    if not is_offered():
        raise NotFound


@bp.get("/profil/whatsapp")
@requires(Permission.OWN_SPACE)
def whatsapp_number() -> ResponseReturnValue:
    """The form for the number, and the one for the code that is on its way."""
    require_offered()
    return _page(NumberForm(formdata=None), CodeForm(formdata=None))


@bp.post("/profil/whatsapp")
@limiter.limit("20 per hour")
@requires(Permission.OWN_SPACE)
def create_whatsapp_code() -> ResponseReturnValue:
    """Send six digits to the number."""
    require_offered()
    form = NumberForm()
    if not form.validate_on_submit():
        return _page(form, CodeForm(formdata=None)), 422
    try:
        waiting = whatsapp_numbers.ask(current_account(), form.number.data)
    except (whatsapp_numbers.WrongNumber, TooManyAttempts) as error:
        db.session.rollback()
        form.number.errors = [error.message]
        wait = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttempts) else {}
        return _page(form, CodeForm(formdata=None)), error.status, wait
    db.session.commit()
    flash(_("Un code part vers %(number)s.", number=whatsapp_numbers.shown(waiting.address)), "success")
    return redirect(url_for("account.whatsapp_number"))


@bp.post("/profil/whatsapp/code")
@limiter.limit("60 per hour")
@requires(Permission.OWN_SPACE)
def confirm_whatsapp_number() -> ResponseReturnValue:
    """Take the digits."""
    require_offered()
    form = CodeForm()
    if not form.validate_on_submit():
        return _page(NumberForm(formdata=None), form), 422
    try:
        number = whatsapp_numbers.confirm(current_account(), form.code.data)
    except (whatsapp_numbers.WrongChannelCode, whatsapp_numbers.CodeOver) as error:
        form.code.errors = [error.message]
        return _page(NumberForm(formdata=None), form), error.status
    db.session.commit()
    flash(_("WhatsApp est relié au %(number)s.", number=whatsapp_numbers.shown(number)), "success")
    return redirect(url_for("account.profile"))


@bp.post("/profil/whatsapp/annulation")
@requires(Permission.OWN_SPACE)
def cancel_whatsapp_code() -> ResponseReturnValue:
    """Wait for no code any longer."""
    require_offered()
    whatsapp_numbers.cancel(current_account())
    db.session.commit()
    return redirect(url_for("account.whatsapp_number"))


def _page(number_form: NumberForm, code_form: CodeForm) -> str:
    waiting = whatsapp_numbers.pending_of(current_account().id)
    return render_template(
        "account/whatsapp.html",
        number_form=number_form,
        code_form=code_form,
        waiting=waiting,
        number=whatsapp_numbers.shown(waiting.address) if waiting else "",
        unreachable=waiting is not None and whatsapp_numbers.is_unreachable(waiting),
        asked_for_code=request.endpoint == "account.confirm_whatsapp_number",
    )
