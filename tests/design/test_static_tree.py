"""The tree of static files that web servers hand out."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from calmness import static_files


def test_processes_that_start_together_write_one_whole_tree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as starters:
        trees = list(starters.map(static_files.publish, [tmp_path] * 3))

    assert set(trees) == {tmp_path / "static" / static_files.tree_hash()}
    assert [path.name for path in (tmp_path / "static").iterdir()] == [trees[0].name]
    for source in static_files.SOURCE.rglob("*.js"):
        twin = trees[0] / f"{source.relative_to(static_files.SOURCE)}.br"
        assert twin.is_file()
