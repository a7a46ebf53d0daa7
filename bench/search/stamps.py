#!/usr/bin/env python3
"""Measures the search on the stamps of Tux Paint: 785 captioned pictures, by which nothing was chosen.

    bench/search/stamps.py --binary target/release/atelier [--save]

The look alone: the caption is the query, and pictures without any words are what is searched, so that words do not
judge themselves. It is measured twice: what answers is a picture with that very caption, or any of its folder (of 121),
which is what a caption such as "A flower." asks for. The hybrid: of each caption's content words, a seeded half is indexed and the other half is the query.
It fails where a figure is below bench/search/baselines; `--save` writes those anew. The report goes to
bench/results/stamps.md. The pictures are those of Debian's package tuxpaint-stamps-default, which is fetched by apt into
~/.cache/atelier/bench/stamps, or lie in the folder that TUXPAINT_STAMPS names.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from atelier_bench import machine  # noqa: E402

RESULTS = HERE.parent / "results"
BASELINES = HERE / "baselines"
PACKAGE = "tuxpaint-stamps-default"
INSTALLED = Path("usr/share/tuxpaint/stamps")
SEED = 20_261_121

# Words that say nothing of what is seen.
STOP = set(
    "a an the and or of in on at to with for from by is are was were be it its this that these those as into near over "
    "under up down his her their our your my one some".split()
)
# What each run compares queries with, and what it must reach.
RUNS = (
    ("caption", "look", None),
    ("folder", "look", ("success@10", 0.55)),
    ("hybrid", "all", None),
    ("hybrid", "lexical", None),
    ("hybrid", "text", None),
    ("hybrid", "look", None),
)
METRICS = ("recall@1", "recall@5", "recall@10", "success@10", "mrr", "ndcg@10")


def main() -> None:
    """Imports the pictures twice, asks for them, and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True, help="the built atelier")
    parser.add_argument("--save", action="store_true", help="write the baselines anew")
    chosen = parser.parse_args()
    binary = chosen.binary.resolve()
    cache = machine.cache() / "stamps"
    cache.mkdir(parents=True, exist_ok=True)
    stamps = captioned(source(cache))
    work = cache / "work"
    shutil.rmtree(work, ignore_errors=True)
    measured, failed = [], []
    for kinds in (("caption", "folder"), ("hybrid",)):
        folder = work / kinds[0]
        judged = prepare(folder, stamps, hybrid="hybrid" in kinds)
        same, gone = import_all(binary, folder)
        for kind, fields, bar in (run for run in RUNS if run[0] in kinds):
            write_queries(folder, judged[kind], same, gone)
            baseline = BASELINES / f"{kind}-{fields}.json"
            found = evaluate(binary, folder, fields, baseline, save=chosen.save)
            measured.append((kind, fields, bar, found))
            failed += [f"{kind}, {fields}: {found['error']}"] if found.get("error") else []
            if bar is not None and reached(found, bar) < bar[1]:
                failed.append(f"{kind}, {fields}: {bar[0]} is {reached(found, bar):.3f}, and {bar[1]} is to be reached")
    RESULTS.mkdir(exist_ok=True)
    report = markdown(len(stamps), measured)
    (RESULTS / "stamps.md").write_text(report)
    shutil.rmtree(work)
    print(report)
    if failed:
        sys.exit("\n".join(failed))


def reached(found: dict, bar: tuple[str, float]) -> float:
    """What a run came to in the metric of a bar."""
    return found["metrics"][bar[0]]["mean"]


def source(cache: Path) -> Path:
    """The folder of the stamps, fetched if it is not there."""
    named = os.environ.get("TUXPAINT_STAMPS")
    if named:
        return Path(named)
    for place in (Path("/") / INSTALLED, cache / INSTALLED):
        if place.is_dir():
            return place
    subprocess.run(["apt-get", "download", PACKAGE], cwd=cache, check=True, stdout=subprocess.DEVNULL)
    package = next(cache.glob(f"{PACKAGE}_*.deb"))
    subprocess.run(["dpkg", "-x", package, cache], check=True)
    package.unlink()
    return cache / INSTALLED


def captioned(folder: Path) -> list[tuple[Path, str]]:
    """Every picture with the first line of the text beside it, which is English."""
    found = []
    for picture in sorted(folder.rglob("*.png")):
        text = picture.with_suffix(".txt")
        if not text.is_file():
            continue
        lines = text.read_text(encoding="utf-8", errors="replace").splitlines()
        if lines and lines[0].strip():
            found.append((picture, lines[0].strip()))
    return found


Judged = list[tuple[str, list[str]]]


