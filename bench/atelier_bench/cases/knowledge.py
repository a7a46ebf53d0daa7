"""What the engine makes of what it knows, and how soon it knows it: packing for any provider, and unknown limits."""

from __future__ import annotations

import csv
import os
import random
import re
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from .. import ideal
from ..bench import Bench, Case
from ..engine import MODEL, Engine, Run
from ..prompts import check_answers, write_prompts
from ..recorder import Recorder, let_in, span
from ..result import Broken, Figure, Result, Row
from ..sandbox import Sandbox
from .posts import NOW, SAMPLES

# Says which shapes are drawn; without it they are others each time.
SEED_VARIABLE = "ATELIER_BENCH_SEED"
SHAPES, MOST_POSTS = 8, 200
PROJECTS = ("first", "second")
# What is measured is the drafting, so that every post passes.
TAKE_ALL = ("--no-use-gate", "--no-skip-low-scores")
# Runs begin one after the other, as starting a program takes the cores.
STARTS_EVERY = 0.5


@dataclass(frozen=True)
class Shape:
    """A provider, and what is asked of it. Times are in seconds."""

    posts: int
    amount: int
    window: float
    latency: float
    per_token: float

    @property
    def limit(self) -> tuple[str, ...]:
        """The flag for the limit, the sandbox's and the engine's."""
        return ("--quota", f"requests={self.amount}/{self.window * 1e3:.0f}ms")

    @property
    def slow(self) -> tuple[str, ...]:
        """The sandbox's flags for the time that answers take."""
        return ("--latency", f"{self.latency * 1e3:.0f}ms", "--per-output-token", f"{self.per_token * 1e3:.1f}ms")

    def best(self, tokens: float) -> float:
        """The least time with calls of equal size, where a post's answer has so many tokens."""
        return ideal.packed(self.posts, self.amount, self.window, self.latency, self.per_token * tokens)


def drawn(seed: int, count: int) -> list[Shape]:
    """So many shapes, each of its numbers evenly from the whole range that they may have."""
    source = random.Random(seed)
    return [
        Shape(
            posts=source.randint(20, MOST_POSTS),
            amount=source.randint(3, 60),
            window=source.randint(5_000, 20_000) / 1e3,
            latency=source.randint(200, 4_000) / 1e3,
            per_token=source.randint(3, 100) / 1e4,
        )
        for _ in range(count)
    ]


def chosen_seed(said: str | None) -> int:
    """The seed that was asked for, or one that nobody can know."""
    return int(said) if said else random.SystemRandom().randrange(1_000_000)


@dataclass(frozen=True)
class Trial:
    """One shape with its own provider and its own store."""

    shape: Shape
    sandbox: Sandbox
    recorder: Recorder
    engine: Engine

    def start(self, project: str) -> Run:
        """Has the posts of a project drafted."""
        return self.engine.start(
            "replies", "generate", "--project", project, "--now", NOW, "--max-candidates", str(self.shape.posts),
            "--model", MODEL, "--json", *TAKE_ALL, *self.shape.limit,
        )


@dataclass(frozen=True)
class Took:
    """What one run of a trial came to."""

    # From the first call's arrival to the last answer, and the least that it can be, in seconds.
    seconds: float
    best: float
    calls: int
    refused: int

    @property
    def ratio(self) -> float:
        """The time as a multiple of the least."""
        return self.seconds / self.best


def planning(bench: Bench) -> Result:
    """Posts for providers of any shape, side by side: with a pool that is new, and again when it is known."""
    seed = chosen_seed(os.environ.get(SEED_VARIABLE))
    bench.say(f"planning: {SEED_VARIABLE}={seed}")
    shapes = drawn(seed, bench.size(SHAPES, 3))
    folder = bench.folder("planning")
    stocked = stock(Engine(bench.binary, folder / "stock"))
    with ExitStack() as stack:
        trials = [started(bench, stack, shape, stocked, f"planning-{number}") for number, shape in enumerate(shapes)]
        first = all_drafted(trials, PROJECTS[0])
        # Every window is empty again.
        time.sleep(max(shape.window for shape in shapes) + 1)
        second = all_drafted(trials, PROJECTS[1])
    return judged_planning(seed, shapes, first, second)


