"""Forms of the authentication pages."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length, ValidationError


class RegistrationForm(FlaskForm):
    """A new account."""

    first_name = StringField(_l("Prénom"), validators=[InputRequired(_l("Entrez votre prénom.")), Length(max=100)])
    last_name = StringField(_l("Nom"), validators=[InputRequired(_l("Entrez votre nom.")), Length(max=100)])
    email = EmailField(
        _l("Adresse e-mail"), validators=[InputRequired(_l("Entrez votre adresse e-mail.")), Length(max=254)]
    )
    password = PasswordField(_l("Mot de passe"), validators=[InputRequired(_l("Choisissez un mot de passe."))])
    adult = BooleanField(
        _l("J’ai 18 ans ou plus"), validators=[InputRequired(_l("Le trading est réservé aux personnes majeures."))]
    )
    terms = BooleanField(
        _l("J’accepte les conditions générales"),
        validators=[InputRequired(_l("Acceptez les conditions pour créer un compte."))],
    )


class LoginForm(FlaskForm):
    """Address and password."""

    email = EmailField(_l("Adresse e-mail"), validators=[InputRequired(_l("Entrez votre adresse e-mail."))])
    password = PasswordField(_l("Mot de passe"), validators=[InputRequired(_l("Entrez votre mot de passe."))])
    persistent = BooleanField(_l("Rester connecté sur cet appareil (décochez sur un ordinateur partagé)"), default=True)


class CodeForm(FlaskForm):
    """A code of the second factor, or a recovery code in its place."""

    code = StringField(_l("Code"), validators=[InputRequired(_l("Entrez le code.")), Length(max=40)])


class ConfirmationForm(FlaskForm):
    """The password once more, or a code of the second factor."""

    password = PasswordField(_l("Mot de passe"))
    code = StringField(_l("Code de votre application"), validators=[Length(max=40)])

    def validate_password(self, field: PasswordField) -> None:
        """One of the two suffices."""
        if not field.data and not self.code.data:
            raise ValidationError(_l("Entrez votre mot de passe."))


class ForgottenPasswordForm(FlaskForm):
    """Address that gets a link."""

    email = EmailField(_l("Adresse e-mail"), validators=[InputRequired(_l("Entrez votre adresse e-mail."))])


class NewPasswordForm(FlaskForm):
    """A new password, twice."""

    password = PasswordField(_l("Nouveau mot de passe"), validators=[InputRequired(_l("Choisissez un mot de passe."))])
    again = PasswordField(
        _l("Le même, une seconde fois"),
        validators=[EqualTo("password", _l("Les deux mots de passe diffèrent."))],
    )


class EmptyForm(FlaskForm):
    """A button: only the CSRF token counts."""
