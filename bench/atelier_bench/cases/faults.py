"""What faults and crashes cost, and that they lose nothing."""

from __future__ import annotations

import json
import random
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ..bench import Bench, Case
from ..engine import Engine, Run
from ..prompts import check_answers, write_prompts
from ..recorder import Exchange, Recorder
from ..result import Broken, Figure, Result

AT_ONCE = 16
CONCURRENCY = ("--concurrency", str(AT_ONCE))
RATES = ("503=0.05", "500=0.02", "hang=0.01", "reset=0.01", "truncate=0.01", "garbage=0.01")
KILLS = 20
SEED = 20


def faults(bench: Bench) -> Result:
    """The same prompts with faults and without, side by side: nearly all of the time is the provider's."""
    items, latency = bench.size(2000, 200), 0.5
    flags = [flag for rate in RATES for flag in ("--fault", rate)]
    result, took, lost, doubled = Result(), {}, 0, 0
    with ExitStack() as stack:
        runs = {}
        for what, sandbox_flags in (("without", []), ("with", flags)):
            folder = bench.folder(f"faults-{what}")
            sandbox = stack.enter_context(bench.sandbox(folder, "--latency", f"{latency}s", *sandbox_flags))
            prompts, out = write_prompts(folder / "in.jsonl", "faults", items), folder / "out.jsonl"
            run = stack.enter_context(bench.engine(folder, sandbox).answer(prompts, out, *CONCURRENCY))
            runs[what] = (run, out, sandbox)
        for what, (run, out, sandbox) in runs.items():
            # Code 1: some items failed. That is for the answers to say.
            finished = run.wait(1200).expect(0, 1)
            answers = check_answers(out, "faults", items)
            if answers.fault:
                result.broken = f"{what} faults: {answers.fault}"
            took[what] = finished.seconds
            lost += answers.missing + len(answers.other)
            doubled += len(answers.doubled)
            stats = sandbox.stats()
            struck = ", ".join(f"{count} x {kind}" for kind, count in sorted(stats.faults.items())) or "no faults"
            result.notes.append(f"{what} faults: {finished.seconds:.2f} s, {stats.calls} calls, {struck}")
    result.figures = [
        Figure("items lost", lost, 0),
        Figure("items with two outcomes", doubled, 0),
        Figure("time / time without faults", took["with"] / took["without"], 1.4),
    ]
    return result


@dataclass
class Killed:
    """What was found after one run was killed, and what it had told before."""

    at: float
    # When the next run began: calls that arrived before that were this one's or an earlier one's.
    until: float
    done: int
    # Items whose calls were in flight at this kill or an earlier one, as `atelier jobs show` lists them.
    listed: set[str]
    # Items whose answers stood in the output, each on a whole line.
    told: dict[str, str]


@dataclass
class Repeats:
    """What was sent more than once over all runs."""

    # Every time that an item was sent by a run after it had been sent by one before.
    times: int = 0
    items: set[str] = field(default_factory=set)
    # Of these, what was not listed as in flight when the earlier run was killed.
    unlisted: list[str] = field(default_factory=list)
    # Of these, what had been told as answered.
    after_answer: list[str] = field(default_factory=list)
    # Of these, how long before the kill the earlier call's reply had come, where it had: it was not durable yet.
    replied_before: list[float] = field(default_factory=list)


def repeats(calls: list[Exchange], kills: list[Killed]) -> Repeats:
    """Looks each call's item up in what was known when the run that sent it before was killed."""
    found = Repeats()
    # The last call for each item, and the run that it was of.
    sent_in: dict[str, tuple[int, Exchange]] = {}
    for call in calls:
        item = call.item or ""
        run = sum(kill.until <= call.arrived for kill in kills)
        earlier = sent_in.get(item)
        sent_in[item] = run, call
        if earlier is None:
            continue
        before, first = earlier
        found.times += 1
        found.items.add(item)
        if before < run and first.answered is not None and first.answered < kills[before].at:
            found.replied_before.append(kills[before].at - first.answered)
        if before == run or item not in kills[before].listed:
            found.unlisted.append(item)
        if any(item in kill.told for kill in kills[:run]):
            found.after_answer.append(item)
    return found


