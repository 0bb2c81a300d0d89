"""The conversation as a plain page that works without scripts, and what the widget asks for by HTTP."""

import uuid

from flask import Response, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.csrf import generate_csrf
from wtforms import EmailField, HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import UUID, Length, Optional

from calmness.access import public
from calmness.blueprints.support import bp
from calmness.blueprints.support.visitors import new_visitor, person_of_request, remember
from calmness.blueprints.support.widget import hours_text, ways
from calmness.errors import DomainError, NotFound
from calmness.extensions import db, limiter
from calmness.models.support import ChatRoom
from calmness.services.support import chat_messages, chat_rooms, chat_unread, support_hours
from calmness.services.support.chat_rooms import Person, Side


class MessageForm(FlaskForm):
    """A message, and how a visitor calls themselves."""

    body = TextAreaField(_l("Votre message"), render_kw={"rows": 4, "maxlength": chat_messages.MAX_LENGTH})
    name = StringField(_l("Votre prénom"), [Optional(), Length(max=100)])
    email = EmailField(_l("Votre e-mail"), [Optional(), Length(max=320)])
    client_id = HiddenField(validators=[UUID()], default=lambda: str(uuid.uuid4()))
    seen = IntegerField(default=0)


@bp.get("")
@public
def conversation() -> ResponseReturnValue:
    """The open conversation of who asks."""
    person = person_of_request()
    return _page(person, chat_rooms.current_of(person), MessageForm())


@bp.get("/<uuid:public_id>")
@public
def past_conversation(public_id: uuid.UUID) -> ResponseReturnValue:
    """An earlier conversation of who asks."""
    person = person_of_request()
    room, side = chat_rooms.enter(person, str(public_id))
    if side is not Side.OWNER:
        raise NotFound
    return _page(person, room, MessageForm())


@bp.post("")
@limiter.limit("60 per hour")
@public
def create_message() -> ResponseReturnValue:
    """Write without scripts. A browser without a cookie gets one now."""
    person, form, cookie = person_of_request(), MessageForm(), ""
    if not person.is_known:
        person, cookie = new_visitor()
    if not form.validate_on_submit():
        return _page(person, chat_rooms.current_of(person), form), 422
    try:
        _send(person, form)
    except DomainError as error:
        db.session.rollback()
        wrong = form.email if error.field == "email" else form.body
        wrong.errors = [*wrong.errors, error.message]
        return _page(person, chat_rooms.current_of(person), form), error.status
    db.session.commit()
    response = make_response(redirect(url_for("support.conversation", _anchor="fin")))
    if cookie:
        remember(response, cookie)
    return response


@bp.post("/lecture")
@public
def create_reading() -> ResponseReturnValue:
    """Mark the conversation as read without scripts."""
    person = person_of_request()
    room = chat_rooms.current_of(person)
    if room is None:
        raise NotFound
    chat_messages.mark_read(person, room.public_id, request.form.get("seen", 0, type=int))
    db.session.commit()
    return redirect(url_for("support.conversation"))


@bp.post("/visitor")
@limiter.limit("30 per hour")
@public
def create_visitor() -> ResponseReturnValue:
    """Called when the widget is first opened: gives the browser its cookie, unless it is known already."""
    response = Response(status=204)
    if not person_of_request().is_known:
        remember(response, new_visitor()[1])
    return response


@bp.get("/jeton")
@public
def form_token() -> ResponseReturnValue:
    """The form token for the widget on pages that are the same for everybody and so hold none."""
    response = jsonify({"csrf_token": generate_csrf()})
    response.headers["Cache-Control"] = "no-store"
    return response


def _send(person: Person, form: MessageForm) -> None:
    room = chat_rooms.open_own(person)
    if room.user_id is None and (form.name.data or form.email.data):
        chat_rooms.introduce(room, name=form.name.data or "", email=form.email.data or "")
    chat_messages.send(person, room.public_id, client_id=form.client_id.data or "", body=form.body.data or "")
    # Who answers on this page has read what stood on it.
    chat_messages.mark_read(person, room.public_id, form.seen.data or 0)


def _page(person: Person, room: ChatRoom | None, form: MessageForm) -> str:
    page = chat_messages.before(room, limit=chat_messages.PAGE_ROWS) if room is not None else None
    opening = support_hours.now_open()
    return render_template(
        "support/conversation.html",
        person=person,
        room=room,
        page=page,
        read=chat_unread.read_marks(room.id) if room is not None else {},
        unread=chat_unread.unread_of(person) if person.is_known else 0,
        earlier=[other for other in chat_rooms.own_rooms(person) if room is None or other.id != room.id],
        form=form,
        opening=opening,
        hours=hours_text(opening),
        ways=ways(),
    )
