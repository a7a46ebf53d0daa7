"""Many jobs in one process, as a server has them: how they share a limit, and how soon a click is served among them."""

from __future__ import annotations

import bisect
import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import ideal
from ..bench import Bench, Case
from ..engine import Engine
from ..recorder import Exchange, Recorder, let_in
from ..result import Broken, Figure, Result, Row, Skipped
from ..sandbox import Stats

AMOUNT, WINDOW, LATENCY = 15, 10.0, 1.0
JOBS = 8
# More than the batches take in a window, so that every click finds room: what it waits for is the process alone.
CLICK_AMOUNT, CLICK_WINDOW, CLICK_LATENCY = 30_000, 60.0, 0.3
BATCHES, CLICKS = 4, 40
# Rows of the past in the store.
LEDGER = 1_000_000
# Filling the ledger takes time before the first call.
FILLS_WITHIN = 600.0


def program(bench: Bench) -> Path:
    """The program that works on many jobs in one process. Raises Skipped where it was not built."""
    path = bench.binary.parent / "examples" / "one_process"
    if not path.is_file():
        raise Skipped(f"there is no {path}: build the release example one_process")
    return path


@dataclass(frozen=True)
class Ran:
    """What came of one process."""

    # What the program says of its jobs and clicks. Times are in seconds on the monotonic clock.
    told: dict[str, Any]
    # Its calls that were let in, in the order of their arrival.
    calls: list[Exchange]
    stats: Stats
    peak_kib: int
    # When the recorder looked at the clock, and by how many seconds it was late.
    late: list[tuple[float, float]]


def one_process(bench: Bench, name: str, amount: int, window: float, latency: float, *arguments: str) -> Ran:
    """Runs the program with these arguments against a provider with this limit, which it is told."""
    path, folder = program(bench), bench.folder(name)
    limit = f"requests={amount}/{window:.0f}s"
    with (
        bench.sandbox(folder, "--quota", limit, "--latency", f"{latency * 1e3:.0f}ms") as sandbox,
        Recorder(sandbox.url) as recorder,
    ):
        recorder.watch_itself()
        engine = Engine(path, folder, recorder.url)
        flags = ("--url", recorder.url, "--limit", limit, *arguments)
        with engine.start("--data", folder / "data", *flags) as run:
            finished = run.wait(FILLS_WITHIN + 600).expect()
        return Ran(on_our_clock(finished.summary), let_in(recorder.calls()), sandbox.stats(), finished.peak_kib, list(recorder.late))


def on_our_clock(told: dict[str, Any]) -> dict[str, Any]:
    """What the program says in seconds since the Unix epoch, on the monotonic clock."""
    apart = time.time() - time.monotonic()
    moments = ("submitted", "started", "ended")
    for one in [*told["jobs"], *told["clicks"]]:
        one.update({moment: one[moment] - apart for moment in moments if moment in one})
    return told


def items_of(names: Iterable[str], prompts: int) -> set[str]:
    """The ids of all prompts of some jobs."""
    return {f"{name}-{number:07d}" for name in names for number in range(prompts)}


def job_of(item: str | None) -> str:
    """The job whose prompt this is."""
    return (item or "").rpartition("-")[0]


def check(calls: list[Exchange], wanted: set[str]) -> None:
    """Raises Broken unless each item was asked for, and once."""
    asked = Counter(call.item for call in calls)
    missing, doubled = wanted - asked.keys(), [item for item, times in asked.items() if times > 1]
    strange = asked.keys() - wanted
    for what, items in (("not asked for", missing), ("asked for again", doubled), ("nobody's", strange)):
        if items:
            raise Broken(f"{len(items)} items were {what}, such as {next(iter(items))}")


