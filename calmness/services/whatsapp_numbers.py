"""A WhatsApp number of one's own: typed, sent six digits, typed back within ten minutes and five tries.

Nothing tells whether a number is known: a code is sent to any, and what it opens is seen by who holds the phone.
"""

import re
import secrets
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from calmness import clock
from calmness.errors import DomainError, TooManyAttempts
from calmness.extensions import db
from calmness.models.account import Channel, ChannelCode, User
from calmness.models.delivery import Delivery, DeliveryState
from calmness.models.dialect import hold
from calmness.services import contacts, delivery, sealing

LIFETIME = timedelta(minutes=10)
HOUR = timedelta(hours=1)
ATTEMPTS = 5
CODES_PER_PERSON = 5
CODES_PER_NUMBER = 5
"""Codes an hour: each costs the school money and rings somebody's phone."""
MESSAGE = "account.whatsapp_code"
DIGITS = 6
_SPACING = re.compile(r"[\s.()/\u00a0\u202f-]+")
_INTERNATIONAL = re.compile(r"[1-9][0-9]{7,14}")
_FRENCH = re.compile(r"0[1-9][0-9]{8}")
_UNREACHABLE = frozenset({DeliveryState.FAILED, DeliveryState.EXPIRED})


class WrongNumber(DomainError):
    """Not a number that can be called from everywhere."""

    slug = "wrong-whatsapp-number"
    field = "number"
    message = _l("Entrez un numéro comme 06 12 34 56 78, ou avec son indicatif comme +32 470 12 34 56.")


class WrongChannelCode(DomainError):
    """Not the digits that were sent. ``left`` tries remain."""

    slug = "wrong-channel-code"
    field = "code"
    message = _l("Ce n’est pas le code reçu.")

    def __init__(self, left: int) -> None:
        super().__init__(_l("Ce n’est pas le code reçu. Essais restants\u00a0: %(left)s.", left=left))
        self.left = left


class CodeOver(DomainError):
    """Ten minutes or five tries are over, or another code was asked for."""

    status = 410
    slug = "channel-code-over"
    field = "code"
    message = _l("Ce code ne vaut plus\u00a0: dix minutes ou cinq essais sont passés. Demandez-en un nouveau.")


def normalised(typed: str) -> str:
    """Digits with the country's code, as WhatsApp wants them; ``06…`` is French. Raises ``WrongNumber``."""
    text = _SPACING.sub("", typed)
    if not text.isascii():
        raise WrongNumber
    if _FRENCH.fullmatch(text):
        return f"33{text[1:]}"
    digits = text.removeprefix("+") if text.startswith("+") else text.removeprefix("00")
    if digits == text or not _INTERNATIONAL.fullmatch(digits):
        raise WrongNumber
    if digits.startswith("330"):
        # "+33 (0)6 …" as people write it.
        digits = f"33{digits[3:]}"
    if digits.startswith("33") and len(digits) != len("33612345678"):
        raise WrongNumber
    return digits


def pending_of(user_id: int) -> ChannelCode | None:
    """The number that waits for its digits; None without one, or when its time or its tries are over."""
    return db.session.scalar(
        select(ChannelCode)
        .where(
            ChannelCode.user_id == user_id,
            ChannelCode.channel == Channel.WHATSAPP,
            ChannelCode.ended_at.is_(None),
            ChannelCode.expires_at > clock.now(),
            ChannelCode.attempts < ATTEMPTS,
        )
        .order_by(ChannelCode.id.desc())
        .limit(1)
    )


def is_unreachable(waiting: ChannelCode) -> bool:
    """Whether WhatsApp has said that it cannot bring the code there."""
    state = db.session.scalar(select(Delivery.state).where(Delivery.key == _key(waiting.id)))
    return state in _UNREACHABLE


