"""How fast, where no limit holds it back: against wrk, against peers, and at a million."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .. import peers, wrk
from ..bench import Bench, Case
from ..prompts import check_answers, write_prompts
from ..result import Broken, Figure, Result, Row, Skipped
from ..sandbox import Sandbox

ROUNDS = 5
WRK_SECONDS = 5
PEER_CONCURRENCY = 64
PEERS = (("async-batch-llm", "batch_llm.py"), ("semaphore and gather", "gather.py"))
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Speed:
    """One run at full speed."""

    # Items a second, of the whole command.
    whole: float
    # Items a second, from the first call's arrival to the last answer's being written, which is after its commit.
    calling: float
    peak_mb: float


def full_speed(bench: Bench, sandbox: Sandbox, prompts: Path, name: str, items: int) -> Speed:
    """Answers all prompts with a new store, and checks every answer. Raises Broken where one is not there once."""
    folder = bench.folder(f"{name}-run")
    out = folder / "out.jsonl"
    sandbox.reset()
    with bench.engine(folder, sandbox).answer(prompts, out) as run:
        finished = run.wait(1200).expect()
    stats = sandbox.stats()
    fault = check_answers(out, name, items).fault
    if fault:
        raise Broken(fault)
    if stats.admitted != items:
        raise Broken(f"{stats.admitted} calls were made for {items} items, and nothing went wrong")
    written = out.stat().st_mtime - (time.time() - time.monotonic())
    shutil.rmtree(folder)
    return Speed(
        whole=items / finished.seconds,
        calling=items / (written - min(stats.arrivals)),
        peak_mb=finished.peak_kib * 1024 / MEGABYTE,
    )


def raw(bench: Bench) -> Result:
    """100,000 prompts, wrk with the same requests, and the peers, in turn, three times; medians."""
    items, fewer = bench.size(100_000, 10_000), bench.size(3000, 500)
    folder = bench.folder("raw")
    prompts = write_prompts(folder / "in.jsonl", "raw", items)
    some = write_prompts(folder / "some.jsonl", "raw", fewer)
    result = Result()
    rates: dict[str, list[float]] = {}
    speeds: list[Speed] = []
    with bench.sandbox(folder) as sandbox:
        others = contestants(bench, sandbox, folder, items, some, result)
        for number in range(bench.size(ROUNDS, 1)):
            bench.say(f"raw: round {number + 1}")
            speeds.append(full_speed(bench, sandbox, prompts, "raw", items))
            for who, measure in others.items():
                rates.setdefault(who, []).append(measure())
    whole, calling = median(speed.whole for speed in speeds), median(speed.calling for speed in speeds)
    ratios = [speed.whole / rate for speed, rate in zip(speeds, rates.get("wrk", []))]
    calls = [speed.calling / rate for speed, rate in zip(speeds, rates.get("wrk", []))]
    compare(result, whole, calling, {who: median(found) for who, found in rates.items()}, ratios, calls)
    rates = {"Atelier": [speed.whole for speed in speeds], **rates}
    result.notes += [f"{who}: {', '.join(f'{rate:,.0f}' for rate in found)} /s" for who, found in rates.items()]
    result.notes.append(f"Atelier's peak memory: {max(speed.peak_mb for speed in speeds):.0f} MB")
    return result


def contestants(
    bench: Bench, sandbox: Sandbox, folder: Path, items: int, some: Path, result: Result
) -> dict[str, Callable[[], float]]:
    """What gives the rate of each of the others, as far as they are here; the notes say what is not."""
    others: dict[str, Callable[[], float]] = {}
    try:
        wrk.ensure()
        requests = folder / "requests"
        wrk.write_requests(requests, *wrk.captured(bench, sandbox), sandbox, "raw", items)
        others["wrk"] = lambda: wrk.rate(requests, sandbox, bench.size(WRK_SECONDS, 2))
    except Skipped as error:
        result.notes.append(str(error))
    try:
        python = peers.install(bench.cache)
    except Skipped as error:
        result.notes.append(str(error))
        return others
    for who, script in PEERS:
        others[who] = lambda script=script: peers.rate(  # type: ignore[misc]
            python, script, some, sandbox, "--concurrency", str(PEER_CONCURRENCY)
        )
    return others


def compare(
    result: Result,
    whole: float,
    calling: float,
    others: dict[str, float],
    ratios: list[float],
    calls: list[float],
) -> None:
    """The figures and rows of rates beside each other; `ratios` and `calls` are those to wrk's, round by round.

    A machine's speed changes from minute to minute, so that only what ran back to back is compared with wrk.
    """
    result.rows.append(Row("Atelier", {"items a second": whole, "from first call to last answer": calling}))
    result.rows += [Row(who, {"items a second": rate}) for who, rate in others.items()]
    if "wrk" in others:
        result.figures += [
            Figure("rate / wrk's", median(ratios), 0.5, at_least=True),
            Figure("the same from first call to last answer", median(calls)),
        ]
    if "async-batch-llm" in others:
        result.figures.append(Figure("rate / async-batch-llm's", whole / others["async-batch-llm"], 50, at_least=True))
    if "semaphore and gather" in others:
        result.figures.append(Figure("rate / semaphore and gather's", whole / others["semaphore and gather"]))


def million(bench: Bench) -> Result:
    """Ten times as many prompts, by memory, and by rate against a run of the smaller number before it."""
    items, fewer = bench.size(1_000_000, 50_000), bench.size(100_000, 10_000)
    folder = bench.folder("million")
    prompts = write_prompts(folder / "in.jsonl", "million", items)
    some = write_prompts(folder / "some.jsonl", "some", fewer)
    with bench.sandbox(folder) as sandbox:
        small = full_speed(bench, sandbox, some, "some", fewer)
    with bench.sandbox(folder) as sandbox:
        large = full_speed(bench, sandbox, prompts, "million", items)
    shutil.rmtree(folder)
    return Result(
        figures=[
            Figure("peak memory", large.peak_mb, 200, unit="MB"),
            Figure(f"rate / that of {fewer:,} prompts", large.whole / small.whole, 0.8, at_least=True),
        ],
        rows=[
            Row(f"{count:,} prompts", {"items a second": speed.whole, "from first call to last answer": speed.calling,
                                       "peak memory, MB": speed.peak_mb})
            for count, speed in ((fewer, small), (items, large))
        ],
    )


CASES = (
    Case("raw", "100,000 prompts, no limits, no latency, results durable", raw),
    Case("million", "1,000,000 prompts, as above", million),
)
