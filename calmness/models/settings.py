"""What can be set: for the whole site, for one person, for one dashboard; and the texts of the public pages."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from calmness.extensions import Model
from calmness.models.types import BigKey, JsonType, UtcDateTime


class Setting(Model):
    """A setting of the whole site, such as the opening hours of the support."""

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[Any] = mapped_column(JsonType)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class UserSetting(Model):
    """A choice of one person that differs from the default, such as a feature switched off."""

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[Any] = mapped_column(JsonType)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WidgetLayout(Model):
    """A person's own dashboard: ordered list of ``{"widget", "size"}``. ``version`` refuses a stale save."""

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    widgets: Mapped[list[Any]] = mapped_column(JsonType)
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ContentBlock(Model):
    """A text of a public page, in Markdown, edited by the admin; every version is kept."""

    __table_args__ = (UniqueConstraint("key", "locale", "version"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    key: Mapped[str] = mapped_column(String(80))
    locale: Mapped[str] = mapped_column(String(8), default="fr", server_default="fr")
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
