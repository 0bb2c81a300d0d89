"""What a page was read with, from the user agent and what the beacon adds; and which readers are machines."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import crawleruseragents

if TYPE_CHECKING:
    from user_agents.parsers import UserAgent

MAX_LENGTH = 512
"""Longer user agents are noise or attacks; the patterns below run on what is left."""


def parsed(agent: str) -> "UserAgent":
    """What the library makes of it. Imported here: its patterns cost half a second, which no other process owes."""
    from user_agents import parse

    return parse(agent)


class Device(StrEnum):
    """Kind of device. Models are not told apart: phones have stopped saying which they are."""

    DESKTOP = "desktop"
    MOBILE = "mobile"
    TABLET = "tablet"
    OTHER = "other"
    BOT = "bot"


@dataclass(frozen=True)
class Visitor:
    """What a user agent says. ``bot`` is the family of a machine (``Googlebot``), empty for people."""

    device: Device
    browser: str
    system: str
    bot: str = ""


_BROWSERS = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Edge Mobile": "Edge",
    "Opera Mobile": "Opera",
    "Samsung Internet": "Samsung Internet",
}
_SYSTEMS = {"Mac OS X": "macOS", "Ubuntu": "Linux", "Fedora": "Linux", "Debian": "Linux", "Chrome OS": "ChromeOS"}
_TELEVISION = re.compile(r"smart-?tv|tizen.*tv|web0s|webos.*tv|appletv|apple tv|googletv|bravia|hbbtv|crkey", re.I)
_OWN_RULES = re.compile(
    r"headless|lighthouse|phantomjs|puppeteer|playwright|selenium|electron/|^mozilla/5\.0$|^mozilla/4\.0$|"
    r"uptime|pingdom|statuscake|betteruptime|monitor|healthcheck|zabbix|nagios|prometheus|"
    r"^(?:curl|wget|python|go-http|java|okhttp|axios|node|ruby|php|perl|libwww|httpie|apache-httpclient|dart)\b",
    re.I,
)
_METATRADER = re.compile(r"\bmeta ?trader|\bmt[45]\b", re.I)
_NAMED = re.compile(r"[A-Za-z][\w.-]*(?:bot|crawler|spider|slurp)\b|ChatGPT-User|facebookexternalhit|Bytespider", re.I)


def read_agent(agent: str | None, *, touch_points: int | None = None, platform_version: str = "") -> Visitor:
    """Device, browser and system of a user agent, and whether a machine sent it.

    ``touch_points`` comes from the beacon (an iPad calls itself a Mac otherwise); ``platform_version`` from
    ``Sec-CH-UA-Platform-Version`` (13 and more is Windows 11). Both may be absent. Parsing costs 0.8 ms, a known user
    agent next to nothing: answers are kept.
    """
    found = _parsed((agent or "").strip()[:MAX_LENGTH])
    if found.device is Device.DESKTOP and found.system == "macOS" and (touch_points or 0) > 1:
        return Visitor(Device.TABLET, found.browser, "iPadOS")
    if found.system == "Windows" and _major(platform_version) >= 13:
        return Visitor(found.device, found.browser, "Windows 11", found.bot)
    return found


@lru_cache(maxsize=4096)
def _parsed(agent: str) -> Visitor:
    bot = _bot_family(agent)
    if bot:
        return Visitor(Device.BOT, "", "", bot)
    said = parsed(agent)
    browser = _BROWSERS.get(said.browser.family, said.browser.family)
    system = _SYSTEMS.get(said.os.family, said.os.family)
    return Visitor(
        _device(agent, said.is_tablet, said.is_mobile, said.is_pc),
        "" if browser == "Other" else browser,
        "" if system == "Other" else system,
    )


def _device(agent: str, is_tablet: bool, is_mobile: bool, is_pc: bool) -> Device:
    if _TELEVISION.search(agent):
        return Device.OTHER
    # Firefox on an Android tablet says "Tablet;" where phones say "Mobile;" and is taken for a phone otherwise.
    if is_tablet or "Tablet;" in agent:
        return Device.TABLET
    if is_mobile:
        return Device.MOBILE
    return Device.DESKTOP if is_pc else Device.OTHER


def _bot_family(agent: str) -> str:
    """Name of the machine behind a user agent, empty for a person's browser."""
    if not agent:
        return "Sans nom"
    if _METATRADER.search(agent):
        return "MetaTrader"
    if not (crawleruseragents.is_crawler(agent) or _OWN_RULES.search(agent) or parsed(agent).is_bot):
        return ""
    named = _NAMED.search(agent)
    if named:
        return named.group(0)
    if "headless" in agent.lower():
        return "Navigateur sans écran"
    return re.split(r"[/ (;]", agent, maxsplit=1)[0][:40] if not agent.startswith("Mozilla") else "Autre robot"


def _major(version: str) -> int:
    digits = version.strip('" ').split(".")[0]
    return int(digits) if digits.isdigit() and len(digits) < 4 else 0
