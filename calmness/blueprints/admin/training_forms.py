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
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from calmness.models.training import FormationStatus, HolidayPolicy, Level
from calmness.services.training.formations import Sheet
from calmness.services.training.schedules import Programming

WEEKDAYS = [
    SelectChoice("MO", _l("lundi")),
    SelectChoice("TU", _l("mardi")),
    SelectChoice("WE", _l("mercredi")),
    SelectChoice("TH", _l("jeudi")),
    SelectChoice("FR", _l("vendredi")),
    SelectChoice("SA", _l("samedi")),
    SelectChoice("SU", _l("dimanche")),
]
_DATE = _l("Entrez une date au format 24/11/2026.")
_TIME = _l("Entrez une heure comme 19:00.")
_NUMBER = _l("Entrez un nombre entier.")
_MINUTES = _l("De 15 à 600 minutes.")


class DayField(DateField):
    """A date whose refusal is told in French."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the date."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_DATE) from error


class ClockField(TimeField):
    """An hour whose refusal is told in French."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the hour."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_TIME) from error


class WholeField(IntegerField):
    """A whole number whose refusal is told in French."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_NUMBER) from error


class ProgrammingForm(FlaskForm):
    """A weekly programming."""

    formation_id = SelectField(_l("Formation"), coerce=int)
    starts_on = DayField(_l("Première date"), validators=[InputRequired(_DATE)])
    starts_time = ClockField(_l("Heure (Paris)"), validators=[InputRequired(_TIME)])
    weekdays = SelectMultipleField(
        _l("Jours"), choices=WEEKDAYS, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    count = WholeField(
        _l("Nombre de séances"),
        default=8,
        validators=[InputRequired(_l("Entrez un nombre de 1 à 100.")), NumberRange(1, 100, _l("De 1 à 100 séances."))],
    )
    duration_minutes = WholeField(
        _l("Durée en minutes"),
        default=120,
        validators=[InputRequired(_MINUTES), NumberRange(15, 600, _MINUTES)],
    )
    holiday_policy = SelectField(
        _l("Jours fériés"),
        choices=[
            SelectChoice(HolidayPolicy.SKIP.value, _l("Sauter la séance")),
            SelectChoice(HolidayPolicy.SHIFT.value, _l("Décaler au jour ouvré suivant")),
            SelectChoice(HolidayPolicy.KEEP.value, _l("Maintenir")),
        ],
    )
    meeting_url = URLField(
        _l("Lien de la visio"), validators=[DataRequired(_l("Collez le lien de la réunion.")), Length(max=500)]
    )
    trainer_name = StringField(_l("Formateur"), validators=[DataRequired(_l("Nommez le formateur.")), Length(max=100)])

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

    starts_on = DayField(_l("Nouvelle date"), validators=[InputRequired(_DATE)])
    starts_time = ClockField(_l("Heure (Paris)"), validators=[InputRequired(_TIME)])
    duration_minutes = WholeField(
        _l("Durée en minutes"), validators=[InputRequired(_MINUTES), NumberRange(15, 600, _MINUTES)]
    )

    def starts_local(self) -> datetime:
        """Wall time in Paris."""
        return datetime.combine(self.starts_on.data, self.starts_time.data)


class CancelForm(FlaskForm):
    """Why a session or a series does not take place."""

    reason = StringField(
        _l("Motif, lu par les élèves"),
        validators=[DataRequired(_l("Dites aux élèves pourquoi.")), Length(max=300)],
    )


class FormationForm(FlaskForm):
    """Texts of a formation."""

    title = StringField(_l("Titre"), validators=[DataRequired(_l("Donnez un titre.")), Length(max=160)])
    summary = TextAreaField(_l("Résumé"), validators=[DataRequired(_l("Résumez en une phrase.")), Length(max=300)])
    level = SelectField(
        _l("Niveau"),
        choices=[
            SelectChoice(Level.BEGINNER.value, _l("Débutant")),
            SelectChoice(Level.INTERMEDIATE.value, _l("Intermédiaire")),
            SelectChoice(Level.ADVANCED.value, _l("Avancé")),
        ],
    )
    trainer_name = StringField(_l("Formateur"), validators=[DataRequired(_l("Nommez le formateur.")), Length(max=100)])
    objectives = TextAreaField(_l("Objectifs"), validators=[Optional()])
    programme = TextAreaField(
        _l("Programme"), validators=[DataRequired(_l("Écrivez au moins une séance au programme."))]
    )
    unit_minutes = WholeField(
        _l("Durée d’une séance, en minutes"),
        default=120,
        validators=[InputRequired(_MINUTES), NumberRange(15, 600, _MINUTES)],
    )
    capacity = WholeField(
        _l("Places"), validators=[Optional(), NumberRange(1, 10_000, _l("De 1 à 10 000 places, ou rien."))]
    )
    audience = TextAreaField(_l("Public"), validators=[Optional()])
    prerequisites = TextAreaField(_l("Prérequis"), validators=[Optional()])
    access_delay = StringField(_l("Délai d’accès"), validators=[Optional(), Length(max=300)])
    accessibility = TextAreaField(_l("Accessibilité"), validators=[Optional()])
    status = SelectField(
        _l("État"),
        choices=[
            SelectChoice(FormationStatus.DRAFT.value, _l("Brouillon")),
            SelectChoice(FormationStatus.PUBLISHED.value, _l("Publiée")),
            SelectChoice(FormationStatus.ARCHIVED.value, _l("Archivée")),
        ],
    )

    def sheet(self) -> Sheet:
        """What the form says."""
        return Sheet(
            title=self.title.data,
            summary=self.summary.data,
            level=Level(self.level.data),
            trainer_name=self.trainer_name.data,
            units=tuple(self.programme.data.splitlines()),
            unit_minutes=self.unit_minutes.data,
            capacity=self.capacity.data,
            status=FormationStatus(self.status.data),
            objectives=self.objectives.data or "",
            audience=self.audience.data or "",
            prerequisites=self.prerequisites.data or "",
            access_delay=self.access_delay.data or "",
            accessibility=self.accessibility.data or "",
        )
