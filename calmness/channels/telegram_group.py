"""Telegram Bot API for a private channel: single-use invitations, and the removal of who has no access any more.

The bot must be an administrator of the channel with the rights to invite and to ban.
"""

import requests

from calmness.channels import Outcome
from calmness.channels.http import json_of, post
from calmness.channels.telegram import TelegramSettings

UNKNOWN_PERSON = ("user not found", "user_id_invalid", "participant_id_invalid", "member not found")


class TelegramRefused(Exception):
    """The call did not work. ``passing``: the same call may work later."""

    def __init__(self, code: str, *, passing: bool, text: str = "") -> None:
        super().__init__(f"{code} {text}".strip())
        self.text = text
        self.passing = passing


class TelegramGroup:
    """The members of one channel."""

    def __init__(self, settings: TelegramSettings, chat_id: str) -> None:
        self._settings = settings
        self._chat_id = chat_id
        self._session = requests.Session()

    def invite(self, name: str) -> str:
        """A link that lets one person in, once. Raises ``TelegramRefused``."""
        result = self._call("createChatInviteLink", {"name": name[:32], "member_limit": 1})
        link = result.get("invite_link") if isinstance(result, dict) else None
        if not isinstance(link, str):
            raise TelegramRefused("no-link", passing=False)
        return link

    def revoke(self, link: str) -> None:
        """Close a link. One that is gone is closed already."""
        try:
            self._call("revokeChatInviteLink", {"invite_link": link})
        except TelegramRefused as refused:
            if refused.passing:
                raise

    def remove(self, user_id: str) -> None:
        """Take a person out; the ban is lifted at once, so that a new invitation works later. Harmless to repeat."""
        try:
            self._call("banChatMember", {"user_id": int(user_id), "revoke_messages": False})
            self._call("unbanChatMember", {"user_id": int(user_id), "only_if_banned": True})
        except TelegramRefused as refused:
            # Who is unknown there is out; missing rights of the bot are not: they must be seen and mended.
            if refused.passing or not any(word in refused.text.lower() for word in UNKNOWN_PERSON):
                raise

    def _call(self, method: str, body: dict[str, object]) -> object:
        url = f"{self._settings.api_url}/bot{self._settings.token}/{method}"
        answer = post(self._session, url, {"chat_id": self._chat_id, **body})
        if isinstance(answer, Outcome):
            raise TelegramRefused(answer.code or "connection", passing=True)
        said = json_of(answer)
        if answer.ok and said.get("ok"):
            return said.get("result")
        status = answer.status_code
        passing = status in {401, 429} or status >= 500
        raise TelegramRefused(str(status), passing=passing, text=str(said.get("description", ""))[:200])
