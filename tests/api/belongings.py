"""A small school in which a student owns one of everything, so that each address of the API leads somewhere."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import Channel, ChannelIdentity, SessionKind, User, UserNotification
from calmness.models.billing import Invoice
from calmness.models.signal import Direction, OrderKind
from calmness.models.trading import Platform
from calmness.services import notifications, signals
from calmness.services.account import api_tokens, contacts, sessions
from calmness.services.account.preferences import NoticeKind
from calmness.services.billing import purchases
from calmness.services.privacy import data_exports
from calmness.services.trading import trading_accounts
from calmness.services.training import enrollments
from tests import factories
from tests.account.soft_key import SoftKey
from tests.api.team_belongings import TEAM_BODIES, team_values
from tests.billing import shop
from tests.training import school

BODIES: dict[str, dict[str, Any]] = {
    "api.api_submit_transaction": {"transaction_id": "CD5678", "accept_terms": True},
    "api.api_apply_discount": {"code": "CALME10"},
    "api.api_validate_payment": {"transaction_id": "CD5678"},
    "api.api_reject_payment": {"reason": "Montant différent"},
    "api.api_credit_invoice": {"reason": "Rétractation"},
    "api.api_record_attendance": {"items": []},
    "api.api_confirm_second_factor": {"otp": "000000"},
    "api.api_ask_whatsapp_code": {"number": "+33 6 12 34 56 78"},
    "api.api_confirm_whatsapp_number": {"code": "000000"},
    "api.api_withdraw_consent": {"key": "demographics"},
    "api.api_set_demographics": {"consent": True, "gender": "femme"},
    "api.api_change_role": {"role": "student"},
    "api.api_close_account": {"disabled": False},
    "api.api_ask_factor_removal": {"reason": "vue en personne à l’école"},
    "api.api_cash_kind": {"kind": None},
    "api.api_request_email_change": {"email": "elsewhere@example.test"},
}
"""A body that the schema takes, for each act on one object: what is refused then is the person, not the body."""


@dataclass(frozen=True)
class Belongings:
    """Who owns it all, and the value of each argument of an address."""

    owner: User
    values: dict[str, Any]


def belongings() -> Belongings:
    """Make the school."""
    owner, agent = factories.student(), factories.agent()
    shop.identity()
    offer = shop.signals_offer()
    paid = shop.submitted(owner, offer, "AB1234")
    purchases.validate_payment(paid.id, "AB1234", by=agent)
    number = db.session.scalars(select(Invoice.number)).one()
    waiting = purchases.declare(owner, shop.signals_offer(slug="signaux-60-jours").slug)
    purchases.confirm_identity(waiting, shop.IDENTITY_GIVEN)
    account, _key = trading_accounts.add(owner, "Compte réel", Platform.MT5, "EUR")
    deposit = factories.deposit(account.id)
    factories.closed_trade(account.id)
    course = school.formation()
    _enroll(owner, course.id)
    session = school.session_of(course, clock.now() - timedelta(minutes=5))
    notifications.notify(owner.id, NoticeKind.SECURITY, "bonjour", title="Bonjour", url="/espace")
    notice = db.session.scalars(select(UserNotification.id).filter_by(key="bonjour")).one()
    draft = signals.Draft(
        instrument="EURUSD",
        direction=Direction.BUY,
        order_kind=OrderKind.MARKET,
        entry=Decimal("1.1"),
        stop=Decimal("1.09"),
        targets=(Decimal("1.12"),),
        reasoning="Tendance",
        horizon="Intraday",
        conflict_notice="Aucun",
        author_title="Formateur",
    )
    ended = signals.publish(draft, author=agent)
    signals.close(ended.id, Decimal("1.115"), by=agent)
    signals.publish(draft, author=agent)
    BODIES["api.api_record_attendance"] = {"items": [{"user_id": owner.id, "status": "present"}]}
    team = team_values(owner, agent, course, paid)
    BODIES.update(TEAM_BODIES)
    export = data_exports.ask(owner)
    contacts.tie(owner, Channel.DISCORD, "80351110224678912", "Zoé")
    linked = db.session.scalars(select(ChannelIdentity.id)).one()
    device, _secret = sessions.open_session(
        owner, kind=SessionKind.PAGE, persistent=True, ip_truncated="198.18.1.0", device_label="Firefox, Linux"
    )
    token, _text = api_tokens.create(owner, "Tableur", ["account:read"], 90)
    key = SoftKey(owner).row
    found = Belongings(
        owner,
        {
            **team,
            "payment_id": waiting.id,
            "number": number,
            "account_id": account.id,
            "formation_id": course.id,
            "session_id": session.id,
            "notification_id": notice,
            "trade_id": deposit.id,
            "export_id": export.id,
            "identity_id": linked,
            "user_id": owner.id,
            "device_id": device.id,
            "token_id": token.id,
            "passkey_id": key.id,
        },
    )
    db.session.commit()
    drain_everything()
    db.session.expire_all()
    return found


def _enroll(user: User, formation_id: int) -> None:
    enrollments.enroll(user.id, formation_id, None, clock.now() - timedelta(days=1))
