"""All tables of the product.

Revision: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from calmness.models import append_only
from calmness.models.derived import HELD, R_MULTIPLE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "analytics_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("bounces", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("bots", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_analytics_day")),
    )
    op.create_table(
        "analytics_dimension",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("bounces", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "dimension", "value", name=op.f("pk_analytics_dimension")),
    )
    op.create_table(
        "analytics_dirty_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_analytics_dirty_day")),
    )
    op.create_table(
        "analytics_hour",
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour_at", name=op.f("pk_analytics_hour")),
    )
    with op.batch_alter_table("analytics_hour", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_analytics_hour_day"), ["day"], unique=False)

    op.create_table(
        "analytics_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("bounces", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("month", "dimension", "value", name=op.f("pk_analytics_month")),
    )
    op.create_table(
        "analytics_page",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("exits", sa.Integer(), nullable=False),
        sa.Column("timed_views", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "path", name=op.f("pk_analytics_page")),
    )
    op.create_table(
        "canned_answer",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("shortcut", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_answer")),
        sa.UniqueConstraint("shortcut", name=op.f("uq_canned_answer_shortcut")),
    )
    op.create_table(
        "chain_head",
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chain_head")),
    )
    op.create_table(
        "formation",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column("objectives", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("programme", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "debutant",
                "intermediaire",
                "avance",
                name="level",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("audience", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("prerequisites", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("access_delay", sa.String(length=300), server_default=sa.text("('')"), nullable=False),
        sa.Column("accessibility", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("trainer_name", sa.String(length=100), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("icon", sa.String(length=40), server_default="graduation-cap", nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                "archived",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("capacity IS NULL OR capacity > 0", name=op.f("ck_formation_capacity_positive")),
        sa.CheckConstraint("duration_minutes > 0", name=op.f("ck_formation_duration_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_formation")),
        sa.UniqueConstraint("slug", name=op.f("uq_formation_slug")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_heartbeat")),
    )
    with op.batch_alter_table("heartbeat", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_heartbeat_kind"), ["kind"], unique=False)

    op.create_table(
        "inbound_event",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "site",
                "email",
                "telegram",
                "discord",
                "whatsapp",
                "push",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("account", sa.String(length=100), server_default=sa.text("('')"), nullable=False),
        sa.Column("external_event_id", sa.String(length=120), nullable=False),
        sa.Column("raw", JSON, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_event")),
        sa.UniqueConstraint(
            "channel",
            "account",
            "external_event_id",
            name=op.f("uq_inbound_event_channel_account_external_event_id"),
        ),
    )
    op.create_table(
        "invoice_counter",
        sa.Column("series", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("last >= 0", name=op.f("ck_invoice_counter_last_not_negative")),
        sa.PrimaryKeyConstraint("series", "day", name=op.f("pk_invoice_counter")),
    )
    op.create_table(
        "period_closing",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column(
            "span",
            sa.Enum("day", "month", "year", name="span", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("excl_cents", sa.Integer(), nullable=False),
        sa.Column("vat_cents", sa.Integer(), nullable=False),
        sa.Column("incl_cents", sa.Integer(), nullable=False),
        sa.Column("perpetual_cents", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("excl_cents + vat_cents = incl_cents", name=op.f("ck_period_closing_amounts_agree")),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_period_closing_last_after_first")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period_closing")),
        sa.UniqueConstraint("hash", name=op.f("uq_period_closing_hash")),
        sa.UniqueConstraint("span", "first_on", name=op.f("uq_period_closing_span_first_on")),
    )
    op.create_table(
        "login_attempt",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("account_hash", sa.String(length=64), nullable=False),
        sa.Column("network", sa.String(length=45), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    with op.batch_alter_table("login_attempt", schema=None) as batch_op:
        batch_op.create_index("ix_login_attempt_account_at", ["account_hash", "at"], unique=False)
        batch_op.create_index("ix_login_attempt_network_at", ["network", "at"], unique=False)

    op.create_table(
        "outbox_task",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column(
            "lane",
            sa.Enum(
                "mail",
                "push",
                "pdf",
                "import",
                "default",
                name="lane",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("payload", JSON, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "claimed",
                "done",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.String(length=80), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("cause_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outbox_task_attempts_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_task")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_task_key")),
    )
    with op.batch_alter_table("outbox_task", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_task_due",
            ["lane", "due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "ix_outbox_task_lease",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state = 'claimed'"),
            postgresql_where=sa.text("state = 'claimed'"),
        )

    op.create_table(
        "users",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column(
            "role",
            sa.Enum("student", "agent", "admin", name="role", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("locale", sa.String(length=8), server_default="fr", nullable=False),
        sa.Column("time_zone", sa.String(length=64), server_default="Europe/Paris", nullable=False),
        sa.Column("theme", sa.String(length=8), server_default="dark", nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("postcode", sa.String(length=16), nullable=True),
        sa.Column("city", sa.String(length=100), nullable=True),
        sa.Column("country", sa.String(length=2), server_default="FR", nullable=False),
        sa.Column("company", sa.String(length=200), nullable=True),
        sa.Column("siren", sa.String(length=9), nullable=True),
        sa.Column("vat_number", sa.String(length=20), nullable=True),
        sa.Column(
            "gender",
            sa.Enum(
                "homme",
                "femme",
                "autre",
                "non_dit",
                name="gender",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "age_bracket",
            sa.Enum(
                "18-24",
                "25-34",
                "35-44",
                "45-54",
                "55-64",
                "65+",
                name="age_bracket",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("avatar_file", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("length(email_key) > 2", name=op.f("ck_users_email_key_present")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index("ix_users_role_created", ["role", "created_at"], unique=False)

    op.create_table(
        "view_source",
        sa.Column("process", sa.String(length=16), nullable=False),
        sa.Column("highest", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_view_source")),
    )
    op.create_table(
        "visitor_salt",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_visitor_salt")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("seq", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", BIG_KEY, nullable=True),
        sa.Column("actor_role", sa.String(length=16), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("ip_truncated", sa.String(length=45), nullable=True),
        sa.Column("prev_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_audit_entry_actor_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entry_hash")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_actor", ["actor_id", "at"], unique=False)
        batch_op.create_index("ix_audit_entry_at", ["at"], unique=False)
        batch_op.create_index("ix_audit_entry_object", ["object_type", "object_id"], unique=False)

    op.create_table(
        "auth_session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("page", "api", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("persistent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fresh_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mfa_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.String(length=32), nullable=True),
        sa.Column("ip_truncated", sa.String(length=45), nullable=True),
        sa.Column("device_label", sa.String(length=120), server_default=sa.text("('')"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_auth_session_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_session")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_auth_session_secret_hash")),
    )
    with op.batch_alter_table("auth_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auth_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "calendar_feed",
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_calendar_feed_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    op.create_table(
        "channel_code",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "site",
                "email",
                "telegram",
                "discord",
                "whatsapp",
                "push",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("attempts BETWEEN 0 AND 5", name=op.f("ck_channel_code_at_most_five_attempts")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_channel_code_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_code")),
    )
    with op.batch_alter_table("channel_code", schema=None) as batch_op:
        batch_op.create_index("ix_channel_code_address", ["address", "created_at"], unique=False)
        batch_op.create_index("ix_channel_code_user", ["user_id", "created_at"], unique=False)

    op.create_table(
        "factor_removal",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("asked_by", BIG_KEY, nullable=True),
        sa.Column("reason", sa.String(length=300), server_default=sa.text("('')"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "removed",
                "stopped",
                "found_again",
                "withdrawn",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_factor_removal_ended_with_outcome")),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["users.id"], name=op.f("fk_factor_removal_asked_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_factor_removal_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor_removal")),
    )
    with op.batch_alter_table("factor_removal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_factor_removal_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "uq_factor_removal_open",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "channel_identity",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=True),
        sa.Column(
            "channel",
            sa.Enum(
                "site",
                "email",
                "telegram",
                "discord",
                "whatsapp",
                "push",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("account", sa.String(length=100), server_default=sa.text("('')"), nullable=False),
        sa.Column("external_id", sa.String(length=320), nullable=False),
        sa.Column("display_name", sa.String(length=200), server_default=sa.text("('')"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_channel_identity_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_identity")),
        sa.UniqueConstraint(
            "channel", "account", "external_id", name=op.f("uq_channel_identity_channel_account_external_id")
        ),
    )
    with op.batch_alter_table("channel_identity", schema=None) as batch_op:
        batch_op.create_index("ix_channel_identity_user", ["user_id", "channel"], unique=False)

    op.create_table(
        "chat_room",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=True),
        sa.Column("visitor_hash", sa.String(length=64), nullable=True),
        sa.Column("visitor_name", sa.String(length=100), server_default=sa.text("('')"), nullable=False),
        sa.Column("visitor_email", sa.String(length=320), server_default=sa.text("('')"), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "site",
                "email",
                "telegram",
                "discord",
                "whatsapp",
                "push",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum("open", "closed", name="status", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("assigned_to_id", BIG_KEY, nullable=True),
        sa.Column("last_seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_answer_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("labels", JSON, nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("rating IS NULL OR rating BETWEEN 1 AND 5", name=op.f("ck_chat_room_rating_range")),
        sa.CheckConstraint("user_id IS NOT NULL OR visitor_hash IS NOT NULL", name=op.f("ck_chat_room_has_owner")),
        sa.ForeignKeyConstraint(
            ["assigned_to_id"],
            ["users.id"],
            name=op.f("fk_chat_room_assigned_to_id_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_chat_room_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_room")),
        sa.UniqueConstraint("public_id", name=op.f("uq_chat_room_public_id")),
    )
    with op.batch_alter_table("chat_room", schema=None) as batch_op:
        batch_op.create_index("ix_chat_room_inbox", ["status", "last_message_at"], unique=False)
        batch_op.create_index("ix_chat_room_user", ["user_id"], unique=False)
        batch_op.create_index(
            "uq_chat_room_open_user",
            ["user_id", "channel"],
            unique=True,
            sqlite_where=sa.text("status = 'open' AND visitor_hash IS NULL"),
            postgresql_where=sa.text("status = 'open' AND visitor_hash IS NULL"),
        )
        batch_op.create_index(
            "uq_chat_room_open_visitor",
            ["visitor_hash", "channel"],
            unique=True,
            sqlite_where=sa.text("status = 'open' AND user_id IS NULL"),
            postgresql_where=sa.text("status = 'open' AND user_id IS NULL"),
        )

    op.create_table(
        "consent",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("text_version", sa.String(length=64), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_consent_user_id_users"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index("ix_consent_user_purpose", ["user_id", "purpose", "at"], unique=False)

    op.create_table(
        "account_deletion",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "cause",
            sa.Enum("asked", "unused", name="cause", native_enum=False, create_constraint=True, length=32),
            server_default=sa.text("'asked'"),
            nullable=False,
        ),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "cancelled_at IS NULL OR started_at IS NULL", name=op.f("ck_account_deletion_cancelled_or_started")
        ),
        sa.CheckConstraint("due_at > asked_at", name=op.f("ck_account_deletion_due_after_asked")),
        sa.CheckConstraint(
            "erased_at IS NULL OR started_at IS NOT NULL", name=op.f("ck_account_deletion_erased_has_started")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_account_deletion_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_deletion")),
    )
    with op.batch_alter_table("account_deletion", schema=None) as batch_op:
        batch_op.create_index("ix_account_deletion_due", ["due_at"], unique=False)
        batch_op.create_index(
            "uq_account_deletion_open",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("cancelled_at IS NULL AND erased_at IS NULL"),
            postgresql_where=sa.text("cancelled_at IS NULL AND erased_at IS NULL"),
        )

    op.create_table(
        "data_export",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column(
            "state",
            sa.Enum("asked", "ready", "expired", name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file_key", sa.String(length=120), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state <> 'ready' OR (file_key IS NOT NULL AND expires_at IS NOT NULL)",
            name=op.f("ck_data_export_ready_has_file"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_data_export_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_export")),
        sa.UniqueConstraint("file_key", name=op.f("uq_data_export_file_key")),
    )
    with op.batch_alter_table("data_export", schema=None) as batch_op:
        batch_op.create_index("ix_data_export_state", ["state", "expires_at"], unique=False)
        batch_op.create_index("ix_data_export_user", ["user_id", "asked_at"], unique=False)

    op.create_table(
        "content_block",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("locale", sa.String(length=8), server_default="fr", nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", BIG_KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_content_block_created_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_block")),
        sa.UniqueConstraint("key", "locale", "version", name=op.f("uq_content_block_key_locale_version")),
    )
    op.create_table(
        "formation_schedule",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("formation_id", BIG_KEY, nullable=False),
        sa.Column("rrule", sa.String(length=300), nullable=False),
        sa.Column("starts_local", sa.DateTime(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), server_default="Europe/Paris", nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column(
            "holiday_policy",
            sa.Enum(
                "keep",
                "skip",
                "shift",
                name="holiday_policy",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("excluded", JSON, nullable=False),
        sa.Column(
            "meeting_provider",
            sa.Enum(
                "zoom",
                "google_meet",
                "teams",
                name="meeting_provider",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("meeting_url", sa.String(length=500), nullable=False),
        sa.Column("trainer_name", sa.String(length=100), nullable=False),
        sa.Column("reminder_offsets", JSON, nullable=False),
        sa.Column(
            "status",
            sa.Enum("active", "ended", name="status", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("extended_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", BIG_KEY, nullable=True),
        sa.CheckConstraint("duration_minutes > 0", name=op.f("ck_formation_schedule_duration_positive")),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_formation_schedule_created_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["formation_id"],
            ["formation.id"],
            name=op.f("fk_formation_schedule_formation_id_formation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_formation_schedule")),
    )
    with op.batch_alter_table("formation_schedule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_formation_schedule_formation_id"), ["formation_id"], unique=False)

    op.create_table(
        "formation_session",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("formation_id", BIG_KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("summary", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("duration_minutes > 0", name=op.f("ck_formation_session_duration_positive")),
        sa.ForeignKeyConstraint(
            ["formation_id"],
            ["formation.id"],
            name=op.f("fk_formation_session_formation_id_formation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_formation_session")),
        sa.UniqueConstraint("formation_id", "position", name=op.f("uq_formation_session_formation_id_position")),
    )
    op.create_table(
        "invoice_template",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("company_name", sa.String(length=200), nullable=False),
        sa.Column("legal_form", sa.String(length=100), nullable=False),
        sa.Column("capital", sa.String(length=60), server_default=sa.text("('')"), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("postcode", sa.String(length=16), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("country", sa.String(length=2), server_default="FR", nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("siret", sa.String(length=14), nullable=False),
        sa.Column("rcs", sa.String(length=100), server_default=sa.text("('')"), nullable=False),
        sa.Column("vat_number", sa.String(length=20), server_default=sa.text("('')"), nullable=False),
        sa.Column("training_number", sa.String(length=40), server_default=sa.text("('')"), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("phone", sa.String(length=32), server_default=sa.text("('')"), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=False),
        sa.Column("bank_name", sa.String(length=100), server_default=sa.text("('')"), nullable=False),
        sa.Column("footer", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", BIG_KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["users.id"],
            name=op.f("fk_invoice_template_created_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_template")),
        sa.UniqueConstraint("version", name=op.f("uq_invoice_template_version")),
    )
    with op.batch_alter_table("invoice_template", schema=None) as batch_op:
        batch_op.create_index(
            "uq_invoice_template_active",
            ["is_active"],
            unique=True,
            sqlite_where=sa.text("is_active = 1"),
            postgresql_where=sa.text("is_active"),
        )

    op.create_table(
        "offer",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "formation",
                "signals",
                "service",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("summary", sa.String(length=300), server_default=sa.text("('')"), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("formation_id", BIG_KEY, nullable=True),
        sa.Column("duration_days", sa.Integer(), nullable=True),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="EUR", nullable=False),
        sa.Column(
            "vat_regime",
            sa.Enum(
                "standard",
                "franchise",
                "training_exempt",
                "reverse_charge",
                "outside_eu",
                name="vat_regime",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("vat_rate_bp", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("places", sa.Integer(), nullable=True),
        sa.Column("instalments", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("deposit_bp", sa.Integer(), nullable=True),
        sa.Column("balance_days", sa.Integer(), server_default=sa.text("30"), nullable=False),
        sa.Column("max_quantity", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                "archived",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'formation') = (formation_id IS NOT NULL)",
            name=op.f("ck_offer_formation_offer_has_formation"),
        ),
        sa.CheckConstraint("instalments BETWEEN 1 AND 12", name=op.f("ck_offer_instalments_range")),
        sa.CheckConstraint("instalments = 1 OR kind <> 'signals'", name=op.f("ck_offer_signals_paid_at_once")),
        sa.CheckConstraint("deposit_bp IS NULL OR deposit_bp BETWEEN 1 AND 9999", name=op.f("ck_offer_deposit_range")),
        sa.CheckConstraint(
            "deposit_bp IS NULL OR (instalments = 1 AND kind <> 'signals')", name=op.f("ck_offer_deposit_alone")
        ),
        sa.CheckConstraint("balance_days BETWEEN 1 AND 365", name=op.f("ck_offer_balance_days_range")),
        sa.CheckConstraint("max_quantity BETWEEN 1 AND 100", name=op.f("ck_offer_max_quantity_range")),
        sa.CheckConstraint("max_quantity = 1 OR kind <> 'formation'", name=op.f("ck_offer_formation_for_one")),
        sa.CheckConstraint(
            "valid_from IS NULL OR valid_until IS NULL OR valid_from <= valid_until",
            name=op.f("ck_offer_window_in_order"),
        ),
        sa.CheckConstraint("kind <> 'signals' OR duration_days > 0", name=op.f("ck_offer_signals_offer_has_duration")),
        sa.CheckConstraint("places IS NULL OR places >= 0", name=op.f("ck_offer_places_not_negative")),
        sa.CheckConstraint("price_cents > 0", name=op.f("ck_offer_price_positive")),
        sa.CheckConstraint("vat_rate_bp >= 0 AND vat_rate_bp <= 10000", name=op.f("ck_offer_vat_rate_range")),
        sa.ForeignKeyConstraint(
            ["formation_id"],
            ["formation.id"],
            name=op.f("fk_offer_formation_id_formation"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("slug", name=op.f("uq_offer_slug")),
    )
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.create_index("ix_offer_shelf", ["status", "kind", "position"], unique=False)

    op.create_table(
        "email_change",
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("reference", sa.String(length=32), nullable=False),
        sa.Column("new_email", sa.String(length=320), nullable=False),
        sa.Column("new_email_key", sa.String(length=320), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_email_change_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_email_change")),
        sa.UniqueConstraint("reference", name=op.f("uq_email_change_reference")),
    )

    op.create_table(
        "one_time_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "verify_email",
                "reset_password",
                "change_email",
                "release_email",
                "link_telegram",
                "lost_factor",
                "keep_factor",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("target", sa.String(length=320), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_one_time_token_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_token")),
    )
    with op.batch_alter_table("one_time_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "idempotency_key",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", JSON, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_key_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint(
            "user_id", "method", "path", "key_hash", name=op.f("uq_idempotency_key_user_id_method_path_key_hash")
        ),
    )
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_key_created_at"), ["created_at"], unique=False)

    op.create_table(
        "api_token",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("public_id", sa.String(length=12), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(secret_hash) = 64", name=op.f("ck_api_token_secret_is_hashed")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_token_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_token_public_id")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "push_subscription",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("endpoint", sa.String(length=700), nullable=False),
        sa.Column("p256dh", sa.String(length=120), nullable=False),
        sa.Column("auth", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_push_subscription_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscription")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_push_subscription_endpoint")),
    )
    with op.batch_alter_table("push_subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_push_subscription_user_id"), ["user_id"], unique=False)

    op.create_table(
        "passkey",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("sign_count >= 0", name=op.f("ck_passkey_count_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_passkey_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkey_user_id"), ["user_id"], unique=False)

    op.create_table(
        "recovery_code",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_code_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_code")),
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_code_user_id"), ["user_id"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=True),
        sa.Column("formation_id", BIG_KEY, nullable=True),
        sa.Column("author_name", sa.String(length=100), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_review_rating_range")),
        sa.ForeignKeyConstraint(
            ["formation_id"],
            ["formation.id"],
            name=op.f("fk_review_formation_id_formation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_review_user_id_users"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_formation_id"), ["formation_id"], unique=False)

    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", BIG_KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["users.id"], name=op.f("fk_setting_updated_by_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "signal",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("instrument", sa.String(length=32), nullable=False),
        sa.Column(
            "direction",
            sa.Enum("buy", "sell", name="direction", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "order_kind",
            sa.Enum(
                "market",
                "limit",
                "stop",
                name="order_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("stop", sa.BigInteger(), nullable=False),
        sa.Column("targets", JSON, nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=False),
        sa.Column("horizon", sa.String(length=60), nullable=False),
        sa.Column("conflict_notice", sa.String(length=300), nullable=False),
        sa.Column("author_id", BIG_KEY, nullable=False),
        sa.Column("author_title", sa.String(length=100), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "active",
                "partly_closed",
                "closed",
                "cancelled",
                "expired",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("produced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_price", sa.BigInteger(), nullable=True),
        sa.Column("result_pips", sa.BigInteger(), nullable=True),
        sa.Column("result_r", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(direction = 'buy' AND stop < entry) OR (direction = 'sell' AND stop > entry)",
            name=op.f("ck_signal_stop_side"),
        ),
        sa.CheckConstraint("entry > 0 AND stop > 0", name=op.f("ck_signal_prices_positive")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_signal_author_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
    )
    with op.batch_alter_table("signal", schema=None) as batch_op:
        batch_op.create_index("ix_signal_published", ["published_at"], unique=False)
        batch_op.create_index("ix_signal_status", ["status", "published_at"], unique=False)

    op.create_table(
        "totp_secret",
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("secret_encrypted", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_totp_secret_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_totp_secret")),
    )
    op.create_table(
        "reference_rate",
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("per_euro", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("per_euro > 0", name=op.f("ck_reference_rate_per_euro_positive")),
        sa.PrimaryKeyConstraint("currency", "day", name=op.f("pk_reference_rate")),
    )
    op.create_table(
        "trading_account",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "platform",
            sa.Enum("mt4", "mt5", name="platform", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("login", sa.String(length=32), nullable=True),
        sa.Column("server", sa.String(length=100), nullable=True),
        sa.Column("broker", sa.String(length=100), nullable=True),
        sa.Column("leverage", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=True),
        sa.Column("is_school", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=True),
        sa.Column("opening_balance", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("equity", sa.BigInteger(), nullable=True),
        sa.Column("margin", sa.BigInteger(), nullable=True),
        sa.Column("free_margin", sa.BigInteger(), nullable=True),
        sa.Column("ea_version", sa.String(length=16), nullable=True),
        sa.Column("utc_offset_seconds", sa.Integer(), nullable=True),
        sa.Column("broker_clock", sa.String(length=40), nullable=True),
        sa.Column("clock_evidence", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("conversions", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refusals", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("history_oldest", sa.BigInteger(), nullable=True),
        sa.Column("other_login", sa.String(length=32), nullable=True),
        sa.Column("other_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_batches", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused_batch_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("history_total", sa.Integer(), nullable=True),
        sa.Column("history_complete", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cursor_time", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cursor_ticket", sa.String(length=32), server_default=sa.text("('')"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("batch_clock_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dirty_from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dirty_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hourly_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("daily_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("history_stamp", sa.String(length=16), server_default=sa.text("('')"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_trading_account_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trading_account")),
    )
    with op.batch_alter_table("trading_account", schema=None) as batch_op:
        batch_op.create_index("ix_trading_account_user", ["user_id", "archived_at"], unique=False)

    op.create_table(
        "user_notification",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("url", sa.String(length=300), server_default=sa.text("('')"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_notification_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_notification")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_user_notification_user_id_key")),
    )
    with op.batch_alter_table("user_notification", schema=None) as batch_op:
        batch_op.create_index("ix_user_notification_list", ["user_id", "created_at"], unique=False)
        batch_op.create_index("ix_user_notification_unread", ["user_id", "read_at"], unique=False)

    op.create_table(
        "user_session",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("visitor_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("bounced", sa.Boolean(), nullable=False),
        sa.Column("entry_path", sa.String(length=200), nullable=False),
        sa.Column("exit_path", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("campaign", sa.String(length=100), server_default=sa.text("('')"), nullable=False),
        sa.Column("country", sa.String(length=2), server_default=sa.text("('')"), nullable=False),
        sa.Column("region", sa.String(length=4), server_default=sa.text("('')"), nullable=False),
        sa.Column("city", sa.String(length=100), server_default=sa.text("('')"), nullable=False),
        sa.Column("device", sa.String(length=12), nullable=False),
        sa.Column("browser", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=40), nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_session_user_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
    )
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.create_index("ix_user_session_day", ["day", "channel"], unique=False)
        batch_op.create_index(
            "ix_user_session_person",
            ["user_id", "day"],
            unique=False,
            sqlite_where=sa.text("user_id IS NOT NULL"),
            postgresql_where=sa.text("user_id IS NOT NULL"),
        )
        batch_op.create_index("ix_user_session_visitor", ["visitor_hash", "last_at"], unique=False)

    op.create_table(
        "user_setting",
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_setting_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_user_setting")),
    )
    op.create_table(
        "widget_layout",
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("widgets", JSON, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_widget_layout_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_widget_layout")),
    )
    op.create_table(
        "account_snapshot",
        sa.Column("account_id", BIG_KEY, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("equity", sa.BigInteger(), nullable=False),
        sa.Column("margin", sa.BigInteger(), nullable=True),
        sa.Column("floating", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["trading_account.id"],
            name=op.f("fk_account_snapshot_account_id_trading_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "taken_at", name=op.f("pk_account_snapshot")),
    )
    op.create_table(
        "admin_formation_session",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("formation_id", BIG_KEY, nullable=False),
        sa.Column("schedule_id", BIG_KEY, nullable=True),
        sa.Column("unit_id", BIG_KEY, nullable=True),
        sa.Column("recurrence_id", sa.String(length=19), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_zone", sa.String(length=64), server_default="Europe/Paris", nullable=False),
        sa.Column(
            "meeting_provider",
            sa.Enum(
                "zoom",
                "google_meet",
                "teams",
                name="meeting_provider",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("meeting_url", sa.String(length=500), nullable=False),
        sa.Column("trainer_name", sa.String(length=100), nullable=False),
        sa.Column("replay_url", sa.String(length=500), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "scheduled",
                "cancelled",
                "finished",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("cancel_reason", sa.String(length=300), nullable=True),
        sa.Column("overridden", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_admin_formation_session_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["formation_id"],
            ["formation.id"],
            name=op.f("fk_admin_formation_session_formation_id_formation"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["formation_schedule.id"],
            name=op.f("fk_admin_formation_session_schedule_id_formation_schedule"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["formation_session.id"],
            name=op.f("fk_admin_formation_session_unit_id_formation_session"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_formation_session")),
        sa.UniqueConstraint(
            "schedule_id", "recurrence_id", name=op.f("uq_admin_formation_session_schedule_id_recurrence_id")
        ),
    )
    with op.batch_alter_table("admin_formation_session", schema=None) as batch_op:
        batch_op.create_index("ix_admin_formation_session_calendar", ["status", "start_at"], unique=False)
        batch_op.create_index("ix_admin_formation_session_formation", ["formation_id", "start_at"], unique=False)

    op.create_table(
        "chat_message",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("room_id", BIG_KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column(
            "sender_kind",
            sa.Enum(
                "visitor",
                "user",
                "agent",
                "system",
                name="sender_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sender_key", sa.String(length=80), nullable=False),
        sa.Column("sender_id", BIG_KEY, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["room_id"], ["chat_room.id"], name=op.f("fk_chat_message_room_id_chat_room"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sender_id"], ["users.id"], name=op.f("fk_chat_message_sender_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_message")),
        sa.UniqueConstraint(
            "room_id", "sender_key", "client_id", name=op.f("uq_chat_message_room_id_sender_key_client_id")
        ),
        sa.UniqueConstraint("room_id", "seq", name=op.f("uq_chat_message_room_id_seq")),
    )
    op.create_table(
        "chat_note",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("room_id", BIG_KEY, nullable=False),
        sa.Column("author_id", BIG_KEY, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_chat_note_author_id_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["chat_room.id"], name=op.f("fk_chat_note_room_id_chat_room"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_note")),
    )
    with op.batch_alter_table("chat_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_note_room_id"), ["room_id"], unique=False)

    op.create_table(
        "chat_read",
        sa.Column("room_id", BIG_KEY, nullable=False),
        sa.Column("reader", sa.String(length=16), nullable=False),
        sa.Column("read_seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["chat_room.id"], name=op.f("fk_chat_read_room_id_chat_room"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", "reader", name=op.f("pk_chat_read")),
    )
    op.create_table(
        "page_view",
        sa.Column("stream_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stream_seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("view_id", sa.String(length=22), nullable=False),
        sa.Column("visit_id", BIG_KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("engaged_seconds", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["visit_id"],
            ["user_session.id"],
            name=op.f("fk_page_view_visit_id_user_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("stream_ms", "stream_seq", name=op.f("pk_page_view")),
    )
    with op.batch_alter_table("page_view", schema=None) as batch_op:
        batch_op.create_index("ix_page_view_at", ["at"], unique=False)
        batch_op.create_index("ix_page_view_day", ["day", "path"], unique=False)
        batch_op.create_index(batch_op.f("ix_page_view_view_id"), ["view_id"], unique=False)
        batch_op.create_index("ix_page_view_visit", ["visit_id"], unique=False)

    op.create_table(
        "discount_code",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("percent_bp", sa.Integer(), nullable=True),
        sa.Column("amount_cents", sa.Integer(), nullable=True),
        sa.Column("offer_id", BIG_KEY, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("max_per_person", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", BIG_KEY, nullable=True),
        sa.CheckConstraint(
            "(percent_bp IS NULL) <> (amount_cents IS NULL)", name=op.f("ck_discount_code_percent_or_amount")
        ),
        sa.CheckConstraint("amount_cents IS NULL OR amount_cents > 0", name=op.f("ck_discount_code_amount_positive")),
        sa.CheckConstraint(
            "max_per_person IS NULL OR max_per_person > 0", name=op.f("ck_discount_code_max_per_person_positive")
        ),
        sa.CheckConstraint("max_uses IS NULL OR max_uses > 0", name=op.f("ck_discount_code_max_uses_positive")),
        sa.CheckConstraint(
            "percent_bp IS NULL OR percent_bp BETWEEN 1 AND 9999", name=op.f("ck_discount_code_percent_range")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_discount_code_created_by_id_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offer.id"], name=op.f("fk_discount_code_offer_id_offer"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discount_code")),
        sa.UniqueConstraint("code", name=op.f("uq_discount_code_code")),
    )
    op.create_table(
        "mention_wording",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "franchise",
                "training_exempt",
                "reverse_charge",
                "outside_eu",
                "debits",
                "early_payment",
                "late_payment",
                "recovery",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("wording", sa.String(length=300), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("accepted_until", sa.Date(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", BIG_KEY, nullable=True),
        sa.CheckConstraint(
            "accepted_until IS NULL OR accepted_until >= valid_from",
            name=op.f("ck_mention_wording_accepted_after_start"),
        ),
        sa.CheckConstraint("wording <> '' OR kind = 'debits'", name=op.f("ck_mention_wording_wording_given")),
        sa.ForeignKeyConstraint(
            ["by_id"], ["users.id"], name=op.f("fk_mention_wording_by_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mention_wording")),
    )
    with op.batch_alter_table("mention_wording", schema=None) as batch_op:
        batch_op.create_index("ix_mention_wording_kind", ["kind", "valid_from"], unique=False)

    op.create_table(
        "offer_version",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("offer_id", BIG_KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", BIG_KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"], ["users.id"], name=op.f("fk_offer_version_by_id_users"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offer.id"], name=op.f("fk_offer_version_offer_id_offer"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_version")),
        sa.UniqueConstraint("offer_id", "version", name=op.f("uq_offer_version_offer_id_version")),
    )
    op.create_table(
        "bank_format",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("bank", sa.String(length=80), nullable=False),
        sa.Column("signature", sa.String(length=500), nullable=False),
        sa.Column("account", sa.String(length=34), server_default=sa.text("''"), nullable=False),
        sa.Column("columns", JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", BIG_KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["users.id"], name=op.f("fk_bank_format_updated_by_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_format")),
        sa.UniqueConstraint("bank", name=op.f("uq_bank_format_bank")),
    )
    with op.batch_alter_table("bank_format", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_format_signature"), ["signature"], unique=False)

    op.create_table(
        "bank_statement",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=160), nullable=False),
        sa.Column("file_key", sa.String(length=120), nullable=False),
        sa.Column(
            "format",
            sa.Enum("camt", "ofx", "csv", "mt940", name="format", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("account", sa.String(length=34), server_default=sa.text("''"), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by_id", BIG_KEY, nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new_lines", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("known_lines", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["given_by_id"], ["users.id"], name=op.f("fk_bank_statement_given_by_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("file_key", name=op.f("uq_bank_statement_file_key")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_statement_sha256")),
    )
    # ### end Alembic commands ###

    op.create_table(
        "payment",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("reference", sa.String(length=35), nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("offer_id", BIG_KEY, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "declared",
                "transaction_submitted",
                "validated",
                "rejected",
                "refunded",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="EUR", nullable=False),
        sa.Column(
            "vat_regime",
            sa.Enum(
                "standard",
                "franchise",
                "training_exempt",
                "reverse_charge",
                "outside_eu",
                name="vat_regime",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
        sa.Column("duration_days", sa.Integer(), nullable=True),
        sa.Column("list_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("offer_version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("discount_id", BIG_KEY, nullable=True),
        sa.Column("discount_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("instalment", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("instalments", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("quantity", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("deposit_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("balance_days", sa.Integer(), server_default=sa.text("30"), nullable=False),
        sa.Column("first_id", BIG_KEY, nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("terms_version", sa.String(length=64), server_default=sa.text("('')"), nullable=False),
        sa.Column("terms_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("early_start_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("withdrawal_version", sa.String(length=64), server_default=sa.text("('')"), nullable=False),
        sa.Column("withdrawal_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("transaction_id", sa.String(length=80), nullable=True),
        sa.Column("transaction_key", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("validated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("validated_by_id", BIG_KEY, nullable=True),
        sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rejection_reason", sa.String(length=500), server_default=sa.text("('')"), nullable=False),
        sa.Column("answer", sa.String(length=500), server_default=sa.text("('')"), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status <> 'rejected' OR rejection_reason <> ''", name=op.f("ck_payment_rejected_has_reason")
        ),
        sa.CheckConstraint(
            "status NOT IN ('validated', 'refunded') OR (transaction_key IS NOT NULL AND validated_at IS NOT NULL)",
            name=op.f("ck_payment_validated_has_transaction"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payment_amount_positive")),
        sa.CheckConstraint("discount_cents >= 0", name=op.f("ck_payment_discount_not_negative")),
        sa.CheckConstraint("instalment BETWEEN 1 AND instalments", name=op.f("ck_payment_instalment_range")),
        sa.CheckConstraint("(instalment = 1) = (first_id IS NULL)", name=op.f("ck_payment_later_instalment_has_first")),
        sa.CheckConstraint("quantity BETWEEN 1 AND 100", name=op.f("ck_payment_quantity_range")),
        sa.CheckConstraint(
            "deposit_cents = 0 OR (deposit_cents > 0 AND instalments = 2)", name=op.f("ck_payment_deposit_has_balance")
        ),
        sa.ForeignKeyConstraint(
            ["discount_id"],
            ["discount_code.id"],
            name=op.f("fk_payment_discount_id_discount_code"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["first_id"], ["payment.id"], name=op.f("fk_payment_first_id_payment"), ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("first_id", "instalment", name=op.f("uq_payment_first_id_instalment")),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offer.id"], name=op.f("fk_payment_offer_id_offer"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_payment_user_id_users"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["validated_by_id"],
            ["users.id"],
            name=op.f("fk_payment_validated_by_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("reference", name=op.f("uq_payment_reference")),
        sa.UniqueConstraint("transaction_key", name=op.f("uq_payment_transaction_key")),
    )
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_discount_id"), ["discount_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_offer_id"), ["offer_id"], unique=False)
        batch_op.create_index("ix_payment_queue", ["status", "submitted_at"], unique=False)
        batch_op.create_index("ix_payment_user", ["user_id", "created_at"], unique=False)
        batch_op.create_index("ix_payment_validated", ["validated_at"], unique=False)
        batch_op.create_index(
            "uq_payment_open_checkout",
            ["user_id", "offer_id", "instalment"],
            unique=True,
            sqlite_where=sa.text("status = 'declared'"),
            postgresql_where=sa.text("status = 'declared'"),
        )

    op.create_table(
        "refresh_token",
        sa.Column("jti", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("parent_jti", sa.String(length=36), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_by", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["auth_session.id"],
            name=op.f("fk_refresh_token_session_id_auth_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_refresh_token")),
    )
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refresh_token_session_id"), ["session_id"], unique=False)

    op.create_table(
        "signal_event",
        sa.Column("seq", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("signal_id", BIG_KEY, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "published",
                "triggered",
                "stop_moved",
                "partly_closed",
                "closed",
                "cancelled",
                "expired",
                "commented",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["signal.id"], name=op.f("fk_signal_event_signal_id_signal"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_signal_event")),
        sa.UniqueConstraint("hash", name=op.f("uq_signal_event_hash")),
    )
    with op.batch_alter_table("signal_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signal_event_signal_id"), ["signal_id"], unique=False)

    op.create_table(
        "statement_import",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("account_id", BIG_KEY, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "read",
                "refused",
                "confirmed",
                "imported",
                "undone",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("file_key", sa.String(length=120), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), server_default=sa.text("('')"), nullable=False),
        sa.Column("report", JSON, nullable=False),
        sa.Column("broker_clock", sa.String(length=40), server_default=sa.text("('')"), nullable=False),
        sa.Column("bound_login", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("trades_added", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("trades_known", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["trading_account.id"],
            name=op.f("fk_statement_import_account_id_trading_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_import")),
    )
    with op.batch_alter_table("statement_import", schema=None) as batch_op:
        batch_op.create_index("ix_statement_import_account", ["account_id", "id"], unique=False)

    op.create_table(
        "account_symbol",
        sa.Column("account_id", BIG_KEY, nullable=False),
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("point", sa.BigInteger(), nullable=False),
        sa.Column("tick_size", sa.BigInteger(), nullable=True),
        sa.Column("contract_size", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("contract_size > 0", name=op.f("ck_account_symbol_contract_size_positive")),
        sa.CheckConstraint("digits BETWEEN 0 AND 10", name=op.f("ck_account_symbol_digits_few")),
        sa.CheckConstraint("point > 0", name=op.f("ck_account_symbol_point_positive")),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["trading_account.id"],
            name=op.f("fk_account_symbol_account_id_trading_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "symbol", name=op.f("pk_account_symbol")),
    )
    op.create_table(
        "pip_rule",
        sa.Column("pattern", sa.String(length=32), nullable=False),
        sa.Column("pip", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("pip > 0", name=op.f("ck_pip_rule_pip_positive")),
        sa.PrimaryKeyConstraint("pattern", name=op.f("pk_pip_rule")),
    )
    op.create_table(
        "sync_batch",
        sa.Column("account_id", BIG_KEY, nullable=False),
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["trading_account.id"],
            name=op.f("fk_sync_batch_account_id_trading_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "batch_id", name=op.f("pk_sync_batch")),
    )
    with op.batch_alter_table("sync_batch", schema=None) as batch_op:
        batch_op.create_index("ix_sync_batch_received", ["received_at"], unique=False)

    op.create_table(
        "trade",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("account_id", BIG_KEY, nullable=False),
        sa.Column("ticket", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "buy",
                "sell",
                "buy_limit",
                "sell_limit",
                "buy_stop",
                "sell_stop",
                "balance",
                "credit",
                "charge",
                "correction",
                "bonus",
                "commission",
                "agent_commission",
                "interest",
                "dividend",
                "tax",
                "cash_unknown",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "closed",
                "pending",
                "cancelled",
                "cash",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("symbol", sa.String(length=32), server_default=sa.text("('')"), nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.Column("open_price", sa.BigInteger(), nullable=True),
        sa.Column("close_price", sa.BigInteger(), nullable=True),
        sa.Column("current_price", sa.BigInteger(), nullable=True),
        sa.Column("stop_loss", sa.BigInteger(), nullable=True),
        sa.Column("take_profit", sa.BigInteger(), nullable=True),
        sa.Column("initial_stop", sa.BigInteger(), nullable=True),
        sa.Column("profit", sa.BigInteger(), nullable=False),
        sa.Column("swap", sa.BigInteger(), nullable=False),
        sa.Column("commission", sa.BigInteger(), nullable=False),
        sa.Column("taxes", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=True),
        sa.Column("open_time_server", sa.BigInteger(), nullable=True),
        sa.Column("close_time_server", sa.BigInteger(), nullable=True),
        sa.Column("utc_offset_seconds", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.String(length=200), server_default=sa.text("('')"), nullable=False),
        sa.Column("magic", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "ea",
                "ea_legacy",
                "import",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("suspect", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("import_id", BIG_KEY, nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "cash_kind",
            sa.Enum(
                "deposit",
                "withdrawal",
                "transfer",
                "bonus",
                "referral",
                "fee",
                "correction",
                "interest",
                "dividend",
                "credit",
                name="cash_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("is_part", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("held_seconds", sa.BigInteger(), sa.Computed(HELD, persisted=True), nullable=True),
        sa.Column("r_multiple", sa.BigInteger(), sa.Computed(R_MULTIPLE, persisted=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["trading_account.id"],
            name=op.f("fk_trade_account_id_trading_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["statement_import.id"],
            name=op.f("fk_trade_import_id_statement_import"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade")),
        sa.UniqueConstraint("account_id", "ticket", name=op.f("uq_trade_account_id_ticket")),
    )
    with op.batch_alter_table("trade", schema=None) as batch_op:
        batch_op.create_index("ix_trade_closed", ["account_id", "closed_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trade_import_id"), ["import_id"], unique=False)
        batch_op.create_index("ix_trade_held", ["account_id", "held_seconds", "id"], unique=False)
        batch_op.create_index("ix_trade_kind", ["account_id", "kind", "id"], unique=False)
        batch_op.create_index("ix_trade_net", ["account_id", "net", "id"], unique=False)
        batch_op.create_index("ix_trade_opened", ["account_id", "opened_at", "id"], unique=False)
        batch_op.create_index(
            "ix_trade_part",
            ["account_id", "opened_at"],
            unique=False,
            sqlite_where=sa.text("is_part = 1"),
            postgresql_where=sa.text("is_part"),
        )
        batch_op.create_index("ix_trade_profit", ["account_id", "profit", "id"], unique=False)
        batch_op.create_index("ix_trade_status", ["account_id", "status", "closed_at", "suspect", "net"], unique=False)
        batch_op.create_index("ix_trade_symbol", ["account_id", "symbol", "closed_at"], unique=False)
        batch_op.create_index("ix_trade_volume", ["account_id", "volume", "id"], unique=False)

    op.create_table(
        "trading_key",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("account_id", BIG_KEY, nullable=False),
        sa.Column("public_id", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["trading_account.id"],
            name=op.f("fk_trading_key_account_id_trading_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trading_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_trading_key_public_id")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_trading_key_secret_hash")),
    )
    with op.batch_alter_table("trading_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trading_key_account_id"), ["account_id"], unique=False)

    op.create_table(
        "trading_chain",
        sa.Column("account_id", BIG_KEY, nullable=False),
        sa.Column("ticket", sa.String(length=32), nullable=False),
        sa.Column("tickets", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "buy",
                "sell",
                "buy_limit",
                "sell_limit",
                "buy_stop",
                "sell_stop",
                "balance",
                "credit",
                "charge",
                "correction",
                "bonus",
                "commission",
                "agent_commission",
                "interest",
                "dividend",
                "tax",
                "cash_unknown",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.BigInteger(), nullable=True),
        sa.Column("r_multiple", sa.BigInteger(), nullable=True),
        sa.Column("stop_seen_late", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_seconds", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("held_seconds >= 0", name=op.f("ck_trading_chain_held_forward")),
        sa.CheckConstraint("parts > 1", name=op.f("ck_trading_chain_parts_several")),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["trading_account.id"],
            name=op.f("fk_trading_chain_account_id_trading_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "ticket", name=op.f("pk_trading_chain")),
    )
    with op.batch_alter_table("trading_chain", schema=None) as batch_op:
        batch_op.create_index("ix_trading_chain_closed", ["account_id", "closed_at"], unique=False)
        batch_op.create_index("ix_trading_chain_opened", ["account_id", "opened_at"], unique=False)

    op.create_table(
        "trading_statistics",
        sa.Column("account_id", BIG_KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("exits", sa.Integer(), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("wins", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("breakeven", sa.Integer(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("booked", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("gross_profit", sa.BigInteger(), nullable=False),
        sa.Column("gross_loss", sa.BigInteger(), nullable=False),
        sa.Column("swap", sa.BigInteger(), nullable=False),
        sa.Column("commission", sa.BigInteger(), nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.Column("best", sa.BigInteger(), nullable=True),
        sa.Column("worst", sa.BigInteger(), nullable=True),
        sa.Column("deposits", sa.BigInteger(), nullable=False),
        sa.Column("withdrawals", sa.BigInteger(), nullable=False),
        sa.Column("holding_seconds", sa.BigInteger(), nullable=False),
        sa.Column("balance_end", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["trading_account.id"],
            name=op.f("fk_trading_statistics_account_id_trading_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_trading_statistics")),
    )
    op.create_table(
        "admin_session_notification",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("session_id", BIG_KEY, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "reminder",
                "moved",
                "cancelled",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("offset_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["admin_formation_session.id"],
            name=op.f("fk_admin_session_notification_session_id_admin_formation_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_session_notification")),
        sa.UniqueConstraint(
            "session_id",
            "kind",
            "offset_minutes",
            "seq",
            name=op.f("uq_admin_session_notification_session_id_kind_offset_minutes_seq"),
        ),
    )
    op.create_table(
        "attendance_evidence",
        sa.Column("seq", BIG_KEY, autoincrement=False, nullable=False),
        sa.Column("session_id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "join_link",
                "check_in",
                "manual",
                "import",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["admin_formation_session.id"],
            name=op.f("fk_attendance_evidence_session_id_admin_formation_session"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_attendance_evidence_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_attendance_evidence")),
        sa.UniqueConstraint("hash", name=op.f("uq_attendance_evidence_hash")),
    )
    with op.batch_alter_table("attendance_evidence", schema=None) as batch_op:
        batch_op.create_index("ix_attendance_evidence_session_user", ["session_id", "user_id"], unique=False)

    op.create_table(
        "chat_attachment",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("room_id", BIG_KEY, nullable=False),
        sa.Column("message_id", BIG_KEY, nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("content_type", sa.String(length=80), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("file_key", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["chat_message.id"],
            name=op.f("fk_chat_attachment_message_id_chat_message"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["room_id"],
            ["chat_room.id"],
            name=op.f("fk_chat_attachment_room_id_chat_room"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_attachment")),
        sa.UniqueConstraint("file_key", name=op.f("uq_chat_attachment_file_key")),
    )
    with op.batch_alter_table("chat_attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_attachment_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_chat_attachment_room_id"), ["room_id"], unique=False)

    op.create_table(
        "invoice",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("invoice", "credit_note", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("payment_id", BIG_KEY, nullable=True),
        sa.Column("template_id", BIG_KEY, nullable=False),
        sa.Column("corrects_id", BIG_KEY, nullable=True),
        sa.Column("is_deposit", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("deducts_id", BIG_KEY, nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service_on", sa.Date(), nullable=True),
        sa.Column("buyer", JSON, nullable=False),
        sa.Column("mentions", JSON, nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="EUR", nullable=False),
        sa.Column("total_excl_cents", sa.Integer(), nullable=False),
        sa.Column("total_vat_cents", sa.Integer(), nullable=False),
        sa.Column("total_incl_cents", sa.Integer(), nullable=False),
        sa.Column("paid_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(
            "(kind = 'credit_note') = (corrects_id IS NOT NULL)", name=op.f("ck_invoice_credit_note_corrects")
        ),
        sa.CheckConstraint(
            "deducts_id IS NULL OR (kind = 'invoice' AND NOT is_deposit)", name=op.f("ck_invoice_final_deducts")
        ),
        sa.CheckConstraint(
            "total_excl_cents + total_vat_cents = total_incl_cents", name=op.f("ck_invoice_totals_agree")
        ),
        sa.ForeignKeyConstraint(
            ["deducts_id"], ["invoice.id"], name=op.f("fk_invoice_deducts_id_invoice"), ondelete="RESTRICT"
        ),
        sa.UniqueConstraint("deducts_id", name=op.f("uq_invoice_deducts_id")),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["invoice.id"], name=op.f("fk_invoice_corrects_id_invoice"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_invoice_payment_id_payment"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["invoice_template.id"],
            name=op.f("fk_invoice_template_id_invoice_template"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invoice_user_id_users"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("hash", name=op.f("uq_invoice_hash")),
        sa.UniqueConstraint("kind", "serial", name=op.f("uq_invoice_kind_serial")),
        sa.UniqueConstraint("number", name=op.f("uq_invoice_number")),
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invoice_corrects_id"), ["corrects_id"], unique=False)
        batch_op.create_index("ix_invoice_issued", ["issued_on"], unique=False)
        batch_op.create_index("ix_invoice_user", ["user_id", "issued_at"], unique=False)
        batch_op.create_index(
            "uq_invoice_payment",
            ["payment_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'invoice'"),
            postgresql_where=sa.text("kind = 'invoice'"),
        )

    op.create_table(
        "payment_event",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("payment_id", BIG_KEY, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "declared",
                "transaction_submitted",
                "validated",
                "rejected",
                "refunded",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", BIG_KEY, nullable=True),
        sa.Column("reason", sa.String(length=500), server_default=sa.text("('')"), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["users.id"], name=op.f("fk_payment_event_by_id_users"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
            name=op.f("fk_payment_event_payment_id_payment"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_event")),
    )
    with op.batch_alter_table("payment_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_event_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("offer_id", BIG_KEY, nullable=False),
        sa.Column("payment_id", BIG_KEY, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "ended",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_subscription_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offer.id"], name=op.f("fk_subscription_offer_id_offer"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
            name=op.f("fk_subscription_payment_id_payment"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_subscription_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_subscription_payment_id")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index("ix_subscription_end", ["status", "ends_at"], unique=False)
        batch_op.create_index("ix_subscription_user", ["user_id", "kind", "ends_at"], unique=False)

    op.create_table(
        "bank_line",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("statement_id", BIG_KEY, nullable=False),
        sa.Column("account", sa.String(length=34), server_default=sa.text("''"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), server_default="EUR", nullable=False),
        sa.Column("label", sa.String(length=500), server_default=sa.text("''"), nullable=False),
        sa.Column("debtor_name", sa.String(length=140), server_default=sa.text("''"), nullable=False),
        sa.Column("debtor_iban", sa.String(length=34), server_default=sa.text("''"), nullable=False),
        sa.Column("end_to_end_id", sa.String(length=80), server_default=sa.text("''"), nullable=False),
        sa.Column("bank_reference", sa.String(length=80), server_default=sa.text("''"), nullable=False),
        sa.Column("is_reversal", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "matched",
                "underpaid",
                "overpaid",
                "returned",
                "ignored",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", BIG_KEY, nullable=True),
        sa.CheckConstraint("amount_cents <> 0", name=op.f("ck_bank_line_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["settled_by_id"], ["users.id"], name=op.f("fk_bank_line_settled_by_id_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["bank_statement.id"],
            name=op.f("fk_bank_line_statement_id_bank_statement"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("account", "key", name=op.f("uq_bank_line_account_key")),
    )
    with op.batch_alter_table("bank_line", schema=None) as batch_op:
        batch_op.create_index("ix_bank_line_debtor", ["debtor_iban"], unique=False)
        batch_op.create_index("ix_bank_line_state", ["state", "booked_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_line_statement_id"), ["statement_id"], unique=False)

    op.create_table(
        "bank_allocation",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("line_id", BIG_KEY, nullable=False),
        sa.Column("payment_id", BIG_KEY, nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", BIG_KEY, nullable=True),
        sa.CheckConstraint("amount_cents <> 0", name=op.f("ck_bank_allocation_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["by_id"], ["users.id"], name=op.f("fk_bank_allocation_by_id_users"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["line_id"], ["bank_line.id"], name=op.f("fk_bank_allocation_line_id_bank_line"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_bank_allocation_payment_id_payment"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_allocation")),
        sa.UniqueConstraint("line_id", "payment_id", name=op.f("uq_bank_allocation_line_id_payment_id")),
    )
    with op.batch_alter_table("bank_allocation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_allocation_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "payment_reminder",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("payment_id", BIG_KEY, nullable=False),
        sa.Column("step_days", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_payment_reminder_payment_id_payment"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_reminder")),
        sa.UniqueConstraint("payment_id", "step_days", name=op.f("uq_payment_reminder_payment_id_step_days")),
    )
    op.create_table(
        "withdrawal",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("payment_id", BIG_KEY, nullable=True),
        sa.Column("user_id", BIG_KEY, nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "to_check",
                "declared",
                "refunded",
                "nothing_due",
                "refused",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refund_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("keep_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refund_due_on", sa.Date(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", BIG_KEY, nullable=True),
        sa.Column("refund_reference", sa.String(length=80), server_default=sa.text("''"), nullable=False),
        sa.Column("note", sa.String(length=500), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint(
            "state <> 'refunded' OR settled_at IS NOT NULL", name=op.f("ck_withdrawal_refund_has_instant")
        ),
        sa.CheckConstraint("state <> 'refused' OR note <> ''", name=op.f("ck_withdrawal_refusal_has_reason")),
        sa.CheckConstraint(
            "state = 'to_check' OR state = 'refused' OR payment_id IS NOT NULL", name=op.f("ck_withdrawal_has_payment")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_withdrawal_payment_id_payment"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["settled_by_id"], ["users.id"], name=op.f("fk_withdrawal_settled_by_id_users"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_withdrawal_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
    )
    with op.batch_alter_table("withdrawal", schema=None) as batch_op:
        batch_op.create_index("ix_withdrawal_state", ["state", "at"], unique=False)
        batch_op.create_index(
            "uq_withdrawal_payment",
            ["payment_id"],
            unique=True,
            sqlite_where=sa.text("payment_id IS NOT NULL AND state <> 'refused'"),
            postgresql_where=sa.text("payment_id IS NOT NULL AND state <> 'refused'"),
        )

    op.create_table(
        "channel_pass",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "wanted",
                "invited",
                "joined",
                "leaving",
                "gone",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("invite_link", sa.String(length=200), nullable=True),
        sa.Column("telegram_user_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_channel_pass_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_pass")),
        sa.UniqueConstraint("invite_link", name=op.f("uq_channel_pass_invite_link")),
    )
    with op.batch_alter_table("channel_pass", schema=None) as batch_op:
        batch_op.create_index("ix_channel_pass_state", ["state"], unique=False)
        batch_op.create_index(
            "uq_channel_pass_open",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'gone'"),
            postgresql_where=sa.text("state <> 'gone'"),
        )

    # ### end Alembic commands ###

    op.create_table(
        "trade_journal",
        sa.Column("trade_id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("mistakes", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("planned_entry", sa.BigInteger(), nullable=True),
        sa.Column("planned_stop", sa.BigInteger(), nullable=True),
        sa.Column("planned_target", sa.BigInteger(), nullable=True),
        sa.Column("plan_followed", sa.Boolean(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["trade_id"], ["trade.id"], name=op.f("fk_trade_journal_trade_id_trade"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_trade_journal_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trade_id", name=op.f("pk_trade_journal")),
    )
    with op.batch_alter_table("trade_journal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trade_journal_user_id"), ["user_id"], unique=False)

    op.create_table(
        "leaderboard_entry",
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("pseudonym", sa.String(length=24), nullable=False),
        sa.Column("look", sa.String(length=48), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.Column("days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("trades", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_leaderboard_entry_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_leaderboard_entry")),
        sa.UniqueConstraint("look", name=op.f("uq_leaderboard_entry_look")),
    )
    with op.batch_alter_table("leaderboard_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_leaderboard_entry_score"), ["score"], unique=False)

    op.create_table(
        "cohort_publication",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("cell", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("members", JSON, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cohort_publication")),
    )
    with op.batch_alter_table("cohort_publication", schema=None) as batch_op:
        batch_op.create_index("ix_cohort_publication_cell", ["cell", "period"], unique=False)

    op.create_table(
        "trade_screenshot",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("trade_id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("file_key", sa.String(length=120), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("caption", sa.String(length=200), server_default=sa.text("('')"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["trade_id"], ["trade.id"], name=op.f("fk_trade_screenshot_trade_id_trade"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_trade_screenshot_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_screenshot")),
        sa.UniqueConstraint("file_key", name=op.f("uq_trade_screenshot_file_key")),
    )
    with op.batch_alter_table("trade_screenshot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trade_screenshot_trade_id"), ["trade_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trade_screenshot_user_id"), ["user_id"], unique=False)

    op.create_table(
        "trade_revision",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("trade_id", BIG_KEY, nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("values", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["trade_id"], ["trade.id"], name=op.f("fk_trade_revision_trade_id_trade"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_revision")),
    )
    with op.batch_alter_table("trade_revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trade_revision_trade_id"), ["trade_id"], unique=False)

    op.create_table(
        "user_formation_enrollment",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("formation_id", BIG_KEY, nullable=False),
        sa.Column("payment_id", BIG_KEY, nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "completed",
                "suspended",
                "withdrawn",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["formation_id"],
            ["formation.id"],
            name=op.f("fk_user_formation_enrollment_formation_id_formation"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
            name=op.f("fk_user_formation_enrollment_payment_id_payment"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_user_formation_enrollment_user_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_formation_enrollment")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_user_formation_enrollment_payment_id")),
    )
    with op.batch_alter_table("user_formation_enrollment", schema=None) as batch_op:
        batch_op.create_index("ix_user_formation_enrollment_formation", ["formation_id", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_user_formation_enrollment_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "uq_user_formation_enrollment_live",
            ["user_id", "formation_id"],
            unique=True,
            sqlite_where=sa.text("status IN ('active', 'suspended')"),
            postgresql_where=sa.text("status IN ('active', 'suspended')"),
        )

    op.create_table(
        "admin_session_attendance",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("session_id", BIG_KEY, nullable=False),
        sa.Column("user_id", BIG_KEY, nullable=False),
        sa.Column("enrollment_id", BIG_KEY, nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "present",
                "late",
                "absent",
                "excused",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum(
                "join_link",
                "check_in",
                "manual",
                "import",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("first_joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=300), server_default=sa.text("('')"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", BIG_KEY, nullable=True),
        sa.CheckConstraint(
            "minutes IS NULL OR minutes >= 0", name=op.f("ck_admin_session_attendance_minutes_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["enrollment_id"],
            ["user_formation_enrollment.id"],
            name=op.f("fk_admin_session_attendance_enrollment_id_user_formation_enrollment"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"],
            ["users.id"],
            name=op.f("fk_admin_session_attendance_recorded_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["admin_formation_session.id"],
            name=op.f("fk_admin_session_attendance_session_id_admin_formation_session"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_admin_session_attendance_user_id_users"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_session_attendance")),
        sa.UniqueConstraint("session_id", "user_id", name=op.f("uq_admin_session_attendance_session_id_user_id")),
    )
    with op.batch_alter_table("admin_session_attendance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_admin_session_attendance_user_id"), ["user_id"], unique=False)

    op.create_table(
        "certificate",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("enrollment_id", BIG_KEY, nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrollment_id"],
            ["user_formation_enrollment.id"],
            name=op.f("fk_certificate_enrollment_id_user_formation_enrollment"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("code", name=op.f("uq_certificate_code")),
        sa.UniqueConstraint("enrollment_id", name=op.f("uq_certificate_enrollment_id")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "site",
                "email",
                "telegram",
                "discord",
                "whatsapp",
                "push",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "lane",
            sa.Enum(
                "mail",
                "push",
                "pdf",
                "import",
                "default",
                name="lane",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("user_id", BIG_KEY, nullable=True),
        sa.Column("address", sa.String(length=320), nullable=True),
        sa.Column("session_notification_id", BIG_KEY, nullable=True),
        sa.Column("params", JSON, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "claimed",
                "sending",
                "sent",
                "failed",
                "unknown",
                "skipped",
                "superseded",
                "expired",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.String(length=80), nullable=True),
        sa.Column("provider_id", sa.String(length=200), nullable=True),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("cause_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_delivery_attempts_not_negative")),
        sa.CheckConstraint("user_id IS NOT NULL OR address IS NOT NULL", name=op.f("ck_delivery_has_recipient")),
        sa.ForeignKeyConstraint(
            ["session_notification_id"],
            ["admin_session_notification.id"],
            name=op.f("fk_delivery_session_notification_id_admin_session_notification"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_delivery_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("key", name=op.f("uq_delivery_key")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_due",
            ["lane", "due_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "ix_delivery_lease",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state IN ('claimed', 'sending')"),
            postgresql_where=sa.text("state IN ('claimed', 'sending')"),
        )
        batch_op.create_index("ix_delivery_notice", ["session_notification_id"], unique=False)
        batch_op.create_index("ix_delivery_user", ["user_id", "created_at"], unique=False)

    op.create_table(
        "platform_flow",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("invoice", "sales", "receipts", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("invoice_id", BIG_KEY, nullable=True),
        sa.Column("month_on", sa.Date(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sent",
                "delivered",
                "approved",
                "collected",
                "refused",
                "rejected",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("flow_id", sa.String(length=120), nullable=True),
        sa.Column("sha256", sa.String(length=64), server_default=sa.text("('')"), nullable=False),
        sa.Column("reason", sa.String(length=500), server_default=sa.text("('')"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'invoice') = (invoice_id IS NOT NULL)", name=op.f("ck_platform_flow_invoice_named")
        ),
        sa.CheckConstraint("(kind = 'invoice') = (month_on IS NULL)", name=op.f("ck_platform_flow_month_named")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_platform_flow_invoice_id_invoice"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_flow")),
        sa.UniqueConstraint("flow_id", name=op.f("uq_platform_flow_flow_id")),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_platform_flow_invoice_id")),
        sa.UniqueConstraint("key", name=op.f("uq_platform_flow_key")),
    )
    with op.batch_alter_table("platform_flow", schema=None) as batch_op:
        batch_op.create_index("ix_platform_flow_state", ["state", "checked_at"], unique=False)

    op.create_table(
        "supplier_invoice",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("flow_id", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), server_default=sa.text("('')"), nullable=False),
        sa.Column("is_readable", sa.Boolean(), nullable=False),
        sa.Column("number", sa.String(length=60), server_default=sa.text("('')"), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("seller_name", sa.String(length=200), server_default=sa.text("('')"), nullable=False),
        sa.Column("seller_siren", sa.String(length=9), server_default=sa.text("('')"), nullable=False),
        sa.Column("total_cents", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), server_default=sa.text("('')"), nullable=False),
        sa.Column("file_key", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_invoice")),
        sa.UniqueConstraint("flow_id", name=op.f("uq_supplier_invoice_flow_id")),
    )
    with op.batch_alter_table("supplier_invoice", schema=None) as batch_op:
        batch_op.create_index("ix_supplier_invoice_received", ["received_at"], unique=False)

    op.create_table(
        "invoice_document",
        sa.Column("invoice_id", BIG_KEY, nullable=False),
        sa.Column("file_key", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("rendered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoice.id"],
            name=op.f("fk_invoice_document_invoice_id_invoice"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_invoice_document")),
        sa.UniqueConstraint("file_key", name=op.f("uq_invoice_document_file_key")),
    )
    op.create_table(
        "invoice_item",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("invoice_id", BIG_KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.String(length=300), server_default=sa.text("('')"), nullable=False),
        sa.Column("quantity", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("unit_excl_micros", sa.BigInteger(), nullable=False),
        sa.Column("discount_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "vat_regime",
            sa.Enum(
                "standard",
                "franchise",
                "training_exempt",
                "reverse_charge",
                "outside_eu",
                name="vat_regime",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=False),
        sa.Column("excl_cents", sa.Integer(), nullable=False),
        sa.Column("vat_cents", sa.Integer(), nullable=False),
        sa.Column("incl_cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("excl_cents + vat_cents = incl_cents", name=op.f("ck_invoice_item_amounts_agree")),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_invoice_item_quantity_not_null")),
        sa.CheckConstraint("unit_excl_micros >= 0", name=op.f("ck_invoice_item_unit_not_negative")),
        sa.CheckConstraint("discount_cents >= 0", name=op.f("ck_invoice_item_discount_not_negative")),
        sa.CheckConstraint(
            "quantity * unit_excl_micros - CAST(excl_cents + discount_cents AS BIGINT) * 10000 BETWEEN -5000 AND 4999",
            name=op.f("ck_invoice_item_line_agrees"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoice.id"],
            name=op.f("fk_invoice_item_invoice_id_invoice"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_item")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("uq_invoice_item_invoice_id_position")),
    )
    op.create_table(
        "delivery_attempt",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("delivery_id", BIG_KEY, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
            name=op.f("fk_delivery_attempt_delivery_id_delivery"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempt")),
    )
    with op.batch_alter_table("delivery_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_attempt_delivery_id"), ["delivery_id"], unique=False)

    append_only.protect(op.get_bind())


def downgrade() -> None:
    with op.batch_alter_table("delivery_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_attempt_delivery_id"))

    op.drop_table("delivery_attempt")
    with op.batch_alter_table("supplier_invoice", schema=None) as batch_op:
        batch_op.drop_index("ix_supplier_invoice_received")

    op.drop_table("supplier_invoice")
    with op.batch_alter_table("platform_flow", schema=None) as batch_op:
        batch_op.drop_index("ix_platform_flow_state")

    op.drop_table("platform_flow")
    op.drop_table("invoice_item")
    op.drop_table("invoice_document")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_user")
        batch_op.drop_index("ix_delivery_notice")
        batch_op.drop_index(
            "ix_delivery_lease",
            sqlite_where=sa.text("state IN ('claimed', 'sending')"),
            postgresql_where=sa.text("state IN ('claimed', 'sending')"),
        )
        batch_op.drop_index(
            "ix_delivery_due",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )

    op.drop_table("delivery")
    op.drop_table("certificate")
    with op.batch_alter_table("admin_session_attendance", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_admin_session_attendance_user_id"))

    op.drop_table("admin_session_attendance")
    with op.batch_alter_table("user_formation_enrollment", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_user_formation_enrollment_live",
            sqlite_where=sa.text("status IN ('active', 'suspended')"),
            postgresql_where=sa.text("status IN ('active', 'suspended')"),
        )
        batch_op.drop_index(batch_op.f("ix_user_formation_enrollment_user_id"))
        batch_op.drop_index("ix_user_formation_enrollment_formation")

    op.drop_table("user_formation_enrollment")
    with op.batch_alter_table("trade_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trade_revision_trade_id"))

    op.drop_table("trade_revision")
    with op.batch_alter_table("cohort_publication", schema=None) as batch_op:
        batch_op.drop_index("ix_cohort_publication_cell")

    op.drop_table("cohort_publication")
    with op.batch_alter_table("leaderboard_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leaderboard_entry_score"))

    op.drop_table("leaderboard_entry")
    with op.batch_alter_table("trade_screenshot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trade_screenshot_user_id"))
        batch_op.drop_index(batch_op.f("ix_trade_screenshot_trade_id"))

    op.drop_table("trade_screenshot")
    with op.batch_alter_table("trade_journal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trade_journal_user_id"))

    op.drop_table("trade_journal")
    with op.batch_alter_table("channel_pass", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_channel_pass_open", sqlite_where=sa.text("state <> 'gone'"), postgresql_where=sa.text("state <> 'gone'")
        )
        batch_op.drop_index("ix_channel_pass_state")

    op.drop_table("channel_pass")
    with op.batch_alter_table("withdrawal", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_withdrawal_payment",
            sqlite_where=sa.text("payment_id IS NOT NULL AND state <> 'refused'"),
            postgresql_where=sa.text("payment_id IS NOT NULL AND state <> 'refused'"),
        )
        batch_op.drop_index("ix_withdrawal_state")

    op.drop_table("withdrawal")
    op.drop_table("payment_reminder")
    with op.batch_alter_table("bank_allocation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_allocation_payment_id"))

    op.drop_table("bank_allocation")
    with op.batch_alter_table("bank_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_line_statement_id"))
        batch_op.drop_index("ix_bank_line_state")
        batch_op.drop_index("ix_bank_line_debtor")

    op.drop_table("bank_line")
    # ### end Alembic commands ###

    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index("ix_subscription_user")
        batch_op.drop_index("ix_subscription_end")

    op.drop_table("subscription")
    with op.batch_alter_table("payment_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_event_payment_id"))

    op.drop_table("payment_event")
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_invoice_payment",
            sqlite_where=sa.text("kind = 'invoice'"),
            postgresql_where=sa.text("kind = 'invoice'"),
        )
        batch_op.drop_index("ix_invoice_user")
        batch_op.drop_index("ix_invoice_issued")
        batch_op.drop_index(batch_op.f("ix_invoice_corrects_id"))

    op.drop_table("invoice")
    with op.batch_alter_table("chat_attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chat_attachment_room_id"))
        batch_op.drop_index(batch_op.f("ix_chat_attachment_message_id"))

    op.drop_table("chat_attachment")
    with op.batch_alter_table("attendance_evidence", schema=None) as batch_op:
        batch_op.drop_index("ix_attendance_evidence_session_user")

    op.drop_table("attendance_evidence")
    op.drop_table("admin_session_notification")
    op.drop_table("trading_statistics")
    with op.batch_alter_table("trading_chain", schema=None) as batch_op:
        batch_op.drop_index("ix_trading_chain_opened")
        batch_op.drop_index("ix_trading_chain_closed")

    op.drop_table("trading_chain")
    with op.batch_alter_table("trading_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trading_key_account_id"))

    op.drop_table("trading_key")
    with op.batch_alter_table("trade", schema=None) as batch_op:
        batch_op.drop_index("ix_trade_volume")
        batch_op.drop_index("ix_trade_symbol")
        batch_op.drop_index("ix_trade_status")
        batch_op.drop_index("ix_trade_profit")
        batch_op.drop_index("ix_trade_part", sqlite_where=sa.text("is_part = 1"), postgresql_where=sa.text("is_part"))
        batch_op.drop_index("ix_trade_opened")
        batch_op.drop_index("ix_trade_net")
        batch_op.drop_index("ix_trade_kind")
        batch_op.drop_index("ix_trade_held")
        batch_op.drop_index(batch_op.f("ix_trade_import_id"))
        batch_op.drop_index("ix_trade_closed")

    op.drop_table("trade")
    with op.batch_alter_table("sync_batch", schema=None) as batch_op:
        batch_op.drop_index("ix_sync_batch_received")

    op.drop_table("pip_rule")
    op.drop_table("account_symbol")
    op.drop_table("sync_batch")
    with op.batch_alter_table("statement_import", schema=None) as batch_op:
        batch_op.drop_index("ix_statement_import_account")

    op.drop_table("statement_import")
    with op.batch_alter_table("signal_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signal_event_signal_id"))

    op.drop_table("signal_event")
    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refresh_token_session_id"))

    op.drop_table("refresh_token")
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payment_open_checkout",
            sqlite_where=sa.text("status = 'declared'"),
            postgresql_where=sa.text("status = 'declared'"),
        )
        batch_op.drop_index("ix_payment_validated")
        batch_op.drop_index("ix_payment_user")
        batch_op.drop_index("ix_payment_queue")
        batch_op.drop_index(batch_op.f("ix_payment_offer_id"))
        batch_op.drop_index(batch_op.f("ix_payment_discount_id"))

    op.drop_table("payment")
    op.drop_table("bank_statement")
    with op.batch_alter_table("bank_format", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_format_signature"))

    op.drop_table("bank_format")
    op.drop_table("offer_version")
    with op.batch_alter_table("mention_wording", schema=None) as batch_op:
        batch_op.drop_index("ix_mention_wording_kind")

    op.drop_table("mention_wording")
    op.drop_table("discount_code")
    # ### end Alembic commands ###

    with op.batch_alter_table("page_view", schema=None) as batch_op:
        batch_op.drop_index("ix_page_view_visit")
        batch_op.drop_index(batch_op.f("ix_page_view_view_id"))
        batch_op.drop_index("ix_page_view_day")
        batch_op.drop_index("ix_page_view_at")

    op.drop_table("page_view")
    op.drop_table("chat_read")
    with op.batch_alter_table("chat_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chat_note_room_id"))

    op.drop_table("chat_note")
    op.drop_table("chat_message")
    with op.batch_alter_table("admin_formation_session", schema=None) as batch_op:
        batch_op.drop_index("ix_admin_formation_session_formation")
        batch_op.drop_index("ix_admin_formation_session_calendar")

    op.drop_table("admin_formation_session")
    op.drop_table("account_snapshot")
    op.drop_table("widget_layout")
    op.drop_table("user_setting")
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.drop_index("ix_user_session_visitor")
        batch_op.drop_index(
            "ix_user_session_person",
            sqlite_where=sa.text("user_id IS NOT NULL"),
            postgresql_where=sa.text("user_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_user_session_day")

    op.drop_table("user_session")
    with op.batch_alter_table("user_notification", schema=None) as batch_op:
        batch_op.drop_index("ix_user_notification_unread")
        batch_op.drop_index("ix_user_notification_list")

    op.drop_table("user_notification")
    with op.batch_alter_table("trading_account", schema=None) as batch_op:
        batch_op.drop_index("ix_trading_account_user")

    op.drop_table("trading_account")
    op.drop_table("reference_rate")
    op.drop_table("totp_secret")
    with op.batch_alter_table("signal", schema=None) as batch_op:
        batch_op.drop_index("ix_signal_status")
        batch_op.drop_index("ix_signal_published")

    op.drop_table("signal")
    op.drop_table("setting")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_review_formation_id"))

    op.drop_table("review")
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recovery_code_user_id"))

    op.drop_table("recovery_code")
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passkey_user_id"))

    op.drop_table("passkey")
    with op.batch_alter_table("push_subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_push_subscription_user_id"))

    op.drop_table("push_subscription")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_user_id"))

    op.drop_table("api_token")
    with op.batch_alter_table("idempotency_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_key_created_at"))

    op.drop_table("idempotency_key")
    with op.batch_alter_table("one_time_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_token_user_id"))

    op.drop_table("one_time_token")
    op.drop_table("email_change")
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.drop_index("ix_offer_shelf")

    op.drop_table("offer")
    with op.batch_alter_table("invoice_template", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_invoice_template_active",
            sqlite_where=sa.text("is_active = 1"),
            postgresql_where=sa.text("is_active"),
        )

    op.drop_table("invoice_template")
    op.drop_table("formation_session")
    with op.batch_alter_table("formation_schedule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_formation_schedule_formation_id"))

    op.drop_table("formation_schedule")
    op.drop_table("content_block")
    with op.batch_alter_table("data_export", schema=None) as batch_op:
        batch_op.drop_index("ix_data_export_user")
        batch_op.drop_index("ix_data_export_state")

    op.drop_table("data_export")
    with op.batch_alter_table("account_deletion", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_account_deletion_open",
            sqlite_where=sa.text("cancelled_at IS NULL AND erased_at IS NULL"),
            postgresql_where=sa.text("cancelled_at IS NULL AND erased_at IS NULL"),
        )
        batch_op.drop_index("ix_account_deletion_due")

    op.drop_table("account_deletion")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_user_purpose")

    op.drop_table("consent")
    with op.batch_alter_table("chat_room", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_chat_room_open_visitor",
            sqlite_where=sa.text("status = 'open' AND user_id IS NULL"),
            postgresql_where=sa.text("status = 'open' AND user_id IS NULL"),
        )
        batch_op.drop_index(
            "uq_chat_room_open_user",
            sqlite_where=sa.text("status = 'open' AND visitor_hash IS NULL"),
            postgresql_where=sa.text("status = 'open' AND visitor_hash IS NULL"),
        )
        batch_op.drop_index("ix_chat_room_user")
        batch_op.drop_index("ix_chat_room_inbox")

    op.drop_table("chat_room")
    with op.batch_alter_table("channel_identity", schema=None) as batch_op:
        batch_op.drop_index("ix_channel_identity_user")

    op.drop_table("channel_identity")
    with op.batch_alter_table("factor_removal", schema=None) as batch_op:
        batch_op.drop_index("uq_factor_removal_open")
        batch_op.drop_index(batch_op.f("ix_factor_removal_user_id"))

    op.drop_table("factor_removal")
    with op.batch_alter_table("channel_code", schema=None) as batch_op:
        batch_op.drop_index("ix_channel_code_user")
        batch_op.drop_index("ix_channel_code_address")

    op.drop_table("channel_code")
    op.drop_table("calendar_feed")
    with op.batch_alter_table("auth_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_auth_session_user_id"))

    op.drop_table("auth_session")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_object")
        batch_op.drop_index("ix_audit_entry_at")
        batch_op.drop_index("ix_audit_entry_actor")

    op.drop_table("audit_entry")
    op.drop_table("visitor_salt")
    op.drop_table("view_source")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index("ix_users_role_created")

    op.drop_table("users")
    with op.batch_alter_table("outbox_task", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_task_lease",
            sqlite_where=sa.text("state = 'claimed'"),
            postgresql_where=sa.text("state = 'claimed'"),
        )
        batch_op.drop_index(
            "ix_outbox_task_due",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )

    op.drop_table("outbox_task")
    with op.batch_alter_table("login_attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_login_attempt_network_at")
        batch_op.drop_index("ix_login_attempt_account_at")

    op.drop_table("login_attempt")
    op.drop_table("period_closing")
    op.drop_table("invoice_counter")
    op.drop_table("inbound_event")
    with op.batch_alter_table("heartbeat", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_heartbeat_kind"))

    op.drop_table("heartbeat")
    op.drop_table("formation")
    op.drop_table("chain_head")
    op.drop_table("canned_answer")
    op.drop_table("analytics_page")
    op.drop_table("analytics_month")
    with op.batch_alter_table("analytics_hour", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_analytics_hour_day"))

    op.drop_table("analytics_hour")
    op.drop_table("analytics_dirty_day")
    op.drop_table("analytics_dimension")
    op.drop_table("analytics_day")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS refuse_change()")
