"""Identity and contact channels."""

import unicodedata
from typing import Any

from babel import Locale
from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TelField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp

from calmness.access import current_account, requires
from calmness.blueprints.account import bp, discord, whatsapp
from calmness.errors import Text
from calmness.extensions import db
from calmness.locale import select_locale
from calmness.models.account import AgeBracket, Gender
from calmness.permissions import Permission
from calmness.services.account import contacts, names, profiles

GENDERS = [
    SelectChoice("", _l("Ne pas répondre")),
    SelectChoice(Gender.MAN.value, _l("Homme")),
    SelectChoice(Gender.WOMAN.value, _l("Femme")),
    SelectChoice(Gender.OTHER.value, _l("Autre")),
    SelectChoice(Gender.UNSAID.value, _l("Préfère ne pas dire")),
]


class ProfileForm(FlaskForm):
    """What a person says of oneself."""

    first_name = StringField(_l("Prénom"), validators=[InputRequired(_l("Entrez votre prénom.")), Length(max=100)])
    last_name = StringField(_l("Nom"), validators=[InputRequired(_l("Entrez votre nom.")), Length(max=100)])
    phone = TelField(
        _l("Téléphone"),
        validators=[
            Optional(),
            Regexp(r"^\+?[0-9 .()-]{6,24}$", message=_l("Entrez un numéro comme 06 12 34 56 78 ou +33 6 12 34 56 78.")),
        ],
    )
    address = StringField(_l("Adresse"), validators=[Optional(), Length(max=200)])
    postcode = StringField(_l("Code postal"), validators=[Optional(), Length(max=16)])
    city = StringField(_l("Ville"), validators=[Optional(), Length(max=100)])
    country = SelectField(_l("Pays"))
    time_zone = SelectField(_l("Fuseau horaire"), choices=profiles.TIME_ZONES)
    company = StringField(_l("Raison sociale"), validators=[Optional(), Length(max=200)])
    siren = StringField("SIREN", validators=[Optional(), Length(max=20)])
    vat_number = StringField(_l("Numéro de TVA intracommunautaire"), validators=[Optional(), Length(max=24)])
    gender = SelectField(_l("Genre"), choices=GENDERS)
    age_bracket = SelectField(
        _l("Tranche d’âge"),
        choices=[SelectChoice("", _l("Ne pas répondre")), *(SelectChoice(member.value) for member in AgeBracket)],
    )
    demographics = BooleanField(
        _l("J’accepte que ces deux réponses servent aux statistiques anonymes de l’école (groupes de cinq au moins)")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Locale(select_locale()).territories
        codes = sorted(profiles.COUNTRIES, key=lambda code: _folded(names[code]))
        self.country.choices = [SelectChoice(code, names[code]) for code in codes]


@bp.get("/profil")
@requires(Permission.OWN_SPACE)
def profile() -> ResponseReturnValue:
    """The form with what is known."""
    return profile_page(profile_form())


@bp.post("/profil")
@requires(Permission.OWN_SPACE)
def update_profile() -> ResponseReturnValue:
    """Save."""
    form = ProfileForm()
    if not form.validate_on_submit():
        return profile_page(form), 422
    data = {name: value for name, value in form.data.items() if name != "csrf_token"}
    try:
        profiles.update(current_account(), profiles.Profile(**data))
    except (names.NameMissing, profiles.AddressInUse, profiles.WrongSiren, profiles.WrongVatNumber) as error:
        db.session.rollback()
        form[error.field].errors = [error.message]
        return profile_page(form), error.status
    db.session.commit()
    flash(_("Votre profil est enregistré."), "success")
    return redirect(url_for("account.profile"))


@bp.post("/profil/telegram")
@requires(Permission.OWN_SPACE)
def create_telegram_link() -> ResponseReturnValue:
    """A link to the school's bot that ties the person's chat to the account."""
    bot = current_app.config["TELEGRAM_BOT_NAME"]
    if not bot:
        flash(_("Telegram n’est pas encore configuré par l’école."), "warning")
        return redirect(url_for("account.profile"))
    token = contacts.telegram_link_token(current_account().id)
    db.session.commit()
    return render_template("account/telegram.html", url=f"https://t.me/{bot}?start={token}")


@bp.post("/profil/canaux/<int:identity_id>/fin")
@requires(Permission.OWN_SPACE)
def end_channel(identity_id: int) -> ResponseReturnValue:
    """Untie a channel from the account."""
    contacts.unlink(current_account(), identity_id)
    db.session.commit()
    flash(_("Ce canal est délié\u00a0: plus rien n’y sera envoyé."), "success")
    return redirect(url_for("account.profile"))


def _folded(name: str) -> str:
    """For sorting: É stands with E."""
    return unicodedata.normalize("NFD", name).casefold()


def profile_form() -> ProfileForm:
    """The form as what is known fills it, whatever else the request sent."""
    user = current_account()
    known = {"demographics": user.gender is not None or user.age_bracket is not None}
    return ProfileForm(formdata=None, obj=user, data=known)


def profile_page(form: ProfileForm, photo_error: Text | None = None) -> str:
    """The page, with what is wrong with a photo that was just sent."""
    user = current_account()
    return render_template(
        "account/profile.html",
        form=form,
        user=user,
        photo_error=photo_error,
        identities=contacts.identities_of(user.id),
        telegram_bot=current_app.config["TELEGRAM_BOT_NAME"],
        discord_offered=discord.is_offered(),
        whatsapp_offered=whatsapp.is_offered(),
        channel_names=contacts.CHANNEL_NAMES,
    )
