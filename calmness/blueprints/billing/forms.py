"""Forms of the checkout."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from stdnum.eu import vat
from stdnum.exceptions import ValidationError as StdnumError
from stdnum.fr import siren
from wtforms import BooleanField, EmailField, IntegerField, RadioField, StringField, TelField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, ValidationError


class IdentityForm(FlaskForm):
    """Who is invoiced."""

    first_name = StringField(_l("Prénom"), validators=[InputRequired(_l("Entrez votre prénom.")), Length(max=100)])
    last_name = StringField(_l("Nom"), validators=[InputRequired(_l("Entrez votre nom.")), Length(max=100)])
    address = StringField(_l("Adresse"), validators=[InputRequired(_l("Entrez votre adresse.")), Length(max=200)])
    postcode = StringField(
        _l("Code postal"), validators=[InputRequired(_l("Entrez votre code postal.")), Length(max=16)]
    )
    city = StringField(_l("Ville"), validators=[InputRequired(_l("Entrez votre ville.")), Length(max=100)])
    phone = TelField(_l("Téléphone"), validators=[Optional(), Length(max=32)])
    company = StringField(_l("Société"), validators=[Optional(), Length(max=200)])
    siren = StringField(_l("SIREN"), validators=[Optional(), Length(max=14)])
    vat_number = StringField(_l("Numéro de TVA intracommunautaire"), validators=[Optional(), Length(max=20)])
    instalments = RadioField(_l("Règlement"), coerce=int, default=1, validate_choice=False)
    terms = BooleanField(
        _l("J’accepte les conditions générales de vente"),
        validators=[InputRequired(_l("Acceptez les conditions générales de vente pour continuer."))],
    )
    early_start = BooleanField(_l("Je demande que l’accès commence avant la fin du délai de rétractation de 14 jours"))

    def validate_siren(self, field: StringField) -> None:
        """Nine digits with their check digit."""
        try:
            field.data = siren.validate(field.data)
        except StdnumError as error:
            raise ValidationError(_l("Ce SIREN n’existe pas\u00a0: neuf chiffres, par exemple 732 829 320.")) from error

    def validate_vat_number(self, field: StringField) -> None:
        """The form of the country that it begins with; whether it is in use is not asked."""
        try:
            field.data = vat.validate(field.data)
        except StdnumError as error:
            raise ValidationError(
                _l("Ce numéro de TVA n’a pas la forme attendue, par exemple FR44 732 829 320.")
            ) from error


class TransactionForm(FlaskForm):
    """The transfer's number."""

    transaction_id = StringField(_l("Numéro de transaction"), validators=[Length(max=80)])
    answer = TextAreaField(_l("Votre réponse"), validators=[Optional(), Length(max=500)])


class QuantityForm(FlaskForm):
    """How many are bought."""

    quantity = IntegerField(
        _l("Quantité"),
        validators=[InputRequired(_l("Entrez une quantité.")), NumberRange(min=1, message=_l("Une au moins."))],
    )


class DiscountForm(FlaskForm):
    """A discount code."""

    code = StringField(_l("Code de réduction"), validators=[Length(max=60)])


class WithdrawalForm(FlaskForm):
    """A withdrawal by who is not logged in."""

    name = StringField(_l("Prénom et nom"), validators=[InputRequired(_l("Entrez votre nom.")), Length(max=200)])
    email = EmailField(
        _l("Adresse e-mail"),
        validators=[
            InputRequired(_l("Entrez l’adresse de la commande.")),
            Length(max=320),
            Regexp(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", message=_l("Cette adresse n’a pas la bonne forme.")),
        ],
    )
    reference = StringField(
        _l("Contrat"), validators=[InputRequired(_l("Dites à quel contrat vous renoncez.")), Length(max=80)]
    )