def unevenness(calls: Iterable[str], names: Iterable[str]) -> int:
    """How many calls the job with the most had by the time that half of all were let in, more than that with the least.

    `calls` has the job of each call, in the order in which they were let in.
    """
    calls = list(calls)
    had = Counter(calls[: len(calls) // 2])
    counts = [had[name] for name in names]
    return max(counts) - min(counts)


def jobs(bench: Bench) -> Result:
    """Jobs that are submitted at once, and worked on at once."""
    each = bench.size(30, 10)
    names = [f"job-{number}" for number in range(JOBS)]
    ran = one_process(bench, "jobs", AMOUNT, WINDOW, LATENCY, "--jobs", str(JOBS), "--prompts", str(each))
    check(ran.calls, items_of(names, each))
    least = ideal.windowed(JOBS * each, AMOUNT, WINDOW, LATENCY)
    arrivals = ran.stats.all_arrivals()
    took = ideal.span(arrivals, LATENCY)
    apart = unevenness((job_of(call.item) for call in ran.calls), names)
    most = ideal.most_in_a_window(arrivals, WINDOW)
    return Result(
        figures=[
            Figure("time of all calls / ideal", took / least, 1.02),
            Figure("refusals", ran.stats.refused, 0),
            Figure("calls of the job with the most - of that with the least, at half time", apart, 2 * JOBS),
        ],
        rows=[job_row(job, ran.calls) for job in ran.told["jobs"]],
        notes=[
            f"{JOBS} x {each} calls in {took:.2f} s, ideal {least:.2f} s; at most {most} arrivals in any "
            f"{WINDOW:.0f} s; peak memory {ran.peak_kib / 1024:.0f} MiB"
        ],
        curves={"all jobs": [at - min(arrivals) for at in sorted(arrivals)]},
        limit=(AMOUNT, WINDOW),
    )


def job_row(job: dict[str, Any], calls: list[Exchange]) -> Row:
    """What there is to tell of one job; its time is the program's own, from its start to its end."""
    first = min(call.arrived for call in calls)
    own = [call.arrived - first for call in calls if job_of(call.item) == job["name"]]
    return Row(job["name"], {
        "time, s": job["ended"] - job["started"], "first call at, s": min(own), "last call at, s": max(own),
    })


def percentile(numbers: Sequence[float], share: float) -> float:
    """The least of some numbers that so large a share of them does not exceed."""
    return sorted(numbers)[max(math.ceil(share * len(numbers)), 1) - 1]


@dataclass(frozen=True)
class Click:
    """One click. Times are in seconds."""

    # From its submission to its first call's arrival.
    waited: float
    # The same, from when the limit had room for it.
    since_room: float

    @property
    def had_room(self) -> bool:
        """Whether the limit had room when it was submitted."""
        return self.waited == self.since_room


def clicks_in(told: list[dict[str, Any]], calls: list[Exchange], amount: int, window: float) -> list[Click]:
    """What became of the clicks that the program told of, among all calls that were let in."""
    arrived = {call.item: call.arrived for call in reversed(calls)}
    times = [call.arrived for call in calls]
    clicks = []
    for click in told:
        number = int(click["id"].rpartition("-")[2])
        at, submitted = arrived.get(f"click-{number:07d}"), click["submitted"]
        if at is None:
            raise Broken(f"{click['id']} was never asked for")
        clicks.append(Click(at - submitted, at - max(submitted, room_at(times, submitted, amount, window))))
    return clicks


def room_at(times: list[float], at: float, amount: int, window: float) -> float:
    """When a limit has room for one more call, of whom nobody takes it who comes after `at`; `times` are sorted."""
    before = bisect.bisect_right(times, at)
    return at if before < amount else max(at, times[before - amount] + window)


def click(bench: Bench) -> Result:
    """One click after the other, beside batches that have the process and its store busy."""
    each, ledger, count = bench.size(3000, 1000), bench.size(LEDGER, 100_000), bench.size(CLICKS, 10)
    ran = one_process(
        bench, "click", CLICK_AMOUNT, CLICK_WINDOW, CLICK_LATENCY, "--jobs", str(BATCHES), "--prompts", str(each),
        "--ledger", str(ledger), "--clicks", str(count),
    )
    wanted = items_of((f"job-{number}" for number in range(BATCHES)), each) | items_of(["click"], count)
    check(ran.calls, wanted)
    clicks = clicks_in(ran.told["clicks"], ran.calls, CLICK_AMOUNT, CLICK_WINDOW)
    if len(clicks) != count:
        raise Broken(f"the program told of {len(clicks)} clicks, not of {count}")
    waits = [1e3 * click.waited for click in clicks]
    result = Result(figures=[
        Figure("click to its call's arrival, 95 of 100", percentile(waits, 0.95), 20, unit="ms"),
        Figure("the same, the median", percentile(waits, 0.5), unit="ms"),
        Figure("the same from when the limit has room, 95 of 100",
               percentile([1e3 * click.since_room for click in clicks], 0.95), unit="ms"),
        Figure("clicks when the limit had no room", sum(not click.had_room for click in clicks)),
        Figure("refusals", ran.stats.refused),
    ])
    result.rows = [job_row(job, ran.calls) for job in ran.told["jobs"]]
    began, submitted = ran.calls[0].arrived, [click["submitted"] for click in ran.told["clicks"]]
    late = [late for at, late in ran.late if min(submitted) <= at <= max(submitted)] or [0.0]
    result.notes.append(
        f"{count} clicks from {min(submitted) - began:.1f} to {max(submitted) - began:.1f} s after the first call; "
        f"{ledger:,} rows in the ledger before; peak memory {ran.peak_kib / 1024:.0f} MiB; meanwhile the recorder "
        f"itself was late by at most {1e3 * percentile(late, 0.95):.1f} ms in 95 of 100 looks"
    )
    return result


CASES = (
    Case("jobs", f"{JOBS} jobs of 30 prompts in one process, {AMOUNT} requests / {WINDOW:.0f} s, 1 s latency", jobs,
         True),
    Case("click", f"{CLICKS} clicks, one after the other, in a process with {BATCHES} jobs of 3,000 prompts and a "
         f"ledger of {LEDGER:,} rows; {CLICK_AMOUNT:,} requests / {CLICK_WINDOW:.0f} s, 0.3 s latency", click),
)
