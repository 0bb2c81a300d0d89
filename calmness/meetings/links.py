"""Which provider a pasted meeting link belongs to."""

import re
from urllib.parse import urlsplit

PROVIDERS = {
    "zoom": ("zoom.us", "zoom.com"),
    "google_meet": ("meet.google.com",),
    "teams": ("teams.microsoft.com", "teams.live.com"),
}
LONGEST = 500
# Python and browsers disagree about backslashes, blanks and control characters: none of them may stand in a link.
_SHAPE = re.compile(r"https://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::443)?/[!-\[\]-~]+", re.IGNORECASE)


class ForeignMeetingLink(ValueError):
    """The link is not an https address of a known provider."""


def provider_of(url: str) -> str:
    """``zoom``, ``google_meet`` or ``teams``. Raises ``ForeignMeetingLink``."""
    link = url.strip()
    shape = _SHAPE.fullmatch(link)
    if shape is None or len(link) > LONGEST:
        raise ForeignMeetingLink(url)
    host = shape[1].lower()
    if urlsplit(link).hostname == host:
        for provider, hosts in PROVIDERS.items():
            if any(host == known or host.endswith("." + known) for known in hosts):
                return provider
    raise ForeignMeetingLink(url)