def ask(user: User, typed: str) -> ChannelCode:
    """Send six digits to a number; an earlier code of the person ends. Raises ``WrongNumber``, ``TooManyAttempts``."""
    number, now = normalised(typed), clock.now()
    hold(db.session(), f"whatsapp-code:{user.id}")
    hold(db.session(), f"whatsapp-number:{number}")
    _hold_back(ChannelCode.user_id == user.id, CODES_PER_PERSON, now)
    _hold_back(ChannelCode.address == number, CODES_PER_NUMBER, now)
    cancel(user)
    waiting = ChannelCode(
        user_id=user.id, channel=Channel.WHATSAPP, address=number, created_at=now, expires_at=now + LIFETIME
    )
    db.session.add(waiting)
    db.session.flush()
    delivery.deliver(
        MESSAGE,
        _key(waiting.id),
        channel=Channel.WHATSAPP,
        user_id=user.id,
        address=number,
        params={"code_id": waiting.id},
        expires_at=waiting.expires_at,
    )
    return waiting


def new_digits(code_id: int) -> str | None:
    """Digits of a waiting code, made as the message leaves; None when nobody waits for them any longer."""
    waiting = db.session.get(ChannelCode, code_id)
    if waiting is None or pending_of(waiting.user_id) is not waiting:
        return None
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    waiting.code_hash = sealing.fingerprints(digits, _place(waiting))[0]
    db.session.flush()
    return digits


def confirm(user: User, typed: str) -> str:
    """Take the digits and tie the number to the person; gives the number. Raises ``CodeOver``, ``WrongChannelCode``.

    A try is committed before the digits are looked at, so that many at once are counted each.
    """
    waiting = pending_of(user.id)
    if waiting is None:
        raise CodeOver
    counted = db.session.execute(
        update(ChannelCode)
        .where(
            ChannelCode.id == waiting.id,
            ChannelCode.attempts < ATTEMPTS,
            ChannelCode.ended_at.is_(None),
            ChannelCode.expires_at > clock.now(),
        )
        .values(attempts=ChannelCode.attempts + 1)
        .returning(ChannelCode.attempts, ChannelCode.code_hash),
        execution_options={"synchronize_session": False},
    ).one_or_none()
    if counted is None:
        raise CodeOver
    db.session.commit()
    attempts, code_hash = counted
    digits = _SPACING.sub("", typed)
    if code_hash is None or code_hash not in sealing.fingerprints(digits, _place(waiting)):
        if attempts >= ATTEMPTS:
            raise CodeOver
        raise WrongChannelCode(ATTEMPTS - attempts)
    ended = db.session.execute(
        update(ChannelCode)
        .where(ChannelCode.id == waiting.id, ChannelCode.ended_at.is_(None))
        .values(ended_at=clock.now()),
        execution_options={"synchronize_session": False},
    )
    if not ended.rowcount:  # type: ignore[attr-defined]
        raise CodeOver
    contacts.tie(user, Channel.WHATSAPP, waiting.address, shown(waiting.address))
    return waiting.address


def cancel(user: User) -> None:
    """The person waits for no code any longer."""
    db.session.execute(
        update(ChannelCode)
        .where(ChannelCode.user_id == user.id, ChannelCode.channel == Channel.WHATSAPP, ChannelCode.ended_at.is_(None))
        .values(ended_at=clock.now()),
        execution_options={"synchronize_session": "fetch"},
    )


def shown(number: str) -> str:
    """A number as people read it: ``+33 6 12 34 56 78``."""
    if number.startswith("33") and len(number) == len("33612345678"):
        rest = number[2:]
        return f"+33 {rest[0]} " + " ".join(rest[place : place + 2] for place in range(1, 9, 2))
    return f"+{number}"


def _hold_back(condition: object, limit: int, now: datetime) -> None:
    asked = db.session.scalar(
        select(func.count()).select_from(ChannelCode).where(condition, ChannelCode.created_at > now - HOUR)  # type: ignore[arg-type]
    )
    if (asked or 0) >= limit:
        raise TooManyAttempts(3600, _l("Cinq codes en une heure suffisent. Recommencez plus tard."))


def _key(code_id: int) -> str:
    return f"{MESSAGE}:{code_id}"


def _place(waiting: ChannelCode) -> str:
    return f"whatsapp:{waiting.id}:{waiting.user_id}:{waiting.address}"
