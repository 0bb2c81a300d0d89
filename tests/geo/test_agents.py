"""Devices, browsers, systems and machines, with the traps that real user agents set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness.geo import Device, read_agent

pytestmark = pytest.mark.once

WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
)
MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15"
)
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 {}Safari/537.36"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("agent", "device", "browser", "system"),
    [
        (WINDOWS, Device.DESKTOP, "Chrome", "Windows"),
        (WINDOWS + " Edg/143.0.0.0", Device.DESKTOP, "Edge", "Windows"),
        (MAC, Device.DESKTOP, "Safari", "macOS"),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
            Device.DESKTOP,
            "Firefox",
            "Linux",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/143.0.0.0 Safari/537.36",
            Device.DESKTOP,
            "Chrome",
            "ChromeOS",
        ),
        (IPHONE, Device.MOBILE, "Safari", "iOS"),
        (ANDROID.format("Mobile "), Device.MOBILE, "Chrome", "Android"),
        (ANDROID.format(""), Device.TABLET, "Chrome", "Android"),
        ("Mozilla/5.0 (Android 14; Tablet; rv:133.0) Gecko/133.0 Firefox/133.0", Device.TABLET, "Firefox", "Android"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0", Device.MOBILE, "Firefox", "Android"),
        (IPHONE + " Instagram 300.0.0.0.0 (iPhone14,5; iOS 18_1; fr_FR)", Device.MOBILE, "Instagram", "iOS"),
        (
            "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36",
            Device.MOBILE,
            "Chrome",
            "Android",
        ),
    ],
)
def test_readers_are_told_apart(agent: str, device: Device, browser: str, system: str) -> None:
    visitor = read_agent(agent)

    assert (visitor.device, visitor.browser, visitor.system, visitor.bot) == (device, browser, system, "")


def test_an_ipad_that_calls_itself_a_mac_is_known_by_its_fingers() -> None:
    assert read_agent(MAC, touch_points=5).device is Device.TABLET
    assert read_agent(MAC, touch_points=5).system == "iPadOS"
    assert read_agent(MAC, touch_points=1).device is Device.DESKTOP
    assert read_agent(WINDOWS, touch_points=10).device is Device.DESKTOP


def test_windows_11_is_named_only_when_it_says_so() -> None:
    assert read_agent(WINDOWS, platform_version='"15.0.0"').system == "Windows 11"
    assert read_agent(WINDOWS, platform_version='"10.0.0"').system == "Windows"
    assert read_agent(WINDOWS, platform_version="'; --").system == "Windows"


def test_a_television_is_another_device() -> None:
    agent = "Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 Version/7.0 TV Safari/537.36"

    assert read_agent(agent).device is Device.OTHER


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bingbot"),
        ("Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)", "Bytespider"),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0", "ChatGPT-User"),
        (WINDOWS.replace("Chrome/", "HeadlessChrome/"), "Navigateur sans écran"),
        (ANDROID.format("Mobile ") + " Chrome-Lighthouse", "Autre robot"),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.32.0", "python-requests"),
        ("Go-http-client/2.0", "Go-http-client"),
        ("MetaTrader 4 Terminal/4.1420 (Windows NT 10.0; x64)", "MetaTrader"),
        ("UptimeRobot/2.0", "UptimeRobot"),
        ("", "Sans nom"),
    ],
)
def test_machines_are_counted_apart_by_family(agent: str, family: str) -> None:
    visitor = read_agent(agent)

    assert (visitor.device, visitor.bot) == (Device.BOT, family)


def test_no_user_agent_is_a_machine() -> None:
    assert read_agent(None).device is Device.BOT


@given(st.text(max_size=2000))
def test_any_text_gets_an_answer_that_fits_its_columns(agent: str) -> None:
    visitor = read_agent(agent)

    assert len(visitor.device) <= 12
    assert len(visitor.browser) <= 40
    assert len(visitor.system) <= 40
