"""The team's inbox. Every act is a form; the scripts do the same over the socket, live."""

import uuid
from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import UUID, InputRequired

from calmness.access import current_account, requires
from calmness.blueprints.billing.payments import STATES
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.support import ChatRoom
from calmness.navigation import badge
from calmness.permissions import Permission
from calmness.services.support import chat_desk, chat_messages, chat_rooms, chat_unread
from calmness.services.support.chat_desk import Tab
from calmness.services.support.chat_rooms import Person

bp = Blueprint("admin_support", __name__, url_prefix="/admin/support")

TAB_LABELS = {Tab.OPEN: _l("Ouvertes"), Tab.MINE: _l("Les miennes"), Tab.CLOSED: _l("Fermées")}


class AnswerForm(FlaskForm):
    """An answer to the person."""

    body = TextAreaField(_l("Votre réponse"), render_kw={"rows": 3})
    client_id = HiddenField(validators=[UUID()], default=lambda: str(uuid.uuid4()))
    seen = IntegerField(default=0)


class NoteForm(FlaskForm):
    """A note among the team."""

    note = TextAreaField(_l("Note pour l’équipe"), render_kw={"rows": 2})


class RoomForm(FlaskForm):
    """What changes a conversation; ``version`` is the state that the page showed."""

    version = IntegerField(validators=[InputRequired()])
    agent = IntegerField()
    labels = StringField(_l("Étiquettes"))


@badge("support_unread", _l("messages non lus"))
def unread_messages(_user_id: int) -> int:
    """The badge of the menu: the team shares one inbox."""
    return chat_unread.unread_of_staff()


@bp.get("")
@requires(Permission.ANSWER_SUPPORT)
def inbox() -> ResponseReturnValue:
    """The list of conversations."""
    return render_template("admin/support/inbox.html", **_list())


@bp.get("/<uuid:public_id>")
@requires(Permission.ANSWER_SUPPORT)
def room(public_id: uuid.UUID) -> ResponseReturnValue:
    """One conversation."""
    return _page(public_id, AnswerForm(), NoteForm())


@bp.post("/<uuid:public_id>/reponse")
@requires(Permission.ANSWER_SUPPORT)
def create_answer(public_id: uuid.UUID) -> ResponseReturnValue:
    """Answer; what stood on the page counts as read."""
    form = AnswerForm()
    if not form.validate_on_submit():
        return _page(public_id, form, NoteForm()), 422
    try:
        chat_messages.send(_me(), str(public_id), client_id=form.client_id.data or "", body=form.body.data or "")
    except DomainError as error:
        db.session.rollback()
        form.body.errors = [*form.body.errors, error.message]
        return _page(public_id, form, NoteForm()), error.status
    chat_messages.mark_read(_me(), str(public_id), form.seen.data or 0)
    db.session.commit()
    return _back(public_id)


@bp.post("/<uuid:public_id>/note")
@requires(Permission.ANSWER_SUPPORT)
def create_note(public_id: uuid.UUID) -> ResponseReturnValue:
    """Write a note that only the team sees."""
    form = NoteForm()
    try:
        chat_desk.add_note(_me(), str(public_id), form.note.data or "")
    except DomainError as error:
        db.session.rollback()
        form.note.errors = [*form.note.errors, error.message]
        return _page(public_id, AnswerForm(formdata=None), form), error.status
    db.session.commit()
    return _back(public_id)


@bp.post("/<uuid:public_id>/lecture")
@requires(Permission.ANSWER_SUPPORT)
def create_reading(public_id: uuid.UUID) -> ResponseReturnValue:
    """Mark as read without answering."""
    chat_messages.mark_read(_me(), str(public_id), request.form.get("seen", 0, type=int))
    db.session.commit()
    return _back(public_id)


@bp.post("/<uuid:public_id>/attribution")
@requires(Permission.ANSWER_SUPPORT)
def create_assignment(public_id: uuid.UUID) -> ResponseReturnValue:
    """Put somebody in charge, or nobody."""
    form = RoomForm()
    return _change(
        public_id,
        lambda me: chat_desk.assign(
            me, str(public_id), to_user_id=form.agent.data or None, seen_version=form.version.data or 0
        ),
    )


@bp.post("/<uuid:public_id>/etiquettes")
@requires(Permission.ANSWER_SUPPORT)
def create_labels(public_id: uuid.UUID) -> ResponseReturnValue:
    """Set the labels, separated by commas."""
    form = RoomForm()
    wanted = (form.labels.data or "").split(",")
    return _change(
        public_id, lambda me: chat_desk.label(me, str(public_id), labels=wanted, seen_version=form.version.data or 0)
    )


@bp.post("/<uuid:public_id>/cloture")
@requires(Permission.ANSWER_SUPPORT)
def create_closure(public_id: uuid.UUID) -> ResponseReturnValue:
    """End the conversation."""
    form = RoomForm()
    return _change(public_id, lambda me: chat_desk.close(me, str(public_id), seen_version=form.version.data or 0))


def _me() -> Person:
    return Person(current_account())


def _back(public_id: uuid.UUID) -> ResponseReturnValue:
    return redirect(url_for("admin_support.room", public_id=public_id, _anchor="fin"))


def _change(public_id: uuid.UUID, act: Callable[[Person], ChatRoom]) -> ResponseReturnValue:
    try:
        act(_me())
    except chat_desk.TakenMeanwhile as error:
        db.session.rollback()
        flash(str(error.message), "warning")
    except chat_desk.BadLabel as error:
        db.session.rollback()
        flash(str(error.message), "error")
    else:
        db.session.commit()
    return _back(public_id)


def _list() -> dict[str, object]:
    wanted = request.args.get("etat", Tab.OPEN.value)
    tab = Tab(wanted) if wanted in set(Tab) else Tab.OPEN
    search = request.args.get("q", "").strip()[:100]
    return {
        "lines": chat_desk.lines(_me(), tab, search),
        "counts": chat_desk.counts(_me()),
        "tab": tab,
        "tabs_labels": TAB_LABELS,
        "search": search,
    }


def _page(public_id: uuid.UUID, form: AnswerForm, note_form: NoteForm) -> str:
    found, side = chat_rooms.enter(_me(), str(public_id))
    page = chat_messages.before(found, limit=chat_messages.PAGE_ROWS)
    return render_template(
        "admin/support/room.html",
        room=found,
        side=side.value,
        name=chat_rooms.name_of(found),
        email=chat_rooms.email_of(found),
        page=page,
        read=chat_unread.read_marks(found.id),
        notes=chat_desk.notes_of(found),
        card_of_client=chat_desk.card_of(found),
        payment_states=STATES,
        canned=chat_desk.canned_answers(),
        colleagues=chat_desk.colleagues(),
        form=form,
        note_form=note_form,
    )
