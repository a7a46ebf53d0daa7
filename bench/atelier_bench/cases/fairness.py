"""Who goes first where several share one store and one limit."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .. import ideal
from ..bench import Bench, Case
from ..engine import Engine, Run
from ..prompts import check_answers, write_prompts
from ..recorder import Recorder
from ..result import Broken, Figure, Result, Row, Skipped

LATENCY = 1.0
SLOW = ("--latency", f"{LATENCY:.0f}s")
INTERACTIVE = "--interactive"
# Submissions with the flag, and without it.
TRIES, ORDINARY_TRIES = 6, 3
SEED = 100
# Whoever has not been served after so many times what is due is stopped: that is an answer as well.
PATIENCE = 4
# A process has started within this time, also where the machine is busy.
STARTS_IN = 1.0


def interactive(bench: Bench) -> Result:
    """One prompt at a time from a second process, behind a batch that has the limit used up."""
    amount, window = 15, 10.0
    limit = ("--quota", f"requests={amount}/{window:.0f}s")
    folder = bench.folder("interactive")
    with bench.sandbox(folder, *limit, *SLOW) as sandbox, Recorder(sandbox.url) as recorder:
        engine = bench.engine(folder, recorder)
        if not engine.understands("run", INTERACTIVE):
            raise Skipped(f"'atelier run' has no {INTERACTIVE}")
        batch = write_prompts(folder / "batch.jsonl", "batch", 10_000)
        result, tries = Result(), bench.size(TRIES, 2)
        with engine.answer(batch, folder / "batch-out.jsonl", *limit) as run:
            wait_for(lambda: len(recorder.calls()) >= amount, 60, "the batch did not spend its first window")
            tried = []
            for number in range(tries + bench.size(ORDINARY_TRIES, 1)):
                flags = (*limit, INTERACTIVE) if number < tries else limit
                wait_for_quiet(recorder, amount, window, random.Random(SEED + number))
                tried.append(submit(engine, recorder, flags, number, PATIENCE * window))
                what = "interactive" if number < tries else "ordinary"
                result.notes.append(f"submission {number + 1}, {what}: {tried[-1]}")
            run.interrupt()
            run.wait(60).expect(130)
        stats = sandbox.stats()
    passed = max(each.between - each.reserved for each in tried[:tries])
    waits = [PATIENCE * window if each.waited is None else each.waited for each in tried[tries:]]
    result.figures = [
        Figure("batch calls in between, not reserved before", passed, 1),
        Figure("without the flag: wait / window, the worst", max(waits) / window, 2),
        Figure("refusals", stats.refused),
    ]
    return result


def wait_for_quiet(recorder: Recorder, amount: int, window: float, moments: random.Random) -> None:
    """Waits until the window is used up, and from there to a moment well before its first slot frees.

    So whoever is submitted then has started, and waits, when that slot frees.
    """
    while True:
        # The oldest call that counts: when it has aged out, a slot frees.
        frees = recorder.calls()[-amount].arrived + window
        room = frees - STARTS_IN - time.monotonic()
        if room > 0:
            time.sleep(moments.uniform(0, room))
            return
        time.sleep(0.1)


@dataclass(frozen=True)
class Tried:
    """What became of one prompt behind the batch."""

    # Calls of the batch between its submission and its own call, and how many of those were reserved before.
    between: int
    reserved: int
    # From its submission to its call, in seconds. None: it made none.
    waited: float | None

    def __str__(self) -> str:
        when = "its call did not leave" if self.waited is None else f"its call left {self.waited:.2f} s after it"
        return f"{when}, {self.between} of the batch's in between, {self.reserved} of these reserved before"


def submit(engine: Engine, recorder: Recorder, flags: tuple[str, ...], number: int, patience: float) -> Tried:
    """Submits a prompt, and looks at whose calls left until its own did."""
    name = f"now{string.ascii_lowercase[number]}"
    prompts, out = write_prompts(engine.folder / f"{name}.jsonl", name, 1), engine.folder / f"{name}-out.jsonl"
    job = engine.ask("jobs", "list")["jobs"][-1]["job"]
    reserved = set(engine.ask("jobs", "show", job)["possibly_paid_twice"])
    submitted = time.monotonic()
    with engine.answer(prompts, out, *flags) as run:
        _, served = took_until(run, patience)
    fault = check_answers(out, name, 1).fault if served else None
    if fault:
        raise Broken(fault)
    calls = [call for call in recorder.calls() if call.arrived >= submitted]
    own = min((call.arrived for call in calls if call.item == f"{name}-0000000"), default=None)
    before = [call.item for call in calls if (own is None or call.arrived < own) and call.item != f"{name}-0000000"]
    return Tried(len(before), sum(item in reserved for item in before), None if own is None else own - submitted)


def wait_for(condition: Callable[[], bool], within: float, otherwise: str) -> None:
    """Waits until a condition holds. Raises Broken if it does not come to that."""
    until = time.monotonic() + within
    while not condition():
        if time.monotonic() > until:
            raise Broken(otherwise)
        time.sleep(0.02)


def took_until(run: Run, patience: float) -> tuple[float, bool]:
    """How long a run took, and whether it came to its end; it is stopped where it takes too long."""
    until = run.started + patience
    while run.running and time.monotonic() < until:
        time.sleep(0.01)
    if not run.running:
        return run.wait(10).expect().seconds, True
    run.interrupt()
    run.wait(60).expect(0, 130)
    return patience, False


@dataclass(frozen=True)
class User:
    """One of several on a pool."""

    name: str
    items: int
    # How many share the pool while it is at work, itself among them.
    among: int


AMOUNT, WINDOW = 20, 5.0
LARGE, MIDDLE, SMALL = User("large", 10_000, 3), User("middle", 100, 2), User("small", 1, 3)
# Those who come when only the large one is left, one after the other.
LATE = tuple(User(f"late{letter}", 1, 2) for letter in "abcd")


def users(bench: Bench) -> Result:
    """Three users on one pool, each a process, and late ones; the largest is stopped when the others have ended."""
    limit = ("--quota", f"requests={AMOUNT}/{WINDOW:.0f}s")
    folder, moments, result = bench.folder("users"), random.Random(SEED), Result()
    with bench.sandbox(folder, *limit, *SLOW) as sandbox, ExitStack() as stack:
        engine = bench.engine(folder, sandbox)

        def start(user: User) -> Run:
            prompts = write_prompts(folder / f"{user.name}.jsonl", user.name, user.items)
            return stack.enter_context(engine.answer(prompts, folder / f"{user.name}-out.jsonl", *limit))

        large, middle, small = start(LARGE), start(MIDDLE), start(SMALL)
        first = [served(result, "1 item", SMALL, small, folder), served(result, "100 items", MIDDLE, middle, folder)]
        late = []
        for user in LATE[: bench.size(len(LATE), 1)]:
            time.sleep(moments.uniform(0.3, WINDOW))
            late.append(served(result, "1 item, later", user, start(user), folder))
        large.interrupt()
        large.wait(60).expect(130)
        stats = sandbox.stats()
    result.figures = [
        Figure("1 item: time / fair share's", first[0], 2),
        Figure("100 items: time / fair share's", first[1], 2),
        Figure("1 item, later: time / fair share's, the worst", max(late), 2),
        Figure("refusals", stats.refused),
    ]
    result.notes.append(f"{stats.admitted} calls in all; a user who is stopped had {PATIENCE} x the fair share's time")
    return result


def served(result: Result, what: str, user: User, run: Run, folder: Path) -> float:
    """Waits for a user's end. Gives its time as a multiple of its fair share's."""
    share = ideal.share(user.items, AMOUNT, WINDOW, LATENCY, user.among)
    took, whole = took_until(run, PATIENCE * share)
    fault = check_answers(folder / f"{user.name}-out.jsonl", user.name, user.items).fault if whole else None
    if fault:
        raise Broken(fault)
    result.rows.append(Row(what, {
        "time, s": took, "fair share's, s": share, "ended": "yes" if whole else "no: it was stopped",
    }))
    return took / share


CASES = (
    Case("interactive", "an interactive call from a second process, behind a batch of 10,000 at 15 requests / 10 s",
         interactive, True),
    Case("users", "users with 10,000, 100 and 1 items on one pool of 20 requests / 5 s, and late ones", users, True),
)
