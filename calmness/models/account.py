"""People and how they come in: accounts, devices, tokens, notifications, verified channels, consents."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.types import BigKey, UtcDateTime, text_enum


class Role(StrEnum):
    """What a person is to the school; what a role may do stands in ``calmness.permissions``."""

    STUDENT = "student"
    AGENT = "agent"
    ADMIN = "admin"


class Gender(StrEnum):
    """Optional demographic answer, asked with consent only."""

    MAN = "homme"
    WOMAN = "femme"
    OTHER = "autre"
    UNSAID = "non_dit"


class AgeBracket(StrEnum):
    """Optional demographic answer, asked with consent only."""

    FROM_18 = "18-24"
    FROM_25 = "25-34"
    FROM_35 = "35-44"
    FROM_45 = "45-54"
    FROM_55 = "55-64"
    FROM_65 = "65+"


class Channel(StrEnum):
    """A way out to a person."""

    SITE = "site"
    EMAIL = "email"
    TELEGRAM = "telegram"
    DISCORD = "discord"
    WHATSAPP = "whatsapp"
    PUSH = "push"


class SessionKind(StrEnum):
    """Where an authenticated session was opened."""

    PAGE = "page"
    API = "api"


class TokenPurpose(StrEnum):
    """What a one-time token may do, and nothing else."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a purpose, no secret
    CHANGE_EMAIL = "change_email"
    RELEASE_EMAIL = "release_email"
    LINK_TELEGRAM = "link_telegram"
    LOST_FACTOR = "lost_factor"
    KEEP_FACTOR = "keep_factor"


