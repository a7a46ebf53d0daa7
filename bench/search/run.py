#!/usr/bin/env python3
"""Measures the search, beside what one would build in Python, and writes bench/results/search.md.

    cargo build --release -p atelier-search --examples
    bench/search/run.py --examples target/release/examples [--quick]

It takes about 40 minutes on two cores, 12 GB of disk in ~/.cache/atelier/bench/search, and 4 GB of memory.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from atelier_bench import machine  # noqa: E402

from report import markdown  # noqa: E402  # isort: skip

RESULTS = HERE.parent / "results"

# Images for the judged queries, for the stages at size, and for the comparison of vectors with the peers.
SIZES = {"quality": 10_000, "large": 1_000_000, "peers": 200_000}
QUICK = {"quality": 2_000, "large": 50_000, "peers": 20_000}


def main() -> None:
    """Runs everything and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=Path, required=True, help="where the built examples are")
    parser.add_argument("--quick", action="store_true", help="smaller sizes; nothing is written to bench/results")
    chosen = parser.parse_args()
    cache = machine.cache() / "search"
    cache.mkdir(parents=True, exist_ok=True)
    about = machine.describe(None, cache)
    measured = measure(chosen.examples.resolve(), cache, QUICK if chosen.quick else SIZES)
    folder = cache if chosen.quick else RESULTS
    folder.mkdir(exist_ok=True)
    (folder / "search.json").write_text(json.dumps({"machine": about, **measured}, indent=1) + "\n")
    (folder / "search.md").write_text(markdown(about, measured, quick=chosen.quick))
    print(f"written to {folder}/search.md and search.json")


def measure(examples: Path, cache: Path, sizes: dict[str, int]) -> dict[str, object]:
    """Everything, one step after the other, so that nothing stands beside what is timed but what others run."""
    python = peers_python(cache)
    quality, million = str(examples / "quality"), str(examples / "million")
    own, large, beside = (cache / f"{name}-{count}" for name, count in sizes.items())
    measured: dict[str, object] = {"sizes": sizes}
    measured["quality"] = step(quality, own, sizes["quality"])
    measured["quality_peers"] = step(python, HERE / "peers.py", "quality", own)
    for name, folder in (("large", large), ("peers", beside)):
        measured[name] = {
            "build": step(million, "build", folder, sizes[name]),
            "truth": step(million, "truth", folder),
            "measure": step(million, "measure", folder),
        }
    step(million, "export", beside)
    measured["vector_peers"] = step(python, HERE / "peers.py", "vectors", beside)
    for folder in (large, beside):
        shutil.rmtree(folder)
    return measured


def step(*command: object) -> dict[str, object]:
    """Runs a command and reads the JSON that it prints."""
    words = [str(word) for word in command]
    print(" ".join(words), flush=True)
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def peers_python(cache: Path) -> str:
    """A Python environment with the peers."""
    python = cache / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache / "venv")], check=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / "requirements.txt")]
    subprocess.run([str(python), *install], check=True)
    return str(python)


if __name__ == "__main__":
    main()
