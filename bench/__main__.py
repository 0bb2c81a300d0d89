"""``python -m bench``: floors and product in one process tree, ratios on screen and in ``bench/results``.

Absolute times of a shared machine say little; the ratio of two things measured in turn says more.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
ROUNDS = 25

Measure = tuple[str, float, float]
"""Name, seconds of the product, seconds of the floor."""


def main() -> None:
    """Measure the groups named on the command line, all without a name.

    On the database of ``BENCH_DATABASE_URL``, SQLite in a temporary folder by default.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "CALMNESS_ENV": "testing",
            "SECRET_KEY": "s" * 40,
            "JWT_KEYS": "bench:" + "k" * 40,
            "INSTANCE_DIR": folder,
            "ARGON2_MEMORY_KIB": "19456",
            "ARGON2_TIME": "2",
            "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/bench.db"),
        }
        # The application reads its environment when it is imported.
        from bench import documents, fleet, history, invoices, issuers, pages, security, sync
        from bench import statistics as trading_figures

        groups = {
            "pages": pages,
            "security": security,
            "sync": sync,
            "fleet": fleet,
            "documents": documents,
            "issuers": issuers,
            "invoices": invoices,
            "history": history,
            "statistics": trading_figures,
        }
        measures = []
        for name in sys.argv[1:] or groups:
            measures += shown(groups[name].measures())
    keep(measures, os.environ["DATABASE_URL"].split(":", 1)[0])


def shown(measures: Iterable[Measure]) -> list[Measure]:
    """Print each measure as soon as it is there."""
    taken = []
    for name, product, floor in measures:
        ratio = product / floor
        print(f"{name:<48} {product * 1000:8.2f} ms  floor {floor * 1000:8.2f} ms  ratio {ratio:5.2f}", flush=True)
        taken.append((name, product, floor))
    return taken


def keep(measures: Iterable[Measure], database: str) -> None:
    """Write them to ``bench/results``."""
    RESULTS.mkdir(exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    body = {
        "at": stamp,
        "python": sys.version.split()[0],
        "database": database,
        "measures": [
            {"name": name, "product_ms": product * 1000, "floor_ms": floor * 1000, "ratio": product / floor}
            for name, product, floor in measures
        ],
    }
    (RESULTS / f"{stamp}-{database}.json").write_text(json.dumps(body, indent=2) + "\n")


def in_turn(product: Callable[[int], Any], floor: Callable[[int], Any], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median seconds of each, run A B A B after one round that does not count."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(-1, rounds):
        for series, function in zip(times, (product, floor), strict=True):
            started = time.perf_counter()
            function(number)
            if number >= 0:
                series.append(time.perf_counter() - started)
    return statistics.median(times[0]), statistics.median(times[1])


if __name__ == "__main__":
    main()