def judged_planning(seed: int, shapes: list[Shape], first: list[Took], second: list[Took]) -> Result:
    """The figures of all shapes, and a row for each."""
    new, known = [took.ratio for took in first], [took.ratio for took in second]
    return Result(
        figures=[
            Figure("time / the best with equal calls, the median", median(new), 1.15),
            Figure("the same, the worst", max(new), 1.6),
            Figure("the same in a pool that is known, the worst", max(known), 1.15),
            Figure("refusals", sum(took.refused for took in (*first, *second)), 0),
        ],
        rows=[shape_row(number, *each) for number, each in enumerate(zip(shapes, first, second, strict=True), 1)],
        notes=[
            f"the shapes are drawn at random: {SEED_VARIABLE}={seed} draws these again",
            "best: calls of one size, the size that is best; the engine may do better with calls of several sizes",
        ],
    )


def shape_row(number: int, shape: Shape, first: Took, second: Took) -> Row:
    """What there is to tell of one shape."""
    return Row(f"shape {number}", {
        "posts": shape.posts, "requests": shape.amount, "window, s": shape.window, "latency, s": shape.latency,
        "ms a token": shape.per_token * 1e3, "best, s": first.best, "calls": first.calls, "time / best": first.ratio,
        "known: calls": second.calls, "known: time / best": second.ratio,
    })


def started(bench: Bench, stack: ExitStack, shape: Shape, stocked: Path, name: str) -> Trial:
    """A shape's provider, and a store that has the posts and has never seen a provider."""
    folder = bench.folder(name)
    shutil.copytree(stocked, folder / "data")
    sandbox = stack.enter_context(bench.sandbox(folder, *shape.limit, *shape.slow))
    recorder = stack.enter_context(Recorder(sandbox.url))
    return Trial(shape, sandbox, recorder, bench.engine(folder, recorder))


def all_drafted(trials: list[Trial], project: str) -> list[Took]:
    """Has all trials draft the posts of a project, side by side."""
    with ExitStack() as stack:
        runs = []
        for trial in trials:
            trial.sandbox.reset()
            runs.append((trial, len(trial.recorder.exchanges), stack.enter_context(trial.start(project))))
            time.sleep(STARTS_EVERY)
        return [drafted(trial, before, run) for trial, before, run in runs]


def drafted(trial: Trial, before: int, run: Run) -> Took:
    """Waits for a run's end. `before` are the exchanges that were there when it began."""
    posts = trial.shape.posts
    summary = run.wait(600).expect().summary
    if summary["drafted"] != posts:
        raise Broken(f"{summary['drafted']} of {posts} posts were drafted")
    stats = trial.sandbox.stats()
    calls = let_in(trial.recorder.exchanges[before:])
    return Took(span(calls), trial.shape.best(stats.output_tokens / posts), len(calls), stats.refused)


def stock(engine: Engine) -> Path:
    """A data directory with the most posts that a shape may have in each project, and with their vectors."""
    for project in PROJECTS:
        posts = write_posts(engine.folder / f"{project}.csv", project)
        engine.ask("projects", "add", project, "--finder", SAMPLES / "finder.yml")
        engine.ask("posts", "import", posts, "--project", project)
        # Compares all, and sends nothing: the runs that are measured find the vectors here, and leave the cores alone.
        found = engine.ask(
            "replies", "generate", "--project", project, "--now", NOW, "--max-candidates", str(MOST_POSTS),
            "--model", "sandbox", *TAKE_ALL, "--dry-run",
        )
        if found["posts"] != MOST_POSTS:
            raise Broken(f"{found['posts']} of {MOST_POSTS} posts would be drafted for")
    return engine.folder / "data"


