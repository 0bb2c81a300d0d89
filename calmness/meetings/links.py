"""Which provider a pasted meeting link belongs to."""

from urllib.parse import urlsplit

PROVIDERS = {
    "zoom": ("zoom.us", "zoom.com"),
    "google_meet": ("meet.google.com",),
    "teams": ("teams.microsoft.com", "teams.live.com"),
}


class ForeignMeetingLink(ValueError):
    """The link is not an https address of a known provider."""


def provider_of(url: str) -> str:
    """``zoom``, ``google_meet`` or ``teams``. Raises ``ForeignMeetingLink``."""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").lower()
    try:
        port = parts.port
    except ValueError as error:
        raise ForeignMeetingLink(url) from error
    if parts.scheme != "https" or parts.username or parts.password or port not in {None, 443}:
        raise ForeignMeetingLink(url)
    for provider, hosts in PROVIDERS.items():
        if any(host == known or host.endswith("." + known) for known in hosts):
            return provider
    raise ForeignMeetingLink(url)
