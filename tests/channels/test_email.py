"""Mail by a real SMTP server: what leaves, what is refused, what is tried again."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from flask_mail import Mail

from calmness.channels import Attachment, Message, OutcomeKind
from calmness.channels import email as channel
from calmness.channels.email import EmailClient, EmailSettings
from supervisor.processes import LOOPBACK, free_port
from tests.fixtures.servers import Mailbox

pytestmark = pytest.mark.once
SENDER = "Calmness Trading <bonjour@calmness.test>"
WORD = Message("Séance demain à 19 h 00", "Bonjour,\n\nÀ demain.", html="<p>Bonjour</p>")


@pytest.fixture(autouse=True)
def _flask_mail() -> Iterator[None]:
    """Flask-Mail builds messages inside an application only; jobs always have one."""
    small = Flask("mail")
    Mail(small)
    with small.app_context():
        yield


def settings(mailbox: Mailbox, tls: str = "off") -> EmailSettings:
    """Settings for the server on loopback."""
    return EmailSettings(LOOPBACK, mailbox.port, SENDER, tls=tls)


def test_a_message_arrives_whole(mailbox: Mailbox) -> None:
    invoice = Attachment("Facture n° 1 – été.pdf", "application/pdf", b"%PDF-1.7")
    message = Message(WORD.subject, WORD.text, WORD.html, (invoice,), unsubscribe_url="https://calmness.test/stop/1")

    with EmailClient(settings(mailbox)) as client:
        outcome = client.send(message, "camille@calmness.test", idempotency_key="reminder:7")

    mail = mailbox.to("camille@calmness.test")[0]
    assert outcome.kind is OutcomeKind.OK
    assert (mail["Subject"], mail["From"]) == (WORD.subject, SENDER)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == "<https://calmness.test/stop/1>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Message-ID"] == outcome.provider_id
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n").strip() == WORD.text
    assert "<p>Bonjour</p>" in html.get_content()
    attached = next(mail.iter_attachments())
    assert (attached.get_filename(), attached.get_content()) == (invoice.name, invoice.content)


def test_a_second_try_carries_the_same_identity(mailbox: Mailbox) -> None:
    with EmailClient(settings(mailbox)) as client:
        for key in ("invoice:1", "invoice:1", "invoice:2"):
            client.send(WORD, "camille@calmness.test", idempotency_key=key)

    first, again, other = (mail["Message-ID"] for mail in mailbox.messages)
    assert first == again != other
    assert first.endswith("@calmness.test>")


def test_a_batch_goes_through_one_connection(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    connect = socket.create_connection

    def counted(*args: Any, **kwargs: Any) -> socket.socket:
        opened.append(args)
        return connect(*args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", counted)

    with EmailClient(settings(mailbox)) as client:
        for number in range(5):
            assert client.send(WORD, f"p{number}@calmness.test", idempotency_key=str(number)).kind is OutcomeKind.OK

    assert len(opened) == 1
    assert len(mailbox.messages) == 5


@pytest.mark.parametrize(
    ("answer", "kind", "code", "text"),
    [
        ("450 4.2.0 camille@calmness.test is busy", OutcomeKind.RETRY, "450", "4.2.0"),
        ("451 later", OutcomeKind.RETRY, "451", None),
        ("550 5.1.1 camille@calmness.test unknown", OutcomeKind.PERMANENT, "550", "5.1.1"),
        ("554 spam", OutcomeKind.PERMANENT, "554", None),
    ],
)
def test_refusals_are_told_apart_and_keep_no_address(
    mailbox: Mailbox, answer: str, kind: OutcomeKind, code: str, text: str | None
) -> None:
    mailbox.refuse = answer

    with EmailClient(settings(mailbox)) as client:
        outcome = client.send(WORD, "camille@calmness.test", idempotency_key="1")
        mailbox.refuse = None
        after = client.send(WORD, "hugo@calmness.test", idempotency_key="2")

    assert (outcome.kind, outcome.code, outcome.text) == (kind, code, text)
    assert after.kind is OutcomeKind.OK


@pytest.mark.parametrize(
    "message",
    [
        Message("Bonjour\r\nBcc: tous@calmness.test", "x"),
        Message("Bonjour", "x", unsubscribe_url="https://calmness.test/>\r\nBcc: <tous@calmness.test"),
        Message("Bonjour", "x", attachments=(Attachment("a\r\nBcc: tous@calmness.test", "text/plain", b""),)),
        Message("Bonjour \udcff", "x \udcff"),
    ],
)
def test_what_would_inject_a_header_is_never_sent(mailbox: Mailbox, message: Message) -> None:
    with EmailClient(settings(mailbox)) as client:
        outcome = client.send(message, "camille@calmness.test", idempotency_key="1")

    assert (outcome.kind, outcome.code) == (OutcomeKind.PERMANENT, "malformed")
    assert mailbox.messages == []


@pytest.mark.parametrize("address", ["camille@calmness.test\r\nRCPT TO:<x@y.test>", "élodie@calmness.test"])
def test_an_address_that_smtp_cannot_say_is_final(mailbox: Mailbox, address: str) -> None:
    with EmailClient(settings(mailbox)) as client:
        assert client.send(WORD, address, idempotency_key="1").kind is OutcomeKind.PERMANENT

    assert mailbox.messages == []


def test_a_server_that_is_away_is_tried_again() -> None:
    with EmailClient(EmailSettings(LOOPBACK, free_port(), SENDER, tls="off")) as client:
        outcome = client.send(WORD, "camille@calmness.test", idempotency_key="1")

    assert (outcome.kind, outcome.code) == (OutcomeKind.RETRY, "connect")


def test_a_server_that_never_speaks_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "TIMEOUT_SECONDS", 0.2)
    with (
        socket.create_server((LOOPBACK, 0)) as mute,
        EmailClient(EmailSettings(LOOPBACK, mute.getsockname()[1], SENDER, tls="off")) as client,
    ):
        outcome = client.send(WORD, "camille@calmness.test", idempotency_key="1")

    assert (outcome.kind, outcome.code) == (OutcomeKind.RETRY, "connect")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Key and self-signed certificate of ``127.0.0.1``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private, public = tmp_path / "key.pem", tmp_path / "cert.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return private, public


@pytest.fixture
def encrypted(certificate: tuple[Path, Path]) -> Iterator[Mailbox]:
    """A server that asks for STARTTLS, with a certificate that nobody vouches for."""
    private, public = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    box = Mailbox(port=free_port())
    controller = Controller(box, hostname=LOOPBACK, port=box.port, tls_context=context, require_starttls=True)
    controller.start()
    yield box
    controller.stop()


def test_mail_is_not_given_to_a_server_that_nobody_vouches_for(encrypted: Mailbox) -> None:
    with EmailClient(EmailSettings("localhost", encrypted.port, SENDER, tls="starttls")) as client:
        outcome = client.send(WORD, "camille@calmness.test", idempotency_key="1")

    assert (outcome.kind, outcome.text) == (OutcomeKind.RETRY, "SSLCertVerificationError")
    assert encrypted.messages == []


def test_mail_goes_encrypted_to_a_server_that_is_known(
    encrypted: Mailbox, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))

    with EmailClient(EmailSettings("localhost", encrypted.port, SENDER, tls="starttls")) as client:
        outcome = client.send(WORD, "camille@calmness.test", idempotency_key="1")

    assert outcome.kind is OutcomeKind.OK
    assert len(encrypted.messages) == 1
