"""Files go with the transaction that lets go of their row, and stay when it fails."""

from flask import Flask

from calmness.extensions import db
from calmness.files import delete_after_commit, store
from tests import factories

KEY = "imports/a-statement.htm"


def test_a_file_goes_with_the_commit_and_not_before(site: Flask) -> None:
    store().put(KEY, b"content")
    with db.session.begin_nested():
        delete_after_commit(KEY, None)
    assert store().exists(KEY)

    db.session.commit()

    assert not store().exists(KEY)


def test_what_rolls_back_keeps_its_file_also_at_the_next_commit(site: Flask) -> None:
    store().put(KEY, b"content")
    factories.student()
    delete_after_commit(KEY)

    db.session.rollback()
    db.session.commit()

    assert store().exists(KEY)
