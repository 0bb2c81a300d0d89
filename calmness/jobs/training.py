"""Jobs of the calendar."""

from calmness.extensions import db
from calmness.jobs.handlers import periodic
from calmness.services.training import reminders, schedules


@periodic("training.calendar", every_seconds=600)
def keep_calendar() -> None:
    """Extend the programmings, close what is over, plan missing reminders."""
    schedules.extend_all()
    schedules.finish_past()
    reminders.plan_all()
    db.session.commit()
