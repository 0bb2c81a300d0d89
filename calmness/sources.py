"""Where a visit comes from: channel, source and campaign of a referrer and of the address' marks."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

_PAID = re.compile(r"^(?:cp[acm]|ppc|paid.*|retargeting|display|banner)$")
_APPS = {"com.google.android.gm": ("e-mail", "Gmail"), "com.linkedin.android": ("réseaux", "LinkedIn")}
_HOSTS = (
    (("mail.", "outlook."), "e-mail", "E-mail"),
    (("chatgpt.com", "chat.openai.com"), "assistants IA", "ChatGPT"),
    (("perplexity.ai",), "assistants IA", "Perplexity"),
    (("claude.ai",), "assistants IA", "Claude"),
    (("gemini.google.com",), "assistants IA", "Gemini"),
    (("copilot.microsoft.com",), "assistants IA", "Copilot"),
    (("google.",), "recherche", "Google"),
    (("bing.com",), "recherche", "Bing"),
    (("duckduckgo.com",), "recherche", "DuckDuckGo"),
    (("ecosia.org",), "recherche", "Ecosia"),
    (("qwant.com",), "recherche", "Qwant"),
    (("search.brave.com",), "recherche", "Brave"),
    (("yahoo.",), "recherche", "Yahoo"),
    (("youtube.com", "youtu.be"), "réseaux", "YouTube"),
    (("t.me", "telegram.org", "web.telegram.org"), "réseaux", "Telegram"),
    (("discord.com", "discord.gg"), "réseaux", "Discord"),
    (("facebook.com",), "réseaux", "Facebook"),
    (("instagram.com",), "réseaux", "Instagram"),
    (("t.co", "x.com", "twitter.com"), "réseaux", "X"),
    (("linkedin.com", "lnkd.in"), "réseaux", "LinkedIn"),
    (("tiktok.com",), "réseaux", "TikTok"),
    (("reddit.com",), "réseaux", "Reddit"),
    (("whatsapp.com",), "réseaux", "WhatsApp"),
)
DIRECT = ("direct", "Accès direct", "")


def origin(referrer: str | None, marks: Mapping[str, str], own_host: str) -> tuple[str, str, str]:
    """(channel, source, campaign); first rule that matches wins."""
    medium, source, campaign = (_clean(marks.get(f"utm_{name}", "")) for name in ("medium", "source", "campaign"))
    if _PAID.match(medium.lower()) or any(mark in marks for mark in ("gclid", "gbraid", "wbraid", "msclkid")):
        return "payé", source or "Publicité", campaign
    if medium.lower() == "interne":
        return "interne", source or "Calmness", campaign
    if "mail" in medium.lower() or "newsletter" in source.lower():
        return "e-mail", source or "E-mail", campaign
    channel, name, _none = _of_referrer(referrer, own_host)
    if source:
        return (channel if channel != "direct" else "référent"), source, campaign
    return channel, name, campaign


def _of_referrer(referrer: str | None, own_host: str) -> tuple[str, str, str]:
    if not referrer:
        return DIRECT
    try:
        parts = urlsplit(referrer[:2000])
        host = (parts.hostname or "").lower()
    except ValueError:
        return DIRECT
    if parts.scheme == "android-app":
        channel, name = _APPS.get(host, ("référent", host))
        return channel, name, ""
    if parts.scheme not in {"http", "https"} or not host or host == own_host.rsplit(":", 1)[0] or host == "localhost":
        return DIRECT
    bare = re.sub(r"^(?:www|m|l|lm)\.", "", host)
    for patterns, channel, name in _HOSTS:
        if any(_matches(bare, pattern) for pattern in patterns):
            return channel, name, ""
    return "référent", bare[:100], ""


def _matches(host: str, pattern: str) -> bool:
    if pattern.endswith("."):
        return host.startswith(pattern) or f".{pattern}" in f".{host}"
    return host == pattern or host.endswith("." + pattern)


def _clean(text: str) -> str:
    kept = "".join(character for character in text if character.isprintable())[:100].strip()
    return "" if kept == "(not set)" else kept
