"""Triggers that refuse to change or delete what was appended, on both databases.

They stop mistakes of the house; the hash chains show tampering. SQLite's ``INSERT OR REPLACE`` passes them unless
``recursive_triggers`` is on (set on every connection), PostgreSQL's ``TRUNCATE`` needs a statement trigger.
"""

from sqlalchemy import DDL, Connection, MetaData, event

TABLES = (
    "audit_entry",
    "invoice",
    "invoice_item",
    "invoice_document",
    "mention_wording",
    "payment_event",
    "period_closing",
    "offer_version",
    "signal_event",
    "attendance_evidence",
    "consent",
)

FROZEN = {
    "invoice_template": (
        "version, company_name, legal_form, capital, address, postcode, city, country, siren, siret, rcs, vat_number, "
        "training_number, email, phone, iban, bic, bank_name, footer, note, logo, created_at"
    )
}
"""Tables of which these columns never change: an old invoice is drawn again as it was. A row is never deleted."""

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def create_statements(dialect: str, table: str) -> list[str]:
    """Statements that protect a table, for ``sqlite`` or ``postgresql``."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        _POSTGRESQL_FUNCTION,
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


def freeze_statements(dialect: str, table: str) -> list[str]:
    """Statements that keep the frozen columns of a table, for ``sqlite`` or ``postgresql``."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{name} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for name, verb in (("change", f"UPDATE OF {FROZEN[table]}"), ("delete", "DELETE"))
        ]
    return [
        _POSTGRESQL_FUNCTION,
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OF {FROZEN[table]} OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ]


def _statements(dialect: str) -> list[tuple[str, str]]:
    appended = [(table, statement) for table in TABLES for statement in create_statements(dialect, table)]
    return appended + [(table, statement) for table in FROZEN for statement in freeze_statements(dialect, table)]


def protect(connection: Connection) -> None:
    """Create all triggers; used by migrations after the tables exist."""
    for _table, statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def attach(metadata: MetaData) -> None:
    """Make ``create_all`` protect the same tables, so that both ways to a schema agree."""
    for dialect in ("sqlite", "postgresql"):
        for table, statement in _statements(dialect):
            ddl = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
            event.listen(metadata.tables[table], "after_create", ddl)
