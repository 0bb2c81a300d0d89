"""Live preview of every component, in demo, development and tests only."""

import math
from datetime import date, timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from calmness import charts, clock
from calmness.access import public
from calmness.presentation import amount, short_day

bp = Blueprint("composants", __name__)


class PreviewForm(FlaskForm):
    """A form that is refused, to show its errors."""

    name = StringField("Nom", validators=[InputRequired("Entrez le nom qui figurera sur la facture.")])
    level = SelectField("Niveau", choices=[SelectChoice("debutant", "Débutant"), SelectChoice("avance", "Avancé")])
    note = TextAreaField("Note")
    terms = BooleanField("J’accepte les conditions", validators=[InputRequired("Cochez la case pour continuer.")])


@bp.get("/composants")
@public
def show() -> ResponseReturnValue:
    """Every macro, in its states."""
    form = PreviewForm()
    form.name.errors = ["Entrez le nom qui figurera sur la facture."]
    return render_template(
        "site/components.html", form=form, now=clock.now(), hour_ago=clock.now() - timedelta(hours=3), curve=_curve()
    )


def _curve() -> charts.Drawing:
    """Ninety days of a made-up account."""
    today = clock.paris_today().toordinal()
    days = range(today - 89, today + 1)
    points = [(float(day), 5000 + 18 * step + 220 * math.sin(step / 6)) for step, day in enumerate(days)]
    return charts.line(
        points,
        title="Capital en fin de jour",
        format_value=lambda value: amount(value, digits=0),
        ticks=[charts.Tick(float(day), short_day(date.fromordinal(day))) for day in days[::22]],
        identity="apercu",
        read_x=lambda x: short_day(date.fromordinal(int(x))),
    )
