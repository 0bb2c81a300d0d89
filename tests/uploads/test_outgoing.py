"""An address that a person gives leads to the open Internet or nowhere."""

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from calmness import outgoing

PUBLIC = "93.184.215.14"


def answering(*addresses: str) -> outgoing.Resolver:
    def resolver(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolver


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "::127.0.0.1",
        "not an address",
    ],
)
def test_addresses_of_the_inside_are_refused(address: str) -> None:
    assert not outgoing.is_public(address)
    with pytest.raises(outgoing.Forbidden, match="private"):
        outgoing.check("https://push.example.com/x", resolver=answering(address))


def test_one_inside_address_among_public_ones_is_enough() -> None:
    with pytest.raises(outgoing.Forbidden, match="private"):
        outgoing.check("https://push.example.com/x", resolver=answering(PUBLIC, "127.0.0.1"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://push.example.com/x", "scheme"),
        ("ftp://push.example.com/x", "shape"),
        ("file:///etc/passwd", "shape"),
        ("https://push.example.com:8443/x", "port"),
        ("https://user@push.example.com/x", "shape"),
        ("https://push.example.com\\@evil.test/x", "shape"),
        ("https://push.example.com/a b", "shape"),
        ("https://push.example.com/\r\nHost: x", "shape"),
        ("https://localhost/x", "local-name"),
        ("https://redis.internal/x", "local-name"),
        ("https://intranet/x", "local-name"),
        ("https://evil.test.example.org/x", "host"),
        ("https://example.com.evil.org/x", "host"),
        ("https://" + "a" * 800 + ".example.com/", "shape"),
    ],
)
def test_odd_addresses_are_refused(url: str, reason: str) -> None:
    hosts = ("example.com",) if reason == "host" else ()
    with pytest.raises(outgoing.Forbidden, match=reason):
        outgoing.check(url, hosts=hosts, resolver=answering(PUBLIC))


def test_numbers_written_in_other_ways_are_judged_by_what_they_mean() -> None:
    for url in ("https://127.1/x", "https://0x7f.0.0.1/x", "https://[::1]/x", "https://[::ffff:7f00:1]/x"):
        with pytest.raises(outgoing.Forbidden):
            outgoing.check(url)


def test_a_public_name_passes_with_the_address_that_was_checked() -> None:
    target = outgoing.check("https://push.example.com/x?y=1", hosts=("example.com",), resolver=answering(PUBLIC))

    assert (target.host, target.port, target.addresses) == ("push.example.com", 443, (PUBLIC,))


def test_the_check_is_made_at_use_and_nothing_is_sent_to_the_inside() -> None:
    with pytest.raises(outgoing.Forbidden, match="private"):
        outgoing.post("https://push.example.com/x", b"", {}, resolver=answering("127.0.0.1"))


def test_the_connection_goes_to_the_checked_address_under_the_name_and_follows_no_redirect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name resolves to a server of the test only through the check: a second look-up would fail."""
    seen = []

    class Inside(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((self.headers["Host"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1/secret")
            self.end_headers()

        def log_message(self, *_values: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Inside)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(outgoing, "is_public", lambda _address: True)
    monkeypatch.setitem(outgoing._PORTS, "http", server.server_port)
    try:
        answer = outgoing.post(
            f"http://push.example.com:{server.server_port}/x",
            b"payload",
            {"Content-Type": "text/plain"},
            https_only=False,
            resolver=answering("127.0.0.1"),
        )
    finally:
        server.shutdown()
        server.server_close()

    assert answer.status_code == 302
    assert seen == [("push.example.com", b"payload")]