def kill(bench: Bench) -> Result:
    """A run that is killed at random moments and gone on with, by the same command and by `jobs resume` in turn."""
    items, wanted = bench.size(2000, 400), bench.size(KILLS, 5)
    folder, random_source = bench.folder("kill"), random.Random(SEED)
    latency = 0.05
    a_second = AT_ONCE / latency
    with bench.sandbox(folder, "--latency", f"{latency}s") as sandbox, Recorder(sandbox.url) as recorder:
        engine = bench.engine(folder, recorder)
        prompts, out = write_prompts(folder / "in.jsonl", "kill", items), folder / "out.jsonl"
        kills: list[Killed] = []
        while len(kills) < wanted:
            left = items - (kills[-1].done if kills else 0)
            # The moments are spread over what is left to do, each run's start included.
            moment = random_source.uniform(0.02, 2 * left / a_second / (wanted - len(kills) + 1) + 0.05)
            with go_on(engine, prompts, out, len(kills)) as run:
                time.sleep(moment)
                if not run.running:
                    run.wait().expect()
                    break
                run.kill()
            kills.append(found_after(engine, out, time.monotonic()))
        with go_on(engine, prompts, out, 0) as run:
            run.wait(120).expect()
        calls, stats = recorder.calls(), sandbox.stats()
    answers = check_answers(out, "kill", items)
    if answers.fault:
        raise Broken(answers.fault)
    lost = len(found_differently(out, kills))
    sent = repeats(calls, kills)
    listed = set[str]().union(*(each.listed for each in kills))
    result = Result(figures=[
        Figure("durable outcomes lost or changed", lost, 0),
        Figure("answered items sent again", len(sent.after_answer), 0),
        Figure("items sent again that were not listed as in flight", len(sent.unlisted), 0),
        Figure("items sent again / items listed as in flight", len(sent.items) / max(len(listed), 1), 1),
        Figure(f"items sent again a kill, {AT_ONCE} being at work", sent.times / max(len(kills), 1)),
    ])
    replied = f", at most {max(sent.replied_before) * 1e3:.0f} ms before the kill" if sent.replied_before else ""
    result.notes += [
        f"{len(kills)} kills; {len(calls)} calls for {items} items; {len(sent.items)} items were sent again, "
        f"{sent.times} times, of {len(listed)} listed as in flight; the sandbox answered "
        f"{stats.items_answered_again} items more than once",
        f"{len(sent.replied_before)} of the calls that were repeated had been replied to and were not durable{replied}",
    ]
    if lost:
        result.broken = f"{lost} outcomes that were told before a kill are gone or changed"
    if len(kills) < wanted:
        result.notes.append(f"it was done before it could be killed {wanted} times")
    return result


def go_on(engine: Engine, prompts: Path, out: Path, number: int) -> Run:
    """Starts the job, or goes on with it: in one way and the other in turn."""
    job = the_job(engine) if number % 2 else None
    if job is not None:
        return engine.start("jobs", "resume", job)
    return engine.answer(prompts, out, *CONCURRENCY)


def the_job(engine: Engine) -> str | None:
    """The id of the only job, if it was stored before the first kill."""
    jobs = engine.ask("jobs", "list")["jobs"]
    return jobs[0]["job"] if jobs else None


def found_after(engine: Engine, out: Path, killed_at: float) -> Killed:
    """What is durable after a kill."""
    job = the_job(engine)
    told = told_in(out)
    done, listed = 0, set[str]()
    if job is not None:
        shown = engine.ask("jobs", "show", job)
        done, listed = shown["done"], set(shown["possibly_paid_twice"])
    if done < len(told):
        raise Broken(f"{len(told)} answers were told, and {done} are durable")
    return Killed(killed_at, time.monotonic(), done, listed, told)


def told_in(out: Path) -> dict[str, str]:
    """The answers on whole lines of an output that may be cut off, or not be there yet."""
    if not out.exists():
        return {}
    whole = out.read_text().rpartition("\n")[0]
    return {answer["id"]: answer["text"] for answer in map(json.loads, whole.splitlines())}


def found_differently(out: Path, kills: list[Killed]) -> set[str]:
    """Items whose answers were told before a kill and are gone, or others, in the end."""
    last, changed = told_in(out), set()
    for killed in kills:
        for item, text in killed.told.items():
            if last.get(item) != text:
                changed.add(item)
    return changed


CASES = (
    Case("faults", "2,000 prompts of 0.5 s, 16 at once: 5 % 503, 2 % 500, 1 % each of hang, reset, cut short, not JSON",
         faults),
    Case("kill", f"kill -9 at {KILLS} random moments of a run of 2,000, 16 at once, 50 ms each", kill),
)
