"""Students' results for the staff, with their consent only; cohorts; how the EAs are."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import current_account, requires, writes
from calmness.blueprints.trading.accounts import connection_state
from calmness.blueprints.trading.words import clock_in_words, kind_in_words
from calmness.extensions import db
from calmness.paging import page_number
from calmness.permissions import Permission
from calmness.services.trading import cohorts, ea_health, sharing, trade_history
from calmness.services.trading.ea_health import Trouble
from calmness.services.trading.sharing import Level

bp = Blueprint("admin_results", __name__, url_prefix="/admin")
PAGE, TRADES = 50, 50
PERIODS = {"30": 30, "90": 90, "365": 365}


@bp.get("/resultats")
@requires(Permission.SEE_CLIENTS)
def students() -> ResponseReturnValue:
    """Students who share their results now."""
    words = {Level.FIGURES: _("Chiffres"), Level.TRADES: _("Chiffres et trades")}
    return render_template("admin/results/students.html", rows=sharing.followers(), words=words)


@bp.get("/resultats/<int:user_id>")
@requires(Permission.SEE_CLIENTS)
@writes
def student(user_id: int) -> ResponseReturnValue:
    """One student's results; the look is written in the journal before anything is shown."""
    person, level = sharing.look_at(user_id, by=current_account())
    db.session.commit()
    period = request.args.get("periode", "365")
    days = PERIODS.get(period, 365)
    results = sharing.results_of(user_id, days)
    return render_template(
        "admin/results/student.html",
        person=person,
        rows=[(found.account, found.figures, found.course) for found in results],
        trades=trade_history.latest(person, TRADES) if level is Level.TRADES else [],
        shows_trades=level is Level.TRADES,
        accounts={found.account.id: found.account for found in results},
        kind_in_words=kind_in_words,
        periods=[("30", _("30 j")), ("90", _("90 j")), ("365", _("Un an"))],
        period=period if period in PERIODS else "365",
    )


@bp.get("/resultats/cohortes")
@requires(Permission.SEE_ANALYTICS)
@writes
def cohort_results() -> ResponseReturnValue:
    """Results by formation, of at least five people; what is shown is remembered."""
    period = request.args.get("periode", "365")
    rows = cohorts.aggregates(period)
    db.session.commit()
    return render_template(
        "admin/results/cohorts.html",
        rows=rows,
        least=cohorts.K,
        quarters=[_("moins de 25\u00a0%"), _("25 à 50\u00a0%"), _("50 à 75\u00a0%"), _("plus de 75\u00a0%")],
        period=period if period in cohorts.PERIODS else "365",
        periods=[("90", _("90 j")), ("365", _("Un an"))],
    )


@bp.get("/metatrader")
@requires(Permission.SEE_CLIENTS)
def metatrader() -> ResponseReturnValue:
    """How the EAs of all students are."""
    typed, page = request.args.get("etat", ""), page_number()
    trouble = Trouble(typed) if typed in set(Trouble) else None
    rows, total = ea_health.listing(trouble, limit=PAGE, offset=(page - 1) * PAGE)
    counts = ea_health.counts()
    words = {
        Trouble.SILENT: _("Silencieux"),
        Trouble.AWAITED: _("Jamais vus"),
        Trouble.OUTDATED: _("Version dépassée"),
        Trouble.REFUSED: _("Tickets refusés"),
        Trouble.OTHER_ACCOUNT: _("Autre numéro de compte"),
    }
    return render_template(
        "admin/results/metatrader.html",
        rows=[(line, connection_state(line.account)) for line in rows],
        total=total,
        page=page,
        size=PAGE,
        trouble=trouble.value if trouble else "",
        filters=[("", _("Tous"), None), *((kind.value, word, counts[kind]) for kind, word in words.items())],
        clock_in_words=clock_in_words,
    )
