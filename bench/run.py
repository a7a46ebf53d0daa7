#!/usr/bin/env python3
"""Measures Atelier's engine against limits and peers. `make bench` builds the binary and runs this.

It exits with 0 also where a figure falls short of its bar, and with 1 where a run failed or lost an item.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

from atelier_bench import machine, peers, report
from atelier_bench.bench import ROOT, Bench, Case
from atelier_bench.cases import ALL
from atelier_bench.result import Broken, Result, Skipped

RESULTS = ROOT / "bench" / "results"


def main() -> int:
    """Runs the chosen cases, and writes what they gave."""
    chosen = arguments()
    # Ended from outside, it ends what it has started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine.allow_connections()
    cache = machine.cache()
    work = cache / f"work-{os.getpid()}"
    work.mkdir(parents=True)
    bench = Bench(chosen.binary.resolve(), work, cache, chosen.quick)
    if os.getloadavg()[0] > (os.cpu_count() or 1) / 2:
        bench.say("the machine is busy with something else: the figures will be worse than they should be")
    try:
        about = machine.describe(bench.binary, work)
        measured = measure(bench, chosen.cases)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    whole = not chosen.quick and len(measured) == len(ALL)
    folder = RESULTS if whole else cache / "partial"
    report.write(folder, measured, about, chosen.quick)
    print()
    print("\n".join(report.columns([["case", "figure", "reached", "bar", "holds"], *report.summary(measured)])))
    why = "" if whole else "; results in the repository come from whole runs only"
    print(f"\nwritten to {folder}/engine.{{md,json,svg}}{why}")
    return int(any(result.broken for _, result in measured))


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True, help="the release binary")
    parser.add_argument("--cases", type=named, default=ALL, help=f"some of {','.join(case.key for case in ALL)}")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, rougher figures")
    chosen = parser.parse_args()
    if not chosen.binary.is_file():
        parser.error(f"there is no {chosen.binary}")
    return chosen


def named(text: str) -> tuple[Case, ...]:
    """The cases of these names, in the order in which they are run."""
    names = text.split(",")
    unknown = set(names) - {case.key for case in ALL}
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no case {', '.join(sorted(unknown))}")
    return tuple(case for case in ALL if case.key in names)


def measure(bench: Bench, cases: tuple[Case, ...]) -> report.Measured:
    """Runs the cases: first those that wait, with the peers beside them, then those that need the cores alone."""
    results: dict[str, Result] = {}
    calm = [case for case in cases if case.calm]
    background = peers.Background(bench)
    missing: str | None = None
    try:
        try:
            start_peers(bench, background, calm)
        except (Skipped, Broken) as error:
            missing = str(error)
            bench.say(missing)
        for case in calm:
            results[case.key] = run(bench, case)
            if missing and case.peers:
                results[case.key].notes.append(missing)
        background.join(results)
    finally:
        background.stop()
    for case in cases:
        if not case.calm:
            results[case.key] = run(bench, case)
    return [(case, results[case.key]) for case in cases]


def start_peers(bench: Bench, background: peers.Background, cases: list[Case]) -> None:
    """Starts the peers of these cases."""
    with_peers = [(case, case.peers) for case in cases if case.peers]
    if not with_peers:
        return
    bench.say("installing the peers where they are missing, and starting them")
    python = peers.install(bench.cache)
    background.start(python, [(case.key, peer) for case, peers_of in with_peers for peer in peers_of(bench)])


def run(bench: Bench, case: Case) -> Result:
    """Runs one case, and says what it gave."""
    bench.say(f"{case.key}: {case.title}")
    started = time.monotonic()
    try:
        result = case.run(bench)
    except Broken as error:
        result = Result(broken=str(error))
    except Skipped as error:
        result = Result(skipped=str(error))
    except Exception as error:  # one case must not take the others' results with it
        traceback.print_exc()
        result = Result(broken=f"{type(error).__name__}: {error}")
    result.seconds = time.monotonic() - started
    for line in report.told(case, result):
        bench.say(line)
    return result


if __name__ == "__main__":
    sys.exit(main())
