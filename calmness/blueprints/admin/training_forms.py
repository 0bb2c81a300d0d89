"""Forms of the calendar."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
    URLField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from calmness.models.training import FormationStatus, HolidayPolicy, Level
from calmness.services.schedules import Programming

WEEKDAYS = [
    ("MO", _l("lundi")),
    ("TU", _l("mardi")),
    ("WE", _l("mercredi")),
    ("TH", _l("jeudi")),
    ("FR", _l("vendredi")),
    ("SA", _l("samedi")),
    ("SU", _l("dimanche")),
]
_DATE = _l("Entrez une date au format 24/11/2026.")
_TIME = _l("Entrez une heure comme 19:00.")


class ProgrammingForm(FlaskForm):
    """A weekly programming."""

    formation_id = SelectField(_l("Formation"), coerce=int, validate_choice=False)
    starts_on = DateField(_l("Première date"), validators=[InputRequired(_DATE)])
    starts_time = TimeField(_l("Heure (Paris)"), validators=[InputRequired(_TIME)])
    weekdays = SelectMultipleField(
        _l("Jours"), choices=WEEKDAYS, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    count = IntegerField(
        _l("Nombre de séances"),
        default=8,
        validators=[InputRequired(_l("Entrez un nombre de 1 à 100.")), NumberRange(1, 100, _l("De 1 à 100 séances."))],
    )
    duration_minutes = IntegerField(
        _l("Durée en minutes"),
        default=120,
        validators=[InputRequired(_l("Entrez une durée.")), NumberRange(15, 600, _l("De 15 à 600 minutes."))],
    )
    holiday_policy = SelectField(
        _l("Jours fériés"),
        choices=[
            (HolidayPolicy.SKIP.value, _l("Sauter la séance")),
            (HolidayPolicy.SHIFT.value, _l("Décaler au jour ouvré suivant")),
            (HolidayPolicy.KEEP.value, _l("Maintenir")),
        ],
    )
    meeting_url = URLField(
        _l("Lien de la visio"), validators=[InputRequired(_l("Collez le lien de la réunion.")), Length(max=500)]
    )
    trainer_name = StringField(_l("Formateur"), validators=[InputRequired(_l("Nommez le formateur.")), Length(max=100)])

    def programming(self) -> Programming:
        """What the form says."""
        return Programming(
            formation_id=self.formation_id.data,
            starts_local=datetime.combine(self.starts_on.data, self.starts_time.data),  # noqa: DTZ - wall time
            weekdays=tuple(self.weekdays.data or ()),
            count=self.count.data,
            duration_minutes=self.duration_minutes.data,
            holiday_policy=HolidayPolicy(self.holiday_policy.data),
            meeting_url=self.meeting_url.data,
            trainer_name=self.trainer_name.data,
        )


class MoveForm(FlaskForm):
    """A new moment for one session."""

    starts_on = DateField(_l("Nouvelle date"), validators=[InputRequired(_DATE)])
    starts_time = TimeField(_l("Heure (Paris)"), validators=[InputRequired(_TIME)])
    duration_minutes = IntegerField(_l("Durée en minutes"), default=120, validators=[NumberRange(15, 600)])

    def starts_local(self) -> datetime:
        """Wall time in Paris."""
        return datetime.combine(self.starts_on.data, self.starts_time.data)


class FormationForm(FlaskForm):
    """Texts of a formation."""

    title = StringField(_l("Titre"), validators=[InputRequired(_l("Donnez un titre.")), Length(max=160)])
    summary = TextAreaField(_l("Résumé"), validators=[InputRequired(_l("Résumez en une phrase.")), Length(max=300)])
    level = SelectField(
        _l("Niveau"),
        choices=[
            (Level.BEGINNER.value, _l("Débutant")),
            (Level.INTERMEDIATE.value, _l("Intermédiaire")),
            (Level.ADVANCED.value, _l("Avancé")),
        ],
    )
    trainer_name = StringField(_l("Formateur"), validators=[InputRequired(_l("Nommez le formateur.")), Length(max=100)])
    objectives = TextAreaField(_l("Objectifs"), validators=[Optional()])
    programme = TextAreaField(_l("Programme"), validators=[Optional()])
    audience = TextAreaField(_l("Public"), validators=[Optional()])
    prerequisites = TextAreaField(_l("Prérequis"), validators=[Optional()])
    access_delay = StringField(_l("Délai d’accès"), validators=[Optional(), Length(max=300)])
    accessibility = TextAreaField(_l("Accessibilité"), validators=[Optional()])
    status = SelectField(
        _l("État"),
        choices=[
            (FormationStatus.DRAFT.value, _l("Brouillon")),
            (FormationStatus.PUBLISHED.value, _l("Publiée")),
            (FormationStatus.ARCHIVED.value, _l("Archivée")),
        ],
    )