class User(Model):
    """A person with an account. ``email_key`` is the folded address: the one that must be unique."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("length(email_key) > 2", name="email_key_present"),
        Index("ix_users_role_created", "role", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(text_enum(Role, "role"), default=Role.STUDENT)
    locale: Mapped[str] = mapped_column(String(8), default="fr", server_default="fr")
    time_zone: Mapped[str] = mapped_column(String(64), default="Europe/Paris", server_default="Europe/Paris")
    theme: Mapped[str] = mapped_column(String(8), default="dark", server_default="dark")
    phone: Mapped[str | None] = mapped_column(String(32))
    address: Mapped[str | None] = mapped_column(String(200))
    postcode: Mapped[str | None] = mapped_column(String(16))
    city: Mapped[str | None] = mapped_column(String(100))
    country: Mapped[str] = mapped_column(String(2), default="FR", server_default="FR")
    company: Mapped[str | None] = mapped_column(String(200))
    siren: Mapped[str | None] = mapped_column(String(9))
    vat_number: Mapped[str | None] = mapped_column(String(20))
    gender: Mapped[Gender | None] = mapped_column(text_enum(Gender, "gender"))
    age_bracket: Mapped[AgeBracket | None] = mapped_column(text_enum(AgeBracket, "age_bracket"))
    avatar_file: Mapped[str | None] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_demo: Mapped[bool] = mapped_column(default=False, server_default=false())

    @property
    def full_name(self) -> str:
        """First and last name as written by the person."""
        return f"{self.first_name} {self.last_name}".strip()


class AuthSession(Model):
    """One device of a person: stands behind the page's cookie and behind the API's tokens, so it can be revoked.

    The cookie holds a random secret; only its SHA-256 is here. It changes with each proof of identity (``renewed_at``).
    """

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[SessionKind] = mapped_column(text_enum(SessionKind, "kind"))
    persistent: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fresh_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    mfa_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    renewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoke_reason: Mapped[str | None] = mapped_column(String(32))
    ip_truncated: Mapped[str | None] = mapped_column(String(45))
    device_label: Mapped[str] = mapped_column(String(120), default="", server_default=text("''"))

    user: Mapped[User] = relationship()


class RefreshToken(Model):
    """One link of a rotating family. A used row stays until the family ends: it is what detects a replay."""

    jti: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("auth_session.id", ondelete="CASCADE"), index=True)
    parent_jti: Mapped[str | None] = mapped_column(String(36))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    replaced_by: Mapped[str | None] = mapped_column(String(36))


class OneTimeToken(Model):
    """A link sent to a person, good for one purpose, once, for a while. Only the hash of the token is kept."""

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[TokenPurpose] = mapped_column(text_enum(TokenPurpose, "purpose"))
    target: Mapped[str | None] = mapped_column(String(320))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EmailChange(Model):
    """A new address that waits for two clicks: one from the old mailbox, one from the new. One a person at a time.

    ``reference`` ties the links to this very request; ``session_id`` is the device that stays logged in.
    """

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    reference: Mapped[str] = mapped_column(String(32), unique=True)
    new_email: Mapped[str] = mapped_column(String(320))
    new_email_key: Mapped[str] = mapped_column(String(320))
    session_id: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TotpSecret(Model):
    """Second factor of a person. ``last_step`` is the last time step accepted: no code passes twice."""

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret_encrypted: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_step: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class Passkey(Model):
    """A key pair that a device or a password safe keeps for a person (WebAuthn); only its public half is here.

    ``sign_count`` is the counter last seen: one that falls back belongs to a copy. Safes that synchronise stay at 0.
    """

    __table_args__ = (CheckConstraint("sign_count >= 0", name="count_not_negative"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[str] = mapped_column(Text)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(80))
    backed_up: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Model):
    """One of the codes that replace the second factor; each works once."""

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RemovalEnd(StrEnum):
    """How a wish to take a lost second factor away ended."""

    REMOVED = "removed"
    STOPPED = "stopped"
    FOUND_AGAIN = "found_again"
    WITHDRAWN = "withdrawn"


class FactorRemoval(Model):
    """A lost second factor that will be taken away when a day has passed; its owner can stop it until then.

    ``asked_by`` is the administrator who asked, None when the owner did by mail. One open wish a person at a time.
    """

    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended_with_outcome"),
        Index(
            "uq_factor_removal_open",
            "user_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[RemovalEnd | None] = mapped_column(text_enum(RemovalEnd, "outcome"))


class LoginAttempt(Model):
    """A try to log in, counted per account and per network. Lives in the database since Redis may be emptied."""

    __table_args__ = (
        Index("ix_login_attempt_account_at", "account_hash", "at"),
        Index("ix_login_attempt_network_at", "network", "at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_hash: Mapped[str] = mapped_column(String(64))
    network: Mapped[str] = mapped_column(String(45))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    succeeded: Mapped[bool]


class UserNotification(Model):
    """A notice in the person's own list. ``key`` makes the same event one notice however often it is told."""

    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_user_notification_unread", "user_id", "read_at"),
        Index("ix_user_notification_list", "user_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    url: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChannelIdentity(Model):
    """An address of a person on a channel, such as a Telegram chat. Never trusted before it is verified."""

    __table_args__ = (
        UniqueConstraint("channel", "account", "external_id"),
        Index("ix_channel_identity_user", "user_id", "channel"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    channel: Mapped[Channel] = mapped_column(text_enum(Channel, "channel"))
    account: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    external_id: Mapped[str] = mapped_column(String(320))
    display_name: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChannelCode(Model):
    """Six digits sent to an address of a channel that a person says is theirs; the newest of a person counts.

    Only a keyed hash is kept, made when the message leaves. ``attempts`` counts guesses before they are looked at.
    """

    __table_args__ = (
        CheckConstraint("attempts BETWEEN 0 AND 5", name="at_most_five_attempts"),
        Index("ix_channel_code_user", "user_id", "created_at"),
        Index("ix_channel_code_address", "address", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    channel: Mapped[Channel] = mapped_column(text_enum(Channel, "channel"))
    address: Mapped[str] = mapped_column(String(320))
    code_hash: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PushSubscription(Model):
    """A browser that asked for web push (RFC 8030)."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    endpoint: Mapped[str] = mapped_column(String(700), unique=True)
    p256dh: Mapped[str] = mapped_column(String(120))
    auth: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Consent(Model):
    """Proof of a yes or of a no (GDPR art. 7-1): appended, never changed; the newest row of a purpose holds."""

    __table_args__ = (Index("ix_consent_user_purpose", "user_id", "purpose", "at"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    purpose: Mapped[str] = mapped_column(String(40))
    text_version: Mapped[str] = mapped_column(String(64))
    given: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(40))
