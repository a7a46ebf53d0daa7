"""How well a run knows how long it will take: what its live line says, and what it then took."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..bench import Bench, Case
from ..engine import Finished, Run
from ..prompts import check_answers, write_prompts
from ..result import Broken, Figure, Result, Row
from ..terminal import Terminal, live_lines
from . import posts, quota

# Where in a run its line is read, as shares of its time.
MOMENTS = (0.25, 0.5, 0.75)
# The line says no less than a tenth of a second.
LEAST = 0.05
# The line is there for a run's items, which it counts.
COUNTED = re.compile(r"\d/[1-9]")
LEFT = re.compile(r"about (?:(\d+) h )?(?:(\d+) min )?(?:(\d+(?:\.\d+)?) s )?left")


@dataclass(frozen=True)
class Sample:
    """What a line said at one moment. Times are in seconds."""

    # None: it said no time.
    said: float | None
    # Since it said so: what else happened had not changed it.
    age: float
    took: float

    @property
    def off(self) -> float | None:
        """By which factor that was wrong, in whichever direction."""
        return None if self.said is None else factor(self.said, self.took)

    @property
    def off_counted_down(self) -> float | None:
        """The same of what is left of it when the time since it was said is taken off."""
        return None if self.said is None else factor(self.said - self.age, self.took)

    def __str__(self) -> str:
        said = "unknown" if self.said is None else f"{self.said:.1f} s, {self.age:.1f} s before"
        return f"{said}; took {self.took:.1f} s"


def factor(said: float, took: float) -> float:
    """How many times more or less one is than the other."""
    said, took = max(said, LEAST), max(took, LEAST)
    return max(said / took, took / said)


def seconds_left(line: str) -> float | None:
    """The time left that a line says, if it says any."""
    found = LEFT.search(line)
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def samples(lines: list[tuple[float, str]], ended: float) -> list[Sample]:
    """What live lines said at each of the moments of a run, which began with the first that counts items."""
    counted = [at for at, line in lines if COUNTED.search(line)]
    if not counted:
        raise Broken("it showed no live line")
    found = []
    for share in MOMENTS:
        moment = counted[0] + share * (ended - counted[0])
        at, line = max((each for each in lines if each[0] <= moment), key=lambda each: each[0])
        found.append(Sample(seconds_left(line), moment - at, ended - moment))
    return found


@dataclass(frozen=True)
class Watched:
    """A run on a terminal of its own, and what waits for its end and checks what came of it."""

    who: str
    terminal: Terminal
    run: Run
    end: Callable[[Run], Finished]

    @property
    def seconds(self) -> float:
        """How long it took, whenever it was waited for."""
        return self.terminal.left - self.run.started


def eta(bench: Bench) -> Result:
    """Runs that are held up by different things, side by side, each on a terminal that says how long it will take."""
    result, all_samples = Result(), list[Sample]()
    with ExitStack() as stack:
        watched = [
            *prompts_run(bench, stack, "quota", bench.size(150, 60), ("",), quota.BURST, quota.BURST, quota.SLOW),
            *prompts_run(bench, stack, "concurrency", bench.size(2000, 600), ("",), (), ("--concurrency", "16"),
                         ("--latency", "500ms")),
            *prompts_run(bench, stack, "shared", bench.size(60, 30), ("-left", "-right"), quota.BURST, quota.BURST,
                         quota.SLOW),
            posts_run(bench, stack),
        ]
        for each in watched:
            each.end(each.run)
            found = samples(live_lines(each.terminal.written), each.terminal.left)
            all_samples += found
            told = {f"at {share:.0%}": str(sample) for share, sample in zip(MOMENTS, found, strict=True)}
            result.rows.append(Row(each.who, {"time, s": each.seconds, **told}))
    judge(result, all_samples)
    return result


def judge(result: Result, all_samples: list[Sample]) -> None:
    """The figures of all samples."""
    off = [sample.off for sample in all_samples if sample.off is not None]
    counted_down = [sample.off_counted_down for sample in all_samples if sample.off_counted_down is not None]
    # Where no time is ever said, none is wrong: that is for the second figure.
    result.figures = [
        Figure("time left as the line says / as it took, the worst factor", max(off, default=1.0), 1.5),
        Figure("times that it said a time, as a share", len(off) / len(all_samples)),
        Figure("the factor, had the line counted down by itself", max(counted_down, default=1.0)),
    ]
    result.notes.append(
        f"{len(off)} of {len(all_samples)} times a time was said; the line was read as it stood on a terminal, at "
        f"{', '.join(f'{share:.0%}' for share in MOMENTS)} of the time from its first count to the end"
    )


def prompts_run(
    bench: Bench,
    stack: ExitStack,
    what: str,
    items: int,
    users: tuple[str, ...],
    limit: tuple[str, ...],
    flags: tuple[str, ...],
    slow: tuple[str, ...],
) -> list[Watched]:
    """Starts `atelier run` once for each of some users, who share a store and a provider."""
    folder = bench.folder(f"eta-{what}")
    sandbox = stack.enter_context(bench.sandbox(folder, *limit, *slow))
    engine = bench.engine(folder, sandbox)
    watched = []
    for user in users:
        name, terminal = f"{what}{user}", Terminal()
        prompts, out = write_prompts(folder / f"{name}.jsonl", name, items), folder / f"{name}-out.jsonl"
        run = stack.enter_context(engine.answer(prompts, out, *flags, on=terminal))

        def end(run: Run, out: Path = out, name: str = name) -> Finished:
            finished = run.wait(600).expect()
            quota.expect_all(check_answers(out, name, items).fault)
            return finished

        watched.append(Watched(f"{name}, {items} prompts", terminal, run, end))
    return watched


def posts_run(bench: Bench, stack: ExitStack) -> Watched:
    """Starts drafting for the sample posts, as `posts` has it."""
    folder, terminal = bench.folder("eta-posts"), Terminal()
    sandbox = stack.enter_context(bench.sandbox(folder, *posts.LIMIT, *posts.SLOW))
    run = stack.enter_context(posts.start_drafting(bench.engine(folder, sandbox), *posts.LIMIT, on=terminal))
    return Watched(f"posts, {posts.POSTS}", terminal, run, posts.drafted)


CASES = (
    Case("eta", "the time left that the live line says, of 150 prompts at 15 requests / 10 s, 2,000 at 16 at once, two "
         "runs with 60 each on one limit, and 100 posts", eta, True),
)