def write_posts(path: Path, project: str) -> Path:
    """Writes posts of a project, recent and well liked."""
    columns = ("id", "text", "author", "followers", "posted_at", "likes", "replies", "reposts", "views", "lang")
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        for number, text in enumerate(texts(MOST_POSTS)):
            author = f"sample_{number}"
            rows.writerow([f"{project}-{number:04d}", text, author, 5000, "2026-11-20T11:00:00Z", 50, 5, 2, 2000, "en"])
    return path


def texts(count: int) -> list[str]:
    """Texts of which no two say the same: each is made of two sample posts, and no two of the same ones."""
    with (SAMPLES / "posts.csv").open(newline="") as file:
        samples = [" ".join(row["text"].split()) for row in csv.DictReader(file) if row["lang"] == "en"]
    apart = unlike([text for text in samples if 40 <= len(text) <= 200])
    pairs = [(first, first + step) for step in (1, 7) for first in range(len(apart))]
    return [f"{apart[first]} {apart[second % len(apart)]}" for first, second in pairs[:count]]


def unlike(samples: list[str]) -> list[str]:
    """Those that share few words with any before them."""
    kept: list[tuple[str, set[str]]] = []
    for text in samples:
        words = set(re.findall(r"[a-z]+", text.lower()))
        if all(len(words & others) < 0.3 * len(words | others) for _, others in kept):
            kept.append((text, words))
    return [text for text, _ in kept]


AMOUNT, WINDOW = 600, 60.0
LIMIT = ("--quota", f"requests={AMOUNT}/{WINDOW:.0f}s")
QUICKEST, SLOWEST = 0.2, 2.0
SEED = 30


def learning(bench: Bench) -> Result:
    """A large limit that nobody tells, behind answers that take any time, by what refusals say; side by side."""
    items = bench.size(1500, 900)
    least = ideal.windowed(items, AMOUNT, WINDOW, SLOWEST)
    result = Result(limit=(AMOUNT, WINDOW))
    with ExitStack() as stack:
        runs = []
        for hints, what in (("full", "told which"), ("delay", "not told which"), ("none", "told nothing")):
            folder = bench.folder(f"learning-{hints}")
            sandbox = stack.enter_context(bench.sandbox(folder, *LIMIT, "--hints", hints))
            delay = partial(random.Random(SEED).uniform, QUICKEST, SLOWEST)
            recorder = stack.enter_context(Recorder(sandbox.url, delay))
            prompts, out = write_prompts(folder / "in.jsonl", "learning", items), folder / "out.jsonl"
            run = stack.enter_context(bench.engine(folder, recorder).answer(prompts, out))
            runs.append((what, out, sandbox, recorder, run))
        for what, out, sandbox, recorder, run in runs:
            run.wait(6 * least + 60).expect()
            fault = check_answers(out, "learning", items).fault
            if fault:
                raise Broken(fault)
            judge_learning(result, what, recorder, sandbox.stats().refused, least)
    result.notes += [
        "told which: the refusal names the limit and the wait; not told which: the wait alone; told nothing: neither",
        f"ideal: {least:.0f} s for {items} prompts; a recorder holds answers back, each for its own time",
    ]
    return result


def judge_learning(result: Result, what: str, recorder: Recorder, refused: int, least: float) -> None:
    """The figures of one run that had to find the limit."""
    calls = let_in(recorder.exchanges)
    took = span(calls)
    result.figures += [
        Figure(f"{what}: time / ideal", took / least, 1.25),
        Figure(f"{what}: refusals", refused, 10),
    ]
    result.rows.append(Row(f"Atelier, {what}", {"time, s": took, "time / ideal": took / least, "refusals": refused}))
    result.curves[f"Atelier, {what}"] = [call.arrived - calls[0].arrived for call in calls]


CASES = (
    Case("planning", f"posts for {SHAPES} providers drawn at random: 20 to {MOST_POSTS} posts, 3 to 60 requests / 5 to "
         "20 s, 0.2 to 4 s a call, 0.3 to 10 ms an output token; in a new pool, then in the same", planning, True),
    Case("learning", f"1,500 prompts, {AMOUNT} requests / {WINDOW:.0f} s, answers of {QUICKEST} to {SLOWEST:.0f} s, "
         "limits not told to the engine", learning, True),
)
