"""Live preview of every component, in demo, development and tests only."""

from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from calmness import clock
from calmness.access import public

bp = Blueprint("composants", __name__)


class PreviewForm(FlaskForm):
    """A form that is refused, to show its errors."""

    name = StringField("Nom", validators=[InputRequired("Entrez le nom qui figurera sur la facture.")])
    level = SelectField("Niveau", choices=[("debutant", "Débutant"), ("avance", "Avancé")])
    note = TextAreaField("Note")
    terms = BooleanField("J’accepte les conditions", validators=[InputRequired("Cochez la case pour continuer.")])


@bp.get("/composants")
@public
def show() -> ResponseReturnValue:
    """Every macro, in its states."""
    form = PreviewForm()
    form.name.errors = ["Entrez le nom qui figurera sur la facture."]
    return render_template(
        "site/components.html", form=form, now=clock.now(), hour_ago=clock.now() - timedelta(hours=3)
    )
