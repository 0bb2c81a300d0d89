"""E-mail by SMTP: one connection a batch, verified TLS, time-outs everywhere.

Flask-Mail builds the message; it does not send it, because its connection has no time-out and does not verify the
server's certificate (0.10.0).
"""

import hashlib
import smtplib
import ssl
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from types import TracebackType
from typing import Self

from flask_mail import BadHeaderError
from flask_mail import Message as MimeMessage

from calmness.channels import Message, Outcome, OutcomeKind

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class EmailSettings:
    """Where mail leaves. ``tls``: ``starttls``, ``tls`` or ``off`` (loopback only)."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = ""
    tls: str = "starttls"


class EmailClient:
    """An SMTP connection, opened at the first message and closed with the ``with`` block."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, message: Message, address: str, *, idempotency_key: str) -> Outcome:
        """Hand a message to the server. Connection faults and 4xx are to be tried again, 5xx are final."""
        try:
            content = build(message, address, self._settings.sender, idempotency_key).as_bytes()
            address.encode("ascii")
        except (BadHeaderError, ValueError) as error:
            return Outcome(OutcomeKind.PERMANENT, code="malformed", text=type(error).__name__)
        try:
            connection = self._open()
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            return Outcome(OutcomeKind.RETRY, code="connect", text=type(error).__name__)
        return self._transmit(connection, content, address, message_id(idempotency_key, self._settings.sender))

    def _transmit(self, connection: smtplib.SMTP, content: bytes, address: str, identity: str) -> Outcome:
        envelope = parseaddr(self._settings.sender)[1]
        try:
            connection.sendmail(envelope, [address], content)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return _refused(code, text)
        except smtplib.SMTPResponseException as error:
            self._close()
            return _refused(error.smtp_code, error.smtp_error)
        except smtplib.SMTPServerDisconnected:
            # Before the end of DATA nothing was taken; after it the server would have answered.
            self._close()
            return Outcome(OutcomeKind.RETRY, code="disconnected")
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            return Outcome(OutcomeKind.UNKNOWN, code="interrupted", text=type(error).__name__)
        return Outcome(OutcomeKind.OK, provider_id=identity, code="250")

    def _open(self) -> smtplib.SMTP:
        if self._connection is not None:
            return self._connection
        settings = self._settings
        greeting = _domain(settings.sender)  # smtplib would ask the name service who we are
        if settings.tls == "tls":
            self._connection = smtplib.SMTP_SSL(
                settings.host, settings.port, greeting, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        else:
            self._connection = smtplib.SMTP(settings.host, settings.port, greeting, timeout=TIMEOUT_SECONDS)
            if settings.tls == "starttls":
                self._connection.starttls(context=ssl.create_default_context())
        if settings.username:
            self._connection.login(settings.username, settings.password)
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.quit()
        except (OSError, smtplib.SMTPException):
            connection.close()


def build(message: Message, address: str, sender: str, idempotency_key: str) -> MimeMessage:
    """MIME message with both parts and attachments. Raises BadHeaderError or ValueError on injected line breaks."""
    headers = {"Auto-Submitted": "auto-generated"}
    if message.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    names = [name for attachment in message.attachments for name in (attachment.name, attachment.content_type)]
    for value in (*headers.values(), address, message.subject, *names):
        # Flask-Mail does not look into extra headers: a line break there would be sent as a header of its own.
        if "\r" in value or "\n" in value:
            raise ValueError("line break in a header")
    mime = MimeMessage(
        subject=message.subject,
        recipients=[address],
        body=message.text,
        html=message.html,
        sender=formataddr(parseaddr(sender)),
        extra_headers=headers,
    )
    mime.msgId = message_id(idempotency_key, sender)
    for attachment in message.attachments:
        mime.attach(attachment.name, attachment.content_type, attachment.content)
    return mime


def message_id(idempotency_key: str, sender: str) -> str:
    """The same for every try of a row, so that a mailbox shows a doubled mail once."""
    return f"<{hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]}@{_domain(sender)}>"


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _refused(code: int, text: bytes | str) -> Outcome:
    kind = OutcomeKind.RETRY if 400 <= code < 500 else OutcomeKind.PERMANENT
    # The server's sentence may quote the address: only its enhanced code is kept.
    words = (text.decode("utf-8", "replace") if isinstance(text, bytes) else text).split()
    enhanced = words[0] if words and words[0][:1].isdigit() else None
    return Outcome(kind, code=str(code), text=enhanced)
