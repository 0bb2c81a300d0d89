"""What a student has in the own space beside payments and places, and what is sent about it."""

from io import BytesIO
from typing import Any

from calmness.models.account import User
from calmness.models.trading import Trade, TradingAccount
from calmness.services.support import chat_messages, chat_rooms
from calmness.services.support.chat_rooms import Person
from calmness.services.trading import screenshots, statement_imports
from tests import factories

STATEMENT = b"<html><title>Statement: 1</title></html>"
ADDRESS = {"address": "1 rue des Lilas", "postcode": "75000", "city": "Paris"}
OWN_BODIES: dict[str, dict[str, Any]] = {
    "api.api_add_mistake": {"name": "Sans stop"},
    "api.api_archive_trading_account": {"archived": False},
    "api.api_choose_columns": {"columns": ["net"]},
    "api.api_choose_totals_currency": {"currency": "USD"},
    "api.api_confirm_identity": {"accept_terms": True, **ADDRESS},
    "api.api_confirm_import": {"broker_clock": "new-york"},
    "api.api_join_leaderboard": {"pseudonym": "Vague calme"},
    "api.api_read_my_room": {"seq": 1},
    "api.api_rename_trading_account": {"name": "Compte prop"},
    "api.api_set_broker_clock": {"broker_clock": None},
    "api.api_set_quantity": {"quantity": 1},
    "api.api_share": {"level": "figures"},
    "api.api_withdraw_outside": {"name": "Zoé Ferrand", "email": "zoe@example.test", "reference": "Signaux"},
    "api.api_write_journal": {"note": "Entrée trop tôt"},
    "api.api_write_to_school": {"body": "Bonjour"},
}
"""A body that the schema takes, for each act of a student."""

FILES: dict[str, tuple[str, str, bytes]] = {
    "api.api_add_picture": ("picture", "graphique.png", factories.PIXEL),
    "api.api_send_statement": ("statement", "releve.htm", STATEMENT),
}
"""(field, name, content) of the file that an endpoint takes instead of a body in JSON."""


def own_values(owner: User, account: TradingAccount, trade: Trade) -> dict[str, Any]:
    """The value of each argument of an address."""
    statement = statement_imports.receive(account, "releve.htm", STATEMENT)
    picture = screenshots.add(owner.id, trade.id, factories.PIXEL)
    room = chat_rooms.open_own(Person(owner))
    chat_messages.send(Person(owner), room.public_id, client_id="12345678", body="Bonjour")
    return {"import_id": statement.id, "screenshot_id": picture.id, "room_id": room.public_id}


def file_for(endpoint: str) -> dict[str, Any]:
    """Options of a request with the file that an endpoint takes."""
    field, name, content = FILES[endpoint]
    return {"data": {field: (BytesIO(content), name)}, "content_type": "multipart/form-data"}
