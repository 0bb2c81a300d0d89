"""Public pages. They are the same for everybody."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from calmness import charts, clock
from calmness.access import public
from calmness.blueprints.site.texts import FAQ, LEGAL_PAGES
from calmness.locale import LOCALE_COOKIE, LOCALES, THEME_COOKIE, THEMES
from calmness.models.catalogue import OfferKind
from calmness.presentation import number, short_day
from calmness.problems import problem_types
from calmness.redirects import safe_next
from calmness.services import signals
from calmness.services.billing import catalogue, identity
from calmness.services.training import enrollments, formations

bp = Blueprint("site", __name__)
YEAR = timedelta(days=365)
SECURITY_TXT_LIVES = timedelta(days=180)
YEAR_SECONDS = 31_536_000


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """Landing page."""
    record = signals.track_record(clock.now() - YEAR)
    return render_template(
        "site/home.html",
        record=record,
        curve=_curve(record),
        rows=[(one, catalogue.of_formation(one.id)) for one in formations.published()[:3]],
        full=enrollments.full_formation_ids(),
        reviews=catalogue.reviews(limit=3),
    )


@bp.get("/formations", endpoint="formations")
@public
def all_formations() -> ResponseReturnValue:
    """Catalogue."""
    rows = [(formation, catalogue.of_formation(formation.id)) for formation in formations.published()]
    return render_template("site/formations.html", rows=rows, full=enrollments.full_formation_ids())


@bp.get("/formations/<slug>")
@public
def formation(slug: str) -> ResponseReturnValue:
    """What a future student must know before buying."""
    found = formations.public(slug)
    return render_template(
        "site/formation.html",
        formation=found,
        offer=catalogue.of_formation(found.id),
        reviews=catalogue.reviews(found.id, limit=4),
        places=enrollments.places_left(found),
    )


@bp.get("/tarifs")
@public
def pricing() -> ResponseReturnValue:
    """All offers."""
    offers = {kind.value: catalogue.published(kind) for kind in OfferKind}
    return render_template("site/pricing.html", offers=offers, full=enrollments.full_formation_ids())


@bp.get("/signaux")
@public
def track_record() -> ResponseReturnValue:
    """The complete record of the signals."""
    record = signals.track_record()
    page = max(1, request.args.get("page", 1, type=int))
    return render_template(
        "site/track_record.html",
        record=record,
        curve=_curve(record),
        rows=signals.ended(limit=25, offset=(page - 1) * 25),
        total=signals.count_ended(),
        page=page,
        living=len(signals.living()),
    )


@bp.get("/signaux/registre.json")
@public
def register() -> ResponseReturnValue:
    """The chain of events, for who wants to verify it."""
    return {"chain": signals.CHAIN, "events": signals.register()}


@bp.get("/faq")
@public
def faq() -> ResponseReturnValue:
    """Questions and answers."""
    return render_template("site/faq.html", questions=FAQ)


@bp.get("/contact")
@public
def contact() -> ResponseReturnValue:
    """Ways to reach the school."""
    return render_template("site/contact.html", company=identity.current(), config=current_app.config)


@bp.get("/mentions-legales", defaults={"page": "legal"}, endpoint="legal")
@bp.get("/cgv", defaults={"page": "terms"}, endpoint="terms")
@bp.get("/confidentialite", defaults={"page": "privacy"}, endpoint="privacy")
@bp.get("/cookies", defaults={"page": "cookies"}, endpoint="cookies")
@bp.get("/risques", defaults={"page": "risks"}, endpoint="risks")
@public
def legal_page(page: str) -> ResponseReturnValue:
    """A legal text."""
    if page not in LEGAL_PAGES:
        abort(404)
    return render_template("site/legal.html", page=LEGAL_PAGES[page], company=identity.current(), key=page)


@bp.post("/theme")
@public
def set_theme() -> ResponseReturnValue:
    """Choose the colours."""
    return _remember(THEME_COOKIE, request.form.get("theme", ""), THEMES)


@bp.post("/langue")
@public
def set_locale() -> ResponseReturnValue:
    """Choose the language."""
    return _remember(LOCALE_COOKIE, request.form.get("locale", ""), LOCALES)


@bp.get("/robots.txt")
@public
def robots() -> ResponseReturnValue:
    """What robots may read."""
    base = current_app.config["BASE_URL"]
    text = f"User-agent: *\nDisallow: /espace\nDisallow: /admin\nDisallow: /api\n\nSitemap: {base}/sitemap.xml\n"
    return Response(text, mimetype="text/plain")


@bp.get("/sitemap.xml")
@public
def sitemap() -> ResponseReturnValue:
    """Public addresses."""
    base = current_app.config["BASE_URL"]
    paths = ["/", "/formations", "/tarifs", "/signaux", "/faq", "/contact", "/risques"]
    paths += [url_for("site.formation", slug=found.slug) for found in formations.published()]
    return Response(render_template("site/sitemap.xml", base=base, paths=paths), mimetype="application/xml")


@bp.get("/.well-known/security.txt")
@public
def security_txt() -> ResponseReturnValue:
    """Whom to tell about a hole (RFC 9116). It ends half a year from today, so that a stale copy is seen as one."""
    base = current_app.config["BASE_URL"]
    until = (clock.now() + SECURITY_TXT_LIVES).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: {base}/contact",
        f"Expires: {until.isoformat().replace('+00:00', 'Z')}",
        "Preferred-Languages: fr, en",
        f"Canonical: {base}/.well-known/security.txt",
    )
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@bp.get("/hors-ligne")
@public
def offline() -> ResponseReturnValue:
    """What the service worker shows when the site cannot be reached."""
    return render_template("site/offline.html")


@bp.get("/sw.js")
@public
def service_worker() -> ResponseReturnValue:
    """The service worker: at the root, for it may look after the pages below its own address only.

    Browsers ask for it again at each visit and install it anew when a byte has changed: a new release, another
    language or other colours.
    """
    response = Response(render_template("site/service_worker.js"), mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/problems/<slug>")
@public
def problem_type(slug: str) -> ResponseReturnValue:
    """Where the ``type`` of an API error leads."""
    return render_template("site/problem.html", slug=slug, known=problem_types().get(slug))


def _remember(cookie: str, value: str, allowed: tuple[str, ...]) -> ResponseReturnValue:
    response = make_response(redirect(safe_next(url_for("site.home"))))
    if value in allowed:
        response.set_cookie(cookie, value, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure)
    return response


def _day_of(seconds: float) -> str:
    return short_day(datetime.fromtimestamp(seconds, UTC).date())


def _curve(record: signals.TrackRecord) -> str:
    points = [(at.timestamp(), float(total)) for at, total in record.curve]
    return charts.line(
        points,
        title="R",
        format_value=lambda value: f"{number(value)} R",
        height=240,
        zero=True,
        identity="palmares",
        read_x=_day_of,
    )