def prepare(folder: Path, stamps: list[tuple[Path, str]], *, hybrid: bool) -> dict[str, Judged]:
    """Copies the pictures under names that say nothing; returns the queries of each kind with their answers."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    chance = random.Random(SEED)
    entries, by_query, by_folder = [], {}, {}
    for number, (picture, caption) in enumerate(stamps):
        name = f"s{number:04}"
        shutil.copyfile(picture, pictures / f"{name}{picture.suffix}")
        indexed, query = halves(caption, chance) if hybrid else (None, caption)
        entries.append({"id": name, "filename": f"{name}{picture.suffix}", "caption": indexed, "labels": []})
        if query:
            by_query.setdefault(query, []).append(name)
        by_folder.setdefault(picture.parent, []).append(name)
    (pictures / "images.json").write_text(json.dumps(entries))
    judged = list(by_query.items())
    if hybrid:
        return {"hybrid": judged}
    return {"caption": judged, "folder": [(caption, by_folder[picture.parent]) for picture, caption in stamps]}


def halves(caption: str, chance: random.Random) -> tuple[str | None, str | None]:
    """Half of the content words in their order, and the other half; where there is one only, it is indexed."""
    words = [word for word in re.findall(r"[\w'-]+", caption) if word.lower() not in STOP]
    kept = set(chance.sample(range(len(words)), (len(words) + 1) // 2))
    indexed = " ".join(word for place, word in enumerate(words) if place in kept)
    query = " ".join(word for place, word in enumerate(words) if place not in kept)
    return indexed or None, query or None


def import_all(binary: Path, folder: Path) -> tuple[dict[str, str], set[str]]:
    """Imports what `prepare` made. Says which pictures are copies of which, and which could not be imported."""
    command = [binary, "library", "import", folder / "pictures", "--json"]
    ran = subprocess.run(command, env=env(folder), stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode not in (0, 1):
        sys.exit(f"the import failed with code {ran.returncode}")
    report = json.loads(ran.stdout)
    same = {Path(copy["file"]).stem: copy["of"] for copy in report["duplicate_files"]}
    return same, {Path(refused["file"]).stem for refused in report["refused_files"]}


def write_queries(folder: Path, judged: Judged, same: dict[str, str], gone: set[str]) -> None:
    """Writes judged queries: a picture that is another's copy answers as that."""
    with (folder / "queries.jsonl").open("w") as lines:
        for query, names in judged:
            relevant = sorted({same.get(name, name) for name in names if name not in gone})
            if relevant:
                lines.write(json.dumps({"query": query, "relevant": relevant}) + "\n")


def evaluate(binary: Path, folder: Path, fields: str, baseline: Path, *, save: bool) -> dict[str, object]:
    """Runs `atelier search eval`."""
    command = [binary, "search", "eval", folder / "queries.jsonl", "--fields", fields, "--json"]
    if save:
        baseline.parent.mkdir(exist_ok=True)
        command += ["--save", baseline]
    elif baseline.is_file():
        # Processors differ in the last bits of a cosine.
        command += ["--baseline", baseline, "--tolerance", "0.005"]
    ran = subprocess.run(command, env=env(folder), capture_output=True, text=True, check=False)
    if not ran.stdout:
        sys.exit(ran.stderr)
    found = json.loads(ran.stdout)
    if ran.returncode:
        found["error"] = ran.stderr.strip().splitlines()[0]
    return found


def env(folder: Path) -> dict[str, str]:
    """Nothing of the user's: no configuration and no data."""
    data = str(folder / "data")
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "ATELIER_DATA_DIR": data}


def markdown(stamps: int, measured: list[tuple[str, str, tuple[str, float] | None, dict]]) -> str:
    """The report."""
    names = {
        "caption": "each caption, for pictures that have it; no words indexed",
        "folder": "each picture's caption, for pictures of its folder; no words indexed",
        "hybrid": "half the words of a caption, the other half indexed",
    }
    lines = [
        "# The search on Tux Paint's stamps",
        "",
        f"By `make eval`: {stamps} captioned pictures, drawn and photographed, of Debian's `{PACKAGE}`. A single stage is",
        "measured without its cut-off, all together as users see them. In brackets: the 95 % interval. The halves of a",
        "caption share no word, so words can only lead astray there, and the look is ahead of all together.",
        "",
        "| query | searched by | queries | answered | " + " | ".join(METRICS) + " |",
        "|---|---|---|---|" + "---|" * len(METRICS),
    ]
    for kind, fields, _, found in measured:
        cells = [
            f"{metric['mean']:.3f} [{metric['low']:.2f}, {metric['high']:.2f}]"
            for metric in (found["metrics"][name] for name in METRICS)
        ]
        row = [names[kind], fields, str(found["queries"]), str(found["answered"]), *cells]
        lines.append("| " + " | ".join(row) + " |")
    for kind, _, bar, found in measured:
        if bar is not None:
            holds = "holds" if reached(found, bar) >= bar[1] else "**falls short**"
            lines += ["", f"To be reached, {kind}: {bar[0]} of {bar[1]}; reached {reached(found, bar):.3f}, which {holds}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
