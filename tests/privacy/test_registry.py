"""Every table says what becomes of a person's rows: a new one without a line fails here."""

import re

from calmness.extensions import db
from calmness.services.privacy.personal_data import TABLES, Fate, exported, rows_of, table

SECRET_NAME = re.compile(r"hash|secret|token(?!s)|password|encrypted|file_key|p256dh")


def test_every_table_has_its_line_and_every_line_its_table() -> None:
    assert set(db.metadata.tables) == set(TABLES)


def test_every_reference_to_a_person_is_the_owner_or_somebody_named_as_another() -> None:
    unexplained = []
    for name, place in TABLES.items():
        for column in table(name).columns:
            if not any(key.column.table.name == "users" for key in column.foreign_keys):
                continue
            is_owner = place.owner is not None and len(place.owner) == 1 and place.owner[0] == column.name
            if not is_owner and column.name not in place.others:
                unexplained.append(f"{name}.{column.name}")

    assert unexplained == []


def test_what_is_not_exported_or_stays_says_why() -> None:
    silent = [
        name
        for name, place in TABLES.items()
        if (place.fate in {Fate.KEPT, Fate.NOBODYS} and not place.why) or (place.owner is None and not place.why)
    ]

    assert silent == []


def test_the_way_to_the_owner_ends_at_a_person() -> None:
    for name, place in TABLES.items():
        if not place.owner:
            continue
        here = table(name)
        for step in place.owner:
            here = next(iter(here.c[step].foreign_keys)).column.table
        assert here.name == "users", name
        assert "users" in str(rows_of(name, 1)) or f"{place.owner[-1]} = " in str(rows_of(name, 1))


def test_no_secret_is_in_a_copy() -> None:
    leaking = [
        f"{name}.{column.name}"
        for name in exported()
        for column in table(name).columns
        if SECRET_NAME.search(column.name) and column.name not in TABLES[name].hidden
    ]

    assert leaking == []


def test_hidden_and_file_columns_exist() -> None:
    for name, place in TABLES.items():
        columns = set(table(name).columns.keys())
        assert place.hidden | place.others | ({place.file} if place.file else set()) <= columns, name
        assert set(place.blank or {}) <= columns, name
