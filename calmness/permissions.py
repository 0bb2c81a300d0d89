"""Who may do what: one table, read by routes, sockets and templates."""

from enum import StrEnum

from calmness.models.account import Role, User


class Permission(StrEnum):
    """A right that a route asks for. Ownership of personal data is in the queries, not here."""

    OWN_SPACE = "own_space"
    SEE_ADMIN = "see_admin"
    ANSWER_SUPPORT = "answer_support"
    SEE_CLIENTS = "see_clients"
    VALIDATE_PAYMENTS = "validate_payments"
    SEE_INVOICES = "see_invoices"
    SEE_BOOKS = "see_books"
    RECORD_ATTENDANCE = "record_attendance"
    MANAGE_CATALOGUE = "manage_catalogue"
    MANAGE_FORMATIONS = "manage_formations"
    PUBLISH_SIGNALS = "publish_signals"
    MANAGE_USERS = "manage_users"
    MANAGE_IDENTITY = "manage_identity"
    MANAGE_CONTENT = "manage_content"
    SEE_ANALYTICS = "see_analytics"
    SEE_AUDIT = "see_audit"
    MANAGE_SYSTEM = "manage_system"


_STUDENT = frozenset({Permission.OWN_SPACE})
_AGENT = _STUDENT | {
    Permission.SEE_ADMIN,
    Permission.ANSWER_SUPPORT,
    Permission.SEE_CLIENTS,
    Permission.VALIDATE_PAYMENTS,
    Permission.SEE_INVOICES,
    Permission.RECORD_ATTENDANCE,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.STUDENT: _STUDENT,
    Role.AGENT: _AGENT,
    Role.ADMIN: frozenset(Permission),
}

STAFF_ROLES = frozenset({Role.AGENT, Role.ADMIN})


def may(user: User, permission: Permission) -> bool:
    """Whether an account has a right. A disabled or deleted account has none."""
    if user.disabled_at or user.deleted_at:
        return False
    return permission in ROLE_PERMISSIONS[user.role]
