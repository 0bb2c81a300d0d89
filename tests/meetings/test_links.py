"""Pasted meeting links: the three providers pass, look-alikes don't."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness.meetings import ForeignMeetingLink, provider_of

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("link", "provider"),
    [
        ("https://zoom.us/j/123456789?pwd=aB3.1", "zoom"),
        ("https://us02web.zoom.us/j/123456789", "zoom"),
        (" https://US02WEB.ZOOM.US/j/123 \n", "zoom"),
        ("https://calmness.zoom.com/my/salle", "zoom"),
        ("https://meet.google.com/abc-defg-hij", "google_meet"),
        ("https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d", "teams"),
        ("https://teams.live.com/meet/93456?p=x", "teams"),
        ("https://zoom.us:443/j/1", "zoom"),
    ],
)
def test_links_of_the_three_providers_are_known(link: str, provider: str) -> None:
    assert provider_of(link) == provider


@pytest.mark.parametrize(
    "link",
    [
        "",
        "zoom.us/j/1",
        "http://zoom.us/j/1",
        "https://zoom.us",
        "https://zoom.us/",
        "https://evil.test/zoom.us/j/1",
        "https://zoom.us.evil.test/j/1",
        "https://notzoom.us/j/1",
        "https://evil.test\\.zoom.us/j/1",
        "https://evil.test/\\.zoom.us/j/1",
        "https://zoom.us\\@evil.test/j/1",
        "https://zoom.us@evil.test/j/1",
        "https://user:secret@zoom.us/j/1",
        "https://@zoom.us/j/1",
        "https://evil.test%2f.zoom.us/j/1",
        "https://evil.test#.zoom.us/j/1",
        "https://evil.test?.zoom.us/j/1",
        "https://zoom.us:8443/j/1",
        "https://zoom.us:x/j/1",
        "https://[::1]/j/1",
        "https://[zoom.us/j/1",
        "https://zoom.us./j/1",
        "https://zo\nom.us/j/1",
        "https://zoom.us/j/1\r\nLocation: https://evil.test",
        "https://zооm.us/j/1",
        "https://google.com/abc",
        "https://docs.google.com/x",
        "javascript:alert(1)//https://zoom.us/j/1",
        "https://zoom.us/j/" + "1" * 600,
    ],
)
def test_anything_else_is_refused(link: str) -> None:
    with pytest.raises(ForeignMeetingLink):
        provider_of(link)


@given(st.text(max_size=60))
def test_no_text_breaks_the_check(text: str) -> None:
    for link in (text, "https://" + text, "https://zoom.us/" + text, "https://" + text + ".zoom.us/j/1"):
        try:
            provider_of(link)
        except ForeignMeetingLink:
            continue
        assert link.strip().isascii()
        assert "\\" not in link
