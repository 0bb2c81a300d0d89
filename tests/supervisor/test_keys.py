"""The keys of a checkout: made once, completed when the product asks for a new kind."""

import json
from pathlib import Path

import pytest

from supervisor import settings


def keys_of(folder: Path) -> dict[str, str]:
    """Keys as the processes of the house get them."""
    children = settings.for_children({}, settings.paths(folder, {}), "redis://localhost")
    return {name: children[name] for name in ("SECRET_KEY", "JWT_KEYS", "DATA_KEYS")}


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    first = keys_of(tmp_path)

    assert keys_of(tmp_path) == first
    assert len(set(first.values())) == 3
    assert (tmp_path / "instance" / "keys.json").stat().st_mode & 0o077 == 0


def test_a_checkout_of_before_keeps_its_keys_and_gets_the_new_one(tmp_path: Path) -> None:
    first = keys_of(tmp_path)
    file = tmp_path / "instance" / "keys.json"
    file.write_text(json.dumps({name: first[name] for name in ("SECRET_KEY", "JWT_KEYS")}))

    second = keys_of(tmp_path)

    assert {name: second[name] for name in ("SECRET_KEY", "JWT_KEYS")} == {
        name: first[name] for name in ("SECRET_KEY", "JWT_KEYS")
    }
    assert second["DATA_KEYS"]
    assert keys_of(tmp_path) == second


def test_damaged_keys_are_told_in_a_sentence(tmp_path: Path) -> None:
    keys_of(tmp_path)
    (tmp_path / "instance" / "keys.json").write_text("{")

    with pytest.raises(settings.BadSettings, match="damaged"):
        keys_of(tmp_path)
