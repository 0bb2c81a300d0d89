"""Mentions of the law on invoices: what is printed from which day on, the next wording, how it will look."""

from dataclasses import replace
from datetime import date

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.admin.billing import bp
from calmness.blueprints.admin.training_forms import DayField
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.jobs.invoice_specimen import with_wording
from calmness.models.mention import MentionKind
from calmness.pdf.logo import as_address
from calmness.pdf.picture import first_page
from calmness.permissions import Permission
from calmness.services.billing import identity, mentions

KINDS = {
    MentionKind.FRANCHISE: (_l("Franchise en base"), _l("Sur chaque vente du régime de la franchise.")),
    MentionKind.TRAINING_EXEMPT: (_l("Formation exonérée"), _l("Sur chaque formation exonérée de TVA.")),
    MentionKind.REVERSE_CHARGE: (_l("Autoliquidation"), _l("Quand une entreprise de l’Union doit la TVA elle-même.")),
    MentionKind.OUTSIDE_EU: (_l("Hors Union européenne"), _l("Quand la vente n’est pas soumise à la TVA française.")),
    MentionKind.DEBITS: (
        _l("Option pour les débits"),
        _l("À remplir seulement si l’école a opté\u00a0; imprimée sur les ventes taxées."),
    ),
    MentionKind.EARLY_PAYMENT: (_l("Escompte"), _l("Aux clients professionnels seulement.")),
    MentionKind.LATE_PAYMENT: (_l("Pénalités de retard"), _l("Aux clients professionnels seulement.")),
    MentionKind.RECOVERY: (_l("Frais de recouvrement"), _l("Aux clients professionnels seulement.")),
}
"""Name of a mention, and when it is printed."""


class WordingForm(FlaskForm):
    """A wording and its days."""

    wording = TextAreaField(_l("Rédaction"), validators=[Length(max=mentions.LONGEST)])
    valid_from = DayField(_l("Imprimée à partir du"), validators=[InputRequired(_l("Choisissez un jour."))])
    accepted_until = DayField(_l("Admise par la loi jusqu’au"), validators=[Optional()])


@bp.get("/identite/mentions")
@requires(Permission.MANAGE_IDENTITY)
def mention_wordings() -> ResponseReturnValue:
    """Each mention as it is printed today, what comes next, what ends."""
    today = clock.paris_today()
    rows = [(kind, mentions.in_force(kind, today), mentions.following(kind, today)) for kind in MentionKind]
    return render_template("admin/billing/mentions.html", rows=rows, kinds=KINDS, ending=mentions.ending(today))


@bp.get("/identite/mentions/<kind>")
@requires(Permission.MANAGE_IDENTITY)
def mention(kind: str) -> ResponseReturnValue:
    """The wordings of a mention, and the form for the next one: filled with what comes next, else with today's."""
    wanted, today = _kind(kind), clock.paris_today()
    current = mentions.in_force(wanted, today)
    start = mentions.following(wanted, today) or replace(current, valid_from=today, accepted_until=None)
    form = WordingForm(
        formdata=None, wording=start.text, valid_from=start.valid_from, accepted_until=start.accepted_until
    )
    return _page(wanted, form)


@bp.post("/identite/mentions/<kind>")
@requires(Permission.MANAGE_IDENTITY)
def create_wording(kind: str) -> ResponseReturnValue:
    """Keep a wording from its day on."""
    wanted, form = _kind(kind), WordingForm()
    if form.validate_on_submit():
        try:
            mentions.add(
                wanted,
                form.wording.data or "",
                valid_from=form.valid_from.data or date.min,
                accepted_until=form.accepted_until.data,
                by=current_account(),
            )
        except mentions.WordingRefused as error:
            db.session.rollback()
            form[error.field or "wording"].errors = [error.message]
        else:
            db.session.commit()
            flash(_("Rédaction enregistrée\u00a0: les factures déjà émises gardent la leur."), "success")
            return redirect(url_for("admin_billing.mention", kind=kind))
    return _page(wanted, form), 422


@bp.post("/identite/mentions/<kind>/apercu")
@requires(Permission.MANAGE_IDENTITY)
def preview_wording(kind: str) -> ResponseReturnValue:
    """A specimen with what is typed, nothing is saved: as picture, or in the page without scripts."""
    wanted, form = _kind(kind), WordingForm()
    if request.accept_mimetypes.best != "image/png":
        return _page(wanted, form)
    content = _specimen(wanted, form)
    if content is None:
        return Response(_("Renseignez d’abord l’identité légale."), status=422, mimetype="text/plain")
    return Response(first_page(content), mimetype="image/png", headers={"Cache-Control": "no-store"})


def _kind(kind: str) -> MentionKind:
    if kind not in set(MentionKind):
        raise NotFound
    return MentionKind(kind)


def _specimen(kind: MentionKind, form: WordingForm) -> bytes | None:
    template = identity.current()
    text = mentions.tidy(form.wording.data or "")[: mentions.LONGEST]
    return with_wording(template, kind, text) if template else None


def _page(kind: MentionKind, form: WordingForm) -> str:
    today = clock.paris_today()
    content = _specimen(kind, form)
    return render_template(
        "admin/billing/mention.html",
        kind=kind,
        name=KINDS[kind][0],
        when=KINDS[kind][1],
        form=form,
        picture=as_address(first_page(content)) if content else "",
        versions=mentions.of_kind(kind)[::-1],
        current=mentions.in_force(kind, today),
        ending=[each for each in mentions.ending(today) if each.wording.kind is kind],
    )
